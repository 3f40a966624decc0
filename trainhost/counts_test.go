package trainhost

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestCounts(t *testing.T) {
	for text, want := range map[string]Counts{"4": PerClass(4), "1, 1,2,2,2,6": {1, 1, 2, 2, 2, 6}, "0,0,0,4,4,0": {0, 0, 0, 4, 4, 0}} {
		c, err := ParseCounts(text)
		if err != nil || c != want {
			t.Errorf("%q: %v, %v, want %v", text, c, err, want)
		}
		if again, err := ParseCounts(c.String()); err != nil || again != c {
			t.Errorf("%v written as %q reads as %v, %v", c, c.String(), again, err)
		}
		b, err := json.Marshal(c)
		var back Counts
		if err != nil || json.Unmarshal(b, &back) != nil || back != c {
			t.Errorf("%v through JSON: %s, %v", c, b, back)
		}
	}
	for _, text := range []string{"", "0", "1,2", "1,1,1,1,1,x", "1,1,1,1,1,-1", "5000"} {
		if c, err := ParseCounts(text); err == nil {
			t.Errorf("%q was read as %v", text, c)
		}
	}
	// Checkpoints of the first version have one number.
	var c Counts
	if err := json.Unmarshal([]byte("3"), &c); err != nil || c != PerClass(3) {
		t.Errorf("3: %v, %v", c, err)
	}
	for _, c := range []Counts{{1, 2, 1, 1, 1, 3}, {0, 0, 2, 0, 3, 0}} {
		at := 0
		for class, n := range c {
			if c.Start(class) != at {
				t.Errorf("%v: class %d starts at %d, want %d", c, class, c.Start(class), at)
			}
			for range n {
				if c.Class(at) != class {
					t.Errorf("%v: picture %d is of class %d, want %d", c, at, c.Class(at), class)
				}
				at++
			}
			if slices.Contains(c.present(), class) != (n > 0) {
				t.Errorf("%v: classes with pictures: %v", c, c.present())
			}
		}
		if c.Total() != at {
			t.Errorf("%v: total %d, want %d", c, c.Total(), at)
		}
	}
}

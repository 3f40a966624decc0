package weights

import (
	"bytes"
	"maps"
	"testing"
)

// DefaultMeta and SpecialMeta give what the whole files say.
func TestMeta(t *testing.T) {
	whole, err := Default()
	if err != nil {
		t.Skip(err) // built without weights
	}
	if meta, err := DefaultMeta(); err != nil || !maps.Equal(meta, whole.Meta) {
		t.Errorf("default: %v, %v", meta, err)
	}
	for _, tasks := range Specials() {
		f, err := Special(tasks)
		if err != nil {
			t.Fatal(err)
		}
		if meta, err := SpecialMeta(tasks); err != nil || !maps.Equal(meta, f.Meta) {
			t.Errorf("%v: %v, %v", tasks, meta, err)
		}
	}
	if _, err := SpecialMeta([]string{"nothing"}); err == nil {
		t.Error("a missing file was not noticed")
	}
}

// readMeta reads no further than the header, and refuses what is no file of weights.
func TestReadMeta(t *testing.T) {
	for name, b := range map[string][]byte{"empty": nil, "no frame": []byte("not a frame at all")} {
		if meta, err := readMeta(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: %v", name, meta)
		}
	}
	packed, err := embedded.ReadFile("default/" + DefaultName)
	if err != nil {
		t.Skip(err)
	}
	in := bytes.NewReader(packed)
	if _, err := readMeta(in, int64(len(packed))); err != nil {
		t.Fatal(err)
	}
	if in.Len() < len(packed)/2 {
		t.Errorf("%d of %d bytes were read", len(packed)-in.Len(), len(packed))
	}
	if _, err := readMeta(bytes.NewReader(packed[:100]), 100); err == nil {
		t.Error("a file that is cut off was not noticed")
	}
}

package picture

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEncodeFile(t *testing.T) {
	dir := t.TempDir()
	p := random(newRand(), 9, 8, 8, false, false)
	for name, f := range map[string]Format{"a.png": PNG, "b.JPG": JPEG, "c.jpeg": JPEG} {
		path := filepath.Join(dir, name)
		if err := EncodeFile(path, p, 0); err != nil {
			t.Fatal(err)
		}
		q, err := DecodeFile(path, Limits{})
		if err != nil || q.Format != f {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"a.webp", "a.gif", "a", "png", "a.png.bak"} {
		path := filepath.Join(dir, "x"+name)
		err := EncodeFile(path, p, 0)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	before, _ := os.ReadFile(filepath.Join(dir, "a.png"))
	p.Pix[3] = float32(math.NaN())
	if err := EncodeFile(filepath.Join(dir, "a.png"), p, 0); err == nil ||
		!strings.Contains(err.Error(), "a.png: ") {
		t.Errorf("got %v", err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, "a.png"))
	if !bytes.Equal(before, after) {
		t.Error("a failed write changed the file")
	}
	if es, _ := os.ReadDir(dir); len(es) != 3 {
		t.Errorf("%d files, want 3", len(es))
	}
}

var errFull = errors.New("no space left on device")

// fullDisk accepts some bytes, and then fails.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		n := d.left
		d.left = 0
		return n, errFull
	}
	d.left -= len(p)
	return len(p), nil
}

func TestFullDiskAtEveryPoint(t *testing.T) {
	r := newRand()
	for _, c := range []struct {
		p *Picture
		f Format
	}{
		{random(r, 40, 30, 8, false, false), PNG}, {random(r, 40, 30, 16, true, true), PNG},
		{random(r, 40, 30, 8, true, false), JPEG}, {random(r, 40, 30, 8, false, false), JPEG},
	} {
		c.p.ICC = profile(r, "RGB ", 700)
		if c.p.Gray {
			c.p.ICC = profile(r, "GRAY", 700)
		}
		n := len(encode(t, c.p, c.f, 0))
		for room := 0; room < n; room += 1 + n/97 {
			if err := EncodeTo(&fullDisk{room}, "out", c.p, c.f, 0); err != errFull {
				t.Fatalf("%v with room for %d of %d bytes: %v", c.f, room, n, err)
			}
			if err := Encode(&fullDisk{room}, c.p, c.f, 0); !errors.Is(err, errFull) {
				t.Fatalf("%v unbuffered with room for %d of %d bytes: %v", c.f, room, n, err)
			}
		}
		if err := EncodeTo(&fullDisk{n}, "out", c.p, c.f, 0); err != nil {
			t.Errorf("just enough room: %v", err)
		}
	}
}

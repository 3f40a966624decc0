package picture

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// TestMaskKinds: masks as people paint them, and empty masks, whose error explains what a mask is.
func TestMaskKinds(t *testing.T) {
	dir := t.TempDir()
	const w, h = 16, 12
	inside := func(i int) bool { return i%w > 4 && i%w < 10 && i/w > 2 && i/w < 8 }
	draw := func(paint, ground [4]float32, gray, alpha bool) *Picture {
		p := New(w, h, make([]float32, 3*w*h))
		p.Gray = gray
		if alpha {
			p.Alpha = make([]float32, w*h)
		}
		for i := range w * h {
			v := ground
			if inside(i) {
				v = paint
			}
			for c := range 3 {
				p.Pix[c*w*h+i] = 2*v[c] - 1
			}
			if alpha {
				p.Alpha[i] = v[3]
			}
		}
		return p
	}
	white, black, clear := [4]float32{1, 1, 1, 1}, [4]float32{0, 0, 0, 1}, [4]float32{}
	for name, p := range map[string]*Picture{
		"white on black":               draw(white, black, true, false),
		"white on black, opaque":       draw(white, black, false, true),
		"white on clear":               draw(white, clear, false, true),
		"black on clear":               draw(black, clear, false, true),
		"red on clear":                 draw([4]float32{1, 0, 0, 1}, clear, false, true),
		"grey with alpha":              draw(black, clear, true, true),
		"black on white that is clear": draw(black, [4]float32{1, 1, 1, 0}, false, true),
	} {
		for _, f := range []Format{PNG, TIFF} {
			path := filepath.Join(dir, "mask"+map[Format]string{PNG: ".png", TIFF: ".tif"}[f])
			if err := EncodeFile(path, p, 0); err != nil {
				t.Fatal(err)
			}
			m, err := DecodeMaskFile(path, w, h, Limits{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for i := range m {
				if m[i] != inside(i) {
					t.Errorf("%s: pixel %d is missing: %v", name, i, m[i])
					break
				}
			}
		}
	}
	// Several colours on transparency mark like one; black and white on it is a mask of black and
	// white.
	for name, c := range map[string]struct {
		left, right, ground [4]float32
		rightToo            bool
	}{
		"white and red":   {[4]float32{1, 1, 1, 1}, [4]float32{1, 0, 0, 1}, clear, true},
		"yellow and blue": {[4]float32{1, 1, 0, 1}, [4]float32{0, 0, 1, 1}, clear, true},
		"a part of a picture": {[4]float32{0.7, 0.6, 0.5, 1}, [4]float32{0.3, 0.35, 0.2, 1},
			[4]float32{0.4, 0.9, 0.4, 0}, true},
		"white, black on clear": {white, black, clear, false},
	} {
		p := draw(white, c.ground, false, true)
		for i := range w * h {
			if inside(i) {
				v := c.left
				if i%w > 6 {
					v = c.right
				}
				for k := range 3 {
					p.Pix[k*w*h+i] = 2*v[k] - 1
				}
				p.Alpha[i] = v[3]
			}
		}
		m, err := p.Mask(w, h)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m {
			if want := inside(i) && (c.rightToo || i%w <= 6); m[i] != want {
				t.Errorf("%s: pixel %d is missing: %v", name, i, m[i])
				break
			}
		}
	}
	one := float32(1) / 255
	for name, p := range map[string]*Picture{
		"black": draw(black, black, true, false), "black, opaque": draw(black, black, false, true),
		"clear":        draw(clear, clear, false, true),
		"0 and 1":      draw([4]float32{one, one, one, 1}, black, true, false),
		"red on black": draw([4]float32{1, 0, 0, 1}, black, false, false),
		"faint paint":  draw([4]float32{0, 0, 0, 0.4}, clear, false, true),
	} {
		path := filepath.Join(dir, "nothing.png")
		if err := EncodeFile(path, p, 0); err != nil {
			t.Fatal(err)
		}
		_, err := DecodeMaskFile(path, w, h, Limits{})
		var e *EmptyMaskError
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(),
			path+": the mask marks nothing: paint white") {
			t.Errorf("%s: %v", name, err)
		} else if want := map[string]float64{"0 and 1": 1, "red on black": 85}[name]; math.Abs(
			e.Lightest-want) > 0.01 {
			t.Errorf("%s: the lightest is %g, want %g", name, e.Lightest, want)
		}
	}
}

package restore

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// wideMask returns a mask of some pixels and a wide rectangle, and which pixels lie in the
// rectangle.
func wideMask(w, h int) (missing, wide []bool) {
	missing, wide = make([]bool, w*h), make([]bool, w*h)
	for i := range missing {
		x, y := i%w, i/w
		wide[i] = x >= 20 && x < 38 && y >= 14 && y < 30
		missing[i] = wide[i] || i%11 == 0 && x < 14
	}
	return missing, wide
}

// differ reports whether two pictures differ anywhere inside a mask, and outside of it.
func differ(a, b []float32, where []bool) (inside, outside bool) {
	for i := range a {
		if a[i] != b[i] {
			inside, outside = inside || where[i%len(where)], outside || !where[i%len(where)]
		}
	}
	return inside, outside
}

// Wide holes are filled with the picture's own patches; everything else is as with Expected. That
// holds for pictures with floats and with levels, for samples, each filled in its own way, and for
// an ensemble. Rows come once, at the end.
func TestWideHoles(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, 8)
	const w, h = 64, 48
	p := randomPicture(rnd, w, h)
	missing, wide := wideMask(w, h)
	req := Request{Task: task.Inpaint, Mask: missing, Noise: NoNoise, Seed: 5, Samples: 2, Temperature: 1}
	rows := []int{}
	req.Rows = func(_ *picture.Picture, n int) { rows = append(rows, n) }
	got := restored(t, m, p, req)
	if !slices.Equal(rows, []int{h}) {
		t.Errorf("rows are reported as %v", rows)
	}
	req.Rows, req.Expected = nil, true
	mean := restored(t, m, p, req)
	if in, out := differ(got.Picture.Pix, mean.Picture.Pix, wide); !in || out {
		t.Errorf("the picture: hole changed %v, others changed %v", in, out)
	}
	for i := range got.Samples {
		if in, out := differ(got.Samples[i].Pix, mean.Samples[i].Pix, wide); !in || out {
			t.Errorf("sample %d: hole changed %v, others changed %v", i, in, out)
		}
	}
	if in, _ := differ(got.Samples[0].Pix, got.Samples[1].Pix, wide); !in {
		t.Error("two samples have the same filling")
	}
	if in, _ := differ(got.Mean.Pix, mean.Mean.Pix, wide); !in {
		t.Error("the samples' mean is that of others")
	}
	req.Samples, req.Expected = 0, false
	if again := restored(t, m, p, req); !slices.Equal(again.Picture.Pix, got.Picture.Pix) {
		t.Error("without samples the filling is another one")
	}
	req.Seed++
	if other := restored(t, m, p, req); slices.Equal(other.Picture.Pix, got.Picture.Pix) {
		t.Error("another seed gives the same filling")
	}

	// The filling consists of known pixels: a picture of two values has only these two, except in
	// the blend at the edge.
	flat := randomPicture(rnd, w, h)
	for i := range flat.Pix {
		flat.Pix[i] = float32(1-i%w/2%2*2) * 0.5
	}
	req.Ensemble = 2
	r := restored(t, m, flat, req)
	for i, v := range r.Picture.Pix {
		if wide[i%(w*h)] && (v < -0.9 || v > 0.9 || v > -0.2 && v < 0.2) {
			t.Fatalf("ensemble: value %d is %g, the known pixels are -0.5 and 0.5", i, v)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Restore(ctx, p, req); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

// Pictures with Levels are filled in their steps. Hidden pixels keep the given colours and are no
// source of patches.
func TestWideHolesOfLevels(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, 8)
	const w, h = 64, 48
	missing, wide := wideMask(w, h)
	p := picture.New(w, h, nil)
	p.Depth, p.Levels = 8, picture.NewLevels(8, 3*w*h)
	row := make([]float32, 3*w*h)
	for i := range row {
		row[i] = float32(rnd.Float64()) - 0.9
	}
	p.Alpha = make([]float32, w*h)
	for i := range p.Alpha {
		if p.Alpha[i] = 1; i%w >= 50 {
			p.Alpha[i] = 0
			for c := range 3 {
				row[c*w*h+i] = 1
			}
		}
	}
	p.Levels.Write(0, row)
	req := Request{Task: task.Inpaint, Mask: missing, Noise: NoNoise, Seed: 5}
	r, err := m.Restore(t.Context(), p, req)
	if err != nil {
		t.Fatal(err)
	}
	if r.Picture.Levels == nil {
		t.Fatal("the result has no levels")
	}
	// Its holes may be filled in another way: rounding decides which patch is nearer.
	floats := restored(t, m, p.Unpacked(), req).Picture.Pix
	got := r.Picture.Unpacked().Pix
	for i, v := range got {
		k := i % (w * h)
		if p.Alpha[k] == 0 && v != 1 {
			t.Fatalf("hidden value %d is %g, was 1", i, v)
		}
		if wide[k] && v > 0.6 {
			t.Fatalf("value %d of the hole is %g: that is hidden colour", i, v)
		}
		if d := v - floats[i]; !wide[k] && max(d, -d) > 1.5/127.5 {
			t.Fatalf("value %d is %g, of floats %g", i, v, floats[i])
		}
	}
}

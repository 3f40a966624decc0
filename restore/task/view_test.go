package task

import (
	"errors"
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// smooth returns a picture of waves that turn by one radian in about the given number of pixels.
func smooth(w, h int, slow float64) *planar.Image {
	m := planar.New(w, h)
	for c := 0; c < 3; c++ {
		for y := 0; y < h; y++ {
			for x := 0; x < w; x++ {
				m.Set(c, x, y, float32(0.6*math.Sin(float64(x)/slow+float64(c))*math.Cos(float64(y)/slow/1.3)))
			}
		}
	}
	return m
}

func rms(a, b []float32) float64 {
	s := 0.0
	for i := range a {
		d := float64(a[i] - b[i])
		s += d * d
	}
	return math.Sqrt(s / float64(len(a)))
}

func TestPushPullFillsSmoothPictures(t *testing.T) {
	rng := fresh(t)
	for n := 0; n < 8; n++ {
		w, h := 60+rng.IntN(120), 60+rng.IntN(120)
		for _, c := range []struct {
			task        Task
			slow, bound float64
		}{{InpaintRandom, 15, 0.02}, {InpaintBox, 60, 0.05}} {
			x := smooth(w, h, c.slow)
			p, _ := Draw(rng, c.task, w, h, 1)
			y := x.Clone()
			for i := range y.Pix {
				if p.Mask[i%(w*h)] == 0 {
					y.Pix[i] = 1e6 // the value of a missing pixel must not matter
				}
			}
			got, known, err := View(c.task, y, p.Mask)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Pix {
				if m := p.Mask[i%(w*h)]; m != known[i%(w*h)] || (m == 1 && v != x.Pix[i]) {
					t.Fatalf("%v: known pixel %v became %v", c.task, x.Pix[i], v)
				}
			}
			if e := rms(got.Pix, x.Pix); e > c.bound {
				t.Errorf("%v %d×%d: error %v of the fill", c.task, w, h, e)
			}
		}
	}
}

func TestPushPullEdges(t *testing.T) {
	rng := fresh(t)
	// a constant picture with one known pixel is filled with it, at any size
	for n := 0; n < 30; n++ {
		w, h := 1+rng.IntN(40), 1+rng.IntN(40)
		x, mask := planar.New(w, h), make([]float32, w*h)
		k := rng.IntN(w * h)
		mask[k] = 1
		for c := 0; c < 3; c++ {
			x.Plane(c)[k] = 0.5
		}
		got, err := PushPull(x, mask)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range got.Pix {
			if math.Abs(float64(v)-0.5) > 1e-6 {
				t.Fatalf("%d×%d: %v", w, h, v)
			}
		}
		// nothing known: 0
		got, _ = PushPull(randomImage(rng, w, h), make([]float32, w*h))
		for _, v := range got.Pix {
			if v != 0 {
				t.Fatalf("%d×%d without a known pixel: %v", w, h, v)
			}
		}
	}
	for _, c := range [][3]int{{1, 1, 0}, {2, 1, 1}, {3, 2, 2}, {64, 64, 6}, {65, 3, 7}, {256, 256, 8}} {
		if got := PullLevels(c[0], c[1]); got != c[2] {
			t.Errorf("%d×%d: %d levels, want %d", c[0], c[1], got, c[2])
		}
	}
	var size *SizeError
	if _, err := PushPull(planar.New(3, 3), make([]float32, 8)); !errors.As(err, &size) {
		t.Errorf("mask of another size: %v", err)
	}
}

func TestView(t *testing.T) {
	rng := fresh(t)
	y := randomImage(rng, 9, 7)
	for _, task := range []Task{Denoise, GaussianDeblur, MotionDeblur} {
		v, known, err := View(task, y, nil)
		if err != nil || rms(v.Pix, y.Pix) != 0 || len(known) != 63 || known[5] != 1 {
			t.Errorf("%v: %v", task, err)
		}
		v.Pix[0] = 9
		if y.Pix[0] == 9 {
			t.Error("view shares memory with the observation")
		}
	}
	v, known, err := View(SuperResolve, y, nil)
	if err != nil || v.W != 36 || v.H != 28 || len(known) != 36*28 || known[100] != 1 {
		t.Fatalf("super-resolution view: %v", err)
	}
	// enlarging a reduced smooth picture gives it back
	x := smooth(96, 120, 17)
	op := drawOperator(t, rng, SuperResolve, x.W, x.H)
	low, _ := op.Apply(x)
	back, _, _ := View(SuperResolve, low, nil)
	if e := rms(back.Pix, x.Pix); e > 0.02 {
		t.Errorf("down and up again: error %v", e)
	}
	var missing *MissingError
	if _, _, err := View(Inpaint, y, nil); !errors.As(err, &missing) {
		t.Errorf("inpainting without a mask: %v", err)
	}
	var unknown *UnknownTaskError
	if _, _, err := View(Task(40), y, nil); !errors.As(err, &unknown) {
		t.Errorf("unknown task: %v", err)
	}
}

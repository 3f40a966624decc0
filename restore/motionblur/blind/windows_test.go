package blind

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

func point(side, x, y int) *task.Kernel {
	k := &task.Kernel{Size: side, W: make([]float32, side*side)}
	k.W[y*side+x] = 1
	return k
}

// bar is a horizontal or vertical line of n equal weights.
func bar(side, n int, upright bool) *task.Kernel {
	k := &task.Kernel{Size: side, W: make([]float32, side*side)}
	for i := range n {
		at := side/2*side + side/2 - n/2 + i
		if upright {
			at = (side/2-n/2+i)*side + side/2
		}
		k.W[at] = 1 / float32(n)
	}
	return k
}

// The windows cover the picture, and their weights add up to 1 everywhere.
func TestWindowsCover(t *testing.T) {
	for _, n := range []int{1, 47, 320, 321, 500, 1280, 4000} {
		list := spans(n)
		if last := list[len(list)-1]; list[0].from != 0 || last.from+last.size != n {
			t.Errorf("%d pixels: windows %v", n, list)
		}
		sum := make([]float64, n)
		for i, w := range fades(list, n) {
			for j, v := range w {
				sum[list[i].from+j] += v
			}
		}
		for i, v := range sum {
			if math.Abs(v-1) > 1e-12 {
				t.Fatalf("%d pixels: the weights at %d add up to %g", n, i, v)
			}
		}
	}
}

// Untold windows take the blur kernel of the most certain neighbour; sharp ones take none.
func TestBorrow(t *testing.T) {
	f := newField(1000, 330)
	if f.across < 4 || f.down != 2 {
		t.Fatalf("%d×%d windows", f.across, f.down)
	}
	weak, strong := point(3, 0, 1), point(3, 2, 1)
	f.Windows[0].Kernel, f.Windows[0].Certainty = weak, Certainty{Verdict: Blurred, Gain: 0.3}
	f.Windows[2].Kernel, f.Windows[2].Certainty = strong, Certainty{Verdict: Blurred, Gain: 0.9}
	f.Windows[3].Certainty.Verdict = Sharp
	f.borrow()
	for i, want := range []*task.Kernel{weak, strong, strong, nil} {
		if f.Windows[i].Kernel != want {
			t.Errorf("window %d has another blur kernel", i)
		}
	}
	if !f.Windows[1].Borrowed || f.Windows[2].Borrowed || f.Best() != &f.Windows[2] || f.Verdict() != Blurred {
		t.Error("a borrowed blur kernel is taken for the window's own")
	}
}

// Blur kernels that are the same but for a shift are coherent, others are not, and borrowed ones do
// not count.
func TestCoherence(t *testing.T) {
	f := newField(300, 600) // one column
	if f.across != 1 || f.down < 2 {
		t.Fatalf("%d×%d windows", f.across, f.down)
	}
	if f.Coherence() != 0 {
		t.Error("coherence without blur kernels")
	}
	f.Windows[0].Kernel, f.Windows[1].Kernel = bar(9, 7, false), bar(11, 7, false)
	if c := f.Coherence(); math.Abs(c-1) > 1e-5 {
		t.Errorf("equal blur kernels: %g", c)
	}
	f.Windows[1].Kernel = bar(9, 7, true)
	if c := f.Coherence(); math.Abs(c-1.0/7) > 1e-5 { // one pixel of seven is shared
		t.Errorf("crossed bars: %g, not 1/7", c)
	}
	f.Windows[1].Borrowed = true
	if f.Coherence() != 0 {
		t.Error("a borrowed blur kernel counts")
	}
}

// A field with one blur kernel gives the same as deconvolving the whole picture. So do windows with
// equal blur kernels of their own, except near seams and edges.
func TestFieldDeconvolves(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	w, h := 420, 100
	y := NewPlane(w, h)
	for i := range y.Pix {
		y.Pix[i] = 0.5 + 0.3*math.Sin(float64(i%w)/5)*math.Cos(float64(i/w)/7) + 0.01*rng.NormFloat64()
	}
	k := bar(9, 5, false)
	whole, err := Deconvolve(context.Background(), y, k, Deconvolution{Noise: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	field := UniformField(w, h, k)
	for _, limit := range []float64{0, 0.004} {
		parts, err := field.Deconvolve(context.Background(), y, Deconvolution{Noise: 0.02}, 2)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, v := range whole.Pix {
			sum += (v - parts.Pix[i]) * (v - parts.Pix[i])
		}
		if rms := math.Sqrt(sum / float64(len(whole.Pix))); rms > limit {
			t.Errorf("whole and windows differ by %g, limit %g", rms, limit)
		}
		field.Windows[1].Kernel = bar(9, 5, false) // equal, but its own
	}
	none := newField(w, h)
	same, err := none.Deconvolve(context.Background(), y, Deconvolution{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range y.Pix {
		if math.Abs(v-same.Pix[i]) > 1e-9 {
			t.Fatal("windows without a blur kernel were changed")
		}
	}
}

package reference

import (
	"context"
	"errors"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// ignorant is a Backend by which no picture tells anything: its posterior is the prior, as far as
// 900 of the library's blur kernels show it.
type ignorant struct{ *Backend }

func (ignorant) LogSums(_ context.Context, l *motionblur.Likelihood) error {
	for s := range l.SumExpected {
		for i := range l.SumExpected[s] {
			l.SumExpected[s][i], l.SumObserved[s][i] = 0, 0
			if i >= 900 {
				l.SumObserved[s][i] = 1e9
			}
		}
	}
	return nil
}

// For random scenes the posterior knows more about the blur kernel than the prior. The filter comes
// nearer to the sharp picture than the blurred picture is, and than the filter of the prior. For
// the last, the median of the scenes counts: in a few scenes whose spectrum is far from a
// photograph's the blur kernel is guessed wrongly, and a mean would depend on how many of these are
// drawn.
func TestDeblurs(t *testing.T) {
	rng := newRand(t)
	b := &recorder{Backend: New(0, nil)}
	e, ofPrior := motionblur.NewEstimator(b), motionblur.NewEstimator(ignorant{New(0, nil)})
	const n, sigma = 31, 0.05
	var input, guess, posteriorError, priorError float64
	var gains []float64
	for range n {
		x := scene(rng, 256, 256)
		y, k := blurred(t, rng, x, sigma)
		psnr := func(m *planar.Image) float64 {
			v, err := metric.PSNR(x, m.Clone().Clamp())
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		g := psnr(deblurred(t, e, y, sigma))
		input, guess = input+psnr(y)/n, guess+g/n
		p, q := distances(b.posterior, k)
		posteriorError, priorError = posteriorError+p/n, priorError+q/n
		gains = append(gains, g-psnr(deblurred(t, ofPrior, y, sigma)))
	}
	slices.Sort(gains)
	t.Logf("input %.2f dB, guess %.2f, above the prior's filter from %.2f to %.2f, median %.2f; error of E|K|² %.3f, of the prior's %.3f",
		input, guess, gains[0], gains[n-1], gains[n/2], posteriorError, priorError)
	if !(guess > input+0.2 && gains[n/2] > 0 && posteriorError < 0.85*priorError) {
		t.Errorf("too little is gained")
	}
}

// distances is how far E|K|² of the posterior and of the prior are from |K|² of a blur kernel,
// weighted by the spectrum of photographs, at the frequencies of a grid of 128².
func distances(p *motionblur.Posterior, k *task.Kernel) (posterior, prior float64) {
	g := newGrid(128, nil)
	power := func(side int, value func(i int) float64) []complex128 {
		clear(g.v)
		for i := range side * side {
			g.v[g.index(i/side-side/2, i%side-side/2)] = complex(value(i), 0)
		}
		g.forward()
		return slices.Clone(g.v)
	}
	truth := power(k.Size, func(i int) float64 { return float64(k.W[i]) })
	auto := power(motionblur.AutoSide, func(i int) float64 { return p.Auto[i] })
	var total float64
	for i := 1; i < len(truth); i++ {
		x, y := wrapped(i%g.n, g.n), wrapped(i/g.n, g.n)
		s, want := motionblur.Spectrum(g.frequency(i%g.n), g.frequency(i/g.n)), absSquare(truth[i])
		posterior += s * math.Abs(real(auto[i])-want)
		prior += s * math.Abs(motionblur.PriorPower(2*x, 2*y)-want)
		total += s * want
	}
	return posterior / total, prior / total
}

// Blocks of any size give the same picture, and any number of workers the same bits.
func TestBlocks(t *testing.T) {
	rng := newRand(t)
	const sigma = 0.03
	y, _ := blurred(t, rng, scene(rng, 600, 290), sigma)
	b := New(1, nil)
	e := motionblur.NewEstimator(b)
	want := deblurred(t, e, y, sigma)
	if err := e.Begin(t.Context(), y.W, y.H, source(y), sigma); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{512, 1024} {
		got := planar.New(y.W, y.H)
		b.prepare(n, sigma*sigma)
		_, _, across, down := e.Grid()
		err := b.FilterBlocks(t.Context(), across*down, func(i int) motionblur.Block {
			x0, y0, w, h := e.Area(i)
			return motionblur.Block{
				Src: source(y), Width: y.W, Height: y.H, X: x0, Y: y0, W: w, H: h,
				Result: got.Pix[y0*y.W+x0:], Plane: y.W * y.H, Stride: y.W,
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(got.Pix, want.Pix); d > 1e-5 {
			t.Errorf("blocks of %d: off by %g", n, d)
		}
	}
	if got := deblurred(t, NewEstimator(3), y, sigma); !slices.Equal(got.Pix, want.Pix) {
		t.Errorf("three workers are off by %g", apart(got.Pix, want.Pix))
	}
}

func source(m *planar.Image) task.Source {
	return func(dst []float32, c, y, x int) { copy(dst, m.Plane(c)[y*m.W+x:]) }
}

// Single blocks are bit for bit the blocks of the whole picture.
func TestSingleBlocks(t *testing.T) {
	rng := newRand(t)
	for range 2 {
		y, _ := blurred(t, rng, scene(rng, 130+rng.IntN(600), 60+rng.IntN(400)), 0.03)
		want := deblurred(t, NewEstimator(2), y, 0.03)
		e := NewEstimator(2)
		if err := e.Begin(t.Context(), y.W, y.H, source(y), 0.03); err != nil {
			t.Fatal(err)
		}
		_, _, across, down := e.Grid()
		for todo := rng.Perm(across * down); len(todo) > 0; {
			n := min(len(todo), 1+rng.IntN(3))
			dst := make([][]float32, n)
			for k, i := range todo[:n] {
				_, _, w, h := e.Area(i)
				dst[k] = make([]float32, 3*w*h)
			}
			if err := e.Blocks(t.Context(), todo[:n], dst); err != nil {
				t.Fatal(err)
			}
			for k, i := range todo[:n] {
				x0, y0, w, h := e.Area(i)
				m, err := want.Crop(image.Rect(x0, y0, x0+w, y0+h))
				if err != nil || !slices.Equal(dst[k], m.Pix) {
					t.Errorf("block %d of %d×%d pixels differs (%v)", i, y.W, y.H, err)
				}
			}
			todo = todo[n:]
		}
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		if err := e.Begin(cancelled, y.W, y.H, source(y), 0.03); err != context.Canceled {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// The filter is even: a picture turned by half a turn gives the result turned. A flat picture stays
// as it is.
func TestSymmetry(t *testing.T) {
	rng := newRand(t)
	e := NewEstimator(0)
	y, _ := blurred(t, rng, scene(rng, 120, 90), 0.05)
	a := deblurred(t, e, y, 0.05)
	turned := y.Clone()
	for c := range 3 {
		slices.Reverse(turned.Plane(c))
	}
	b := deblurred(t, e, turned, 0.05)
	for c := range 3 {
		slices.Reverse(b.Plane(c))
	}
	if d := apart(a.Pix, b.Pix); d > 1e-4 {
		t.Errorf("turned: off by %g", d)
	}
	if d := apart(a.Pix, y.Pix); d < 0.01 {
		t.Errorf("the test is empty: the picture changed by %g", d)
	}
	flat := planar.New(70, 40)
	for i := range flat.Pix {
		flat.Pix[i] = [3]float32{-0.9, 0.1, 0.7}[i/(70*40)]
	}
	if d := apart(deblurred(t, e, flat, 0.05).Pix, flat.Pix); d > 1e-5 {
		t.Errorf("a flat picture changes by %g", d)
	}
}

// Any size and noise gives finite numbers.
func TestOddSizes(t *testing.T) {
	rng := newRand(t)
	e := NewEstimator(0)
	for _, s := range [][2]int{{1, 1}, {2, 1}, {1, 300}, {3, 5}, {64, 64}, {65, 63}, {255, 257}, {513, 8}} {
		for _, sigma := range []float64{0, 0.05, 2} {
			deblurred(t, e, scene(rng, s[0], s[1]), sigma)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	rng := newRand(t)
	y := scene(rng, 128, 96)
	out := make([]float32, len(y.Pix))
	e := NewEstimator(2)
	if n := testing.AllocsPerRun(3, func() { _ = e.Deblur(context.Background(), out, y, 0.05) }); n > 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	y := scene(newRand(t), 64, 64)
	if err := NewEstimator(1).Deblur(ctx, make([]float32, len(y.Pix)), y, 0.05); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

package motionblur

import (
	"context"
	"errors"
	"image"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func fresh(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 7))
}

// scene is a picture of opaque rectangles and discs of random colour, large and small ones as in photographs.
func scene(rng *rand.Rand, w, h int) *planar.Image {
	m := planar.New(w, h)
	for range 300 {
		size := 6 / (0.03 + rng.Float64())
		x0, y0 := rng.Float64()*float64(w), rng.Float64()*float64(h)
		a, b := size*(0.3+rng.Float64()), size*(0.3+rng.Float64())
		round := rng.IntN(2) == 0
		grey, colour := 1.6*rng.Float64()-0.8, [3]float32{}
		for c := range colour {
			colour[c] = float32(grey + 0.2*(2*rng.Float64()-1))
		}
		for y := max(0, int(y0-b)); y < min(h, int(y0+b)); y++ {
			for x := max(0, int(x0-a)); x < min(w, int(x0+a)); x++ {
				if round && square((float64(x)-x0)/a)+square((float64(y)-y0)/b) > 1 {
					continue
				}
				for c, v := range colour {
					m.Set(c, x, y, v)
				}
			}
		}
	}
	return m
}

// shaken blurs a picture by a kernel of the paper's law and adds noise.
func shaken(t *testing.T, rng *rand.Rand, x *planar.Image, sigma float64) (*planar.Image, *task.Kernel) {
	t.Helper()
	p, err := task.Draw(rng, task.MotionDeblur, x.W, x.H, 1)
	if err != nil {
		t.Fatal(err)
	}
	op, err := task.NewOperator(task.MotionDeblur, x.W, x.H, p)
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Observe(rng, x, sigma)
	if err != nil {
		t.Fatal(err)
	}
	return y, p.Kernel
}

func deblurred(t *testing.T, e *Estimator, y *planar.Image, sigma float64) *planar.Image {
	t.Helper()
	out := planar.New(y.W, y.H)
	for i := range out.Pix {
		out.Pix[i] = float32(math.NaN()) // every value must be written
	}
	if err := e.Deblur(context.Background(), out.Pix, y, sigma); err != nil {
		t.Fatal(err)
	}
	for i, v := range out.Pix {
		if v != v || math.IsInf(float64(v), 0) {
			t.Fatalf("%d×%d, sigma %g: value %d is %v", y.W, y.H, sigma, i, v)
		}
	}
	return out
}

func apart(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}

// The transform must be the sum that defines it.
func TestGrid(t *testing.T) {
	rng := fresh(t)
	const n = 16
	g := newGrid(n, nil)
	a, b := make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i], b[i] = rng.NormFloat64(), rng.NormFloat64()
		g.v[i] = complex(a[i], b[i])
	}
	dft := func(v []float64, fy, fx int) (sum complex128) {
		for i, x := range v {
			sum += complex(x, 0) * cmplx.Rect(1, -2*math.Pi*float64(fy*(i/n)+fx*(i%n))/n)
		}
		return sum
	}
	g.forward()
	for i := range g.v {
		p, q := dft(a, i/n, i%n), dft(b, i/n, i%n)
		if d := cmplx.Abs(g.v[i] - p - 1i*q); d > 1e-10 {
			t.Fatalf("frequency %d: off by %g", i, d)
		}
	}
	g.inverse()
	for i := range g.v {
		if d := cmplx.Abs(g.v[i] - complex(a[i], b[i])); d > 1e-12 {
			t.Fatalf("back at %d: off by %g", i, d)
		}
	}
}

// The library's numbers must be those of its kernels, and the axes orthonormal.
func TestLibrary(t *testing.T) {
	rng := fresh(t)
	l := shared()
	for range 10 {
		i, b := rng.IntN(len(l.kernels)), rng.IntN(len(l.bins))
		var sum complex128
		total := 0.0
		for _, w := range l.kernels[i] {
			y, x := int(w.at)/kernelSide-kernelSide/2, int(w.at)%kernelSide-kernelSide/2
			sum += cmplx.Rect(float64(w.w), -2*math.Pi*float64(l.bins[b].fy*y+l.bins[b].fx*x)/scoreGrid)
			total += float64(w.w)
		}
		if got, want := float64(l.power[i*len(l.bins)+b]), square(cmplx.Abs(sum)); math.Abs(got-want) > 1e-6 || math.Abs(total-1) > 1e-5 {
			t.Errorf("kernel %d of sum %g, bin %d: |K|² = %g, want %g", i, total, b, got, want)
		}
		auto, power := make([]float64, autoSide*autoSide), 0.0
		l.kernels[i].addAuto(auto, 1)
		for at, v := range auto {
			y, x := at/autoSide-autoReach, at%autoSide-autoReach
			power += v * math.Cos(2*math.Pi*float64(l.bins[b].fy*y+l.bins[b].fx*x)/scoreGrid)
		}
		if want := square(cmplx.Abs(sum)); math.Abs(power-want) > 1e-9 {
			t.Errorf("kernel %d: its autocorrelation's spectrum at bin %d is %g, want %g", i, b, power, want)
		}
	}
	for i := range axes {
		for j := range axes {
			dot := 0.0
			for c := range 3 {
				dot += axes[i][c] * axes[j][c]
			}
			if want := map[bool]float64{true: 1}[i == j]; math.Abs(dot-want) > 1e-12 {
				t.Errorf("axes %d and %d: %g", i, j, dot)
			}
		}
	}
	seen := map[bin]bool{}
	for _, b := range l.bins {
		if seen[b] || seen[bin{-b.fy, -b.fx}] {
			t.Errorf("bin %v counts twice", b)
		}
		seen[b] = true
	}
}

// The law's power is the mean of its kernels'.
func TestLawPower(t *testing.T) {
	rng := fresh(t)
	l := shared()
	for range 3 {
		x, y := rng.IntN(window)-window/2, rng.IntN(window)-window/2
		fx, fy := float64(x)/window, float64(y)/window
		want := 0.0
		for _, k := range l.kernels {
			sum := complex(0, 0)
			for _, w := range k {
				sum += complex(float64(w.w), 0) * cmplx.Rect(1, 2*math.Pi*(fx*float64(w.at%kernelSide)+fy*float64(w.at/kernelSide)))
			}
			want += square(cmplx.Abs(sum)) / float64(len(l.kernels))
		}
		if got := LawPower(x, y); math.Abs(got-want) > 1e-6 {
			t.Errorf("%g at (%g, %g), the kernels' mean is %g", got, fx, fy, want)
		}
	}
}

// Of random scenes the posterior must know more about the kernel than the law, and the filter must come nearer to the sharp picture than the blurred picture
// is, and than the same filter without looking. The median of the scenes counts for the last: of a few scenes whose own spectrum is far from a photograph's the
// kernel is guessed wrongly, and a mean of few scenes hangs on how many of these were drawn.
func TestDeblurs(t *testing.T) {
	rng := fresh(t)
	e := NewEstimator(0)
	const n, sigma = 31, 0.05
	var input, guess, near, far float64
	var gains []float64
	for range n {
		x := scene(rng, 256, 256)
		y, k := shaken(t, rng, x, sigma)
		psnr := func(m *planar.Image) float64 {
			v, err := metric.PSNR(x, m.Clone().Clamp())
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		g := psnr(deblurred(t, e, y, sigma))
		input, guess = input+psnr(y)/n, guess+g/n
		a, b := e.distances(k)
		near, far = near+a/n, far+b/n
		copy(e.post.mean, e.lib.mean)
		copy(e.post.auto, e.lib.auto)
		out := planar.New(y.W, y.H)
		e.filter(256)
		if err := e.again(out, y); err != nil {
			t.Fatal(err)
		}
		gains = append(gains, g-psnr(out))
	}
	slices.Sort(gains)
	t.Logf("input %.2f dB, guess %.2f, above the law's filter from %.2f to %.2f, median %.2f; error of E|K|² %.3f, of the law's %.3f", input, guess, gains[0], gains[n-1], gains[n/2], near, far)
	if !(guess > input+0.2 && gains[n/2] > 0 && near < 0.85*far) {
		t.Errorf("too little is gained")
	}
}

// distances is how far the posterior's and the law's E|K|² are from a kernel's, weighed as a picture sees it.
func (e *Estimator) distances(k *task.Kernel) (posterior, law float64) {
	g := newGrid(scoreGrid, nil)
	power := func(auto []float64) []float64 {
		clear(g.v)
		for i, v := range auto {
			g.v[g.wrapped(i/autoSide-autoReach, i%autoSide-autoReach)] = complex(v, 0)
		}
		g.forward()
		p := make([]float64, len(g.v))
		for i, v := range g.v {
			p[i] = real(v)
		}
		return p
	}
	var list kernel
	for i, w := range k.W {
		if w != 0 {
			list = append(list, weight{int32(i), w})
		}
	}
	truth := make([]float64, autoSide*autoSide)
	list.addAuto(truth, 1)
	p, l, t := power(e.post.auto), power(e.lib.auto), power(truth)
	var total float64
	for i := 1; i < len(p); i++ {
		s := Spectrum(g.frequency(i%g.n), g.frequency(i/g.n))
		posterior += s * math.Abs(p[i]-t[i])
		law += s * math.Abs(l[i]-t[i])
		total += s * t[i]
	}
	return posterior / total, law / total
}

// Blocks of any size must give the same picture; so must any number of workers, to the last bit.
func TestBlocks(t *testing.T) {
	rng := fresh(t)
	y, _ := shaken(t, rng, scene(rng, 600, 290), 0.03)
	e := NewEstimator(1)
	want := deblurred(t, e, y, 0.03)
	for _, n := range []int{512, 1024} {
		got := planar.New(y.W, y.H)
		e.filter(n)
		if err := e.again(got, y); err != nil {
			t.Fatal(err)
		}
		if d := apart(got.Pix, want.Pix); d > 1e-5 {
			t.Errorf("blocks of %d: off by %g", n, d)
		}
	}
	if got := deblurred(t, NewEstimator(3), y, 0.03); !slices.Equal(got.Pix, want.Pix) {
		t.Errorf("three workers are off by %g", apart(got.Pix, want.Pix))
	}
}

// again filters with the gains at hand.
func (e *Estimator) again(dst, y *planar.Image) error {
	e.img, e.src = y, e.ofImage
	return e.blockwise(context.Background(), dst.Pix)
}

// Blocks one by one are the blocks of the whole, to the last bit.
func TestSingleBlocks(t *testing.T) {
	rng := fresh(t)
	for range 2 {
		y, _ := shaken(t, rng, scene(rng, 130+rng.IntN(600), 60+rng.IntN(400)), 0.03)
		want := deblurred(t, NewEstimator(2), y, 0.03)
		e := NewEstimator(2)
		src := func(dst []float32, c, v, x int) { copy(dst, y.Plane(c)[v*y.W+x:]) }
		if err := e.Begin(context.Background(), y.W, y.H, src, 0.03); err != nil {
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
			if err := e.Blocks(context.Background(), todo[:n], dst); err != nil {
				t.Fatal(err)
			}
			for k, i := range todo[:n] {
				x0, y0, w, h := e.Area(i)
				m, err := want.Crop(image.Rect(x0, y0, x0+w, y0+h))
				if err != nil || !slices.Equal(dst[k], m.Pix) {
					t.Errorf("block %d of %d×%d pixels is another (%v)", i, y.W, y.H, err)
				}
			}
			todo = todo[n:]
		}
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		if err := e.Begin(gone, y.W, y.H, src, 0.03); err != context.Canceled {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// The filter is even: a picture turned by half a turn gives the result turned. A flat one stays as it is.
func TestSymmetry(t *testing.T) {
	rng := fresh(t)
	e := NewEstimator(0)
	y, _ := shaken(t, rng, scene(rng, 120, 90), 0.05)
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

// Any size and noise gives numbers.
func TestOddSizes(t *testing.T) {
	rng := fresh(t)
	e := NewEstimator(0)
	for _, s := range [][2]int{{1, 1}, {2, 1}, {1, 300}, {3, 5}, {64, 64}, {65, 63}, {255, 257}, {513, 8}} {
		for _, sigma := range []float64{0, 0.05, 2} {
			deblurred(t, e, scene(rng, s[0], s[1]), sigma)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	rng := fresh(t)
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
	y := scene(fresh(t), 64, 64)
	if err := NewEstimator(1).Deblur(ctx, make([]float32, len(y.Pix)), y, 0.05); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLeaveOut: pixels that are filled in take nothing from the power of the others. White noise has the same at every frequency, however much of it is left.
func TestLeaveOut(t *testing.T) {
	rng := fresh(t)
	const w, h = 600, 400
	e := NewEstimator(1)
	mean := func(m *planar.Image) float64 {
		e.w, e.h = w, h
		e.src = func(dst []float32, c, y, x int) { copy(dst, m.Pix[(c*h+y)*w+x:]) }
		defer e.End()
		if err := e.periodogram(context.Background()); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range e.observed {
			sum += v / float64(len(e.observed))
		}
		return sum
	}
	m := planar.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = 0.1 * float32(rng.NormFloat64())
	}
	all := mean(m)
	for _, seen := range []int{450, 250, 90} {
		for i := range m.Pix {
			if i%w >= seen {
				m.Pix[i] = 0
			}
		}
		without := mean(m)
		e.LeaveOut(func(i int) bool { return i%w >= seen })
		if with := mean(m); with < 0.7*all || with > 1.4*all || without > 0.85*all {
			t.Errorf("%d of %d columns seen: %.3f of the power, %.3f if nothing is left out", seen, w, with/all, without/all)
		}
	}
	e.LeaveOut(func(int) bool { return true })
	if v := mean(m); math.IsNaN(v) || math.IsInf(v, 0) {
		t.Errorf("nothing seen gives %g", v)
	}
}

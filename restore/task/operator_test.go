package task

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// drawOperator makes an operator with random parameters.
func drawOperator(t *testing.T, rng *rand.Rand, task Task, w, h int) *Operator {
	t.Helper()
	p, err := DrawTraining(rng, task, w, h, 1)
	if err != nil {
		t.Fatal(err)
	}
	op, err := NewOperator(task, w, h, p)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestAdjoint(t *testing.T) {
	rng := fresh(t)
	sizes := [][2]int{{1, 1}, {1, 9}, {6, 1}, {2, 2}, {3, 4}, {31, 5}, {33, 64}}
	for i := 0; i < 4; i++ {
		sizes = append(sizes, [2]int{1 + rng.IntN(110), 1 + rng.IntN(110)})
	}
	for _, task := range append(All(), Inpaint) {
		for _, s := range sizes {
			op := drawOperator(t, rng, task, s[0], s[1])
			ow, oh := op.OutSize()
			x, y, ax, aty := CheckAdjoint(t, task.String(), rng, op, s[0], s[1])
			// the float32 operators are the same ones
			xi, yi := &planar.Image{W: s[0], H: s[1]}, &planar.Image{W: ow, H: oh}
			for _, v := range x {
				xi.Pix = append(xi.Pix, float32(v))
			}
			for _, v := range y {
				yi.Pix = append(yi.Pix, float32(v))
			}
			fx, err := op.Apply(xi)
			if err != nil {
				t.Fatal(err)
			}
			fy, err := op.Adjoint(yi)
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%v %v float32 A", task, s), fx.Pix, ax, 2e-6)
			near(t, fmt.Sprintf("%v %v float32 Aᵀ", task, s), fy.Pix, aty, 2e-6)
		}
	}
}

// near asserts |got − want| ≤ tol·(1 + |want|) everywhere.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tol*(1+math.Abs(w))) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// mirror is reflection spelt out step by step, independently of fold.
func mirror(i, n int) int {
	for n > 1 && (i < 0 || i >= n) {
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	if n == 1 {
		return 0
	}
	return i
}

func TestBlursAgainstDefinition(t *testing.T) {
	rng := fresh(t)
	gauss := &Kernel{Size: 61, W: make([]float32, 61*61)}
	sum := 0.0
	weight := func(a, b int) float64 { return math.Exp(-float64((a-30)*(a-30)+(b-30)*(b-30)) / 18) }
	for i := range gauss.W {
		sum += weight(i/61, i%61)
	}
	for _, s := range [][2]int{{1, 1}, {2, 5}, {17, 3}, {40, 35}, {13 + rng.IntN(30), 13 + rng.IntN(30)}} {
		w, h := s[0], s[1]
		motion, err := MotionKernel(rng, 61, 61, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		x := normals(rng, 3*w*h)
		for _, task := range []Task{GaussianDeblur, MotionDeblur} {
			op, err := NewOperator(task, w, h, Params{Kernel: motion})
			if err != nil {
				t.Fatal(err)
			}
			y := op.Apply64(x)
			for n := 0; n < 60; n++ {
				c, i, j := rng.IntN(3), rng.IntN(h), rng.IntN(w)
				want := 0.0
				for a := 0; a < 61; a++ {
					for b := 0; b < 61; b++ {
						k := float64(motion.W[a*61+b])
						if task == GaussianDeblur {
							k = weight(a, b) / sum
						}
						want += k * x[(c*h+mirror(i+a-30, h))*w+mirror(j+b-30, w)]
					}
				}
				if got := y[(c*h+i)*w+j]; math.Abs(got-want) > 1e-9 {
					t.Fatalf("%v %v at (%d,%d,%d): %v, want %v", task, s, c, i, j, got, want)
				}
			}
		}
	}
}

// TestDownAgainstDefinition compares with the explicit sum of stretched Keys weights over the whole
// picture.
func TestDownAgainstDefinition(t *testing.T) {
	rng := fresh(t)
	cubic := func(d float64) float64 { // Keys' kernel with a = −½, in expanded form
		switch d = math.Abs(d); {
		case d <= 1:
			return 1.5*d*d*d - 2.5*d*d + 1
		case d < 2:
			return -0.5*d*d*d + 2.5*d*d - 4*d + 2
		}
		return 0
	}
	for n := 0; n < 5; n++ {
		w, h := 1+rng.IntN(70), 1+rng.IntN(70)
		op := drawOperator(t, rng, SuperResolve, w, h)
		ow, oh := op.OutSize()
		if ow != (w+3)/4 || oh != (h+3)/4 {
			t.Fatalf("%d×%d becomes %d×%d", w, h, ow, oh)
		}
		x := normals(rng, 3*w*h)
		y := op.Apply64(x)
		for i := 0; i < oh; i++ {
			for j := 0; j < ow; j++ {
				sum, norm := 0.0, 0.0
				for v := 0; v < h; v++ {
					for u := 0; u < w; u++ {
						k := cubic((float64(v)-4*float64(i)-1.5)/4) * cubic((float64(u)-4*float64(j)-1.5)/4)
						sum += k * x[v*w+u]
						norm += k
					}
				}
				if got := y[i*ow+j]; math.Abs(got-sum/norm) > 1e-9 {
					t.Fatalf("%d×%d at (%d,%d): %v, want %v", w, h, i, j, got, sum/norm)
				}
			}
		}
	}
}

// TestResizeLikePIL holds values that PIL 9.4 gave for Image.resize(…, BICUBIC) of a float picture.
func TestResizeLikePIL(t *testing.T) {
	row := []float64{0.3, -0.7, 0.9, 0.1, -0.2, 0.8, -1.0, 0.5, 0.25, -0.4, 0.6, 0.05, -0.9, 0.35, 0.75, -0.15}
	down := []float64{0.13043651, 0.05519528, 0.03383559, 0.09644181}
	up := []float64{0.4119403, 0.3522388, 0.20941287, -0.0876251, -0.4390084, -0.685839, -0.6080078, -0.18496095, 0.36152342,
		0.79707026, 0.9038797, 0.7136576, 0.4232029, 0.17455731, 0.05820896, 0.01044777}
	for _, c := range []struct {
		f        *filter
		in, want []float64
	}{{downFilter(16), row, down}, {upFilter(4), row[:4], up}} {
		for i, v := range filterRows(c.f, c.in, 1) {
			if math.Abs(v-c.want[i]) > 2e-6 {
				t.Errorf("%d→%d: value %d is %v, PIL says %v", c.f.n, c.f.m, i, v, c.want[i])
			}
		}
	}
}

func TestConstantsStay(t *testing.T) {
	rng := fresh(t)
	for _, task := range []Task{Denoise, SuperResolve, GaussianDeblur, MotionDeblur} {
		w, h := 1+rng.IntN(90), 1+rng.IntN(90)
		op := drawOperator(t, rng, task, w, h)
		x := make([]float64, 3*w*h)
		for i := range x {
			x[i] = 0.37
		}
		for _, v := range op.Apply64(x) {
			if math.Abs(v-0.37) > 1e-6 { // kernels hold float32 weights
				t.Fatalf("%v turns 0.37 into %v", task, v)
			}
		}
	}
}

func TestProject(t *testing.T) {
	rng := fresh(t)
	w, h := 1+rng.IntN(60), 1+rng.IntN(60)
	for _, task := range []Task{InpaintRandom, InpaintBox, GaussianDeblur} {
		p, _ := Draw(rng, task, w, h, 1)
		op, err := NewOperator(task, w, h, p)
		if err != nil {
			t.Fatal(err)
		}
		truth, x := randomImage(rng, w, h), randomImage(rng, w, h)
		y, _ := op.Apply(truth)
		z, err := op.Project(x, y)
		if err != nil {
			t.Fatal(err)
		}
		az, _ := op.Apply(z)
		ax, _ := op.Apply(x)
		before, after := 0.0, 0.0
		for i, v := range y.Pix {
			before += math.Pow(float64(v-ax.Pix[i]), 2)
			after += math.Pow(float64(v-az.Pix[i]), 2)
		}
		if p.Mask != nil && after > 1e-10 {
			t.Errorf("%v: misfit %v after projection", task, after)
		}
		if after > before {
			t.Errorf("%v: misfit grew from %v to %v", task, before, after)
		}
		for i := range p.Mask {
			if p.Mask[i] == 0 && z.Pix[i] != x.Pix[i] {
				t.Fatalf("%v changed a missing pixel", task)
			}
		}
	}
}

func TestObserve(t *testing.T) {
	rng := fresh(t)
	const w, h, sigma = 120, 97, 0.05
	for _, task := range All() {
		op := drawOperator(t, rng, task, w, h)
		x := randomImage(rng, w, h)
		clean, _ := op.Apply(x)
		y, err := op.Observe(rng, x, sigma)
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0.0
		for i, v := range y.Pix {
			if mask := op.a.(*linear).mask; mask != nil && mask[i%(w*h)] == 0 {
				if v != 0 {
					t.Fatalf("%v: missing pixel holds %v", task, v)
				}
				continue
			}
			d := float64(v - clean.Pix[i])
			sum, n = sum+d*d, n+1
		}
		// the standard deviation of n normals has a relative spread of 1/√(2n)
		if got := math.Sqrt(sum / n); math.Abs(got-sigma) > 6*sigma/math.Sqrt(2*n) {
			t.Errorf("%v: noise of %v, want %v", task, got, sigma)
		}
	}
}

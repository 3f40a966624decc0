package task

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// spread returns the centre of mass relative to the kernel's centre and the root mean square
// distance from it.
func spread(k *Kernel) (cx, cy, radius float64) {
	for i, v := range k.W {
		x, y, w := float64(i%k.Size-k.Size/2), float64(i/k.Size-k.Size/2), float64(v)
		cx, cy, radius = cx+w*x, cy+w*y, radius+w*(x*x+y*y)
	}
	return cx, cy, math.Sqrt(radius - cx*cx - cy*cy)
}

// TestKernelStatistics compares with 1500 kernels of the original generator's algorithm (Python,
// PIL): non-zero weights 144 ± 66, radius 10.96 ± 5.0 with 10/50/90 % quantiles 4.1, 11.0, 17.7;
// distance of the centre of mass 1.55 ± 1.27.
func TestKernelStatistics(t *testing.T) {
	rng := fresh(t)
	const n = 400
	var count, offset float64
	var radii []float64
	for i := 0; i < n; i++ {
		k, err := MotionKernel(rng, 61, 61, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Check(); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, w := range k.W {
			if w < 0 {
				t.Fatal("negative weight")
			}
			if w > 0 {
				count++
			}
			sum += float64(w)
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("weights sum to %v", sum)
		}
		cx, cy, r := spread(k)
		offset += math.Hypot(cx, cy)
		radii = append(radii, r)
	}
	slices.Sort(radii)
	for _, c := range []struct {
		what          string
		got, want, by float64
	}{
		{"non-zero weights", count / n, 146, 15}, {"centre of mass", offset / n, 1.55, 0.3},
		{"radius 10 %", radii[n/10], 4.2, 1}, {"radius 50 %", radii[n/2], 11.1, 1.2}, {"radius 90 %", radii[n*9/10], 17.7, 1.2},
	} {
		if math.Abs(c.got-c.want) > c.by {
			t.Errorf("%s: %.2f, want %.2f ± %.2f", c.what, c.got, c.want, c.by)
		}
	}
}

func TestKernelSupport(t *testing.T) {
	rng := fresh(t)
	for i := 0; i < 100; i++ {
		support := 9 + rng.IntN(53)
		k, err := MotionKernel(rng, 61, support, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		// path pixels stay inside the support; pen, Gaussian and Lanczos widen them by at most 5
		// pixels of the final array
		reach := support/2 + 6
		for j, w := range k.W {
			if dx, dy := j%61-30, j/61-30; w != 0 && max(dx, -dx, dy, -dy) > reach {
				t.Fatalf("support %d: weight %v at (%d,%d)", support, w, dx, dy)
			}
		}
	}
	small := 0
	for i := 0; i < 400; i++ {
		p, err := DrawTraining(rng, MotionDeblur, 16, 16, 1)
		if err != nil || p.Kernel.Size != 61 {
			t.Fatalf("%v, %v", p.Kernel, err)
		}
		if _, _, r := spread(p.Kernel); r < 3 {
			small++
		}
	}
	// the paper's kernels are below radius 3 in about 4 % of the cases, half scaled-down ones in
	// about 20 %
	if small < 25 || small > 160 {
		t.Errorf("%d of 400 training kernels are small", small)
	}
	for _, c := range []struct {
		scale float64
		want  int
	}{{1, 61}, {0.5, 31}, {0.25, 15}, {0.01, 9}} {
		p, err := Draw(rng, MotionDeblur, 8, 8, c.scale)
		if err != nil || p.Kernel.Size != c.want || MotionSide(c.scale) != c.want {
			t.Errorf("scale %v: %v, want side %d (%v)", c.scale, p.Kernel, c.want, err)
		}
	}
	for _, bad := range [][3]float64{{60, 60, 0.5}, {61, 63, 0.5}, {61, 2, 0.5}, {107, 9, 0.5}, {61, 61, -1}, {61, 61, math.NaN()}} {
		if _, err := MotionKernel(rng, int(bad[0]), int(bad[1]), bad[2]); err == nil {
			t.Errorf("%v accepted", bad)
		}
	}
}

func TestKernelForms(t *testing.T) {
	rng := fresh(t)
	k, err := MotionKernel(rng, 15, 15, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	s := k.Strided(16)
	for a := 0; a < 15; a++ {
		for b := 0; b < 16; b++ {
			want := float32(0)
			if b < 15 {
				want = k.W[a*15+b]
			}
			if s[a*16+b] != want {
				t.Fatalf("strided (%d,%d)", a, b)
			}
		}
	}
	// the embedded kernel blurs the same
	x := normals(rng, 3*20*17)
	a, err := NewOperator(MotionDeblur, 20, 17, Params{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewOperator(MotionDeblur, 20, 17, Params{Kernel: k.Embed(61)})
	if err != nil {
		t.Fatal(err)
	}
	y, z := a.Apply64(x), b.Apply64(x)
	for i := range y {
		if math.Abs(y[i]-z[i]) > 1e-12 {
			t.Fatalf("embedded kernel: %v, want %v", z[i], y[i])
		}
	}
}

// TestLaws checks the two hand-made laws against their moments.
func TestLaws(t *testing.T) {
	rng := fresh(t)
	const n = 40000
	check := func(what string, draw func(*rand.Rand) float64, mean, variance float64) {
		s, q := 0.0, 0.0
		for i := 0; i < n; i++ {
			v := draw(rng)
			s, q = s+v, q+v*v
		}
		s /= n
		if math.Abs(s-mean) > 6*math.Sqrt(variance/n) || math.Abs(q/n-s*s-variance) > 0.1*variance {
			t.Errorf("%s: mean %v (want %v), variance %v (want %v)", what, s, mean, q/n-s*s, variance)
		}
	}
	check("Beta(2,20)", func(r *rand.Rand) float64 { return betaInt(r, 2, 20) }, 2.0/22, 40.0/(22*22*23))
	a, c := 0.4, 1.5
	check("triangular", func(r *rand.Rand) float64 { return triangular(r, a, c) }, (a+c)/3, (c*c+a*a-a*c)/18)
	check("triangular, mode 0", func(r *rand.Rand) float64 { return triangular(r, 0, c) }, c/3, c*c/18)
}

// TestPen compares the filter that draws kernels with its definition: a dense Gaussian of nine taps
// with edge pixels repeated, and the Lanczos reduction.
func TestPen(t *testing.T) {
	rng := fresh(t)
	for _, side := range []int{3, 9, 61, 105} {
		n := 2 * side
		ink := make([]float64, n*n)
		for range 3 * side {
			ink[rng.IntN(n*n)] = 1
		}
		taps := gaussTaps(9, 1)
		smooth := make([]float64, n*n)
		for y := range n {
			for x := range n {
				for a, v := range taps {
					for b, w := range taps {
						smooth[y*n+x] += v * w * ink[min(max(y+a-4, 0), n-1)*n+min(max(x+b-4, 0), n-1)]
					}
				}
			}
		}
		half := resizeFilter(n, side, 2, lanczos3, 3)
		want := filterColumns(half, filterRows(half, smooth, n), side)
		for i, v := range penOf(side).draw(ink) {
			if math.Abs(v-want[i]) > 1e-12 {
				t.Fatalf("side %d: weight %d is %v, want %v", side, i, v, want[i])
			}
		}
	}
}

package blind

import (
	"context"
	"math"
	"slices"
)

// Tune holds the free numbers of the estimate.
type Tune struct {
	Outer      int     // alternations per scale
	CG         int     // steps of conjugate gradients per latent picture
	KSteps     int
	FloorNoise float64 // least standard deviation of what the model leaves unexplained
	StartNoise float64
	Decay      float64
	Joint      bool
	Thresh     float64
	Prune      float64
	Ratio      float64
	Verbose    bool
	RefineNoise float64
	Ridge, Smooth, Sparse float64
	Wait int
}

func DefaultTune() Tune {
	return Tune{Outer: 12, CG: 8, KSteps: 60, FloorNoise: 0.002, StartNoise: 0.03, Decay: 1.2, Thresh: 0.03, Prune: 0.0, Ratio: math.Sqrt2, RefineNoise: 0.01, Wait: 2}
}

// level is what is known at one scale.
type level struct {
	c       *canvas
	n       int // kernel side
	y       [2][]float64 // observed differences, on the canvas, with the smooth continuation
	fy      [2][]complex128
	inside  []float64 // 1 where a difference is observed
	taper   []float64 // 1 where a gradient is seen by observed pixels alone
	x       [2][]float64
	cov     [2][]float64
	gamma   [2][]float64
	lambda  float64 // variance of the noise
	k       *kernel
	K       []complex128
	ridge, smoothness, sparse float64
	tik     float64 // weight of the squares of the kernel, beside the variances
	nobs    float64
	// memory
	A, B []complex128
	t1, t2, r, p, q []float64
}

func newLevel(y *Plane, n int) *level {
	c := newCanvas(y.W, y.H, n)
	l := &level{c: c, n: n}
	ext := c.extend(y)
	N := c.w * c.h
	for d := range 2 {
		g := make([]float64, N)
		for yy := range c.h {
			for xx := range c.w {
				if d == 0 {
					g[yy*c.w+xx] = ext[yy*c.w+(xx+1)%c.w] - ext[yy*c.w+xx]
				} else {
					g[yy*c.w+xx] = ext[(yy+1)%c.h*c.w+xx] - ext[yy*c.w+xx]
				}
			}
		}
		l.y[d] = g
		l.fy[d] = make([]complex128, c.size())
		c.forward(l.fy[d], g)
		l.x[d] = append([]float64(nil), g...)
		l.cov[d] = make([]float64, N)
		l.gamma[d] = make([]float64, N)
	}
	l.inside, l.taper = make([]float64, N), make([]float64, N)
	for yy := range y.H - 1 {
		for xx := range y.W - 1 {
			i := (yy+c.top)*c.w + xx + c.left
			l.inside[i] = 1
			l.nobs++
			if m := min(xx, yy, y.W-2-xx, y.H-2-yy); m >= n/2 {
				l.taper[i] = 1
			}
		}
	}
	l.K, l.A, l.B = make([]complex128, c.size()), make([]complex128, c.size()), make([]complex128, c.size())
	l.t1, l.t2, l.r, l.p, l.q = make([]float64, N), make([]float64, N), make([]float64, N), make([]float64, N), make([]float64, N)
	return l
}

func (l *level) setKernel(k *kernel) {
	l.k = k
	l.c.otf(l.K, k)
}

// weigh sets gamma and the approximate variances from x.
func (l *level) weigh(joint bool) {
	kk := l.k.power()
	if joint {
		for i := range l.x[0] {
			m := 0.0
			for d := range 2 {
				m += l.x[d][i]*l.x[d][i] + l.cov[d][i]
			}
			l.gamma[0][i], l.gamma[1][i] = m/2, m/2
		}
	} else {
		for d := range 2 {
			for i, v := range l.x[d] {
				l.gamma[d][i] = v*v + l.cov[d][i]
			}
		}
	}
	for d := range 2 {
		for i, g := range l.gamma[d] {
			g = max(g, 1e-12)
			l.gamma[d][i] = g
			l.cov[d][i] = 1 / (kk/l.lambda + 1/g)
		}
	}
}

// latent does steps of conjugate gradients for x: (KᵀK/λ + 1/γ)·x = Kᵀy/λ.
func (l *level) latent(steps int) {
	c := l.c
	kk := l.k.power()
	apply := func(dst, src []float64, gamma []float64) {
		c.forward(l.A, src)
		for i, v := range l.A {
			k := l.K[i]
			l.A[i] = v * complex((real(k)*real(k)+imag(k)*imag(k))/l.lambda, 0)
		}
		c.inverse(dst, l.A)
		for i, v := range src {
			dst[i] += v / gamma[i]
		}
	}
	for d := range 2 {
		x, gamma := l.x[d], l.gamma[d]
		for i, k := range l.K {
			l.A[i] = complex(real(k)/l.lambda, -imag(k)/l.lambda) * l.fy[d][i]
		}
		c.inverse(l.t1, l.A)
		apply(l.q, x, gamma)
		rz := 0.0
		for i := range l.r {
			l.r[i] = l.t1[i] - l.q[i]
			z := l.r[i] / (kk/l.lambda + 1/gamma[i])
			l.p[i] = z
			rz += z * l.r[i]
		}
		for range steps {
			apply(l.q, l.p, gamma)
			pq := 0.0
			for i, v := range l.p {
				pq += v * l.q[i]
			}
			if !(pq > 0) {
				break
			}
			a := rz / pq
			next := 0.0
			for i, v := range l.p {
				x[i] += a * v
				l.r[i] -= a * l.q[i]
				z := l.r[i] / (kk/l.lambda + 1/gamma[i])
				l.t2[i] = z
				next += z * l.r[i]
			}
			b := next / rz
			for i, z := range l.t2 {
				l.p[i] = z + b*l.p[i]
			}
			rz = next
		}
	}
}

// residual is the mean squared error of the model over the observed differences, with what the variances of x add.
func (l *level) residual() (fit, spread float64) {
	c := l.c
	for d := range 2 {
		c.forward(l.A, l.x[d])
		for i, k := range l.K {
			l.A[i] *= k
		}
		c.inverse(l.t1, l.A)
		for i, in := range l.inside {
			if in > 0 {
				e := l.t1[i] - l.y[d][i]
				fit += e * e
				spread += l.cov[d][i]
			}
		}
	}
	return fit, spread * l.k.power()
}

// solveKernel does the step for the kernel.
func (l *level) solveKernel(steps int) {
	c := l.c
	size := smooth(2*l.n + 1)
	auto, cross := make([]float64, c.w*c.h), make([]float64, c.w*c.h)
	sumA, sumB := make([]complex128, c.size()), make([]complex128, c.size())
	variance := l.tik
	for d := range 2 {
		x := l.x[d]
		// What gradients near the edge add to the observation is taken off, by the present kernel.
		for i, v := range x {
			l.t1[i] = v * (1 - l.taper[i])
			l.t2[i] = v * l.taper[i]
			variance += l.cov[d][i] * l.taper[i]
		}
		c.forward(l.A, l.t1)
		for i, k := range l.K {
			l.A[i] *= k
		}
		c.inverse(l.t1, l.A)
		for i, in := range l.inside {
			l.t1[i] = in * (l.y[d][i] - l.t1[i])
		}
		c.forward(l.A, l.t1)
		c.forward(l.B, l.t2)
		for i, v := range l.B {
			sumA[i] += complex(real(v)*real(v)+imag(v)*imag(v), 0)
			sumB[i] += complex(real(v), -imag(v)) * l.A[i]
		}
	}
	c.inverse(auto, sumA)
	c.inverse(cross, sumB)
	b := gather(l.n, cross, c.w, c.h)
	variance += l.ridge * auto[0]
	smoothness := l.smoothness * auto[0]
	if l.sparse > 0 { // a concave penalty of each weight, by its tangent at the present weights
		most := slices.Max(l.k.w)
		for i, v := range l.k.w {
			b[i] -= l.sparse * auto[0] * most / (1 + v/(0.1*most))
		}
	}
	// the autocorrelation on a small torus that holds all lags of the kernel
	t := newTransform(size, size)
	small := make([]float64, size*size)
	for dy := -(l.n - 1); dy <= l.n-1; dy++ {
		for dx := -(l.n - 1); dx <= l.n-1; dx++ {
			small[wrap(dy, size)*size+wrap(dx, size)] = auto[wrap(dy, c.h)*c.w+wrap(dx, c.w)]
		}
	}
	S := make([]complex128, t.size())
	t.forward(S, small)
	F := make([]complex128, t.size())
	out := make([]float64, size*size)
	apply := func(dst, k []float64) {
		(&kernel{n: l.n, w: k}).spread(small, size, size)
		t.forward(F, small)
		for i, s := range S {
			F[i] *= complex(real(s), 0)
		}
		t.inverse(out, F)
		g := gather(l.n, out, size, size)
		for i, v := range k {
			dst[i] = g[i] + variance*v
			y, x := i/l.n, i%l.n
			if x > 0 {
				dst[i] += smoothness * (v - k[i-1])
			}
			if x+1 < l.n {
				dst[i] += smoothness * (v - k[i+1])
			}
			if y > 0 {
				dst[i] += smoothness * (v - k[i-l.n])
			}
			if y+1 < l.n {
				dst[i] += smoothness * (v - k[i+l.n])
			}
		}
	}
	l.k = &kernel{n: l.n, w: nonNegative(apply, b, l.k.w, steps)}
	l.k.normalise()
}

// nonNegative minimises ½kᵀAk − bᵀk over k ≥ 0: conjugate gradients on the weights that are free, which those leave that would become negative, and those join
// whose gradient says so.
func nonNegative(apply func(dst, k []float64), b, start []float64, steps int) []float64 {
	n := len(b)
	k := append([]float64(nil), start...)
	g, p, q := make([]float64, n), make([]float64, n), make([]float64, n)
	free := make([]bool, n)
	for done := 0; done < steps; {
		apply(g, k)
		for i := range g {
			g[i] = b[i] - g[i] // minus the gradient
			free[i] = k[i] > 0 || g[i] > 0
		}
		rr := 0.0
		for i := range p {
			p[i] = 0
			if free[i] {
				p[i] = g[i]
				rr += g[i] * g[i]
			}
		}
		if rr < 1e-20 {
			break
		}
		first := rr
		hit := false
		for inner := 0; inner < 12 && done < steps && !hit; inner++ {
			done++
			apply(q, p)
			pq := 0.0
			for i, v := range p {
				pq += v * q[i]
			}
			if !(pq > 0) {
				return k
			}
			a := rr / pq
			for i, v := range p {
				k[i] += a * v
				if k[i] < 0 {
					k[i] = 0
					hit = true
				}
			}
			next := 0.0
			for i := range g {
				if free[i] {
					g[i] -= a * q[i]
					next += g[i] * g[i]
				}
			}
			if next < 1e-10*first {
				break
			}
			beta := next / rr
			rr = next
			for i := range p {
				if free[i] {
					p[i] = g[i] + beta*p[i]
				}
			}
		}
	}
	return k
}

// freeEnergy is twice the negative logarithm of the evidence' bound, per observed difference.
func (l *level) freeEnergy() float64 {
	fit, _ := l.residual()
	kk := l.k.power()
	e := fit / l.lambda
	for d := range 2 {
		for i, in := range l.inside {
			if in > 0 {
				e += l.x[d][i]*l.x[d][i]/l.gamma[d][i] + math.Log(l.lambda+kk*l.gamma[d][i])
			}
		}
	}
	return e / (2 * l.nobs)
}

// EstimateVB is the coarse-to-fine alternation with kernels of at most n×n.
func EstimateVB(ctx context.Context, y *Plane, n int, t Tune, trace func(scale int, k *kernel, l *level)) (*kernel, *level, error) {
	scales := 0
	for s := float64(n); s > 4; s /= t.Ratio {
		scales++
	}
	var k *kernel
	var l *level
	for s := scales; s >= 0; s-- {
		f := math.Pow(t.Ratio, -float64(s))
		ks := int(math.Ceil(float64(n) * f))
		ks = max(3, ks+1-ks%2)
		l = newLevel(y.reduced(f), ks)
		if k == nil {
			k = newKernel(ks)
			m := ks / 2 * ks
			k.w[m+ks/2], k.w[m+ks/2-1], k.w[m+ks/2+1] = 0.5, 0.25, 0.25
		} else {
			k = k.scaled(t.Ratio, ks)
		}
		l.setKernel(k)
		l.lambda = t.StartNoise * t.StartNoise
		for d := range 2 {
			for i := range l.cov[d] {
				l.cov[d][i] = l.lambda / l.k.power()
			}
		}
		for range t.Outer {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			l.weigh(t.Joint)
			l.latent(t.CG)
			l.solveKernel(t.KSteps)
			l.setKernel(l.k.centred())
			fit, spread := l.residual()
			target := max((fit+spread)/(2*l.nobs), t.FloorNoise*t.FloorNoise)
			l.lambda = max(target, l.lambda/(t.Decay*t.Decay))
			if trace != nil && t.Verbose {
				trace(s, l.k, l)
			}
		}
		k = l.k.clone().threshold(t.Thresh)
		if t.Prune > 0 {
			k = k.prune(t.Prune)
		}
	}
	return k, l, nil
}

// refineVB continues from k at full scale.
func refineVB(y *Plane, k *kernel, t Tune, noise float64, trace bool) (*kernel, float64) {
	l := newLevel(y, k.n)
	l.setKernel(k)
	l.lambda = noise * noise
	l.ridge, l.smoothness, l.sparse = t.Ridge, t.Smooth, t.Sparse
	for d := range 2 {
		for i := range l.cov[d] {
			l.cov[d][i] = l.lambda / l.k.power()
		}
	}
	for i := range t.Outer {
		l.weigh(t.Joint)
		l.latent(t.CG)
		if i >= t.Wait {
			l.solveKernel(t.KSteps)
			l.setKernel(l.k.centred())
		}
		fit, spread := l.residual()
		target := max((fit+spread)/(2*l.nobs), t.FloorNoise*t.FloorNoise)
		l.lambda = max(target, l.lambda/(t.Decay*t.Decay))
		if trace {
			println("  vb noise", int(1e6*math.Sqrt(l.lambda)), "F", int(1e4*l.freeEnergy()), "power", int(1e5*l.k.power()))
		}
	}
	return l.k.clone().threshold(t.Thresh), l.freeEnergy()
}

package blind

import "math"

// The variational step treats the sharp picture's differences x as uncertain. Each has a prior N(0,
// γ) with a variance of its own, the same for both directions at a pixel, and a posterior with mean
// x and a variance of about 1/(‖k‖²/λ + 1/γ), where λ is the variance of the noise. The evidence of
// γ, k and λ is maximised together (Wipf and Zhang, Revisiting Bayesian blind deconvolution, 2014).
// This prefers sparse differences, but not at any price. So it does not end at the blur kernel that
// does nothing, as the most probable x and k do.

// begin resets x and its variances, for noise of standard deviation sigma.
func (l *level) begin(sigma float64) {
	l.noise = sigma * sigma
	v := float32(l.noise / l.k.power())
	for i := range l.spread {
		l.spread[i] = v
	}
	for d := range 2 {
		copy(l.x[d], l.y[d])
	}
}

// updateVariances sets 1/γ and the variances of x.
func (l *level) updateVariances() {
	seen := float32(l.k.power() / l.noise)
	x0, x1, spread, precision := l.x[0], l.x[1][:len(l.x[0])], l.spread[:len(l.x[0])], l.precision[:len(l.x[0])]
	for i, a := range x0 {
		b := x1[i]
		p := 1 / max((a*a+b*b)/2+spread[i], leastVariance)
		precision[i], spread[i] = p, 1/(seen+p)
	}
}

const leastVariance = 1e-12

// updateMean takes steps of conjugate gradients, preconditioned by the diagonal, towards the mean
// of x: (KᵀK/λ + 1/γ)·x = Kᵀy/λ.
func (l *level) updateMean(steps int) {
	c := l.c
	inverse := float32(1 / l.noise)
	for d := range 2 {
		x, a, fy := l.x[d], l.a, l.fy[d][:len(l.a)]
		c.forward(a, x)
		for i, k := range l.otf[:len(a)] {
			a[i] = times(mul(conj(k), fy[i]-mul(k, a[i])), inverse)
		}
		c.inverse(l.r, a)
		rz := 0.0
		for row := range c.h {
			rz += startRow(l.p[row*c.w:][:c.w], l.r[row*c.w:][:c.w], x[row*c.w:], l.precision[row*c.w:], l.spread[row*c.w:])
		}
		for range steps {
			c.forward(a, l.p)
			for i, k := range l.power[:len(a)] {
				a[i] = times(a[i], k*inverse)
			}
			c.inverse(l.t, a)
			pq := 0.0
			for row := range c.h {
				pq += applyRow(l.t[row*c.w:][:c.w], l.p[row*c.w:], l.precision[row*c.w:])
			}
			if !(pq > 0) {
				break
			}
			next := 0.0
			for row := range c.h {
				next += stepRow(x[row*c.w:][:c.w], l.r[row*c.w:], l.p[row*c.w:], l.t[row*c.w:], l.spread[row*c.w:], float32(rz/pq))
			}
			turn := float32(next / rz)
			p, r, spread := l.p, l.r[:len(l.p)], l.spread[:len(l.p)]
			for i, v := range p {
				p[i] = r[i]*spread[i] + turn*v
			}
			rz = next
		}
	}
}

// updateMeanSharp is updateMean for the blur kernel that does nothing.
func (l *level) updateMeanSharp() {
	seen := float32(1 / l.noise)
	for d := range 2 {
		for i, v := range l.y[d] {
			l.x[d][i] = v * seen / (seen + l.precision[i])
		}
	}
}

// The loops of updateMean over a row. Their sums are short enough for float32.

// startRow subtracts x/γ from the residual r, sets the direction p and returns rᵀp.
func startRow(p, r, x, precision, spread []float32) float64 {
	r, x, precision, spread = r[:len(p)], x[:len(p)], precision[:len(p)], spread[:len(p)]
	sum := float32(0)
	for i := range p {
		v := r[i] - x[i]*precision[i]
		r[i], p[i] = v, v*spread[i]
		sum += v * p[i]
	}
	return float64(sum)
}

// applyRow adds p/γ to t and returns pᵀt.
func applyRow(t, p, precision []float32) float64 {
	p, precision = p[:len(t)], precision[:len(t)]
	var sum, other float32
	i := 0
	for ; i+1 < len(t); i += 2 {
		a, b := t[i]+p[i]*precision[i], t[i+1]+p[i+1]*precision[i+1]
		t[i], t[i+1] = a, b
		sum += a * p[i]
		other += b * p[i+1]
	}
	return float64(sum + other)
}

// stepRow takes a step along p, where t = A·p, and returns rᵀ·spread·r.
func stepRow(x, r, p, t, spread []float32, step float32) float64 {
	r, p, t, spread = r[:len(x)], p[:len(x)], t[:len(x)], spread[:len(x)]
	var sum, other float32
	i := 0
	for ; i+1 < len(x); i += 2 {
		x[i] += step * p[i]
		x[i+1] += step * p[i+1]
		a, b := r[i]-step*t[i], r[i+1]-step*t[i+1]
		r[i], r[i+1] = a, b
		sum += a * a * spread[i]
		other += b * b * spread[i+1]
	}
	return float64(sum + other)
}

// predict sets hidden differences to what the model predicts.
func (l *level) predict() {
	if len(l.hidden) == 0 {
		return
	}
	for d := range 2 {
		l.blurred(l.t, l.x[d])
		for _, i := range l.hidden {
			l.y[d][i] = l.t[i]
		}
		l.c.forward(l.fy[d], l.y[d])
	}
}

// freeEnergy returns the free energy per observed difference: twice the negative logarithm of a
// bound on the evidence, but for a constant. It also sets l.unexplained.
func (l *level) freeEnergy() float64 {
	fit, energy := 0.0, 0.0
	kk := l.k.power()
	l.predict()
	for d := range 2 {
		l.blurred(l.t, l.x[d])
		// One logarithm of a product of 16 is much faster than 16 logarithms.
		product, held := 1.0, 0
		for i, in := range l.inside {
			if in == 0 {
				continue
			}
			e, x, p := float64(l.t[i]-l.y[d][i]), float64(l.x[d][i]), float64(l.precision[i])
			fit += e * e
			energy += x * x * p
			product *= l.noise + kk/p
			if held++; held == 16 {
				energy += math.Log(product)
				product, held = 1, 0
			}
		}
		energy += math.Log(product)
	}
	energy += fit / l.noise
	n := 2 * l.count
	l.unexplained = math.Sqrt(fit / n)
	return energy / n
}

// detail is the sum of squares of the differences between neighbours of y, relative to the sum of
// its squares (Certainty.Detail).
func (l *level) detail() float64 {
	above, below := 0.0, 0.0
	for d, step := range []int{1, l.c.w} {
		for i, in := range l.inside {
			if in > 0 && l.inside[i-step] > 0 {
				above += square(float64(l.y[d][i] - l.y[d][i-step]))
			}
			below += float64(in) * square(float64(l.y[d][i]))
		}
	}
	if below == 0 {
		return 0
	}
	return above / below
}

func square(v float64) float64 { return v * v }

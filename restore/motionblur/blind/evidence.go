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
	variances(l.spread, l.precision, l.x[0], l.x[1], float32(l.k.power()/l.noise))
}

const leastVariance = 1e-12

// updateMean takes steps of conjugate gradients, preconditioned by the diagonal, towards the mean
// of x: (KᵀK/λ + 1/γ)·x = Kᵀy/λ.
func (l *level) updateMean(steps int) {
	c := l.c
	inverse := float32(1 / l.noise)
	for d := range 2 {
		x, a := l.x[d], l.a
		c.forward(a, x)
		residual(a, l.otf, l.fy[d], inverse)
		c.inverse(l.r, a)
		rz := 0.0
		for row := range c.h {
			rz += startRow(l.p[row*c.w:][:c.w], l.r[row*c.w:][:c.w], x[row*c.w:], l.precision[row*c.w:], l.spread[row*c.w:])
		}
		for range steps {
			c.forward(a, l.p)
			weighted(a, l.power, inverse)
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
			turn(l.p, l.r, l.spread, float32(next/rz))
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

package blind

import "math"

// The variational step holds the sharp picture's differences x as uncertain: each has a prior N(0, γ) of its own variance, shared between the two directions at a place,
// and a posterior of mean x and variance about 1/(‖k‖²/λ + 1/γ), λ being the noise. Maximising the evidence of γ, k and λ together (Wipf and Zhang, Revisiting Bayesian blind
// deconvolution, 2014) prefers sparse differences, but not at any price, and so does not fall for the kernel that does nothing as the most probable x and k do.

// begin forgets x's variances and starts with noise of a standard deviation.
func (l *level) begin(sigma float64) {
	l.noise = sigma * sigma
	for d := range 2 {
		copy(l.x[d], l.y[d])
		for i := range l.spread[d] {
			l.spread[d][i] = l.noise / l.k.power()
		}
	}
}

// weigh sets γ and the variances of x.
func (l *level) weigh() {
	precision := l.k.power() / l.noise
	for i := range l.x[0] {
		a, b := l.x[0][i], l.x[1][i]
		g := max((a*a+b*b+l.spread[0][i]+l.spread[1][i])/2, leastVariance)
		s := 1 / (precision + 1/g)
		l.gamma[0][i], l.gamma[1][i] = g, g
		l.spread[0][i], l.spread[1][i] = s, s
	}
}

const leastVariance = 1e-12

// latent takes steps of conjugate gradients, preconditioned by the diagonal, towards the mean of x: (KᵀK/λ + 1/γ)·x = Kᵀy/λ.
func (l *level) latent(steps int) {
	c := l.c
	inverse := 1 / l.noise
	apply := func(dst, src, gamma []float64) {
		c.forward(l.a, src)
		for i, k := range l.otf {
			l.a[i] *= complex((real(k)*real(k)+imag(k)*imag(k))*inverse, 0)
		}
		c.inverse(dst, l.a)
		for i, v := range src {
			dst[i] += v / gamma[i]
		}
	}
	for d := range 2 {
		x, gamma, diagonal := l.x[d], l.gamma[d], l.spread[d]
		for i, k := range l.otf {
			l.a[i] = complex(real(k)*inverse, -imag(k)*inverse) * l.fy[d][i]
		}
		c.inverse(l.r, l.a)
		apply(l.t, x, gamma)
		rz := 0.0
		for i, v := range l.t {
			l.r[i] -= v
			l.p[i] = l.r[i] * diagonal[i]
			rz += l.p[i] * l.r[i]
		}
		for range steps {
			apply(l.t, l.p, gamma)
			pq := 0.0
			for i, v := range l.p {
				pq += v * l.t[i]
			}
			if !(pq > 0) {
				break
			}
			step, next := rz/pq, 0.0
			for i, v := range l.p {
				x[i] += step * v
				l.r[i] -= step * l.t[i]
				next += l.r[i] * l.r[i] * diagonal[i]
			}
			for i, r := range l.r {
				l.p[i] = r*diagonal[i] + next/rz*l.p[i]
			}
			rz = next
		}
	}
}

// explain returns the free energy per observed difference, which is twice the negative logarithm of a bound on the evidence but for a constant, and sets what is
// unexplained. Hidden differences become what the model predicts.
func (l *level) explain() float64 {
	fit, energy := 0.0, 0.0
	kk := l.k.power()
	for d := range 2 {
		l.blurred(l.t, l.x[d])
		for _, i := range l.hidden {
			l.y[d][i] = l.t[i]
		}
		if len(l.hidden) > 0 {
			l.c.forward(l.fy[d], l.y[d])
		}
		// The logarithm of a product of few is that of all, at a fraction of the cost.
		product, held := 1.0, 0
		for i, in := range l.inside {
			if !in {
				continue
			}
			e, x, g := l.t[i]-l.y[d][i], l.x[d][i], l.gamma[d][i]
			fit += e * e
			energy += x * x / g
			product *= l.noise + kk*g
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

// detail is the sum of squares of the differences between neighbours of y beside that of its squares.
func (l *level) detail() float64 {
	above, below := 0.0, 0.0
	for d, step := range []int{1, l.c.w} {
		for i, in := range l.inside {
			if in && l.inside[i-step] {
				above += square(l.y[d][i] - l.y[d][i-step])
			}
			if in {
				below += square(l.y[d][i])
			}
		}
	}
	if below == 0 {
		return 0
	}
	return above / below
}

func square(v float64) float64 { return v * v }

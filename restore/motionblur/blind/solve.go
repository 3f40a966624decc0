package blind

// penalties are the prior of the blur kernel. All but flat are relative to the picture's Σ|∇x|².
type penalties struct {
	flat       float64 // of Σk²
	smoothness float64 // of the squares of differences between neighbours
	sparse     float64 // of weights that are small compared with the largest, as these are on no path
	steps      int     // of conjugate gradients
}

// sparseKnee times the largest weight is where the slope of the sparse penalty has fallen to half.
const sparseKnee = 0.1

// setKernel sets the blur kernel of parts of a picture.
func setKernel(parts []*level, k *kernel) {
	for _, l := range parts {
		l.setKernel(k)
	}
}

// solve improves the blur kernel that parts of a picture share, by least squares for the
// differences x of the sharp picture, with k ≥ 0 and penalties. It minimises
//
//	Σ_d |y_d − k ⋆ x_d|² + Σ k²·(Σ_d Σ spread + flat) + penalties
//
// The sum over pixels depends on x only through level.correlations, so a step needs only transforms
// of the blur kernel's size.
func solve(parts []*level, pen penalties) {
	n, now, small := parts[0].n, parts[0].k, parts[0].small
	plane := make([]float32, small.w*small.h)
	b, more := make([]float64, n*n), make([]float64, n*n)
	all, flat := 0.0, pen.flat
	for _, l := range parts {
		auto, cross := l.correlations()
		all += max(0, float64(auto[0]))
		flat += 2 * dot(l.spread, l.taper)
		for dy := 1 - n; dy < n; dy++ {
			for dx := 1 - n; dx < n; dx++ {
				plane[wrap(dy, small.h)*small.w+wrap(dx, small.w)] += auto[wrap(dy, l.c.h)*l.c.w+wrap(dx, l.c.w)]
			}
		}
		gather(more, n, cross, l.c.w, l.c.h)
		for i, v := range more {
			b[i] += v
		}
	}
	if !(all > 0) {
		return // flat parts say nothing about the blur kernel
	}
	spectrum, f := make([]complex64, small.size()), make([]complex64, small.size())
	small.forward(spectrum, plane)
	smoothness := pen.smoothness * all
	apply := func(dst, k []float64) {
		(&kernel{n: n, w: k}).spread(plane, small.w, small.h)
		small.forward(f, plane)
		for i, v := range spectrum {
			f[i] = times(f[i], real(v))
		}
		small.inverse(plane, f)
		gather(dst, n, plane, small.w, small.h)
		for i, v := range k {
			y, x := i/n, i%n
			add := flat * v
			if x > 0 {
				add += smoothness * (v - k[i-1])
			}
			if x+1 < n {
				add += smoothness * (v - k[i+1])
			}
			if y > 0 {
				add += smoothness * (v - k[i-n])
			}
			if y+1 < n {
				add += smoothness * (v - k[i+n])
			}
			dst[i] += add
		}
	}
	// The penalty is concave, so its tangent at the current weights is an upper bound.
	if pen.sparse > 0 {
		most := now.largest()
		for i, v := range now.w {
			b[i] -= pen.sparse * all * most / (1 + v/(sparseKnee*most))
		}
	}
	k := &kernel{n: n, w: nonNegative(apply, b, now.w, pen.steps)}
	setKernel(parts, k.normalise())
}

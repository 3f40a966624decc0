package blind

// The loops over spectra and over rows of pixels that take most of the time. On processors with
// AVX2 assembly does eight real or four complex values at a time (spectra_amd64.s, rows_amd64.s).
// Go's code does the rest, and everything on other processors.
//
// All slices of a call are at least as long as the first one, unless noted.

const (
	realLanes    = 8
	complexLanes = 4
)

// fastReals is how many of n real values the assembly does, and fastComplex of n complex ones.
func fastReals(n int) int { return fastCount(n, realLanes) }

func fastComplex(n int) int { return fastCount(n, complexLanes) }

func fastCount(n, lanes int) int {
	if !avx || n < lanes {
		return 0
	}
	return n - n%lanes
}

// product sets dst to a·k.
func product(dst, a, k []complex64) {
	a, k = a[:len(dst)], k[:len(dst)]
	n := fastComplex(len(dst))
	if n > 0 {
		productAVX(&dst[0], &a[0], &k[0], n)
	}
	for i := n; i < len(dst); i++ {
		dst[i] = mul(a[i], k[i])
	}
}

// residual replaces a by scale·k*·(y − k·a).
func residual(a, k, y []complex64, scale float32) {
	k, y = k[:len(a)], y[:len(a)]
	n := fastComplex(len(a))
	if n > 0 {
		residualAVX(&a[0], &k[0], &y[0], scale, n)
	}
	for i := n; i < len(a); i++ {
		a[i] = times(mul(conj(k[i]), y[i]-mul(k[i], a[i])), scale)
	}
}

// weighted multiplies a by scale·w.
func weighted(a []complex64, w []float32, scale float32) {
	w = w[:len(a)]
	n := fastComplex(len(a))
	if n > 0 {
		weightedAVX(&a[0], &w[0], scale, n)
	}
	for i := n; i < len(a); i++ {
		a[i] = times(a[i], w[i]*scale)
	}
}

// correlate adds |x|² to power and x*·y to cross.
func correlate(power, cross, x, y []complex64) {
	cross, x, y = cross[:len(power)], x[:len(power)], y[:len(power)]
	n := fastComplex(len(power))
	if n > 0 {
		correlateAVX(&power[0], &cross[0], &x[0], &y[0], n)
	}
	for i := n; i < len(power); i++ {
		power[i] += complex(norm(x[i]), 0)
		cross[i] += mul(conj(x[i]), y[i])
	}
}

// tiny keeps divisors of spectra above 0.
const tiny = 1e-12

// latent replaces a by (start + beta·a)/(power + beta·lap).
func latent(a, start []complex64, power, lap []float32, beta float32) {
	start, power, lap = start[:len(a)], power[:len(a)], lap[:len(a)]
	n := fastComplex(len(a))
	if n > 0 {
		latentAVX(&a[0], &start[0], &power[0], &lap[0], beta, n)
	}
	for i := n; i < len(a); i++ {
		w, s, d := 1/(power[i]+beta*lap[i]+tiny), start[i], a[i]
		a[i] = complex((real(s)+beta*real(d))*w, (imag(s)+beta*imag(d))*w)
	}
}

// divide replaces x by (k*·kx + beta·x)/(power + beta·filtered), and kx by k times that.
func divide(x, kx, k []complex64, power, filtered []float32, beta float32) {
	kx, k, power, filtered = kx[:len(x)], k[:len(x)], power[:len(x)], filtered[:len(x)]
	n := fastComplex(len(x))
	if n > 0 {
		divideAVX(&x[0], &kx[0], &k[0], &power[0], &filtered[0], beta, n)
	}
	for i := n; i < len(x); i++ {
		v := times(mul(conj(k[i]), kx[i])+times(x[i], beta), 1/(power[i]+beta*filtered[i]+tiny))
		x[i], kx[i] = v, mul(v, k[i])
	}
}

// rim sets t to x·(1 − taper).
func rim(t, x, taper []float32) {
	x, taper = x[:len(t)], taper[:len(t)]
	n := fastReals(len(t))
	if n > 0 {
		rimAVX(&t[0], &x[0], &taper[0], n)
	}
	for i := n; i < len(t); i++ {
		t[i] = x[i] * (1 - taper[i])
	}
}

// inner replaces t by inside·(y − t), and sets u to x·taper.
func inner(t, u, y, x, inside, taper []float32) {
	u, y, x, inside, taper = u[:len(t)], y[:len(t)], x[:len(t)], inside[:len(t)], taper[:len(t)]
	n := fastReals(len(t))
	if n > 0 {
		innerAVX(&t[0], &u[0], &y[0], &x[0], &inside[0], &taper[0], n)
	}
	for i := n; i < len(t); i++ {
		t[i], u[i] = inside[i]*(y[i]-t[i]), x[i]*taper[i]
	}
}

// variances sets precision to 1/(½(x0² + x1²) + spread), and spread to 1/(seen + precision).
func variances(spread, precision, x0, x1 []float32, seen float32) {
	precision, x0, x1 = precision[:len(spread)], x0[:len(spread)], x1[:len(spread)]
	n := fastReals(len(spread))
	if n > 0 {
		variancesAVX(&spread[0], &precision[0], &x0[0], &x1[0], seen, leastVariance, n)
	}
	for i := n; i < len(spread); i++ {
		p := 1 / max((x0[i]*x0[i]+x1[i]*x1[i])/2+spread[i], leastVariance)
		precision[i], spread[i] = p, 1/(seen+p)
	}
}

// The loops of level.updateMean are over rows: their sums are short enough for float32.

// startRow subtracts x/γ from the residual r, sets the direction p and returns rᵀp.
func startRow(p, r, x, precision, spread []float32) float64 {
	r, x, precision, spread = r[:len(p)], x[:len(p)], precision[:len(p)], spread[:len(p)]
	sum, n := float32(0), fastReals(len(p))
	if n > 0 {
		sum = startAVX(&p[0], &r[0], &x[0], &precision[0], &spread[0], n)
	}
	for i := n; i < len(p); i++ {
		v := r[i] - x[i]*precision[i]
		r[i], p[i] = v, v*spread[i]
		sum += v * p[i]
	}
	return float64(sum)
}

// applyRow adds p/γ to t and returns pᵀt.
func applyRow(t, p, precision []float32) float64 {
	p, precision = p[:len(t)], precision[:len(t)]
	sum, n := float32(0), fastReals(len(t))
	if n > 0 {
		sum = applyAVX(&t[0], &p[0], &precision[0], n)
	}
	for i := n; i < len(t); i++ {
		t[i] += p[i] * precision[i]
		sum += t[i] * p[i]
	}
	return float64(sum)
}

// stepRow takes a step along p, where t = A·p, and returns rᵀ·spread·r.
func stepRow(x, r, p, t, spread []float32, step float32) float64 {
	r, p, t, spread = r[:len(x)], p[:len(x)], t[:len(x)], spread[:len(x)]
	sum, n := float32(0), fastReals(len(x))
	if n > 0 {
		sum = stepAVX(&x[0], &r[0], &p[0], &t[0], &spread[0], step, n)
	}
	for i := n; i < len(x); i++ {
		x[i] += step * p[i]
		r[i] -= step * t[i]
		sum += r[i] * r[i] * spread[i]
	}
	return float64(sum)
}

// turn replaces the direction p by r·spread + factor·p.
func turn(p, r, spread []float32, factor float32) {
	r, spread = r[:len(p)], spread[:len(p)]
	n := fastReals(len(p))
	if n > 0 {
		turnAVX(&p[0], &r[0], &spread[0], factor, n)
	}
	for i := n; i < len(p); i++ {
		p[i] = r[i]*spread[i] + factor*p[i]
	}
}

// gradientsRow sets h and v to the differences of a row that wraps around to its next pixels and to
// the row below. Both are 0 where the sum of their squares is less than least.
func gradientsRow(h, v, row, below []float32, least float32) {
	v, row, below = v[:len(h)], row[:len(h)], below[:len(h)]
	last := len(h) - 1
	n := fastReals(last)
	if n > 0 {
		gradientsAVX(&h[0], &v[0], &row[0], &below[0], least, n)
	}
	for i := n; i < last; i++ {
		h[i], v[i] = large(row[i+1]-row[i], below[i]-row[i], least)
	}
	h[last], v[last] = large(row[0]-row[last], below[last]-row[last], least)
}

// divergenceRow sets a row that wraps around to the negative divergence of h and v, where up is the
// v of the row above.
func divergenceRow(to, h, up, v []float32) {
	h, up, v = h[:len(to)], up[:len(to)], v[:len(to)]
	to[0] = h[len(h)-1] - h[0] + up[0] - v[0]
	n := fastReals(len(to) - 1)
	if n > 0 {
		divergenceAVX(&to[1], &h[1], &up[1], &v[1], n)
	}
	for i := n + 1; i < len(to); i++ {
		to[i] = h[i-1] - h[i] + up[i] - v[i]
	}
}

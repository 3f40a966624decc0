package blind

// nonNegative minimises ½kᵀAk − bᵀk over k ≥ 0, starting from start, where apply sets dst to A·k.
// It takes at most the given number of steps of conjugate gradients over the free weights: those
// above 0 and those whose gradient makes them larger. A weight that falls below 0 is set to 0, and
// the conjugate gradients start again.
func nonNegative(apply func(dst, k []float64), b, start []float64, steps int) []float64 {
	const (
		run   = 12    // steps after which the free weights are chosen again
		small = 1e-10 // a run ends when the gradient's square has fallen by this factor
	)
	n := len(b)
	k := append([]float64(nil), start...)
	// g is minus the gradient, p the direction, and q is A·p.
	g, p, q := make([]float64, n), make([]float64, n), make([]float64, n)
	free := make([]bool, n)
	for done := 0; done < steps; {
		apply(g, k)
		rr := 0.0
		for i := range g {
			g[i] = b[i] - g[i]
			free[i] = k[i] > 0 || g[i] > 0
			p[i] = 0
			if free[i] {
				p[i] = g[i]
				rr += g[i] * g[i]
			}
		}
		if rr == 0 {
			return k
		}
		first := rr
		for inner, held := 0, false; inner < run && done < steps && !held; inner++ {
			done++
			apply(q, p)
			pq := 0.0
			for i, v := range p {
				pq += v * q[i]
			}
			if !(pq > 0) {
				return k
			}
			step := rr / pq
			for i, v := range p {
				if k[i] += step * v; k[i] < 0 {
					k[i], held = 0, true
				}
			}
			next := 0.0
			for i := range g {
				if free[i] {
					g[i] -= step * q[i]
					next += g[i] * g[i]
				}
			}
			if next < small*first {
				break
			}
			for i := range p {
				if free[i] {
					p[i] = g[i] + next/rr*p[i]
				}
			}
			rr = next
		}
	}
	return k
}

package blind

// Two real columns are transformed as one complex one, even + i·odd. The transform z of that holds
// both spectra: half of z(f) + z(−f)* is the even column's, and half of z(f) − z(−f)* is i times the
// odd one's. On processors with AVX2 four frequencies are processed at a time (split_amd64.s).

// quad is the number of frequencies that are processed at a time.
const quad = 4

// split sets the spectra dst of the pairs columns from x on. z holds the transforms of laneCount
// complex columns.
func (t *transform) split(dst []complex64, x int, z []lanes) {
	for fy := 0; fy <= t.h/2; {
		to := (*[pairs]lanes)(t.block(dst, fy/laneCount)[x:])
		if fy > 0 && fy%quad == 0 && fy+quad <= t.h/2+1 && splitFast(to, fy%laneCount, z, fy) {
			fy += quad
			continue
		}
		p, q, lane := &z[fy], &z[(t.h-fy)%t.h], fy%laneCount
		for i, p := range p {
			q := q[i]
			to[2*i][lane] = complex(0.5*(real(p)+real(q)), 0.5*(imag(p)-imag(q)))
			to[2*i+1][lane] = complex(0.5*(imag(p)+imag(q)), 0.5*(real(q)-real(p)))
		}
		fy++
	}
}

// join undoes split, for spectra src whose rows were transformed back by the forward transform, so
// that columns lie in reverse order. It also multiplies by scale.
func (t *transform) join(z []lanes, src []complex64, x int, scale float32) {
	for fy := 0; fy <= t.h/2; {
		block, lane := t.block(src, fy/laneCount), fy%laneCount
		first, rest := &block[(t.w-x)%t.w], (*[pairs - 1]lanes)(block[t.w-x-pairs+1:])
		if fy > 0 && fy%quad == 0 && fy+quad <= t.h/2+1 && joinFast(z, fy, first, rest, lane, scale) {
			fy += quad
			continue
		}
		p, q := &z[fy], &z[(t.h-fy)%t.h]
		for i := range p {
			e, o := first[lane], rest[pairs-2-2*i][lane]
			if i > 0 {
				e = rest[pairs-1-2*i][lane]
			}
			q[i] = complex(scale*(real(e)+imag(o)), scale*(real(o)-imag(e)))
			p[i] = complex(scale*(real(e)-imag(o)), scale*(imag(e)+real(o)))
		}
		fy++
	}
}

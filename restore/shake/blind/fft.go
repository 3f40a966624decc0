package blind

// transform is the Fourier transform of real planes of w×h values. A spectrum is stored row by row of h rows, and only the columns of frequencies 0 … w/2, as the
// others are their conjugates. It has memory of its own and is for one goroutine at a time.
type transform struct {
	w, h int
	rows *lines
	cols *lines
	a, b []complex128 // strips of lines
}

// strip lines are transformed together. Two real rows make one complex line.
const strip = 4

func newTransform(w, h int) *transform {
	n := strip * max(w, h)
	return &transform{w: w, h: h, rows: newLines(w), cols: newLines(h), a: make([]complex128, n), b: make([]complex128, n)}
}

// size is the number of values of a spectrum.
func (t *transform) size() int { return (t.w/2 + 1) * t.h }

// at is where the frequency of fx ≤ w/2 cycles along a row and fy < h along a column is.
func (t *transform) at(fx, fy int) int { return fy*(t.w/2+1) + fx }

// forward sets dst to the transform of src: dst(f) = Σ src(x)·e^(−2πi f·x).
func (t *transform) forward(dst []complex128, src []float64) {
	n := t.w/2 + 1
	for y := 0; y < t.h; y += 2 * strip {
		count := min(strip, (t.h-y+1)/2)
		for i := range count {
			even := src[(y+2*i)*t.w:][:t.w]
			if y+2*i+1 < t.h {
				odd := src[(y+2*i+1)*t.w:][:t.w]
				for x, v := range even {
					t.a[x*count+i] = complex(v, odd[x])
				}
			} else {
				for x, v := range even {
					t.a[x*count+i] = complex(v, 0)
				}
			}
		}
		v := t.rows.forward(t.a[:t.w*count], t.b[:t.w*count], count)
		for i := range count {
			even := dst[(y+2*i)*n:][:n]
			if y+2*i+1 < t.h {
				odd := dst[(y+2*i+1)*n:][:n]
				even[0], odd[0] = complex(real(v[i]), 0), complex(imag(v[i]), 0)
				for f := 1; f < n; f++ {
					p, q := v[f*count+i], v[(t.w-f)*count+i]
					even[f] = complex(0.5*(real(p)+real(q)), 0.5*(imag(p)-imag(q)))
					odd[f] = complex(0.5*(imag(p)+imag(q)), 0.5*(real(q)-real(p)))
				}
			} else {
				for f := range n {
					even[f] = v[f*count+i]
				}
			}
		}
	}
	t.columns(dst, dst, false)
}

// columns transforms the columns of a spectrum, forward or, but for the factor, backward.
func (t *transform) columns(dst, src []complex128, back bool) {
	n := t.w/2 + 1
	for f := 0; f < n; f += strip {
		count := min(strip, n-f)
		if count == strip {
			for y := range t.h {
				from, to := src[y*n+f:][:strip], t.a[y*strip:][:strip]
				if back {
					for i, v := range from {
						to[i] = complex(imag(v), real(v))
					}
				} else {
					copy(to, from)
				}
			}
		} else {
			for y := range t.h {
				for i, v := range src[y*n+f:][:count] {
					if back {
						v = complex(imag(v), real(v))
					}
					t.a[y*count+i] = v
				}
			}
		}
		v := t.cols.forward(t.a[:t.h*count], t.b[:t.h*count], count)
		for y := range t.h {
			to := dst[y*n+f:][:count]
			for i, u := range v[y*count:][:count] {
				if back {
					u = complex(imag(u), real(u))
				}
				to[i] = u
			}
		}
	}
}

// inverse sets dst to the plane whose transform is src, which is lost.
func (t *transform) inverse(dst []float64, src []complex128) {
	n := t.w/2 + 1
	t.columns(src, src, true)
	scale := 1 / float64(t.w*t.h)
	for y := 0; y < t.h; y += 2 * strip {
		count := min(strip, (t.h-y+1)/2)
		for i := range count {
			even := src[(y+2*i)*n:][:n]
			odd := even
			pair := y+2*i+1 < t.h
			if pair {
				odd = src[(y+2*i+1)*n:][:n]
			}
			// even + i·odd, over all frequencies, conjugated for a transform backward: swapping real and imaginary parts does the same.
			for f := range n {
				e, o := even[f], odd[f]
				if !pair {
					o = 0
				}
				t.a[f*count+i] = complex(imag(e)+real(o), real(e)-imag(o))
				if f > 0 && 2*f < t.w {
					t.a[(t.w-f)*count+i] = complex(real(o)-imag(e), real(e)+imag(o))
				}
			}
		}
		v := t.rows.forward(t.a[:t.w*count], t.b[:t.w*count], count)
		for i := range count {
			even := dst[(y+2*i)*t.w:][:t.w]
			if y+2*i+1 < t.h {
				odd := dst[(y+2*i+1)*t.w:][:t.w]
				for x := range even {
					u := v[x*count+i]
					even[x], odd[x] = scale*imag(u), scale*real(u)
				}
			} else {
				for x := range even {
					even[x] = scale * imag(v[x*count+i])
				}
			}
		}
	}
}

// smooth returns the least even number that is at least n and has no prime factors but 2, 3 and 5, for which transforms are fast.
func smooth(n int) int {
	for n += n % 2; ; n += 2 {
		m := n
		for _, p := range []int{2, 3, 5} {
			for m%p == 0 {
				m /= p
			}
		}
		if m == 1 {
			return n
		}
	}
}

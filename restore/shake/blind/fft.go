package blind

// transform is the Fourier transform of real planes of w×h values. A spectrum is stored row by row of h rows, and only the columns of frequencies 0 … w/2, as the
// others are their conjugates. Both sides are even and have no prime factors above 5 (smooth). It has memory of its own and is for one
// goroutine at a time.
type transform struct {
	w, h int
	rows *lines
	cols *lines
	a, b []lanes // lines that are transformed together
}

func newTransform(w, h int) *transform {
	n := max(w, h)
	return &transform{w: w, h: h, rows: newLines(w), cols: newLines(h), a: make([]lanes, n), b: make([]lanes, n)}
}

// size is the number of values of a spectrum.
func (t *transform) size() int { return (t.w/2 + 1) * t.h }

// at is where the frequency of fx ≤ w/2 cycles along a row and fy < h along a column is.
func (t *transform) at(fx, fy int) int { return fy*(t.w/2+1) + fx }

// forward sets dst to the transform of src: dst(f) = Σ src(x)·e^(−2πi f·x).
func (t *transform) forward(dst []complex64, src []float32) {
	n, a := t.w/2+1, t.a[:t.w]
	for y := 0; y < t.h; y += 2 * laneCount { // two real rows make one complex line
		for i := range min(laneCount, (t.h-y)/2) {
			even, odd := src[(y+2*i)*t.w:][:len(a)], src[(y+2*i+1)*t.w:][:len(a)]
			for x, v := range even {
				a[x][i] = complex(v, odd[x])
			}
		}
		v := t.rows.forward(a, t.b[:t.w])
		for i := range min(laneCount, (t.h-y)/2) {
			even, odd := dst[(y+2*i)*n:][:n], dst[(y+2*i+1)*n:][:n]
			even[0], odd[0] = complex(real(v[0][i]), 0), complex(imag(v[0][i]), 0)
			for f := 1; f < n; f++ {
				p, q := v[f][i], v[t.w-f][i]
				even[f] = complex(0.5*(real(p)+real(q)), 0.5*(imag(p)-imag(q)))
				odd[f] = complex(0.5*(imag(p)+imag(q)), 0.5*(real(q)-real(p)))
			}
		}
	}
	t.columns(dst)
}

// columns transforms the columns of a spectrum.
func (t *transform) columns(s []complex64) {
	n, a := t.w/2+1, t.a[:t.h]
	for f := 0; f < n; f += laneCount {
		count := min(laneCount, n-f)
		for y := range a {
			copy(a[y][:], s[y*n+f:][:count])
		}
		for y, v := range t.cols.forward(a, t.b[:t.h]) {
			copy(s[y*n+f:][:count], v[:])
		}
	}
}

// inverse sets dst to the plane whose transform is src, which is lost.
func (t *transform) inverse(dst []float32, src []complex64) {
	t.columns(src)
	n, a, scale := t.w/2+1, t.a[:t.w], 1/float32(t.w*t.h)
	for y := 0; y < t.h; y += 2 * laneCount {
		// A transform backward is one forward of the values at the negative frequencies. Along the columns rows change places for that, along the rows columns do.
		for i := range min(laneCount, (t.h-y)/2) {
			even, odd := src[t.mirrored(y+2*i)*n:][:n], src[t.mirrored(y+2*i+1)*n:][:n]
			for f, e := range even { // even + i·odd, over all frequencies
				o := odd[f]
				if f > 0 {
					a[t.w-f][i] = complex(real(e)-imag(o), imag(e)+real(o))
				}
				if 2*f < t.w {
					a[f][i] = complex(real(e)+imag(o), real(o)-imag(e))
				}
			}
		}
		v := t.rows.forward(a, t.b[:t.w])
		for i := range min(laneCount, (t.h-y)/2) {
			even, odd := dst[(y+2*i)*t.w:][:len(v)], dst[(y+2*i+1)*t.w:][:len(v)]
			for x := range v {
				even[x], odd[x] = scale*real(v[x][i]), scale*imag(v[x][i])
			}
		}
	}
}

// mirrored is the row of the negative frequency.
func (t *transform) mirrored(y int) int {
	if y == 0 {
		return 0
	}
	return t.h - y
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

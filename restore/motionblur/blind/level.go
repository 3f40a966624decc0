package blind

// level is what is known about a picture at one scale, and working memory. Differences along rows
// (0) and along columns (1) are on a canvas that wraps around.
type level struct {
	c   *canvas
	n   int            // blur kernels are n×n
	ext []float32      // the picture, continued around its edges
	y   [2][]float32   // its differences
	fy  [2][]complex64 // their transforms
	// inside is 1 where both differences are between pixels of the picture, 0 elsewhere.
	inside []float32
	// hidden are the indices inside whose differences depend on an unknown pixel. There y is the
	// model's prediction.
	hidden []int
	// taper is 1 where a gradient of the sharp picture affects only pixels of the picture, whatever
	// the blur kernel, and 0 elsewhere.
	taper       []float32
	count       float64      // number of pixels inside
	x           [2][]float32 // differences of the sharp picture
	spread      []float32    // their variance, the same for both
	precision   []float32    // 1 / the variance of their prior
	noise       float64      // variance of the noise that the model assumes
	unexplained float64      // standard deviation of what the model does not explain
	k           *kernel
	otf         []complex64
	power       []float32  // |otf|²
	small       *transform // large enough for all displacements within a blur kernel

	a, b, f, g []complex64
	t, u, r, p []float32
}

// newLevel returns the level of a picture for blur kernels of n×n. unknown marks pixels whose
// values say nothing; nil means none.
func newLevel(y *Plane, unknown []bool, n int) *level {
	c := newCanvas(y.W, y.H, n)
	l := &level{c: c, n: n, ext: c.extend(y), small: newTransform(fastSize(2*n), fastSize(2*n))}
	planes := []*[]float32{&l.inside, &l.taper, &l.spread, &l.precision, &l.t, &l.u, &l.r, &l.p}
	spectra := []*[]complex64{&l.otf, &l.a, &l.b, &l.f, &l.g}
	for d := range 2 {
		planes = append(planes, &l.y[d], &l.x[d])
		spectra = append(spectra, &l.fy[d])
	}
	for _, p := range planes {
		*p = make([]float32, c.w*c.h)
	}
	for _, s := range spectra {
		*s = make([]complex64, c.size())
	}
	l.power = make([]float32, c.size())
	c.differences(l.y[0], l.y[1], l.ext)
	for d := range 2 {
		copy(l.x[d], l.y[d])
		c.forward(l.fy[d], l.y[d])
	}
	for i := range y.H - 1 {
		for j := range y.W - 1 {
			at, from := (i+c.top)*c.w+j+c.left, i*y.W+j
			l.inside[at] = 1
			l.count++
			if min(j, i, y.W-2-j, y.H-2-i) >= n/2 {
				l.taper[at] = 1
			}
			if unknown != nil && (unknown[from] || unknown[from+1] || unknown[from+y.W]) {
				l.hidden = append(l.hidden, at)
			}
		}
	}
	return l
}

func (l *level) setKernel(k *kernel) {
	l.k = k
	k.spread(l.t, l.c.w, l.c.h)
	l.c.forward(l.otf, l.t)
	for i, k := range l.otf {
		l.power[i] = norm(k)
	}
}

func norm(v complex64) float32 { return real(v)*real(v) + imag(v)*imag(v) }

func conj(v complex64) complex64 { return complex(real(v), -imag(v)) }

func times(v complex64, s float32) complex64 { return complex(real(v)*s, imag(v)*s) }

// blurred sets dst to k ⋆ src.
func (l *level) blurred(dst, src []float32) {
	l.c.forward(l.a, src)
	product(l.a, l.a, l.otf)
	l.c.inverse(dst, l.a)
}

// correlations returns the autocorrelation of the sharp picture's differences, and their correlation
// with those of the picture, summed over both directions. Differences x that a blur kernel may
// spread beyond the picture's edges are left out. What they contribute to y is subtracted, by the
// current blur kernel. So the sums over pixels are exact in spite of the edges. The planes are
// working memory.
func (l *level) correlations() (auto, cross []float32) {
	c := l.c
	auto, cross = l.r, l.p
	power, both := l.b, l.f
	clear(power)
	clear(both)
	for d := range 2 {
		rim(l.t, l.x[d], l.taper)
		l.blurred(l.t, l.t)
		inner(l.t, l.u, l.y[d], l.x[d], l.inside, l.taper)
		c.forward(l.a, l.t)
		c.forward(l.g, l.u)
		correlate(power, both, l.g, l.a)
	}
	c.inverse(auto, power)
	c.inverse(cross, both)
	return auto, cross
}

// differences sets dx and dy to the forward differences of a canvas.
func (c *canvas) differences(dx, dy, src []float32) {
	for y := range c.h {
		row, below := src[y*c.w:][:c.w], src[(y+1)%c.h*c.w:][:c.w]
		h, v := dx[y*c.w:][:c.w], dy[y*c.w:][:c.w]
		for x := range c.w - 1 {
			h[x] = row[x+1] - row[x]
		}
		h[c.w-1] = row[0] - row[c.w-1]
		for x, u := range row {
			v[x] = below[x] - u
		}
	}
}

// dot is Σ a·b. It adds short sums in float32 to one in float64.
func dot(a, b []float32) float64 {
	sum := 0.0
	for len(a) >= 64 {
		sum += float64(dot64((*[64]float32)(a), (*[64]float32)(b)))
		a, b = a[64:], b[64:]
	}
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

func dot64(a, b *[64]float32) float32 {
	var s, t, u, v float32
	for i := 0; i < 64; i += 4 {
		s += a[i] * b[i]
		t += a[i+1] * b[i+1]
		u += a[i+2] * b[i+2]
		v += a[i+3] * b[i+3]
	}
	return s + t + u + v
}

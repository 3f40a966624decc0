package blind

// level is what is known of a picture at one scale, and memory to work on it. Differences along (0) and across (1) lie on a canvas that wraps around.
type level struct {
	c           *canvas
	n           int             // kernels are n×n
	ext         []float64       // the picture, continued around
	y           [2][]float64    // its differences
	fy          [2][]complex128 // their transforms
	inside      []bool          // where both differences are between pixels of the picture
	hidden      []int           // places inside whose differences say nothing, as a pixel is unknown; what the model predicts stands there
	taper       []float64       // 1 where a gradient of the sharp picture is seen by the picture's pixels alone, under any kernel
	count       float64         // places inside
	x           [2][]float64    // differences of the sharp picture
	spread      [2][]float64    // their variances
	gamma       [2][]float64    // and those that the prior gives them
	noise       float64         // variance that the model grants what it does not explain
	unexplained float64         // standard deviation of that, as it is
	k           *kernel
	otf         []complex128
	small       *transform // holds all displacements between two places of a kernel

	a, b       []complex128
	t, u, r, p []float64
}

// newLevel returns the level of a picture; unknown tells its pixels that say nothing, nil: none.
func newLevel(y *Plane, unknown []bool, n int) *level {
	c := newCanvas(y.W, y.H, n)
	l := &level{c: c, n: n, ext: c.extend(y), inside: make([]bool, c.w*c.h), small: newTransform(smooth(2*n), smooth(2*n))}
	planes := []*[]float64{&l.taper, &l.t, &l.u, &l.r, &l.p}
	for d := range 2 {
		planes = append(planes, &l.y[d], &l.x[d], &l.spread[d], &l.gamma[d])
		l.fy[d] = make([]complex128, c.size())
	}
	for _, p := range planes {
		*p = make([]float64, c.w*c.h)
	}
	l.otf, l.a, l.b = make([]complex128, c.size()), make([]complex128, c.size()), make([]complex128, c.size())
	c.differences(l.y[0], l.y[1], l.ext)
	for d := range 2 {
		copy(l.x[d], l.y[d])
		c.forward(l.fy[d], l.y[d])
	}
	for i := range y.H - 1 {
		for j := range y.W - 1 {
			at, from := (i+c.top)*c.w+j+c.left, i*y.W+j
			l.inside[at] = true
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
	l.c.otf(l.otf, k)
}

// blurred sets dst to k ⋆ src.
func (l *level) blurred(dst, src []float64) {
	l.c.forward(l.a, src)
	for i, k := range l.otf {
		l.a[i] *= k
	}
	l.c.inverse(dst, l.a)
}

// solve improves the kernel by least squares over the differences x of the sharp picture, under k ≥ 0 and what the penalties ask for:
//
//	Σ_d |y_d − k ⋆ x_d|² + Σ k²·(Σ_d Σ spread_d + flat) + penalties
//
// The sum over places is made exact in spite of the picture's edges by leaving out of x the places that a kernel reaches over the edge from; what they add
// to y is taken off, by the kernel as it is. The rest depends on x by its autocorrelation alone, so that a step costs transforms of the kernel's size.
func (l *level) solve(pen penalties) {
	c := l.c
	auto, cross := l.r, l.p
	power, product := make([]complex128, c.size()), make([]complex128, c.size())
	flat := pen.flat
	for d := range 2 {
		for i, v := range l.x[d] {
			l.t[i] = v * (1 - l.taper[i])
			l.u[i] = v * l.taper[i]
			flat += l.spread[d][i] * l.taper[i]
		}
		l.blurred(l.t, l.t)
		for i, in := range l.inside {
			if in {
				l.t[i] = l.y[d][i] - l.t[i]
			} else {
				l.t[i] = 0
			}
		}
		c.forward(l.a, l.t)
		c.forward(l.b, l.u)
		for i, v := range l.b {
			power[i] += complex(real(v)*real(v)+imag(v)*imag(v), 0)
			product[i] += complex(real(v), -imag(v)) * l.a[i]
		}
	}
	c.inverse(auto, power)
	c.inverse(cross, product)
	if !(auto[0] > 0) {
		return // a flat picture tells nothing
	}

	n, s := l.n, l.small
	plane := make([]float64, s.w*s.h)
	for dy := 1 - n; dy < n; dy++ {
		for dx := 1 - n; dx < n; dx++ {
			plane[wrap(dy, s.h)*s.w+wrap(dx, s.w)] = auto[wrap(dy, c.h)*c.w+wrap(dx, c.w)]
		}
	}
	spectrum, f := make([]complex128, s.size()), make([]complex128, s.size())
	s.forward(spectrum, plane)
	smoothness := pen.smooth * auto[0]
	apply := func(dst, k []float64) {
		(&kernel{n: n, w: k}).spread(plane, s.w, s.h)
		s.forward(f, plane)
		for i, v := range spectrum {
			f[i] *= complex(real(v), 0)
		}
		s.inverse(plane, f)
		gather(dst, n, plane, s.w, s.h)
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
	b := make([]float64, n*n)
	gather(b, n, cross, c.w, c.h)
	if pen.sparse > 0 { // concave, so its tangent at the weights as they are lies above it
		most := l.k.largest()
		for i, v := range l.k.w {
			b[i] -= pen.sparse * auto[0] * most / (1 + v/(sparseKnee*most))
		}
	}
	k := &kernel{n: n, w: nonNegative(apply, b, l.k.w, pen.steps)}
	l.setKernel(k.normalise())
}

// penalties is the prior of the kernel, relative to the picture's Σ|∇x|² but for flat.
type penalties struct {
	flat   float64 // of Σk²
	smooth float64 // of the squares of differences between neighbours
	sparse float64 // of weights that are small beside the largest, which lie on no path
	steps  int     // of conjugate gradients
}

// sparseKnee is the share of the largest weight from which on the penalty of sparse falls.
const sparseKnee = 0.1

// differences sets dx and dy to the forward differences of a canvas.
func (c *canvas) differences(dx, dy, src []float64) {
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

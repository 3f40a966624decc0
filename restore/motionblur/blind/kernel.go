package blind

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/task"
)

// kernel is a blur kernel in float64. As in task.Kernel it has n rows of n weights, n is odd, and
// blurring is correlation: y(i) = Σ_a w(a)·x(i + a − n/2).
type kernel struct {
	n int
	w []float64
}

func newKernel(n int) *kernel { return &kernel{n: n, w: make([]float64, n*n)} }

// delta is the blur kernel that leaves a picture as it is.
func delta(n int) *kernel {
	k := newKernel(n)
	k.w[n/2*n+n/2] = 1
	return k
}

// fromTask converts a task.Kernel.
func fromTask(k *task.Kernel) *kernel {
	out := newKernel(k.Size)
	for i, v := range k.W {
		out.w[i] = float64(v)
	}
	return out
}

// export converts to a task.Kernel.
func (k *kernel) export() *task.Kernel {
	out := &task.Kernel{Size: k.n, W: make([]float32, len(k.w))}
	for i, v := range k.w {
		out.W[i] = float32(v)
	}
	return out
}

func (k *kernel) clone() *kernel { return &kernel{n: k.n, w: append([]float64(nil), k.w...)} }

func (k *kernel) sum() float64 {
	s := 0.0
	for _, v := range k.w {
		s += v
	}
	return s
}

// normalise scales the weights to sum 1. If all weights are 0, it returns a delta.
func (k *kernel) normalise() *kernel {
	s := k.sum()
	if !(s > 0) || math.IsInf(s, 0) {
		return delta(k.n)
	}
	for i := range k.w {
		k.w[i] /= s
	}
	return k
}

// power is Σ w².
func (k *kernel) power() float64 {
	s := 0.0
	for _, v := range k.w {
		s += v * v
	}
	return s
}

func (k *kernel) largest() float64 { return slices.Max(k.w) }

// spread sets plane, of w×h values that wrap around, to the blur kernel as a filter of convolution:
// w(a) is at −(a − n/2). What does not fit wraps around.
func (k *kernel) spread(plane []float32, w, h int) {
	clear(plane)
	c := k.n / 2
	for a := range k.n {
		for b := range k.n {
			plane[wrap(c-a, h)*w+wrap(c-b, w)] += float32(k.w[a*k.n+b])
		}
	}
}

func wrap(i, n int) int {
	if i %= n; i < 0 {
		i += n
	}
	return i
}

// gather is the adjoint of spread: it reads n×n weights from a plane.
func gather(dst []float64, n int, plane []float32, w, h int) {
	c := n / 2
	for a := range n {
		for b := range n {
			dst[a*n+b] = float64(plane[wrap(c-a, h)*w+wrap(c-b, w)])
		}
	}
}

// centroid is the centre of mass, in pixels from the centre of the square.
func (k *kernel) centroid() (x, y float64) {
	s := 0.0
	for a := range k.n {
		for b := range k.n {
			v := k.w[a*k.n+b]
			s += v
			x += v * float64(b-k.n/2)
			y += v * float64(a-k.n/2)
		}
	}
	return x / s, y / s
}

// centred returns the blur kernel shifted by whole pixels so that its centre of mass is within half
// a pixel of the square's centre. What leaves the square is lost.
func (k *kernel) centred() *kernel {
	x, y := k.centroid()
	dx, dy := int(math.Round(x)), int(math.Round(y))
	if dx == 0 && dy == 0 {
		return k
	}
	out := newKernel(k.n)
	for a := range k.n {
		for b := range k.n {
			if i, j := a+dy, b+dx; i >= 0 && i < k.n && j >= 0 && j < k.n {
				out.w[a*k.n+b] = k.w[i*k.n+j]
			}
		}
	}
	return out.normalise()
}

// threshold sets weights below fraction times the largest one to 0.
func (k *kernel) threshold(fraction float64) *kernel {
	least := fraction * k.largest()
	for i, v := range k.w {
		if v < least {
			k.w[i] = 0
		}
	}
	return k.normalise()
}

// prune removes islands (weights above 0 that touch each other, also diagonally) with less than
// fraction of all weight.
func (k *kernel) prune(fraction float64) *kernel {
	seen := make([]bool, len(k.w))
	total := k.sum()
	var stack, island []int
	for i, v := range k.w {
		if seen[i] || v <= 0 {
			continue
		}
		stack, island = append(stack[:0], i), island[:0]
		seen[i] = true
		sum := 0.0
		for len(stack) > 0 {
			j := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			island = append(island, j)
			sum += k.w[j]
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					y, x := j/k.n+dy, j%k.n+dx
					if y < 0 || y >= k.n || x < 0 || x >= k.n {
						continue
					}
					if m := y*k.n + x; !seen[m] && k.w[m] > 0 {
						seen[m] = true
						stack = append(stack, m)
					}
				}
			}
		}
		if sum < fraction*total {
			for _, j := range island {
				k.w[j] = 0
			}
		}
	}
	return k.normalise()
}

// scaled returns the blur kernel enlarged by a factor ≥ 1 in a square of n×n, by cubic
// interpolation about the centre. Negative weights become 0.
func (k *kernel) scaled(factor float64, n int) *kernel {
	out := newKernel(n)
	for a := range n {
		for b := range n {
			y, x := float64(a-n/2)/factor, float64(b-n/2)/factor
			out.w[a*n+b] = max(0, k.at(x, y))
		}
	}
	return out.normalise()
}

// at is the weight at (x, y) pixels from the centre, by Keys' cubic interpolation. It is 0 outside.
func (k *kernel) at(x, y float64) float64 {
	c := float64(k.n / 2)
	x, y = x+c, y+c
	x0, y0 := math.Floor(x), math.Floor(y)
	sum := 0.0
	for i := -1; i <= 2; i++ {
		a := int(y0) + i
		if a < 0 || a >= k.n {
			continue
		}
		wy := keys(y - y0 - float64(i))
		for j := -1; j <= 2; j++ {
			if b := int(x0) + j; b >= 0 && b < k.n {
				sum += wy * keys(x-x0-float64(j)) * k.w[a*k.n+b]
			}
		}
	}
	return sum
}

// keys is the weight of Keys' cubic interpolation (a = −1/2) at distance x.
func keys(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// width is the root of the mean squared distance from the centre of mass, in pixels.
func (k *kernel) width() float64 {
	x, y := k.centroid()
	s := 0.0
	for i, v := range k.w {
		dx, dy := float64(i%k.n-k.n/2)-x, float64(i/k.n-k.n/2)-y
		s += v * (dx*dx + dy*dy)
	}
	return math.Sqrt(s / k.sum())
}

// Similarity is the largest normalised correlation, 0 to 1, of two blur kernels over shifts by whole
// pixels. It is 1 if they are the same but for a shift.
func Similarity(a, b *task.Kernel) float64 { return similarity(fromTask(a), fromTask(b)) }

// similarity is Similarity.
func similarity(a, b *kernel) float64 {
	n := fastSize(a.n + b.n)
	t := newTransform(n, n)
	fa, fb, p := make([]complex64, t.size()), make([]complex64, t.size()), make([]float32, n*n)
	a.spread(p, n, n)
	t.forward(fa, p)
	b.spread(p, n, n)
	t.forward(fb, p)
	for i, v := range fb {
		fa[i] = mul(fa[i], complex(real(v), -imag(v)))
	}
	t.inverse(p, fa)
	return float64(slices.Max(p)) / math.Sqrt(a.power()*b.power())
}

// trimmed returns the blur kernel in the smallest square about its centre that holds all weights
// above 0 and margin more pixels on each side, but not in a larger square than its own.
func (k *kernel) trimmed(margin int) *kernel {
	c, reach := k.n/2, 0
	for i, v := range k.w {
		if v > 0 {
			x, y := i%k.n-c, i/k.n-c
			reach = max(reach, x, -x, y, -y)
		}
	}
	reach = max(min(reach+margin, c), 1)
	out := newKernel(2*reach + 1)
	for y := range out.n {
		copy(out.w[y*out.n:(y+1)*out.n], k.w[(y+c-reach)*k.n+c-reach:])
	}
	return out
}

// rim is the part of all weight that is on the outermost pixels.
func (k *kernel) rim() float64 {
	s := 0.0
	for i, v := range k.w {
		if x, y := i%k.n, i/k.n; x == 0 || y == 0 || x == k.n-1 || y == k.n-1 {
			s += v
		}
	}
	return s / k.sum()
}

package task

// LinearMap is a linear operator A with its adjoint Aᵀ on three planes of values, one plane after
// another: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for all x and y. Pictures are float32; tests check the adjoint in
// float64. A LinearMap must not change its arguments and must be safe for concurrent use.
type LinearMap interface {
	// OutSize returns width and height of the planes of A x.
	OutSize() (w, h int)
	Apply32(x []float32) []float32
	Adjoint32(y []float32) []float32
	Apply64(x []float64) []float64
	Adjoint64(y []float64) []float64
}

// Identity returns the map that leaves pictures of w×h pixels as they are.
func Identity(w, h int) LinearMap { return &linear{w: w, h: h, ow: w, oh: h} }

// Multiply returns the map that multiplies a picture of w×h pixels by a mask: w·h values for all
// channels, or 3·w·h values, a plane per channel. It is its own adjoint.
func Multiply(w, h int, mask []float32) LinearMap {
	return &linear{w: w, h: h, ow: w, oh: h, mask: mask}
}

// Correlation returns the map that correlates each plane with a kernel; see Kernel.
func Correlation(w, h int, k *Kernel) LinearMap {
	return &linear{w: w, h: h, ow: w, oh: h, kernel: newBlur(k)}
}

// newSeparable applies one filter along rows and one along columns.
func newSeparable(w, h int, axis func(n int) *filter) LinearMap {
	l := &linear{w: w, h: h, across: axis(w), down: axis(h)}
	l.ow, l.oh = l.across.m, l.down.m
	return l
}

// linear is a LinearMap of one of the four kinds above: at most one of mask, across with down, and
// kernel is set.
type linear struct {
	w, h, ow, oh int
	mask         []float32
	across, down *filter
	kernel       *blur
}

func (l *linear) OutSize() (w, h int)             { return l.ow, l.oh }
func (l *linear) Apply32(x []float32) []float32   { return forward(l, x) }
func (l *linear) Adjoint32(y []float32) []float32 { return backward(l, y) }
func (l *linear) Apply64(x []float64) []float64   { return forward(l, x) }
func (l *linear) Adjoint64(y []float64) []float64 { return backward(l, y) }

// forward applies A to three planes.
func forward[T real](l *linear, x []T) []T {
	return planes(x, l.ow*l.oh, func(c int, p []T) []T {
		switch {
		case l.across != nil:
			return filterColumns(l.down, filterRows(l.across, p, l.h), l.ow)
		case l.kernel != nil:
			return blurForward(l.kernel, p, l.w, l.h)
		}
		return masked(p, l.plane(c))
	})
}

// backward applies Aᵀ to three planes.
func backward[T real](l *linear, y []T) []T {
	return planes(y, l.w*l.h, func(c int, p []T) []T {
		switch {
		case l.across != nil:
			return filterRows(l.across.transpose(), filterColumns(l.down.transpose(), p, l.ow), l.h)
		case l.kernel != nil:
			return blurBackward(l.kernel, p, l.w, l.h)
		}
		return masked(p, l.plane(c))
	})
}

// plane returns the mask of channel c.
func (l *linear) plane(c int) []float32 {
	if n := l.w * l.h; len(l.mask) > n {
		return l.mask[c*n : (c+1)*n]
	}
	return l.mask
}

// planes maps each third of x to a plane of n values.
func planes[T real](x []T, n int, f func(c int, p []T) []T) []T {
	out := make([]T, 3*n)
	m := len(x) / 3
	for c := 0; c < 3; c++ {
		copy(out[c*n:(c+1)*n], f(c, x[c*m:(c+1)*m]))
	}
	return out
}

// masked returns p times mask; a nil mask is all ones.
func masked[T real](p []T, mask []float32) []T {
	out := append([]T(nil), p...)
	for i, m := range mask {
		out[i] *= T(m)
	}
	return out
}

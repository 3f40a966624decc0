package task

import (
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// Operator is A and Aᵀ of one task for clean pictures of one size. It is immutable and safe for concurrent use.
type Operator struct {
	task         Task
	w, h, ow, oh int
	mask         []float32 // inpainting
	across, down *filter   // separable tasks: along rows, along columns
	kernel       *blur     // motion-deblur
}

// NewOperator returns the operator of task t with parameters p for clean pictures of w×h pixels. Errors: *SizeError for an empty
// picture or a mask of another size, *MissingError without a mask or kernel that the task needs, *UnknownTaskError, or an error
// of Kernel.Check.
func NewOperator(t Task, w, h int, p Params) (*Operator, error) {
	if w < 1 || h < 1 {
		return nil, &SizeError{What: "picture", W: w, H: h}
	}
	o := &Operator{task: t, w: w, h: h, ow: w, oh: h}
	switch t {
	case Denoise:
	case InpaintRandom, InpaintBox, Inpaint:
		if err := checkMask(t, p.Mask, w, h); err != nil {
			return nil, err
		}
		o.mask = p.Mask
	case SuperResolve:
		o.across, o.down = downFilter(w), downFilter(h)
		o.ow, o.oh = o.across.m, o.down.m
	case GaussianDeblur:
		o.across, o.down = gaussFilter(w), gaussFilter(h)
	case MotionDeblur:
		if p.Kernel == nil {
			return nil, &MissingError{Task: t, What: "motion kernel"}
		}
		if err := p.Kernel.Check(); err != nil {
			return nil, err
		}
		o.kernel = newBlur(p.Kernel)
	default:
		return nil, &UnknownTaskError{Name: t.String()}
	}
	return o, nil
}

func checkMask(t Task, mask []float32, w, h int) error {
	if len(mask) == 0 {
		return &MissingError{Task: t, What: "mask"}
	}
	if len(mask) != w*h {
		return &SizeError{What: "mask", W: len(mask), WantW: w, WantH: h}
	}
	return nil
}

// Task returns the task that the operator was made for.
func (o *Operator) Task() Task { return o.task }

// InSize returns width and height of the clean pictures x.
func (o *Operator) InSize() (w, h int) { return o.w, o.h }

// OutSize returns width and height of the observations y: those of x, or ⌈·/4⌉ for super-resolution.
func (o *Operator) OutSize() (w, h int) { return o.ow, o.oh }

// Apply returns A x. x must have the size of InSize (*SizeError otherwise).
func (o *Operator) Apply(x *planar.Image) (*planar.Image, error) {
	if err := checkImage("picture", x, o.w, o.h); err != nil {
		return nil, err
	}
	return &planar.Image{W: o.ow, H: o.oh, Pix: forward(o, x.Pix)}, nil
}

// Adjoint returns Aᵀ y: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for all x, y. y must have the size of OutSize (*SizeError otherwise).
func (o *Operator) Adjoint(y *planar.Image) (*planar.Image, error) {
	if err := checkImage("observation", y, o.ow, o.oh); err != nil {
		return nil, err
	}
	return &planar.Image{W: o.w, H: o.h, Pix: backward(o, y.Pix)}, nil
}

// Apply64 is Apply in float64 on bare planes (three of InSize, one after the other). It panics on another length.
func (o *Operator) Apply64(x []float64) []float64 {
	_ = x[3*o.w*o.h-1]
	return forward(o, x)
}

// Adjoint64 is Adjoint in float64 on bare planes (three of OutSize, one after the other). It panics on another length.
func (o *Operator) Adjoint64(y []float64) []float64 {
	_ = y[3*o.ow*o.oh-1]
	return backward(o, y)
}

// Project returns Aᵀy + (I − AᵀA) x = x + Aᵀ(y − A x), the paper's projection trick (used for inpainting and Gaussian deblurring):
// where AᵀA is a projection, as with masks of 0 and 1, the result agrees with y exactly. Sizes as in Apply and Adjoint.
func (o *Operator) Project(x, y *planar.Image) (*planar.Image, error) {
	ax, err := o.Apply(x)
	if err != nil {
		return nil, err
	}
	if err := checkImage("observation", y, o.ow, o.oh); err != nil {
		return nil, err
	}
	for i, v := range y.Pix {
		ax.Pix[i] = v - ax.Pix[i]
	}
	out, err := o.Adjoint(ax)
	if err != nil {
		return nil, err
	}
	for i, v := range x.Pix {
		out.Pix[i] += v
	}
	return out, nil
}

// Observe returns y = A x + ε with ε ~ N(0, σ²) drawn from rng. In inpainting the missing pixels of y are 0 without noise, as the
// paper's adapter sees them.
func (o *Operator) Observe(rng *rand.Rand, x *planar.Image, sigma float64) (*planar.Image, error) {
	y, err := o.Apply(x)
	if err != nil {
		return nil, err
	}
	AddNoise(rng, y, sigma)
	if o.mask != nil {
		y.Pix = forward(o, y.Pix)
	}
	return y, nil
}

// AddNoise adds independent N(0, σ²) numbers to every value of m in place. σ is in units of planar.Image: 8-bit levels / 127.5.
func AddNoise(rng *rand.Rand, m *planar.Image, sigma float64) {
	for i := range m.Pix {
		m.Pix[i] += float32(sigma * rng.NormFloat64())
	}
}

func checkImage(what string, m *planar.Image, w, h int) error {
	if err := m.Check(); err != nil {
		return err
	}
	if m.W != w || m.H != h {
		return &SizeError{What: what, W: m.W, H: m.H, WantW: w, WantH: h}
	}
	return nil
}

// forward applies A to three planes.
func forward[T real](o *Operator, x []T) []T {
	return planes(x, o.ow*o.oh, func(p []T) []T {
		switch {
		case o.across != nil:
			return filterColumns(o.down, filterRows(o.across, p, o.h), o.ow)
		case o.kernel != nil:
			return blurForward(o.kernel, p, o.w, o.h)
		}
		return masked(p, o.mask)
	})
}

// backward applies Aᵀ to three planes.
func backward[T real](o *Operator, y []T) []T {
	return planes(y, o.w*o.h, func(p []T) []T {
		switch {
		case o.across != nil:
			return filterRows(o.across.transpose(), filterColumns(o.down.transpose(), p, o.ow), o.h)
		case o.kernel != nil:
			return blurBackward(o.kernel, p, o.w, o.h)
		}
		return masked(p, o.mask)
	})
}

// planes maps each third of x to a plane of n values.
func planes[T real](x []T, n int, f func([]T) []T) []T {
	out := make([]T, 3*n)
	m := len(x) / 3
	for c := 0; c < 3; c++ {
		copy(out[c*n:(c+1)*n], f(x[c*m:(c+1)*m]))
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

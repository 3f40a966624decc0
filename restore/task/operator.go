package task

import (
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// Operator is A and Aᵀ of one task for clean pictures of one size, with checks of sizes. It is
// immutable and safe for concurrent use.
type Operator struct {
	a            LinearMap
	w, h, ow, oh int
	masked       bool // values of the observation are missing
}

// NewOperator returns the operator of task t with parameters p for clean pictures of w×h pixels.
// Errors: *UnknownTaskError, and those of Descriptor.NewOperator.
func NewOperator(t Task, w, h int, p Params) (*Operator, error) {
	if !t.Valid() {
		return nil, &UnknownTaskError{Name: t.String()}
	}
	return t.Descriptor().NewOperator(w, h, p)
}

// NewOperator returns the task's operator with parameters p for clean pictures of w×h pixels.
// Errors: *SizeError for an empty picture or a mask of another size, *MissingError without a mask
// or kernel that the task needs, or an error of Kernel.Check.
func (d *Descriptor) NewOperator(w, h int, p Params) (*Operator, error) {
	if w < 1 || h < 1 {
		return nil, &SizeError{What: "picture", W: w, H: h}
	}
	if err := d.check(p, w, h); err != nil {
		return nil, err
	}
	o := &Operator{a: d.Operator(w, h, p), w: w, h: h, masked: d.masked()}
	o.ow, o.oh = o.a.OutSize()
	return o, nil
}

// InSize returns width and height of the clean pictures x.
func (o *Operator) InSize() (w, h int) { return o.w, o.h }

// OutSize returns width and height of the observations y: those of x, or ⌈·/4⌉ for
// super-resolution.
func (o *Operator) OutSize() (w, h int) { return o.ow, o.oh }

// Apply returns A x. x must have the size of InSize (*SizeError otherwise).
func (o *Operator) Apply(x *planar.Image) (*planar.Image, error) {
	if err := checkImage("picture", x, o.w, o.h); err != nil {
		return nil, err
	}
	return &planar.Image{W: o.ow, H: o.oh, Pix: o.a.Apply32(x.Pix)}, nil
}

// Adjoint returns Aᵀ y: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for all x, y. y must have the size of OutSize
// (*SizeError otherwise).
func (o *Operator) Adjoint(y *planar.Image) (*planar.Image, error) {
	if err := checkImage("observation", y, o.ow, o.oh); err != nil {
		return nil, err
	}
	return &planar.Image{W: o.w, H: o.h, Pix: o.a.Adjoint32(y.Pix)}, nil
}

// Apply64 is Apply in float64 on bare planes: three of InSize, one after another. It panics if x is
// shorter.
func (o *Operator) Apply64(x []float64) []float64 {
	_ = x[3*o.w*o.h-1]
	return o.a.Apply64(x)
}

// Adjoint64 is Adjoint in float64 on bare planes: three of OutSize, one after another. It panics if
// y is shorter.
func (o *Operator) Adjoint64(y []float64) []float64 {
	_ = y[3*o.ow*o.oh-1]
	return o.a.Adjoint64(y)
}

// Project returns Aᵀy + (I − AᵀA) x = x + Aᵀ(y − A x), the paper's projection, used for inpainting
// and Gaussian deblurring. If AᵀA is a projection, as with masks of 0 and 1, the result agrees with
// y exactly. Sizes as in Apply and Adjoint.
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

// Observe returns y = A x + ε with ε ~ N(0, σ²) drawn from rng. Missing values of y are 0 without
// noise, as the paper's adapter sees them.
func (o *Operator) Observe(rng *rand.Rand, x *planar.Image, sigma float64) (*planar.Image, error) {
	y, err := o.Apply(x)
	if err != nil {
		return nil, err
	}
	AddNoise(rng, y, sigma)
	if o.masked {
		y.Pix = o.a.Apply32(y.Pix)
	}
	return y, nil
}

// AddNoise adds independent N(0, σ²) numbers to every value of m in place. σ is in units of
// planar.Image: 8-bit levels / 127.5.
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

package defocus

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Shape is the shape of a blur that is the same in all directions.
type Shape int

const (
	None     Shape = iota // no blur
	Gaussian              // as from soft lenses, air and enlargement
	Disc                  // as from a lens with a wide aperture, out of focus
)

func (s Shape) String() string {
	switch s {
	case Gaussian:
		return "gaussian"
	case Disc:
		return "disc"
	}
	return "none"
}

// Blur is a blur that is the same in all directions. The zero value is no blur.
type Blur struct {
	Shape Shape
	Width float64 // the Gaussian's standard deviation or the disc's radius, in pixels
}

// The widest blurs that Check allows, in pixels. Wider ones leave nothing to restore.
const (
	MaxDeviation = 8
	MaxRadius    = 12
)

// Deviation is the root of the mean squared distance from the centre along one axis, in pixels. It
// makes blurs of different shapes comparable.
func (b Blur) Deviation() float64 {
	switch b.Shape {
	case Gaussian:
		return b.Width
	case Disc:
		return b.Width / 2
	}
	return 0
}

// Check returns an error if the shape is unknown, or if the width is not above 0 and at most
// MaxDeviation or MaxRadius.
func (b Blur) Check() error {
	most, what := 0.0, ""
	switch b.Shape {
	case None:
		return nil
	case Gaussian:
		most, what = MaxDeviation, "standard deviation"
	case Disc:
		most, what = MaxRadius, "radius"
	default:
		return fmt.Errorf("blur of the unknown shape %d: must be none, gaussian or disc", int(b.Shape))
	}
	if !(b.Width > 0 && b.Width <= most) {
		return fmt.Errorf("blur with a %s of %v pixels: must be above 0 and at most %v", what, b.Width, most)
	}
	return nil
}

// Parse reads a blur as people write it: the standard deviation of a Gaussian in pixels ("2.5" or
// "gaussian:2.5"), or the radius of a disc ("disc:4"). "none" and "0" are no blur.
func Parse(s string) (Blur, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	if text == "none" {
		return Blur{}, nil
	}
	b := Blur{Shape: Gaussian}
	if name, rest, ok := strings.Cut(text, ":"); ok {
		switch name {
		case "gaussian":
		case "disc":
			b.Shape = Disc
		default:
			return Blur{}, fmt.Errorf("blur %q: the shape must be gaussian or disc", s)
		}
		text = rest
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return Blur{}, fmt.Errorf("blur %q: must be a standard deviation in pixels, such as 2.5, or the radius of a disc, such as disc:4", s)
	}
	if v == 0 {
		return Blur{}, nil
	}
	b.Width = v
	if err := b.Check(); err != nil {
		return Blur{}, err
	}
	return b, nil
}

// String writes the blur as Parse reads it, rounded to a hundredth of a pixel.
func (b Blur) String() string {
	width := strconv.FormatFloat(math.Round(100*b.Width)/100, 'f', -1, 64)
	switch b.Shape {
	case Gaussian:
		return width
	case Disc:
		return "disc:" + width
	}
	return "none"
}

// MarshalText returns String, so that a Blur can be in JSON and in flags.
func (b Blur) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is Parse.
func (b *Blur) UnmarshalText(text []byte) error {
	p, err := Parse(string(text))
	if err == nil {
		*b = p
	}
	return err
}

// Kernel returns the blur kernel, of sum 1. A Gaussian reaches to 3.5 standard deviations. A pixel
// at the edge of a disc has the weight of its area inside the disc.
func (b Blur) Kernel() *task.Kernel {
	switch b.Shape {
	case Gaussian:
		half := max(1, int(math.Ceil(3.5*b.Width)))
		line := make([]float64, 2*half+1)
		for i := range line {
			d := float64(i - half)
			line[i] = math.Exp(-d * d / (2 * b.Width * b.Width))
		}
		return newKernel(2*half+1, func(x, y int) float64 { return line[x] * line[y] })
	case Disc:
		half := max(1, int(math.Ceil(b.Width)))
		const parts = 16 // subpixels per side
		return newKernel(2*half+1, func(x, y int) float64 {
			inside := 0
			for i := range parts {
				for j := range parts {
					u := float64(x-half) + (float64(i)+0.5)/parts - 0.5
					v := float64(y-half) + (float64(j)+0.5)/parts - 0.5
					if u*u+v*v <= b.Width*b.Width {
						inside++
					}
				}
			}
			return float64(inside)
		})
	}
	return &task.Kernel{Size: 1, W: []float32{1}}
}

// newKernel makes a blur kernel with the given weights, scaled to sum 1.
func newKernel(side int, weight func(x, y int) float64) *task.Kernel {
	w := make([]float64, side*side)
	sum := 0.0
	for i := range w {
		w[i] = weight(i%side, i/side)
		sum += w[i]
	}
	k := &task.Kernel{Size: side, W: make([]float32, len(w))}
	for i, v := range w {
		k.W[i] = float32(v / sum)
	}
	return k
}

// Apply blurs a plane, which is continued by reflection beyond its edges. It panics if Check fails.
func (b Blur) Apply(p *blind.Plane) *blind.Plane {
	if err := b.Check(); err != nil {
		panic("defocus: " + err.Error())
	}
	k := b.Kernel()
	if b.Shape != Gaussian {
		return correlate(p, k.W, k.Size, k.Size)
	}
	line := make([]float32, k.Size) // by rows, then by columns
	for i, v := range k.W {
		line[i%k.Size] += v
	}
	return correlate(correlate(p, line, k.Size, 1), line, 1, k.Size)
}

// correlate correlates a plane, continued by reflection, with high rows of wide weights. Both
// numbers are odd.
func correlate(p *blind.Plane, weights []float32, wide, high int) *blind.Plane {
	out := blind.NewPlane(p.W, p.H)
	line := make([]float64, p.W+wide-1)
	for y := range p.H {
		to := out.Pix[y*p.W:][:p.W]
		for a := range high {
			from := p.Pix[planar.Mirror(y+a-high/2, p.H)*p.W:][:p.W]
			copy(line[wide/2:], from)
			for i := 1; i <= wide/2; i++ {
				line[wide/2-i], line[wide/2+p.W-1+i] = from[planar.Mirror(-i, p.W)], from[planar.Mirror(p.W-1+i, p.W)]
			}
			for b, w := range weights[a*wide:][:wide] {
				if w == 0 {
					continue
				}
				for x, v := range line[b:][:p.W] {
					to[x] += float64(w) * v
				}
			}
		}
	}
	return out
}

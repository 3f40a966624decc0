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

// Shape is the form of a blur that looks the same in all directions.
type Shape int

const (
	None     Shape = iota // no blur
	Gaussian              // what soft lenses, air and enlargement leave
	Disc                  // what a lens with an open aperture leaves out of focus
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

// Blur is a blur that looks the same in all directions. The zero value is none.
type Blur struct {
	Shape Shape
	Width float64 // the Gaussian's standard deviation or the disc's radius, in pixels
}

// The widest blurs that can be named, in pixels; wider ones leave nothing to restore.
const (
	MaxDeviation = 8
	MaxRadius    = 12
)

// Deviation is the root of the mean squared distance from the centre along one axis, in pixels: by it blurs of different shapes compare.
func (b Blur) Deviation() float64 {
	switch b.Shape {
	case Gaussian:
		return b.Width
	case Disc:
		return b.Width / 2
	}
	return 0
}

// Check returns an error unless the blur can be worked with.
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
		return fmt.Errorf("shape %d of a blur is not known", int(b.Shape))
	}
	if !(b.Width > 0 && b.Width <= most) {
		return fmt.Errorf("blur with a %s of %v pixels: must be above 0 and at most %v", what, b.Width, most)
	}
	return nil
}

// Parse reads a blur as people write it: the standard deviation of a Gaussian in pixels ("2.5"), or the radius of a disc ("disc:4"). "none" and "0" are no blur.
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

// String is the blur as Parse reads it, to a hundredth of a pixel.
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

// MarshalText gives String, so that a Blur can stand in JSON and in flags.
func (b Blur) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is Parse.
func (b *Blur) UnmarshalText(text []byte) error {
	p, err := Parse(string(text))
	if err == nil {
		*b = p
	}
	return err
}

// Kernel returns the blur as a kernel of sum 1. A Gaussian reaches to 3.5 standard deviations; a disc's pixels at the edge weigh as much as lies within.
func (b Blur) Kernel() *task.Kernel {
	switch b.Shape {
	case Gaussian:
		half := max(1, int(math.Ceil(3.5*b.Width)))
		line := make([]float64, 2*half+1)
		for i := range line {
			d := float64(i - half)
			line[i] = math.Exp(-d * d / (2 * b.Width * b.Width))
		}
		return kernelOf(2*half+1, func(x, y int) float64 { return line[x] * line[y] })
	case Disc:
		half := max(1, int(math.Ceil(b.Width)))
		const parts = 16 // subpixels per side
		return kernelOf(2*half+1, func(x, y int) float64 {
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

// kernelOf normalises weights to sum 1.
func kernelOf(side int, weight func(x, y int) float64) *task.Kernel {
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

// Apply blurs a plane, which is continued by reflection. It panics if Check fails.
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

// correlate is the correlation of a plane, continued by reflection, with high rows of wide weights, both odd.
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

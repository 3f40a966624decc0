package defocus

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// Certainty is the verdict and what it is made from.
type Certainty struct {
	Verdict blind.Verdict
	Sharp   float64 // probability that there is no blur worth undoing
	Disc    float64 // probability that the blur, if there is any, is a disc
	Spread  float64 // standard deviation of the logarithm of the blur's deviation, if there is any
}

// Result is what Estimate found.
type Result struct {
	Blur      Blur // no blur unless the verdict is blind.Blurred
	Certainty Certainty
}

const (
	leastSide = 32  // smaller pictures are untold
	wholeSide = 320 // pictures up to this side are examined as a whole
	partSide  = 256 // side of the parts of larger ones
	mostParts = 6
)

// The constants of the verdict were chosen on training photographs; see the package's comment.
const (
	sharpDeviation = 0.6 // a blur of a smaller deviation is not worth undoing
	// mostSharp is the largest probability of a sharp picture with which it counts as blurred.
	mostSharp  = 0.03
	mostSpread = 0.3
	// caution times Spread is subtracted from the logarithm of a Gaussian's width, because
	// deconvolution by too wide a blur kernel makes rings. The width of a disc is more certain, by
	// the rings of its spectrum.
	caution = 0.5
)

// Estimate finds the blur of a picture from its brightness y, with values from 0 to 1. unknown
// marks pixels, row by row, whose values say nothing, clipped ones above all; it may be nil. In a
// large picture the parts with most detail are examined, and the sharper half of them decides, so
// that what is in focus is not sharpened because of what is not. Pictures with a side of less than
// 32 pixels are untold.
//
// It fails if y is invalid (blind.Plane.Check), if unknown has another size, and with ctx.Err().
func Estimate(ctx context.Context, y *blind.Plane, unknown []bool) (*Result, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	if unknown != nil && len(unknown) != len(y.Pix) {
		return nil, fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(unknown), len(y.Pix))
	}
	if min(y.W, y.H) < leastSide {
		return &Result{}, nil
	}
	var found [][Outputs]float32
	for _, p := range parts(y, unknown) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !p.hasDetail() || p.looksWhite() {
			continue
		}
		var x [Features]float32
		describe(p, &x)
		found = append(found, embeddedNetwork().Run(x[:]))
	}
	if len(found) == 0 {
		return &Result{}, nil
	}
	return Judge(combined(found)), nil
}

// parts are the parts of a picture that are examined.
func parts(y *blind.Plane, unknown []bool) []*plane {
	if max(y.W, y.H) <= wholeSide {
		return []*plane{cut(y, unknown, 0, 0, y.W, y.H)}
	}
	places := func(n int) (at []int, side int) {
		side = min(n, partSide)
		count := (n + side - 1) / side
		for i := range count {
			at = append(at, i*(n-side)/max(1, count-1))
		}
		return at, side
	}
	xs, w := places(y.W)
	ys, h := places(y.H)
	type place struct {
		x, y   int
		energy float64
	}
	var all []place
	for _, y0 := range ys {
		for _, x0 := range xs {
			all = append(all, place{x0, y0, detail(y, unknown, x0, y0, w, h)})
		}
	}
	slices.SortStableFunc(all, func(a, b place) int {
		switch {
		case a.energy > b.energy:
			return -1
		case a.energy < b.energy:
			return 1
		}
		return 0
	})
	var out []*plane
	for _, a := range all[:min(len(all), mostParts)] {
		out = append(out, cut(y, unknown, a.x, a.y, w, h))
	}
	return out
}

// detail is the sum of the squared differences of known pixels in a part of the picture. The
// squares are clamped, so that single differences do not decide.
func detail(p *blind.Plane, unknown []bool, x0, y0, w, h int) (sum float64) {
	// The differences are between pixels some distance apart, as neighbours hardly differ in a
	// blurred picture.
	const apart, clamp = 3, 0.01
	for y := y0; y < y0+h-apart; y += apart {
		for x := x0; x < x0+w-apart; x += apart {
			i := y*p.W + x
			if unknown != nil && unknown[i] {
				continue
			}
			a, b := p.Pix[i+apart]-p.Pix[i], p.Pix[i+apart*p.W]-p.Pix[i]
			sum += min(a*a+b*b, clamp)
		}
	}
	return sum
}

// A part must contain a square of shadingSide pixels that differs from a ramp by at least
// leastResidual (root mean square; white is 1). Shading alone does not show any blur, and looks
// like a wide one.
const (
	shadingSide   = 32
	leastResidual = 3.0 / 255
)

// hasDetail says whether there is more than shading.
func (p *plane) hasDetail() bool {
	for y := 0; y+shadingSide <= p.ownH; y += shadingSide / 2 {
		for x := 0; x+shadingSide <= p.ownW; x += shadingSide / 2 {
			if p.residual(x, y) >= leastResidual {
				return true
			}
		}
	}
	return false
}

// mostWhite is the largest ratio of the diagonal detail of neighbouring pixels to their other
// detail with which a blur can be seen. The ratio is 1 for white noise and a third or less for
// photographs; blur makes it smaller.
const mostWhite = 0.7

// looksWhite says whether neighbouring pixels differ as in white noise. Then the noise hides any
// blur.
func (p *plane) looksWhite() bool {
	var diagonal, other float64
	for y := range p.ownH - 1 {
		for x := range p.ownW - 1 {
			i := y*p.w + x
			a, b, c, d := float64(p.pix[i]), float64(p.pix[i+1]), float64(p.pix[i+p.w]), float64(p.pix[i+p.w+1])
			across, down, cross := a-b+c-d, a+b-c-d, a-b-c+d
			diagonal += cross * cross
			other += (across*across + down*down) / 2
		}
	}
	return diagonal > mostWhite*other
}

// residual is the root mean square difference of a square at (x0, y0) from the ramp that fits it
// best.
func (p *plane) residual(x0, y0 int) float64 {
	var sum, squares, byX, byY, n, spread float64
	const middle = (shadingSide - 1) / 2.0
	for y := range shadingSide {
		for x, v := range p.pix[(y0+y)*p.w+x0:][:shadingSide] {
			w, dx, dy := float64(v), float64(x)-middle, float64(y)-middle
			sum, squares, byX, byY = sum+w, squares+w*w, byX+w*dx, byY+w*dy
			n, spread = n+1, spread+dx*dx
		}
	}
	return math.Sqrt(max(0, squares-sum*sum/n-byX*byX/spread-byY*byY/spread) / n)
}

// combined combines the probabilities that were found in parts of a picture: the geometric mean
// over the sharper half.
func combined(found [][Outputs]float32) (b [Outputs]float32) {
	slices.SortStableFunc(found, func(a, b [Outputs]float32) int {
		switch p, q := meanDeviation(&a), meanDeviation(&b); {
		case p < q:
			return -1
		case p > q:
			return 1
		}
		return 0
	})
	found = found[:(len(found)+1)/2]
	const least = 1e-4 // so that one part alone cannot exclude a blur
	sum := 0.0
	for i := range b {
		l := 0.0
		for k := range found {
			l += math.Log(float64(found[k][i])+least) / float64(len(found))
		}
		b[i] = float32(math.Exp(l))
		sum += float64(b[i])
	}
	for i := range b {
		b[i] = float32(float64(b[i]) / sum)
	}
	return b
}

// meanDeviation is the expected deviation of the blur, in pixels.
func meanDeviation(b *[Outputs]float32) (s float64) {
	for i, v := range b {
		s += float64(v) * blurAt(i).Deviation()
	}
	return s
}

// Judge makes a result from the probabilities that the network returned.
func Judge(b [Outputs]float32) *Result {
	r := &Result{}
	c := &r.Certainty
	var prob, mean, square [3]float64 // by shape: probability, and moments of the deviation's logarithm
	for i, v := range b {
		a, p := blurAt(i), float64(v)
		if a.Deviation() < sharpDeviation {
			c.Sharp += p
		}
		if a.Shape != None {
			l := math.Log(a.Deviation())
			prob[a.Shape] += p
			mean[a.Shape] += p * l
			square[a.Shape] += p * l * l
		}
	}
	all := prob[Gaussian] + prob[Disc]
	if all > 0 {
		m := (mean[Gaussian] + mean[Disc]) / all
		c.Disc = prob[Disc] / all
		c.Spread = math.Sqrt(max(0, (square[Gaussian]+square[Disc])/all-m*m))
	}
	switch {
	case c.Sharp > 0.5:
		c.Verdict = blind.Sharp
	case c.Sharp > mostSharp || c.Spread > mostSpread:
		c.Verdict = blind.Untold
	default:
		c.Verdict = blind.Blurred
		r.Blur.Shape = Gaussian
		if c.Disc > 0.5 {
			r.Blur.Shape = Disc
		}
		s := r.Blur.Shape
		r.Blur.Width = math.Exp(mean[s] / prob[s])
		if s == Disc {
			r.Blur.Width *= 2
		} else {
			r.Blur.Width *= math.Exp(-caution * c.Spread)
		}
	}
	return r
}

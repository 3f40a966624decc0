package defocus

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// Certainty is what a verdict is made from.
type Certainty struct {
	Verdict blind.Verdict
	Sharp   float64 // belief that there is no blur worth undoing, 0 to 1
	Disc    float64 // belief that the blur is a disc if there is any, 0 to 1
	Spread  float64 // standard deviation of the belief about the logarithm of the blur's deviation, if there is any
}

// Result is what Estimate found.
type Result struct {
	Blur      Blur // none unless the verdict is blind.Blurred
	Certainty Certainty
}

const (
	leastSide = 32  // of a picture that tells anything
	wholeSide = 320 // up to which pictures are looked at as a whole
	partSide  = 256 // of the parts of larger ones
	mostParts = 6
)

// The constants of the verdict were chosen on training photographs; see the package's comment.
const (
	sharpDeviation = 0.6  // below which a blur is not worth undoing
	mostDoubt      = 0.03 // belief in a sharp picture up to which it counts as blurred
	mostSpread     = 0.3
	caution        = 0.5 // of a standard deviation, by which a Gaussian is taken to be less wide: deconvolution by too wide a kernel rings. A disc is known by its rings
)

// Estimate finds the blur of a picture from its brightness y; unknown tells pixels that say nothing, above all clipped ones, and may be nil. Of a large picture the
// parts with most to see are looked at, and the sharper half of them decides: what is in focus must not be sharpened for what is not. Pictures of less than 32
// pixels on a side are untold.
//
// It fails if y makes no sense, and with ctx.Err().
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
	var beliefs [][Outputs]float32
	for _, p := range parts(y, unknown) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !p.varies() || p.white() {
			continue
		}
		var x [Features]float32
		describe(p, &x)
		beliefs = append(beliefs, shipped().Run(x[:]))
	}
	if len(beliefs) == 0 {
		return &Result{}, nil
	}
	return Judge(together(beliefs)), nil
}

// parts are what of a picture is looked at.
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

// detail is the sum of the squared differences in a part of the picture over known pixels, of which no single one counts much.
func detail(p *blind.Plane, unknown []bool, x0, y0, w, h int) (sum float64) {
	const apart, clamp = 3, 0.01 // differences at a distance, as a blurred picture has few between neighbours
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

// Squares of so many pixels of which one, at least, must differ from a plane by so much (root mean
// square, of 1): shading alone tells no blur, and looks like a wide one.
const (
	shadingSide = 32
	leastForm   = 3.0 / 255
)

// varies tells whether there is more to see than shading.
func (p *plane) varies() bool {
	for y := 0; y+shadingSide <= p.ownH; y += shadingSide / 2 {
		for x := 0; x+shadingSide <= p.ownW; x += shadingSide / 2 {
			if p.form(x, y) >= leastForm {
				return true
			}
		}
	}
	return false
}

// mostWhite is the share that diagonal detail of neighbours may have of the other detail: of white
// noise it is 1, of photographs a third or less, and blur makes it less.
const mostWhite = 0.7

// white tells whether neighbours differ as those of white noise do: then noise hides whatever blur
// there is.
func (p *plane) white() bool {
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

// form is how far a square differs from the plane that fits it best.
func (p *plane) form(x0, y0 int) float64 {
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

// together is the belief of several parts of a picture: the geometric mean of those of the sharper half.
func together(beliefs [][Outputs]float32) (b [Outputs]float32) {
	slices.SortStableFunc(beliefs, func(a, b [Outputs]float32) int {
		switch p, q := meanDeviation(&a), meanDeviation(&b); {
		case p < q:
			return -1
		case p > q:
			return 1
		}
		return 0
	})
	beliefs = beliefs[:(len(beliefs)+1)/2]
	const least = 1e-4 // so that one part alone cannot rule an answer out
	sum := 0.0
	for i := range b {
		l := 0.0
		for k := range beliefs {
			l += math.Log(float64(beliefs[k][i])+least) / float64(len(beliefs))
		}
		b[i] = float32(math.Exp(l))
		sum += float64(b[i])
	}
	for i := range b {
		b[i] = float32(float64(b[i]) / sum)
	}
	return b
}

func meanDeviation(b *[Outputs]float32) (s float64) {
	for i, v := range b {
		s += float64(v) * answer(i).Deviation()
	}
	return s
}

// Judge makes a result of a belief.
func Judge(b [Outputs]float32) *Result {
	r := &Result{}
	c := &r.Certainty
	var share, mean, square [3]float64 // by shape, of logarithms of deviations
	for i, v := range b {
		a, p := answer(i), float64(v)
		if a.Deviation() < sharpDeviation {
			c.Sharp += p
		}
		if a.Shape != None {
			l := math.Log(a.Deviation())
			share[a.Shape] += p
			mean[a.Shape] += p * l
			square[a.Shape] += p * l * l
		}
	}
	all := share[Gaussian] + share[Disc]
	if all > 0 {
		m := (mean[Gaussian] + mean[Disc]) / all
		c.Disc = share[Disc] / all
		c.Spread = math.Sqrt(max(0, (square[Gaussian]+square[Disc])/all-m*m))
	}
	switch {
	case c.Sharp > 0.5:
		c.Verdict = blind.Sharp
	case c.Sharp > mostDoubt || c.Spread > mostSpread:
		c.Verdict = blind.Untold
	default:
		c.Verdict = blind.Blurred
		r.Blur.Shape = Gaussian
		if c.Disc > 0.5 {
			r.Blur.Shape = Disc
		}
		s := r.Blur.Shape
		r.Blur.Width = math.Exp(mean[s] / share[s])
		if s == Disc {
			r.Blur.Width *= 2
		} else {
			r.Blur.Width *= math.Exp(-caution * c.Spread)
		}
	}
	return r
}

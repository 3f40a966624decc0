package blind

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

// Options are the options of Estimate. The zero value is good for photographs.
type Options struct {
	// Windows are the sides of blur kernels that are tried, odd and at least 3. nil means 19 and
	// 33. Blur wider than the largest is not found, and small windows are better for little blur.
	Windows []int
	// Unknown marks the pixels, row by row, whose values say nothing, clipped ones above all. nil
	// means that every pixel counts.
	Unknown []bool
	// Slope is for planes whose values are a function of the picture's values, such as their light.
	// It is the derivative of that function at each pixel, above 0. The picture's noise is
	// multiplied by it. nil means 1.
	Slope *Plane
	// Workers is the number of cores that work on windows at the same time. 0 means one.
	Workers int

	// noiseFactor and leastNoise, if above 0, replace the constants of the same names.
	noiseFactor, leastNoise float64
}

// cut returns the options for a window of a picture that is width pixels wide.
func (o Options) cut(width int, w Window) Options {
	o.Unknown = cutMap(o.Unknown, width, w)
	if o.Slope != nil {
		o.Slope = o.Slope.Crop(w.X, w.Y, w.W, w.H)
	}
	return o
}

// Verdict says whether a picture is blurred.
type Verdict int

const (
	Untold  Verdict = iota // the blur kernel cannot be found: too little detail or too much noise
	Sharp                  // there is no blur worth undoing; the picture should be left alone
	Blurred                // the picture is blurred by the blur kernel that was found
)

func (v Verdict) String() string {
	switch v {
	case Sharp:
		return "sharp"
	case Blurred:
		return "blurred"
	}
	return "untold"
}

// Certainty is the verdict and what it is made from.
type Certainty struct {
	Verdict Verdict
	// Width is the root of the mean squared distance of the blur kernel's weights from their centre
	// of mass, in pixels.
	Width float64
	// Gain is by how much the blur kernel lowers the free energy compared with no blur, per
	// difference of pixels (twice, in natural logarithms). If it is below 0, no blur explains the
	// picture better.
	Gain float64
	// Agreement is the mean similarity of the windows' blur kernels to the chosen one, 0 to 1. It
	// is 1 if there is one window.
	Agreement float64
	// Detail is Σ(second differences)² / Σ(first differences)² of the picture. A ramp gives 0,
	// shading without edges less than 0.01.
	Detail float64
	// Noise is the standard deviation of what is left unexplained of the differences of pixels, in
	// units of Plane, divided by the mean slope (Options.Slope).
	Noise float64
}

// Candidate is the blur kernel that was found with one window.
type Candidate struct {
	Kernel *task.Kernel
	Energy float64 // twice the free energy per difference of pixels; the lower, the more likely
	// Cut says that the blur kernel reaches the edge of its window, so it is part of a longer one.
	// One that is cut is chosen only if all are, and then that of the largest window.
	Cut bool
}

// Result is what Estimate found.
type Result struct {
	// Kernel is the most likely one, of sum 1. Its centre of mass is within half a pixel of its
	// centre.
	Kernel     *task.Kernel
	Certainty  Certainty
	Candidates []Candidate // one per window, in the order of Options.Windows

	side int // the window with which Kernel was found
}

const (
	mostSide  = 384 // of a larger picture, the part of this side with most detail is examined
	leastSide = 16
	// mostDetail limits what a pixel counts where detail is compared, so that one strong edge does
	// not outweigh many.
	mostDetail = 0.01
)

// Estimate finds the blur kernel of y, the brightness of a photograph, and how certain it is.
//
// For every window a blur kernel is found from coarse to fine by edges, and improved at full scale
// by the evidence. The free energy chooses between the windows. The direction of a blur kernel can
// be found, but its position cannot, as the sharp picture could be shifted against it. So blur
// kernels are centred.
//
// It fails if y or o are invalid, if a side of y is smaller than 16 pixels or than twice the
// largest window, and with ctx.Err().
func Estimate(ctx context.Context, y *Plane, o Options) (*Result, error) {
	windows, err := o.windowsFor(y)
	if err != nil {
		return nil, err
	}
	return search{newPart(y, o)}.estimate(ctx, windows, o.Workers)
}

// windowsFor checks a picture and the options for it. It returns the sides of blur kernels to try.
func (o Options) windowsFor(y *Plane) ([]int, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	windows := o.Windows
	if windows == nil {
		windows = []int{19, 33}
		if most := min(y.W, y.H)/2 - 1; most < 33 && most >= 3 {
			windows = []int{most - 1 + most%2}
		}
	}
	if len(windows) == 0 {
		return nil, fmt.Errorf("no windows: name at least one side of blur kernels")
	}
	for _, n := range windows {
		if n < 3 || n%2 == 0 {
			return nil, fmt.Errorf("window of %d pixels: must be odd and at least 3", n)
		}
		if min(y.W, y.H) < max(leastSide, 2*n) {
			return nil, fmt.Errorf("picture of %d×%d pixels: too small to find a blur kernel of %d×%d pixels; both sides must be at least %d", y.W, y.H, n, n, max(leastSide, 2*n))
		}
	}
	return windows, o.check(y)
}

// check checks the maps for a picture.
func (o Options) check(y *Plane) error {
	if o.Unknown != nil && len(o.Unknown) != len(y.Pix) {
		return fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(o.Unknown), len(y.Pix))
	}
	return checkSlope(o.Slope, y)
}

// candidate is the blur kernel that was found with one window.
type candidate struct {
	explained
	side   int     // of the window
	kernel *kernel // as it is given away
	cut    bool    // Candidate.Cut
}

// estimate finds the blur kernel that the parts share. It fails with ctx.Err().
func (s search) estimate(ctx context.Context, windows []int, workers int) (*Result, error) {
	list := make([]candidate, len(windows))
	var none explained
	err := team.New(max(1, workers)).Each(ctx, len(windows)+1, func(_, i int) {
		if i < len(windows) {
			list[i] = s.candidate(ctx, windows[i])
		} else {
			none = s.withoutBlur(ctx)
		}
	})
	if err != nil {
		return nil, err
	}
	return choose(list, none), nil
}

// candidate finds the blur kernel with one window. It is worth nothing if ctx is done.
func (s search) candidate(ctx context.Context, side int) candidate {
	k := s.byEdges(ctx, side)
	if k == nil {
		return candidate{}
	}
	c := candidate{explained: s.improve(ctx, k.trimmed(trimMargin), moveBoth), side: side}
	if c.k == nil {
		return candidate{}
	}
	c.kernel = c.k.clone().tidied()
	c.cut = c.k.n == side && c.k.rim() > mostRim
	return c
}

// withoutBlur is what the blur kernel that does nothing makes of the parts.
func (s search) withoutBlur(ctx context.Context) explained {
	return s.improve(ctx, delta(3), moveNothing)
}

// choose chooses between the blur kernels of several windows. none is what no blur makes of the
// picture.
func choose(list []candidate, none explained) *Result {
	r := &Result{}
	at := 0
	for i, c := range list {
		r.Candidates = append(r.Candidates, Candidate{c.kernel.export(), c.energy, c.cut})
		best := &list[at]
		better := c.energy < best.energy
		if c.cut != best.cut {
			better = best.cut
		} else if c.cut {
			better = c.side > best.side
		}
		if better {
			at = i
		}
	}
	best := &list[at]
	r.Kernel, r.side = r.Candidates[at].Kernel, best.side
	c := &r.Certainty
	*c = Certainty{
		Width: best.kernel.width(), Gain: none.energy - best.energy, Agreement: 1,
		Detail: best.detail, Noise: best.noise,
	}
	if others := len(list) - 1; others > 0 {
		c.Agreement = 0
		for i, other := range list {
			if i != at {
				c.Agreement += similarity(other.kernel, best.kernel) / float64(others)
			}
		}
	}
	c.Verdict = c.judge()
	return r
}

// tidied removes what is too little to be part of the path, and centres the blur kernel.
func (k *kernel) tidied() *kernel { return k.threshold(finalCut).prune(finalIsland).centred() }

// judge makes a verdict. Taking a sharp picture for blurred is the worse error, so a picture is
// blurred only if there is strong evidence.
func (c *Certainty) judge() Verdict {
	enough := c.Gain >= min(leastGain, gainNoise/c.Noise)
	switch {
	case c.Detail < leastDetail:
		return Untold
	case c.Width < leastWidth, c.Width < sharpWidth && !enough:
		return Sharp
	case !enough || c.Agreement < leastAgreement:
		return Untold
	}
	return Blurred
}

// Chosen on photographs that were blurred and that were not; see the package's comment.
const (
	leastWidth = 1.2  // narrower blur kernels are what a lens makes, in sharp pictures too
	sharpWidth = 2    // so are these, unless they explain the picture better than no blur
	leastGain  = 0.25 // gain that counts as better if there is little noise
	// gainNoise divided by the noise is the gain that counts if there is more noise, because a blur
	// kernel then explains less.
	gainNoise      = 0.001
	leastAgreement = 0.55
	leastDetail    = 0.002 // a ramp stays the same under every blur kernel
)

// richest is the part of a picture that is examined. Of a large picture it is the square of mostSide
// with most detail (detailIn). Squares at every quarter of a side are compared.
func richest(y *Plane, unknown []bool) Window {
	best := Window{W: min(y.W, mostSide), H: min(y.H, mostSide)}
	if best.W == y.W && best.H == y.H {
		return best
	}
	places := func(n, side int) (at []int) {
		for x := 0; x < n-side; x += mostSide / 4 {
			at = append(at, x)
		}
		return append(at, n-side)
	}
	most := -1.0
	for _, y0 := range places(y.H, best.H) {
		for _, x0 := range places(y.W, best.W) {
			if sum := detailIn(y, unknown, x0, y0, best.W, best.H); sum > most {
				most, best.X, best.Y = sum, x0, y0
			}
		}
	}
	return best
}

// detailIn is the sum of clamped squared differences between every second pixel of a part of a
// picture and its neighbours. Unknown pixels do not count.
func detailIn(y *Plane, unknown []bool, x0, y0, w, h int) (sum float64) {
	for i := y0; i < y0+h-1; i += 2 {
		for j := x0; j < x0+w-1; j += 2 {
			at := i*y.W + j
			if unknown != nil && (unknown[at] || unknown[at+1] || unknown[at+y.W]) {
				continue
			}
			a, b := y.Pix[at+1]-y.Pix[at], y.Pix[at+y.W]-y.Pix[at]
			sum += min(a*a+b*b, mostDetail)
		}
	}
	return sum
}

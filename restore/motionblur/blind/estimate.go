package blind

import (
	"context"
	"fmt"
	"math"
	"slices"

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
	// Workers is the number of cores that work on windows at the same time. 0 means one.
	Workers int
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
	// units of Plane.
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

// The constants of both estimations were chosen on photographs that internal/tools/blindeval
// blurred (see the package's comment).
const (
	ratio       = math.Sqrt2 // between scales
	firstSide   = 5          // least side of the blur kernel at the coarsest scale
	edgeRounds  = 6
	edgeLambda  = 4e-3
	lambdaFall  = 1.3
	lambdaLeast = 1e-4
	edgeFlat    = 2.0
	edgeCut     = 0.05 // weights below this part of the largest become 0
	edgeIsland  = 0.1  // islands with less than this part of all weight become 0

	evidenceRounds = 6
	waitRounds     = 2 // before the blur kernel is changed
	latentSteps    = 4
	leastNoise     = 0.003 // of differences
	// noiseFactor times the noise found in the picture is used, because what is found contains some
	// of the picture's own detail.
	noiseFactor = 0.8
	noiseStart  = 2.0 // factor of the noise in the first round
	noiseFall   = 1.4 // factor by which it falls in a round
	// A blur kernel with more than mostRim of its weight on its window's outermost pixels is cut.
	mostRim     = 0.01
	finalIsland = 0.02
	trimMargin  = 3
	finalCut    = 0.03
)

var (
	edgePenalty     = penalties{flat: edgeFlat, steps: 30}
	evidencePenalty = penalties{smoothness: 0.02, sparse: 0.02, steps: 60}
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
	if o.Unknown != nil && len(o.Unknown) != len(y.Pix) {
		return nil, fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(o.Unknown), len(y.Pix))
	}
	y, unknown := richest(y, o.Unknown)

	found := make([]*kernel, len(windows)+1) // the last one stands for no blur
	energies, noises, details := make([]float64, len(found)), make([]float64, len(found)), make([]float64, len(found))
	cut := make([]bool, len(found))
	noise := max(leastNoise, noiseFactor*math.Sqrt2*noiseLevel(y))
	t := team.New(max(1, o.Workers))
	err := t.Each(ctx, len(found), func(_, i int) {
		var l *level
		if i < len(windows) {
			if k := byEdges(ctx, y, unknown, windows[i]); k != nil {
				k = k.trimmed(trimMargin)
				l = newLevel(y, unknown, k.n)
				l.setKernel(k)
			}
		} else {
			l = newLevel(y, unknown, 3)
			l.setKernel(delta(3))
		}
		if l == nil {
			return
		}
		energies[i] = l.improve(ctx, i < len(windows), noise)
		found[i], noises[i] = l.k.clone().threshold(finalCut).prune(finalIsland).centred(), l.unexplained
		details[i] = l.detail()
		cut[i] = i < len(windows) && l.k.n == windows[i] && l.k.rim() > mostRim
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	r := &Result{}
	best := 0
	for i, n := range windows {
		r.Candidates = append(r.Candidates, Candidate{found[i].export(), energies[i], cut[i]})
		better := energies[i] < energies[best]
		if cut[i] != cut[best] {
			better = cut[best]
		} else if cut[i] {
			better = n > windows[best]
		}
		if better {
			best = i
		}
	}
	r.Kernel, r.side = r.Candidates[best].Kernel, windows[best]
	c := &r.Certainty
	*c = Certainty{Width: found[best].width(), Gain: energies[len(windows)] - energies[best], Agreement: 1, Detail: details[best], Noise: noises[best]}
	if others := len(windows) - 1; others > 0 {
		c.Agreement = 0
		for i := range windows {
			if i != best {
				c.Agreement += similarity(found[i], found[best]) / float64(others)
			}
		}
	}
	c.Verdict = c.judge()
	return r, nil
}

// byEdges estimates a blur kernel of n×n from coarse to fine. It returns nil if ctx is done.
func byEdges(ctx context.Context, y *Plane, unknown []bool, n int) *kernel {
	var k *kernel
	scales := max(0, int(math.Floor(math.Log(float64(n)/firstSide)/math.Log(ratio))))
	for s := scales; ; s-- {
		f := math.Pow(ratio, -float64(s))
		side := max(3, int(math.Ceil(float64(n)*f-1e-9)))
		side += 1 - side%2
		small := y.reduced(f)
		hidden := reducedMap(unknown, y, small)
		l := newLevel(small, hidden, side)
		if k == nil { // two equal neighbours; a single pixel would explain the picture by itself
			k = newKernel(side)
			m := side/2*side + side/2
			k.w[m], k.w[m-1] = 0.5, 0.5
		} else {
			k = k.scaled(ratio, side)
		}
		l.setKernel(k)
		e := newEdges(l, hidden)
		lambda := edgeLambda
		for range edgeRounds {
			if ctx.Err() != nil {
				return nil
			}
			e.findLatent(lambda)
			e.selectGradients()
			l.solve(edgePenalty)
			l.setKernel(l.k.threshold(edgeCut).prune(edgeIsland))
			lambda = max(lambda/lambdaFall, lambdaLeast)
		}
		k = l.k.centred()
		if s == 0 {
			return k
		}
	}
}

// improve alternates between the variational step and, if moves is set, the step for the blur
// kernel. Meanwhile the noise falls to that of the picture's differences. It returns the free
// energy, which may be compared with that of other blur kernels, as the noise is the same for all.
func (l *level) improve(ctx context.Context, moves bool, noise float64) float64 {
	l.begin(noiseStart * noise)
	for i := range evidenceRounds {
		if ctx.Err() != nil {
			return 0
		}
		if i > 0 {
			l.predict()
			l.noise = square(max(noise, math.Sqrt(l.noise)/noiseFall))
		}
		l.updateVariances()
		if !moves {
			l.updateMeanSharp()
			continue
		}
		l.updateMean(latentSteps)
		if i >= waitRounds {
			l.solve(evidencePenalty)
		}
	}
	return l.freeEnergy()
}

// noiseLevel is the standard deviation of white noise, from the finest diagonal differences. A
// blurred picture has hardly any detail at that scale.
func noiseLevel(y *Plane) float64 {
	var d []float64
	for i := 0; i+1 < y.H; i += 2 {
		for j := 0; j+1 < y.W; j += 2 {
			p := y.Pix[i*y.W+j:]
			d = append(d, math.Abs(p[0]-p[1]-p[y.W]+p[y.W+1])/2)
		}
	}
	slices.Sort(d)
	return d[len(d)/2] / 0.6745
}

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

// richest is the part of a picture that is examined, with its map of unknown pixels. Of a large
// picture it is the square of mostSide with most detail (detailIn). Squares at every quarter of a
// side are compared.
func richest(y *Plane, unknown []bool) (*Plane, []bool) {
	w, h := min(y.W, mostSide), min(y.H, mostSide)
	if w == y.W && h == y.H {
		return y, unknown
	}
	places := func(n, side int) (at []int) {
		for x := 0; x < n-side; x += mostSide / 4 {
			at = append(at, x)
		}
		return append(at, n-side)
	}
	most, bx, by := -1.0, 0, 0
	for _, y0 := range places(y.H, h) {
		for _, x0 := range places(y.W, w) {
			if sum := detailIn(y, unknown, x0, y0, w, h); sum > most {
				most, bx, by = sum, x0, y0
			}
		}
	}
	var part []bool
	if unknown != nil {
		for i := range h {
			part = append(part, unknown[(by+i)*y.W+bx:][:w]...)
		}
		if !slices.Contains(part, true) {
			part = nil
		}
	}
	return y.Crop(bx, by, w, h), part
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

// reducedMap marks the pixels of a reduced picture that contain an unknown pixel.
func reducedMap(unknown []bool, from, to *Plane) []bool {
	if unknown == nil || from == to {
		return unknown
	}
	out := make([]bool, to.W*to.H)
	for i, u := range unknown {
		if u {
			x, y := i%from.W, i/from.W
			out[min(y*to.H/from.H, to.H-1)*to.W+min(x*to.W/from.W, to.W-1)] = true
		}
	}
	return out
}

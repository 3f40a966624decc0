package blind

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

// Options says how Estimate works. The zero value is good for photographs.
type Options struct {
	// Windows are the kernel sides that are tried, odd and from 3 on; nil: 19 and 33. Blur wider
	// than the largest is not found, and small windows do better on little blur.
	Windows []int
	// Unknown tells pixels, row by row, whose values say nothing: clipped ones above all. nil:
	// every pixel counts.
	Unknown []bool
	// Workers is how many cores work on windows at the same time; 0: one.
	Workers int
}

// Verdict is what a picture tells about its blur.
type Verdict int

const (
	Untold  Verdict = iota // the kernel cannot be told: too little to see, too much noise
	Sharp                  // there is no blur worth undoing; leave the picture alone
	Blurred                // by the kernel that was found
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

// Certainty is what the verdict is made from.
type Certainty struct {
	Verdict   Verdict
	Width     float64 // root of the mean squared distance of the kernel's weights from their centre, in pixels
	Gain      float64 // free energy per difference of pixels (natural logarithms, twice) that the kernel saves against none; below 0: none explains the picture better
	Agreement float64 // likeness of the windows' kernels, 0 to 1; 1 if there is one window
	Detail    float64 // of the picture's differences: the sum of squares of their own differences beside that of their squares; a ramp gives 0, shading alone less than 0.01
	Noise     float64 // standard deviation of what is left unexplained in differences of pixels, in units of Plane
}

// Candidate is the kernel that one window led to.
type Candidate struct {
	Kernel *task.Kernel
	Energy float64 // free energy per difference of pixels, twice; the lower the likelier
	Cut    bool    // it runs into its window's edge, so it is part of a longer one. Such are chosen only where all are cut, and then by the largest window
}

// Result is what Estimate found.
type Result struct {
	Kernel     *task.Kernel // the likeliest, of sum 1 and centred within half a pixel on its centre of mass
	Certainty  Certainty
	Candidates []Candidate // one per window, in the order of Options.Windows
}

const (
	mostSide  = 384 // of larger pictures the part of this side is looked at that has most to see
	leastSide = 16
)

// The constants of the alternations were chosen on photographs shaken by internal/tools/blindeval
// (see the package's comment).
const (
	ratio       = math.Sqrt2 // between scales
	firstSide   = 5          // of the kernel at the coarsest scale, at least
	edgeRounds  = 6
	edgeLambda  = 4e-3
	lambdaFall  = 1.3
	lambdaLeast = 1e-4
	edgeFlat    = 2.0
	edgeShare   = 0.05 // of the largest weight, below which a weight is 0
	islandShare = 0.1

	evidenceRounds = 6
	waitRounds     = 2 // before the kernel moves
	latentSteps    = 4
	leastNoise     = 0.003 // of differences
	noiseMore      = 0.8   // beside what is found in the picture, which has a little of its own at that scale
	noiseStart     = 2.0   // times the noise in the first round
	noiseFall      = 1.4   // by which it falls in a round
	mostRim        = 0.01  // share of a kernel's weight on its window's outermost pixels
	finalIsland    = 0.02
	trimMargin     = 3
	finalShare     = 0.03
)

var (
	edgePenalty     = penalties{flat: edgeFlat, steps: 30}
	evidencePenalty = penalties{smooth: 0.02, sparse: 0.02, steps: 60}
)

// Estimate finds the kernel that blurred y, the brightness of a photograph, and how sure that is.
//
// For every window a kernel is found from coarse to fine over edges, and improved by evidence at
// full scale; the free energy judges between windows. Kernels have a direction, but a place only up
// to where the picture's own place is, so they are centred.
//
// It fails if y or o make no sense, if y is smaller than 16 pixels or than twice the largest window
// on a side, and with ctx.Err().
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
		return nil, fmt.Errorf("no windows: name at least one kernel side")
	}
	for _, n := range windows {
		if n < 3 || n%2 == 0 {
			return nil, fmt.Errorf("window of %d pixels: must be odd and at least 3", n)
		}
		if min(y.W, y.H) < max(leastSide, 2*n) {
			return nil, fmt.Errorf("picture of %d×%d pixels: too small to find a kernel of %d×%d; both sides must be at least %d", y.W, y.H, n, n, max(leastSide, 2*n))
		}
	}
	if o.Unknown != nil && len(o.Unknown) != len(y.Pix) {
		return nil, fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(o.Unknown), len(y.Pix))
	}
	y, unknown := richest(y, o.Unknown)

	found := make([]*kernel, len(windows)+1) // the last: no blur, as it is judged
	energies, noises, details := make([]float64, len(found)), make([]float64, len(found)), make([]float64, len(found))
	cut := make([]bool, len(found))
	noise := max(leastNoise, noiseMore*math.Sqrt2*noiseOf(y))
	t := team.New(max(1, o.Workers))
	err := t.Each(ctx, len(found), func(_, i int) {
		var l *level
		if i < len(windows) {
			if k := overEdges(ctx, y, unknown, windows[i]); k != nil {
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
		found[i], noises[i] = l.k.clone().threshold(finalShare).prune(finalIsland).centred(), l.unexplained
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
	r.Kernel = r.Candidates[best].Kernel
	c := &r.Certainty
	*c = Certainty{Width: found[best].width(), Gain: energies[len(windows)] - energies[best], Agreement: 1, Detail: details[best], Noise: noises[best]}
	if others := len(windows) - 1; others > 0 {
		c.Agreement = 0
		for i := range windows {
			if i != best {
				c.Agreement += likeness(found[i], found[best]) / float64(others)
			}
		}
	}
	c.Verdict = c.judge()
	return r, nil
}

// overEdges is the alternation from coarse to fine; it returns nil if ctx is done.
func overEdges(ctx context.Context, y *Plane, unknown []bool, n int) *kernel {
	var k *kernel
	scales := max(0, int(math.Floor(math.Log(float64(n)/firstSide)/math.Log(ratio))))
	for s := scales; ; s-- {
		f := math.Pow(ratio, -float64(s))
		side := max(3, int(math.Ceil(float64(n)*f-1e-9)))
		side += 1 - side%2
		small := y.reduced(f)
		hidden := reducedMap(unknown, y, small)
		l := newLevel(small, hidden, side)
		if k == nil { // two neighbours, so that the picture is not the answer
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
			e.draw(lambda)
			e.pick()
			l.solve(edgePenalty)
			l.setKernel(l.k.threshold(edgeShare).prune(islandShare))
			lambda = max(lambda/lambdaFall, lambdaLeast)
		}
		k = l.k.centred()
		if s == 0 {
			return k
		}
	}
}

// improve alternates the variational step and the kernel's, if that may move, while the noise comes
// down to that of the picture's differences. It returns the free energy, which may be compared with
// that of other kernels, as the noise is the same for all.
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
		l.weigh()
		if !moves {
			l.narrow()
			continue
		}
		l.latent(latentSteps)
		if i >= waitRounds {
			l.solve(evidencePenalty)
		}
	}
	return l.explain()
}

// noiseOf is the standard deviation of white noise as the finest diagonal differences show it, of
// which blurred pictures have few of their own.
func noiseOf(y *Plane) float64 {
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

// judge makes a verdict. To take a sharp picture for blurred is the worse error, so it is blurred
// only where much speaks for it.
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
	leastWidth     = 1.2   // narrower kernels are no more than a lens makes, in sharp pictures too
	sharpWidth     = 2     // so are these, unless they explain the picture better than none does
	leastGain      = 0.25  // by this where there is little noise
	gainNoise      = 0.001 // and by this over the noise else, as a kernel explains less of what has more
	leastAgreement = 0.55
	leastDetail    = 0.002 // a ramp is a ramp under every kernel
)

// richest is the part of a picture that is looked at, with its map of unknown pixels: of large ones
// the square of mostSide with the largest sum of clamped squared differences over known pixels, of
// squares at every quarter of a side.
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
	const clamp = 0.01 // so that one strong edge does not outweigh many
	most, bx, by := -1.0, 0, 0
	for _, y0 := range places(y.H, h) {
		for _, x0 := range places(y.W, w) {
			sum := 0.0
			for i := y0; i < y0+h-1; i += 2 {
				for j := x0; j < x0+w-1; j += 2 {
					at := i*y.W + j
					if unknown != nil && (unknown[at] || unknown[at+1] || unknown[at+y.W]) {
						continue
					}
					a, b := y.Pix[at+1]-y.Pix[at], y.Pix[at+y.W]-y.Pix[at]
					sum += min(a*a+b*b, clamp)
				}
			}
			if sum > most {
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

// reducedMap tells the pixels of a reduced picture that an unknown one is in.
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

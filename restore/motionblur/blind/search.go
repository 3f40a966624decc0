package blind

import (
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
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

// part is a part of a picture in which a blur kernel is searched.
type part struct {
	y       *Plane  // divided by the root of the mean squared slope (Options.Slope)
	unknown []bool  // marks pixels whose values say nothing; nil: none
	noise   float64 // standard deviation of the noise of its differences
}

// newPart returns the richest part of a picture.
func newPart(y *Plane, o Options) part {
	w := richest(y, o.Unknown)
	o = o.cut(y.W, w)
	p := part{y: y.Crop(w.X, w.Y, w.W, w.H), unknown: o.Unknown}
	slope := rootMeanSquare(o.Slope)
	for i := range p.y.Pix {
		p.y.Pix[i] /= slope
	}
	factor, least := noiseFactor, leastNoise
	if o.noiseFactor > 0 {
		factor, least = o.noiseFactor, o.leastNoise
	}
	p.noise = max(least, factor*math.Sqrt2*noiseLevel(p.y, o.Slope)*slope)
	return p
}

// part returns the richest part of a window of y.
func (o Options) part(y *Plane, w Window) part {
	return newPart(y.Crop(w.X, w.Y, w.W, w.H), o.cut(y.W, w))
}

// reduced returns the part reduced by a factor f ≤ 1, with the same noise.
func (p part) reduced(f float64) part {
	y := p.y.reduced(f)
	return part{y: y, unknown: reducedMap(p.unknown, p.y, y), noise: p.noise}
}

// search finds the blur kernel that parts of a picture share.
type search []part

// byEdges estimates a blur kernel of n×n from coarse to fine. It returns nil if ctx is done.
func (s search) byEdges(ctx context.Context, n int) *kernel {
	var k *kernel
	scales := max(0, int(math.Floor(math.Log(float64(n)/firstSide)/math.Log(ratio))))
	for scale := scales; ; scale-- {
		f := math.Pow(ratio, -float64(scale))
		side := max(3, int(math.Ceil(float64(n)*f-1e-9)))
		side += 1 - side%2
		if k == nil { // two equal neighbours; a single pixel would explain the picture by itself
			k = newKernel(side)
			m := side/2*side + side/2
			k.w[m], k.w[m-1] = 0.5, 0.5
		} else {
			k = k.scaled(ratio, side)
		}
		levels, edges := make([]*level, len(s)), make([]*edges, len(s))
		for i, p := range s {
			small := p.reduced(f)
			levels[i] = newLevel(small.y, small.unknown, side)
			levels[i].setKernel(k)
			edges[i] = newEdges(levels[i], small.unknown)
		}
		lambda := edgeLambda
		for range edgeRounds {
			for _, e := range edges {
				if ctx.Err() != nil {
					return nil
				}
				e.findLatent(lambda)
				e.selectGradients()
			}
			solve(levels, edgePenalty)
			setKernel(levels, levels[0].k.threshold(edgeCut).prune(edgeIsland))
			lambda = max(lambda/lambdaFall, lambdaLeast)
		}
		k = levels[0].k.centred()
		if scale == 0 {
			return k
		}
	}
}

// moves says what improve may change.
type moves int

const (
	moveNothing moves = iota // the blur kernel does nothing, and is kept
	moveSharp                // the blur kernel is kept
	moveBoth                 // the sharp picture and the blur kernel
)

// explained is what a blur kernel makes of parts of a picture.
type explained struct {
	k        *kernel
	energy   float64   // the free energy per difference of pixels, of all parts
	energies []float64 // those of the parts
	noise    float64   // Certainty.Noise
	detail   float64   // Certainty.Detail
}

// improve alternates between the variational step and, if m says so, the step for the blur kernel,
// from k on. Meanwhile the noise falls to that of the picture's differences. The free energies may
// be compared with those of other blur kernels, as the noise is the same for all. The result is
// worth nothing if ctx is done.
func (s search) improve(ctx context.Context, k *kernel, m moves) explained {
	return s.improveIn(ctx, evidenceRounds, k, m)
}

// improveIn is improve in a number of rounds.
func (s search) improveIn(ctx context.Context, rounds int, k *kernel, m moves) explained {
	return s.improveBy(ctx, team.New(1), rounds, k, m)
}

// improveBy is improveIn with the parts spread over workers.
func (s search) improveBy(ctx context.Context, workers *team.Team, rounds int, k *kernel, m moves) explained {
	levels := make([]*level, len(s))
	for i, p := range s {
		levels[i] = newLevel(p.y, p.unknown, k.n)
		levels[i].setKernel(k)
		levels[i].begin(noiseStart * p.noise)
	}
	for round := range rounds {
		err := workers.Each(ctx, len(levels), func(_, i int) {
			l := levels[i]
			if round > 0 {
				l.predict()
				l.noise = square(max(s[i].noise, math.Sqrt(l.noise)/noiseFall))
			}
			l.updateVariances()
			if m == moveNothing {
				l.updateMeanSharp()
			} else {
				l.updateMean(latentSteps)
			}
		})
		if err != nil {
			return explained{}
		}
		if m == moveBoth && round >= waitRounds {
			solve(levels, evidencePenalty)
		}
	}
	e := explained{k: levels[0].k}
	count := 0.0
	for _, l := range levels {
		energy := l.freeEnergy()
		e.energies = append(e.energies, energy)
		e.energy += energy * l.count
		e.noise += square(l.unexplained) * l.count
		e.detail += l.detail() * l.count
		count += l.count
	}
	e.energy, e.noise, e.detail = e.energy/count, math.Sqrt(e.noise/count), e.detail/count
	return e
}

// noiseLevel is the standard deviation of white noise, from the finest diagonal differences,
// divided by the slope if that is not nil. A blurred picture has hardly any detail at that scale.
func noiseLevel(y, slope *Plane) float64 {
	var d []float64
	for i := 0; i+1 < y.H; i += 2 {
		for j := 0; j+1 < y.W; j += 2 {
			at := i*y.W + j
			p := y.Pix[at:]
			v := math.Abs(p[0]-p[1]-p[y.W]+p[y.W+1]) / 2
			if slope != nil {
				v /= slope.Pix[at]
			}
			d = append(d, v)
		}
	}
	slices.Sort(d)
	return d[len(d)/2] / 0.6745
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

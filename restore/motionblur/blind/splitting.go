package blind

import (
	"context"
	"math"
)

const (
	exponent = 0.8
	// priorWeight times the noise's variance is the weight of Σ|g ⋆ x|^0.8, if half the squared
	// error has weight 1.
	priorWeight = 40
	startSplit  = 2    // weight of the filters' splitting in the first step, relative to the prior's
	endSplit    = 400  // weight in the last steps
	splitSteps  = 16.0 // steps in which the weight grows
	// relaxation is the over-relaxation of the blurred picture's splitting: 1 is none, from 2 on it
	// may diverge.
	relaxation = 1.8
)

// filterWeights are the filters' weights in the prior: the two first differences, and the second
// differences along rows, along columns and mixed.
var filterWeights = [5]float64{1, 1, 0.25, 0.25, 0.25}

// splitter is what all blocks of a picture have in common.
type splitter struct {
	w, h     int // a block's size
	n        int // the blur kernel's side
	otf      []complex64
	blur     []float32 // |otf|²
	filtered []float32 // Σ|G|² over the filters
}

func newSplitter(w, h int, k *kernel, centred bool) *splitter {
	c := newCanvas(w, h, k.n)
	s := &splitter{w: w, h: h, n: k.n, otf: make([]complex64, c.size()), blur: make([]float32, c.size()), filtered: make([]float32, c.size())}
	c.otf(s.otf, k)
	if centred {
		c.centre(s.otf, k)
	}
	for i, k := range s.otf {
		s.blur[i] = norm(k)
	}
	for fy := range c.h/2 + 1 {
		for fx := range c.w {
			sx, sy := math.Sin(math.Pi*float64(fx)/float64(c.w)), math.Sin(math.Pi*float64(fy)/float64(c.h))
			x, y := 4*sx*sx, 4*sy*sy // of first differences
			s.filtered[c.at(fx, fy)] = float32(x + y + x*x + y*y + x*y)
		}
	}
	return s
}

// splitting finds the sharp block x by variable splitting with multipliers (ADMM). The step for x
// is a division of spectra. Those for the filters' values and for the blurred picture are pixel by
// pixel. The blurred picture is free at unknown pixels and beyond the edges (Almeida and
// Figueiredo, Deconvolving images with unknown boundaries, 2013).
type splitting struct {
	*splitter
	c    *canvas
	seen []float32 // the picture, continued around its edges
	// half is the weight of what is seen against what the model says: 0 at unknown pixels, else 1/2
	// if there is no slope.
	half []float32
	// divide and multiply are factors of the filters' values before and after these are shrunk. The
	// prior expects larger values where the slope is larger. nil: 1.
	divide, multiply []float32
	x, kx            []float32 // the sharp picture, and the same blurred
	target           []float32 // sum of the blurred picture, split from kx, and its multiplier
	g                []float32 // the filters' values, shrunk, brought back to pixels
	fx, ft           []complex64
	rows             filterRows
}

func (p *splitter) newSplitting() *splitting {
	s := &splitting{splitter: p, c: newCanvas(p.w, p.h, p.n)}
	for _, v := range []*[]float32{&s.half, &s.x, &s.kx, &s.target, &s.g} {
		*v = make([]float32, s.c.w*s.c.h)
	}
	s.fx, s.ft = make([]complex64, s.c.size()), make([]complex64, s.c.size())
	for i := range s.rows {
		s.rows[i] = make([]float32, s.c.w)
	}
	return s
}

// begin starts with the block of a picture at (x0, y0).
func (s *splitting) begin(y *Plane, unknown []bool, x0, y0 int) {
	c := s.c
	s.seen = c.extend(y.Crop(x0, y0, s.w, s.h))
	clear(s.half)
	for i := range s.h {
		row := c.row(s.half, i)
		for j := range s.w {
			if unknown == nil || !unknown[(y0+i)*y.W+x0+j] {
				row[j] = 0.5
			}
		}
	}
	copy(s.x, s.seen)
	c.forward(s.fx, s.x)
	product(s.fx, s.fx, s.otf)
	c.inverse(s.kx, s.fx)
	copy(s.target, s.kx) // the multiplier begins at 0
}

// setSlope makes the block's noise, and what the prior expects, proportional to the slope
// (Deconvolution.Slope). It returns the block's mean slope, to which the noise of run refers.
//
// The error at a pixel is divided by its slope. So an error of the model counts as it is seen in the
// picture from which the light was made, and bright light that a wrong blur kernel puts in the wrong
// place does not turn its dark neighbours black.
func (s *splitting) setSlope(slope *Plane, x0, y0 int) float64 {
	s.divide, s.multiply = nil, nil
	if slope == nil {
		return 1
	}
	c, block := s.c, slope.Crop(x0, y0, s.w, s.h)
	sum := 0.0
	for _, v := range block.Pix {
		sum += math.Log(v)
	}
	mean := math.Exp(sum / float64(len(block.Pix)))
	for i := range block.Pix {
		block.Pix[i] /= mean
	}
	for y := range s.h {
		row := c.row(s.half, y)
		for x, v := range block.Pix[y*s.w:][:s.w] {
			if row[x] > 0 {
				row[x] = float32(1 / (1 + v*v))
			}
		}
	}
	s.divide, s.multiply = make([]float32, c.w*c.h), make([]float32, c.w*c.h)
	for i, v := range c.extend(block) {
		// The scale of shrinkage.row for a prior of Σ|g ⋆ x/slope|^p.
		scale := math.Pow(float64(v), -exponent/(2-exponent))
		s.divide[i], s.multiply[i] = float32(1/scale), float32(scale)
	}
	return mean
}

// run takes the steps. It returns false if ctx was done before the end.
func (s *splitting) run(ctx context.Context, steps int, noise float64) bool {
	weight := priorWeight * noise * noise
	rise := math.Pow(endSplit/startSplit, 1/min(splitSteps, float64(steps)))
	beta := startSplit * weight
	for range steps {
		if ctx.Err() != nil {
			return false
		}
		s.step(weight, beta)
		beta = min(beta*rise, endSplit*weight)
	}
	return true
}

// step is one iteration: first the filters' values and the blurred picture u are set for x, then x
// is set for them. The multiplier m is the previous target minus kx. The minimum of ½w(u − seen)² +
// ½(u + m − kx)² has u + m = kx + (seen + m − kx)·w/(1 + w); w is 1 without a slope, and 0 at unknown
// pixels. The target moves there, and further by the over-relaxation.
func (s *splitting) step(weight, beta float64) {
	c := s.c
	s.filter(weight, beta)
	target(s.target, s.kx, s.seen, s.half)
	c.forward(s.ft, s.target)
	c.forward(s.fx, s.g)
	divide(s.fx, s.ft, s.otf, s.blur, s.filtered, float32(beta))
	c.inverse(s.x, s.fx)
	c.inverse(s.kx, s.ft)
}

// filter sets s.g to Σ gᵀ ⋆ w over the filters g, where w is g ⋆ x, shrunk.
func (s *splitting) filter(weight, beta float64) {
	c := s.c
	var scales [5]float32
	for i, w := range filterWeights {
		scales[i] = float32(math.Pow(weight*w/beta, 1/(2-exponent)))
	}
	table := shrink()
	row := func(v []float32, y int) []float32 { return v[(y+c.h)%c.h*c.w:][:c.w] }
	clear(s.g)
	for y := range c.h {
		s.rows.apply(row(s.x, y-1), row(s.x, y), row(s.x, y+1))
		var before, after []float32
		if s.divide != nil {
			before, after = row(s.divide, y), row(s.multiply, y)
		}
		for i, r := range s.rows {
			table.row(r, before, after, scales[i])
		}
		s.rows.adjoint(row(s.g, y-1), row(s.g, y), row(s.g, y+1))
	}
}

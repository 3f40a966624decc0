package defocus

import (
	"math"
	"slices"
)

// At a step edge that was blurred with a deviation s, the gradient of the picture blurred again by t is as strong as 1/√(s² + t²): what is left of it when t
// doubles tells s. Not all edges of a photograph are steps, so the sharp end of the distribution is looked at.

// edgeScales are the deviations t; each is compared with the one two places on.
var edgeScales = [...]float64{0, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8}

// edgeShares are the quantiles of the ratios of gradients.
var edgeShares = [...]float64{0.5, 0.75, 0.9, 0.97}

const (
	edgePairs  = len(edgeScales) - 2
	edgeValues = len(edgeShares) + 1 // and how many edges there are
	leastEdges = 8                   // of one pair, below which nothing is told
	weakEdge   = 0.2                 // of the strongest ones, below which an edge does not count
)

// halvedAt are the scales from which on every second pixel is enough of what was left before.
var halvedAt = [len(edgeScales)]bool{4: true, 7: true}

// edges writes the quantiles for every pair of scales.
func (p *plane) edges(dst []float32, noise float64) []float32 {
	var at [len(edgeScales)]gradients
	now, step := p, 1
	for i, t := range edgeScales {
		if i > 0 {
			before := edgeScales[i-1]
			now = now.blurred(math.Sqrt(t*t-before*before) / float64(step))
		}
		if halvedAt[i] {
			now, step = now.halved(), 2*step
		}
		at[i] = gradients{now.w, now.h, step, now.gradient(1 / float32(step))}
	}
	for i := range edgePairs {
		dst = p.ratios(dst, at[i], at[i+2], max(edgeScales[i+2], 0.5), noise)
	}
	return dst
}

// gradients are the lengths of gradients at every step-th pixel of a plane.
type gradients struct {
	w, h, step int
	size       []float32
}

// ratios compares gradients at two scales, the coarser of deviation t, where the coarser is largest across its edge.
func (p *plane) ratios(dst []float32, fine, coarse gradients, t, noise float64) []float32 {
	var at []int // where the finer is
	var strength, of []float32
	reach := int(math.Round(t))
	margin := 1 + max(1, reach)/coarse.step
	more := coarse.step / fine.step
	w := coarse.w
	for y := margin; y < coarse.h-margin; y++ {
		for x := margin; x < w-margin; x++ {
			i := y*w + x
			v := coarse.size[i]
			across := v >= coarse.size[i-1] && v > coarse.size[i+1]
			down := v >= coarse.size[i-w] && v > coarse.size[i+w]
			if v == 0 || !across && !down || p.hides(x*coarse.step, y*coarse.step, reach) {
				continue
			}
			at, strength = append(at, y*more*fine.w+x*more), append(strength, v)
		}
	}
	of = slices.Clone(strength)
	var list []float32
	if len(at) > 0 {
		slices.Sort(strength)
		// White noise of 1 has gradients of 1/(√(8π)·t²) along each axis at scale t.
		least := max(weakEdge*strength[len(strength)*99/100], float32(4*noise/(5*t*t)), 1e-4)
		for k, i := range at {
			if of[k] >= least {
				list = append(list, fine.size[i]/of[k])
			}
		}
	}
	if len(list) < leastEdges {
		for range edgeShares {
			dst = append(dst, 0)
		}
		return append(dst, -1)
	}
	slices.Sort(list)
	for _, s := range edgeShares {
		dst = append(dst, float32(math.Log(float64(list[int(s*float64(len(list)))])+0.05)))
	}
	return append(dst, float32(math.Log(float64(len(list))/float64(p.w*p.h)*1000+0.1)))
}

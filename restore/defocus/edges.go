package defocus

import (
	"math"
	"slices"
)

// At a step edge with a blur of deviation s, the gradient of the picture after a further blur by t
// is proportional to 1/√(s² + t²). So the ratio of the gradients for t and for 2t shows s. Not all
// edges of a photograph are steps, so the quantiles of the sharper edges are used.

// edgeScales are the deviations t in pixels. Each is compared with the second next one.
var edgeScales = [...]float64{0, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8}

// edgeQuantiles are the quantiles of the ratios of gradients.
var edgeQuantiles = [...]float64{0.5, 0.75, 0.9, 0.97}

const (
	edgePairs  = len(edgeScales) - 2
	edgeValues = len(edgeQuantiles) + 1 // per pair: the quantiles and the number of edges
	leastEdges = 8                      // of a pair; with fewer, its values say that there are none
	weakEdge   = 0.2                    // times the strongest gradients: edges below do not count
)

// halvedAt are the scales from which on half as many pixels are enough along each axis.
var halvedAt = [len(edgeScales)]bool{4: true, 7: true}

// edges appends the values of every pair of scales to dst. noise is the noise's standard deviation.
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

// gradients are the magnitudes of the gradients at every step-th pixel of a plane.
type gradients struct {
	w, h, step int
	size       []float32
}

// ratios appends the quantiles of the ratios of gradients at two scales to dst, and the logarithm
// of their number. They are taken where the coarser gradient is largest across its edge. t is the
// coarser scale.
func (p *plane) ratios(dst []float32, fine, coarse gradients, t, noise float64) []float32 {
	var at []int // indices in fine
	var strength, sorted []float32
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
			if v == 0 || !across && !down || p.nearUnknown(x*coarse.step, y*coarse.step, reach) {
				continue
			}
			at, strength = append(at, y*more*fine.w+x*more), append(strength, v)
		}
	}
	sorted = slices.Clone(strength)
	var list []float32
	if len(at) > 0 {
		slices.Sort(sorted)
		// White noise of 1 has gradients of 1/(√(8π)·t²) along each axis at scale t.
		least := max(weakEdge*sorted[len(sorted)*99/100], float32(4*noise/(5*t*t)), 1e-4)
		for k, i := range at {
			if strength[k] >= least {
				list = append(list, fine.size[i]/strength[k])
			}
		}
	}
	if len(list) < leastEdges {
		for range edgeQuantiles {
			dst = append(dst, 0)
		}
		return append(dst, -1)
	}
	slices.Sort(list)
	for _, q := range edgeQuantiles {
		dst = append(dst, float32(math.Log(float64(list[int(q*float64(len(list)))])+0.05)))
	}
	return append(dst, float32(math.Log(float64(len(list))/float64(p.w*p.h)*1000+0.1)))
}

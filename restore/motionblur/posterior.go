package motionblur

import (
	"cmp"
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
)

const (
	// leastWeight is the posterior weight below which a blur kernel is left out.
	leastWeight = 1e-3
	// priorWeight is the weight of the prior in the posterior, because real motion blur need not
	// follow the prior distribution that the library is drawn from.
	priorWeight = 0.2
)

// Posterior is what is known about a picture's blur kernel: its moments under the weights of the
// library.
type Posterior struct {
	Mean []float64 // mean of the blur kernels and their half-turns, [KernelSide][KernelSide], of sum 1
	Auto []float64 // mean autocorrelation, [AutoSide][AutoSide], centred
}

func newPosterior() Posterior {
	return Posterior{Mean: make([]float64, KernelSide*KernelSide), Auto: make([]float64, AutoSide*AutoSide)}
}

// candidate is a blur kernel of the library with its weight.
type candidate struct {
	index  int
	weight float64
}

// weigh makes e.posterior from e.scores.
func (e *Estimator) weigh() {
	lib := e.lib
	top := math.Inf(-1)
	for _, s := range e.scores {
		top = max(top, s)
	}
	for i, s := range e.scores {
		e.ranking[i] = candidate{i, math.Exp(s - top)}
	}
	slices.SortFunc(e.ranking, func(a, b candidate) int { return cmp.Compare(b.weight, a.weight) })
	sum := 0.0
	for _, c := range e.ranking {
		sum += c.weight
	}
	n := 0
	for n < len(e.ranking) && e.ranking[n].weight > leastWeight*sum {
		n++
	}
	best := e.ranking[:n]
	sum = 0
	for _, c := range best {
		sum += c.weight
	}
	p := &e.posterior
	for i, v := range lib.mean {
		p.Mean[i] = priorWeight * v
	}
	for i, v := range lib.auto {
		p.Auto[i] = priorWeight * v
	}
	for _, c := range best {
		w := (1 - priorWeight) * c.weight / sum
		lib.kernels[c.index].addEven(p.Mean, w)
		lib.kernels[c.index].addAuto(p.Auto, w)
	}
}

// setMean sets Mean to the first map of the kernel network, as far as a blur kernel of the library
// reaches. A blur kernel and its half-turn are equally likely, so the mean of both is taken.
func (p *Posterior) setMean(maps []float32) {
	const reach = KernelSide / 2
	at := func(y, x int) float64 {
		return float64(maps[((y+mapSide/2)*mapSide+x+mapSide/2)*nets.KernelParts])
	}
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			p.Mean[(y+reach)*KernelSide+x+reach] = (at(y, x) + at(-y, -x)) / 2
		}
	}
}

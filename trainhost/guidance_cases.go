package trainhost

import (
	"context"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// guidanceCase is one observation of a crop, and what the networks see of it.
type guidanceCase struct {
	truth, y *planar.Image
	operator *task.Operator
	view     *planar.Image // what adapters see, in the size of truth
	known    []float32     // 1 where view shows measured pixels
}

// drawCases draws n observations for a task: crops of the pictures in turn, with random operators
// of the trainer's law, and noise sigma.
func drawCases(pics *Pictures, t task.Task, n, side int, sigma float64, seed uint64) ([]guidanceCase, error) {
	var out []guidanceCase
	for i := range n {
		rng := task.NewRand(seed, uint64(i)<<8|uint64(t.Class()))
		x := planar.New(side, side)
		// The crop must not depend on the task.
		sizes := pics.list[i%pics.Len()]
		sizes[0].crop(rand.New(rand.NewPCG(seed, uint64(i))), side, x.Pix)
		w, err := task.DrawLaw(rng, t, task.Law{W: side, H: side, Clean: x, Scale: kernelScale(side)})
		if err != nil {
			return nil, err
		}
		c := guidanceCase{truth: x}
		if c.operator, err = task.NewOperator(t, side, side, w); err != nil {
			return nil, err
		}
		if c.y, err = c.operator.Observe(rng, x, sigma); err != nil {
			return nil, err
		}
		if c.view, c.known, err = task.View(t, c.y, w.Mask); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// SyntheticPictures renders n scenes of side pixels, with the seeds first, first + 1, …
func SyntheticPictures(n, side, minSide int, first uint64) *Pictures {
	p := &Pictures{}
	for i := range n {
		p.list = append(p.list, reductions(synth.Photo(first+uint64(i), side, side), minSide))
	}
	return p
}

// caseOperator is the operators of a batch: each case several times in a row. It implements
// guidance.Operator.
type caseOperator struct {
	cases []guidanceCase
	times int
}

// Apply implements guidance.Operator.
func (o caseOperator) Apply(x []float64) []float64 { return o.each(x, (*task.Operator).Apply64) }

// Adjoint implements guidance.Operator.
func (o caseOperator) Adjoint(y []float64) []float64 { return o.each(y, (*task.Operator).Adjoint64) }

func (o caseOperator) each(in []float64, f func(*task.Operator, []float64) []float64) []float64 {
	n := len(o.cases) * o.times
	size := len(in) / n
	parts := make([][]float64, n)
	_ = team.New(0).Each(context.Background(), n, func(_, i int) {
		parts[i] = f(o.cases[i/o.times].operator, in[i*size:(i+1)*size])
	})
	out := make([]float64, 0, n*len(parts[0]))
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// observations are the values y of the batch, one after another.
func (o caseOperator) observations() (y []float64) {
	for _, c := range o.cases {
		for range o.times {
			for _, v := range c.y.Pix {
				y = append(y, float64(v))
			}
		}
	}
	return y
}

// pictures cuts a batch of samples into pictures clamped to [-1,1], a list for each case.
func (o caseOperator) pictures(x []float64) [][]*planar.Image {
	out := make([][]*planar.Image, len(o.cases))
	for i := range len(o.cases) * o.times {
		m := planar.New(o.cases[0].truth.W, o.cases[0].truth.H)
		for j := range m.Pix {
			m.Pix[j] = float32(x[i*len(m.Pix)+j])
		}
		out[i/o.times] = append(out[i/o.times], m.Clamp())
	}
	return out
}

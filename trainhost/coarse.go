package trainhost

import (
	"fmt"
	"math/rand/v2"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/pyramid"
)

// Networks with nets.Traits.Coarse restore a picture's halves first. In training the current
// weights do that, without gradients. Each picture has a drawn depth, the number of its halves that
// count: so the network also learns to work without them, as it does at the coarsest size.

// Names of the inputs of a batch for the coarse sizes; level 1 is half the size.
const inDepth = "depth" // [n] number of halves that count, of each picture

func inCoarse(what string, level int) string { return fmt.Sprintf("%s/%d", what, level) }

// coarseStep restores the halves of the pictures of denoising.
type coarseStep struct {
	programs []*compile.Program // programs[0] is for half the size
	count    int                // pictures
	side     int                // of the crops
}

// newCoarseStep compiles the programs. They share the parameters of the training step.
func newCoarseStep(dev *gpu.Device, store *compile.Store, cfg nets.EdgeConfig, count, side int) (*coarseStep, error) {
	c := &coarseStep{count: count, side: side}
	for level := 1; level <= cfg.Coarse; level++ {
		g := netdef.NewGraph()
		out := coarseGraph(g, cfg, count, side>>level)
		err := g.Err()
		if err == nil {
			var p *compile.Program
			if p, err = compile.Compile(dev, store, g, []*netdef.Node{out}, compile.Options{}); err == nil {
				c.programs = append(c.programs, p)
			}
		}
		if err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// coarseGraph restores pictures at z = μ, [n,3,side,side].
func coarseGraph(g *netdef.Graph, cfg nets.EdgeConfig, n, side int) *netdef.Node {
	flow := func(name string) *netdef.Node {
		return nets.ToFlow(g, cfg, g.Patchify(g.Input(name, netdef.Shape{n, 3, side, side})))
	}
	one := g.Const("known", netdef.Scalar, []float32{1})
	in := nets.AdapterInput{
		Y: flow(inNoisy), Guess: flow(inGuess), Sigma: g.Input(inSigma, netdef.Shape{n, 1, 1, 1}),
		Mask: g.Patchify(g.BroadcastTo(one, netdef.Shape{n, 1, side, side})),
		Task: g.Const("task", netdef.Shape{n, 1, 1, nets.Tasks}, oneHot(Counts{clsDenoise: n})),
	}
	if cfg.Noise {
		in.Noise = g.Input(inNoise, netdef.Shape{n, 1, 1, nets.NoiseNumbers})
	}
	mu, _ := nets.Adapter(g, cfg, in)
	return g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, mu)))
}

func (c *coarseStep) close() {
	for _, p := range c.programs {
		p.Close()
	}
}

// addHalves adds to a batch the halves of its pictures of denoising, what is told of their noise,
// and a depth of each.
func (b batch) addHalves(rng *rand.Rand, profiles []noise.Profile, side, levels int) {
	n, size := len(profiles), 3*side*side
	b[inDepth] = make([]float32, n)
	for i, p := range profiles {
		// Half of the pictures have all their halves.
		b[inDepth][i] = float32(min(rng.IntN(2*levels), levels))
		m := &planar.Image{W: side, H: side, Pix: b[inNoisy][i*size : (i+1)*size]}
		for level := 1; level <= levels; level++ {
			m, p = pyramid.Halve(m.W, m.H, pyramid.RowsOf(m)), p.Halved()
			vector := make([]float32, nets.NoiseNumbers)
			p.Vector(vector)
			for what, v := range map[string][]float32{inNoisy: m.Pix, inSigma: {float32(p.Sigma())}, inNoise: vector} {
				name := inCoarse(what, level)
				b[name] = append(b[name], v...)
			}
		}
	}
}

// guess adds the guess of the pictures of denoising, from the coarsest size to the finest.
func (c *coarseStep) guess(b batch) error {
	levels := len(c.programs)
	change := make([]*planar.Image, c.count) // of the next coarser size; nil: none
	for level := levels; ; level-- {
		side := c.side >> level
		size := 3 * side * side
		view := b[inNoisy]
		if level > 0 {
			view = b[inCoarse(inNoisy, level)]
		}
		guess := append([]float32(nil), view[:c.count*size]...)
		for i, d := range change {
			if d != nil && int(b[inDepth][i]) > level {
				pyramid.AddEnlarged(guess[i*size:(i+1)*size], d, 0, 0, side, side)
			}
		}
		if level == 0 {
			b[inCoarseGuess] = guess
			return nil
		}
		out, err := c.restore(b, level, guess)
		if err != nil {
			return err
		}
		for i := range change {
			x := (&planar.Image{W: side, H: side, Pix: out[i*size : (i+1)*size]}).Clamp()
			y := &planar.Image{W: side, H: side, Pix: view[i*size : (i+1)*size]}
			change[i] = pyramid.Difference(x, y)
		}
	}
}

// restore restores the pictures of one size.
func (c *coarseStep) restore(b batch, level int, guess []float32) ([]float32, error) {
	p := c.programs[level-1]
	for name, v := range map[string][]float32{
		inNoisy: b[inCoarse(inNoisy, level)], inSigma: b[inCoarse(inSigma, level)], inNoise: b[inCoarse(inNoise, level)], inGuess: guess,
	} {
		if !p.HasInput(name) {
			continue
		}
		if err := p.SetInput(name, v); err != nil {
			return nil, err
		}
	}
	if err := p.Run(); err != nil {
		return nil, err
	}
	return p.Output(0)
}

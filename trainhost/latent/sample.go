package latent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/weights"
)

// Options of a Sampler.
type Options struct {
	// Flow holds a SiT or DMFT, Decoder an SD-VAE, and Adapter, if samples of posteriors are
	// wanted, a noise adapter.
	Flow, Decoder, Adapter *weights.File
	// Width and Height are the sides of the pictures, multiples of 64 pixels. The published
	// networks were trained for 256×256.
	Width, Height int
	// Class is the class label of the pictures; negative means none.
	Class int
	// Guidance is the scale of classifier-free guidance. 1 means none; it then takes half the time.
	// Without a class it has no effect.
	Guidance float64
	// Steps is the number of steps of the flow map, at equal distances of time.
	Steps int
}

// Sampler draws pictures. It is not safe for concurrent use.
type Sampler struct {
	o                      Options
	latents                int // numbers of a picture's latent
	problems               int // inverse problems that the adapter knows
	flow, decoder, adapter *stage
}

// stage is one of the networks on the device.
type stage struct {
	store   *compile.Store
	program *compile.Program
}

func (s *stage) close() {
	if s == nil {
		return
	}
	if s.program != nil {
		s.program.Close()
	}
	s.store.Close()
}

// newStage compiles the network that computes outs and uploads its parameters.
func newStage(dev *gpu.Device, f *weights.File, g *netdef.Graph, outs []*netdef.Node, settings ...string) (*stage, error) {
	if err := g.Err(); err != nil {
		return nil, err
	}
	values, err := params(f, outs...)
	if err != nil {
		return nil, err
	}
	s := &stage{}
	if s.store, err = compile.NewStore(dev, netdef.Reachable(outs...), false, 1); err != nil {
		return nil, err
	}
	if err = s.store.Set(values); err == nil {
		s.program, err = compile.Compile(dev, s.store, g, outs, compile.Options{Settings: settings})
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// New builds the networks on a device. The caller closes the Sampler before the device.
func New(dev *gpu.Device, o Options) (s *Sampler, err error) {
	c, err := Settings(o.Flow.Meta)
	if err != nil {
		return nil, err
	}
	flow, ok := c.(nets.TransformerConfig)
	if !ok {
		return nil, fmt.Errorf("a network %q is no flow map", c.Name())
	}
	if c, err = Settings(o.Decoder.Meta); err != nil {
		return nil, err
	}
	vae, ok := c.(nets.AutoencoderConfig)
	if !ok {
		return nil, fmt.Errorf("a network %q is no autoencoder", c.Name())
	}
	down := 1 << (len(vae.Widths) - 1) // pixels on a side of a latent site
	switch site := down * flow.Patch; {
	case o.Width < 1 || o.Height < 1 || o.Width > 4096 || o.Height > 4096:
		return nil, fmt.Errorf("pictures of %d×%d: sides must be 1 to 4096 pixels", o.Width, o.Height)
	case o.Width%site != 0 || o.Height%site != 0 || o.Width/site*(o.Height/site)%8 != 0 || o.Width%8 != 0 || o.Height%4 != 0:
		return nil, fmt.Errorf("pictures of %d×%d: sides must be multiples of %d pixels and make a multiple of 8 tokens of %[3]d×%[3]d pixels", o.Width, o.Height, site)
	case o.Steps < 1 || o.Steps > 1000:
		return nil, fmt.Errorf("%d steps, must be 1 to 1000", o.Steps)
	case o.Class >= flow.Classes:
		return nil, fmt.Errorf("class %d: the flow map knows 0 to %d", o.Class, flow.Classes-1)
	case !(math.Abs(o.Guidance) <= 100):
		return nil, fmt.Errorf("guidance %g, must be -100 to 100", o.Guidance)
	}
	s = &Sampler{o: o}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	patches := netdef.Shape{1, o.Height / down / flow.Patch, o.Width / down / flow.Patch, flow.PatchChannels()}
	s.latents = patches.Size()

	if o.Adapter != nil {
		if c, err = Settings(o.Adapter.Meta); err != nil {
			return s, err
		}
		a, ok := c.(nets.LatentAdapterConfig)
		if !ok {
			return s, fmt.Errorf("a network %q is no noise adapter", c.Name())
		}
		if len(a.Widths) != len(vae.Widths) {
			return s, fmt.Errorf("the adapter has %d levels, the autoencoder %d: their latents differ in size", len(a.Widths), len(vae.Widths))
		}
		s.problems = a.Classes
		g := netdef.NewGraph()
		y := nets.ColourSites(g, g.Input("y", netdef.Shape{1, 3, o.Height, o.Width}))
		q := a.Posterior(g, y, g.Input("problem", netdef.Shape{1, 1, 1, a.Labels()}))
		mu := nets.LatentPatches(g, q, flow.Patch, 0)
		std := g.Exp(g.Scale(nets.LatentPatches(g, q, flow.Patch, nets.LatentChannels), 0.5))
		if s.adapter, err = newStage(dev, o.Adapter, g, []*netdef.Node{mu, std}); err != nil {
			return s, err
		}
	}

	g := netdef.NewGraph()
	x, r, t := g.Input("x", patches), g.Input("r", netdef.Scalar), g.Input("t", netdef.Scalar)
	label := g.Input("label", netdef.Shape{1, 1, 1, flow.Labels()})
	var u *netdef.Node
	if o.Class >= 0 && o.Guidance != 1 {
		u = flow.Guided(g, x, r, t, label, o.Guidance)
	} else {
		u = flow.Velocity(g, x, r, t, label)
	}
	next := g.Add(x, g.Mul(u, g.Sub(r, t))) // r < t
	if s.flow, err = newStage(dev, o.Flow, g, []*netdef.Node{next}, "r", "t", "label"); err != nil {
		return s, err
	}
	hot := make([]float32, flow.Labels())
	if o.Class >= 0 {
		hot[o.Class] = 1
	} else {
		hot[flow.Classes] = 1
	}
	if err = s.flow.program.SetInput("label", hot); err != nil {
		return s, err
	}

	g = netdef.NewGraph()
	z := nets.LatentSites(g, g.Scale(g.Input("z", patches), 1/nets.LatentScale), flow.Patch)
	picture := g.Clamp(nets.ColourPlanes(g, vae.Decode(g, z)), -1, 1)
	s.decoder, err = newStage(dev, o.Decoder, g, []*netdef.Node{picture})
	return s, err
}

// Close frees the networks.
func (s *Sampler) Close() {
	s.flow.close()
	s.decoder.close()
	s.adapter.close()
}

// Noise returns the standard normal numbers that Sample makes of a seed, for pictures with n
// numbers of latents.
func Noise(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0x7a))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// Observation is what the adapter is given.
type Observation struct {
	// Picture has the sides of the Sampler's pictures. Missing pixels are 0.
	Picture *planar.Image
	// Problem is the number of the inverse problem: the task's class in package restore/task, if
	// the adapter was trained as the paper says.
	Problem int
}

// Sample draws a picture of the prior, or of the posterior of an observation (nil: the prior). Its
// values are in [-1,1]. It ends with ctx's error between two runs of networks if ctx is done.
func (s *Sampler) Sample(ctx context.Context, seed uint64, y *Observation) (*planar.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := Noise(seed, s.latents)
	if y != nil {
		mu, std, err := s.posterior(y)
		if err != nil {
			return nil, err
		}
		for i := range x {
			x[i] = mu[i] + std[i]*x[i]
		}
	}
	p := s.flow.program
	for k := range s.o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := func(k int) []float32 { return []float32{1 - float32(k)/float32(s.o.Steps)} }
		if err := errors.Join(p.SetInput("x", x), p.SetInput("t", at(k)), p.SetInput("r", at(k+1))); err != nil {
			return nil, err
		}
		if err := p.Run(); err != nil {
			return nil, err
		}
		var err error
		if x, err = p.Output(0); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := s.decoder.program
	if err := d.SetInput("z", x); err != nil {
		return nil, err
	}
	if err := d.Run(); err != nil {
		return nil, err
	}
	pix, err := d.Output(0)
	if err != nil {
		return nil, err
	}
	return &planar.Image{W: s.o.Width, H: s.o.Height, Pix: pix}, nil
}

// posterior returns the adapter's mean and standard deviation of the latent.
func (s *Sampler) posterior(y *Observation) (mu, std []float32, err error) {
	switch {
	case s.adapter == nil:
		return nil, nil, errors.New("an observation needs a noise adapter")
	case y.Picture.W != s.o.Width || y.Picture.H != s.o.Height || y.Picture.Check() != nil:
		return nil, nil, fmt.Errorf("the observation is %d×%d, must be %d×%d", y.Picture.W, y.Picture.H, s.o.Width, s.o.Height)
	case y.Problem < 0 || y.Problem >= s.problems:
		return nil, nil, fmt.Errorf("inverse problem %d: the adapter knows 0 to %d", y.Problem, s.problems-1)
	}
	p := s.adapter.program
	hot := make([]float32, (s.problems+7)/8*8)
	hot[y.Problem] = 1
	if err := errors.Join(p.SetInput("y", y.Picture.Pix), p.SetInput("problem", hot)); err != nil {
		return nil, nil, err
	}
	if err := p.Run(); err != nil {
		return nil, nil, err
	}
	if mu, err = p.Output(0); err == nil {
		std, err = p.Output(1)
	}
	return mu, std, err
}

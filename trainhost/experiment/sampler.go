package experiment

import (
	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/weights"
)

// sampler draws points with trained networks in K equal steps.
type sampler struct {
	c         CheckerConfig
	store     *compile.Store
	posterior *compile.Program // with the input y
	prior     *compile.Program
}

// samplerBatch is the number of points of one run of a sampler's programs.
const samplerBatch = 1000

func newSampler(dev *gpu.Device, c CheckerConfig, params parameters, k int) (*sampler, error) {
	build := func(conditional bool) (*netdef.Graph, []*netdef.Node) {
		g := netdef.NewGraph()
		points := netdef.Shape{1, 1, samplerBatch, 8}
		z := c.Flow.Coordinates(g, g.Normal(points, g.Input("key", netdef.KeyShape), 1))
		if conditional {
			mu, logstd := nets.MLPAdapter(g, c.Adapter, g.Input("y", points))
			z = g.Add(mu, g.Mul(g.Exp(logstd), z))
		}
		x := z
		for i := range k {
			x = between(g, c, x, 1-float64(i)/float64(k), 1-float64(i+1)/float64(k))
		}
		return g, []*netdef.Node{x, z}
	}
	s := &sampler{c: c}
	g, out := build(true)
	g2, out2 := build(false)
	var err error
	if s.store, err = compile.NewStore(dev, netdef.Reachable(out...), false, 1); err != nil {
		return nil, err
	}
	if err = s.set(params); err == nil {
		if s.posterior, err = compile.Compile(dev, s.store, g, out, compile.Options{}); err == nil {
			s.prior, err = compile.Compile(dev, s.store, g2, out2, compile.Options{})
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// set sets the networks' parameters, and ignores others.
func (s *sampler) set(params parameters) error { return s.store.Set(params.among(s.store.Names())) }

// tensors returns the networks' parameters with their shapes, in the order of the store.
func (s *sampler) tensors(params parameters) (list []weights.Tensor) {
	for _, name := range s.store.Names() {
		shape := s.store.Shape(name)
		list = append(list, weights.Tensor{Name: name, Shape: shape[:], DType: weights.F32, Data: params[name]})
	}
	return list
}

func (s *sampler) close() {
	for _, p := range []*compile.Program{s.posterior, s.prior} {
		if p != nil {
			p.Close()
		}
	}
	s.store.Close()
}

// cloud is a set of points, and the latents that they were made of.
type cloud struct{ x, z [][]float64 }

// run draws n points with a program. ys are the observations for s.posterior, else nil.
func (s *sampler) run(p *compile.Program, ys []float64, n int, stream uint64) (out cloud, err error) {
	for i := 0; len(out.x) < n; i++ {
		if err := p.SetInput("key", netdef.Key{Seed: s.c.Seed<<16 | stream, Sample: uint32(i)}.Float32()); err != nil {
			return out, err
		}
		if ys != nil {
			y := make([]float32, 8*samplerBatch)
			for j := range min(samplerBatch, n-len(out.x)) {
				y[8*j] = float32(ys[len(out.x)+j])
			}
			if err := p.SetInput("y", y); err != nil {
				return out, err
			}
		}
		if err := p.Run(); err != nil {
			return out, err
		}
		for k, to := range []*[][]float64{&out.x, &out.z} {
			v, err := p.Output(k)
			if err != nil {
				return out, err
			}
			for j := 0; j < samplerBatch && len(*to) < n; j++ {
				*to = append(*to, []float64{float64(v[8*j]), float64(v[8*j+1])})
			}
		}
	}
	return out, nil
}

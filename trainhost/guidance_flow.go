package trainhost

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

// backboneFlow is the velocity of a flow map at r = t on the device, for pictures of three planes.
// It implements guidance.Flow.
type backboneFlow struct {
	deviceNet
	ctx      context.Context // ends a run of many steps
	velocity *compile.Program
	pullback *compile.Program
}

// deviceNet holds the parameters of a network, and says in what batches its programs run.
type deviceNet struct {
	store       *compile.Store
	batch, size int // pictures of one run, values of a picture
}

// newDeviceNet makes the store for the nodes with a checkpoint's averaged weights.
func newDeviceNet(dev *gpu.Device, ck *Checkpoint, batch, side int, nodes ...*netdef.Node) (n deviceNet, err error) {
	n.batch, n.size = batch, 3*side*side
	if n.store, err = compile.EmptyStore(dev, netdef.Reachable(nodes...), false); err != nil {
		return n, err
	}
	values := map[string][]float32{}
	for _, name := range n.store.Names() {
		if values[name] = ck.Averaged()[name]; values[name] == nil {
			n.store.Close()
			return n, fmt.Errorf("the checkpoint has no parameter %q", name)
		}
	}
	if err := n.store.Set(values); err != nil {
		n.store.Close()
		return n, err
	}
	return n, nil
}

// newBackboneFlow compiles the velocity and its pullback for pictures of side pixels, batch of them
// in a run.
func newBackboneFlow(ctx context.Context, dev *gpu.Device, ck *Checkpoint, batch, side int) (*backboneFlow, error) {
	build := func() (g *netdef.Graph, x, v *netdef.Node) {
		g = netdef.NewGraph()
		x = g.Input("x", netdef.Shape{batch, 3, side, side})
		return g, x, pixelVelocity(g, ck.State.Network, x, g.Input("t", netdef.Scalar))
	}
	g, _, v := build()
	if err := g.Err(); err != nil {
		return nil, err
	}
	f := &backboneFlow{ctx: ctx}
	var err error
	if f.deviceNet, err = newDeviceNet(dev, ck, batch, side, v); err != nil {
		return nil, err
	}
	if f.velocity, err = compile.Compile(dev, f.store, g, []*netdef.Node{v}, compile.Options{}); err == nil {
		var x *netdef.Node
		g, x, v = build()
		var back []*netdef.Node
		w := g.Input("w", v.Shape)
		if back, err = g.Gradient(g.Sum(g.Mul(v, w), netdef.AxAll), []*netdef.Node{x}); err == nil {
			f.pullback, err = compile.Compile(dev, f.store, g, back, compile.Options{})
		}
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// pixelVelocity is the velocity in pixels at x_t = (1−t)·x₀ + t·x₁ [B,3,P,P]. The networks work in
// flow space, X = H·x − m with the orthogonal Haar transform H and the channels' means m. There the
// path is X_t = H·x_t − (1−t)·m with noise H·x₁, so the velocity V there is H·v + m.
func pixelVelocity(g *netdef.Graph, cfg nets.EdgeConfig, x, t *netdef.Node) *netdef.Node {
	mean := g.Const("channel means", netdef.Shape{1, 1, 1, nets.FlowChannels}, cfg.Mean[:])
	left := g.Offset(g.Neg(t), 1)
	inside := g.Sub(nets.Haar(g, g.Patchify(x)), g.Mul(mean, left))
	v := nets.FlowMap(g, cfg, inside, t, t)
	return g.Unpatchify(nets.Unhaar(g, g.Sub(v, mean)))
}

func (f *backboneFlow) close() {
	for _, p := range []*compile.Program{f.velocity, f.pullback} {
		if p != nil {
			p.Close()
		}
	}
	f.store.Close()
}

// Velocity implements guidance.Flow.
func (f *backboneFlow) Velocity(x []float64, t float64) ([]float64, error) {
	return f.run(f.ctx, f.velocity, t, map[string][]float64{"x": x})
}

// Pullback implements guidance.Flow.
func (f *backboneFlow) Pullback(x []float64, t float64, w []float64) ([]float64, error) {
	return f.run(f.ctx, f.pullback, t, map[string][]float64{"x": x, "w": w})
}

// run runs a program on as many pictures as there are, batch by batch. The last batch is filled up
// with zeros.
func (n deviceNet) run(ctx context.Context, p *compile.Program, t float64, in map[string][]float64) ([]float64, error) {
	total := len(in["x"])
	out := make([]float64, 0, total)
	step := n.batch * n.size
	if err := p.SetInput("t", []float32{float32(t)}); err != nil {
		return nil, err
	}
	for at := 0; at < total; at += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for name, all := range in {
			v := make([]float32, step)
			for i, x := range all[at:min(at+step, total)] {
				v[i] = float32(x)
			}
			if err := p.SetInput(name, v); err != nil {
				return nil, err
			}
		}
		if err := p.Run(); err != nil {
			return nil, err
		}
		v, err := p.Output(0)
		if err != nil {
			return nil, err
		}
		for _, x := range v[:min(step, total-at)] {
			out = append(out, float64(x))
		}
	}
	return out, nil
}

package trainhost

import (
	"context"
	"errors"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/task"
)

// oneStepNet draws samples with an adapter and one step of its flow map (Algorithm 1, K = 1).
type oneStepNet struct {
	deviceNet
	side    int
	program *compile.Program
}

// errGuess reports a network that needs more than an observation.
var errGuess = errors.New("the network takes a guess for motion blur or the shape of the noise: guidance compares networks without")

func newOneStepNet(dev *gpu.Device, ck *Checkpoint, batch, side int) (*oneStepNet, error) {
	cfg := ck.State.Network
	if cfg.Guess || cfg.Noise {
		return nil, errGuess
	}
	g := netdef.NewGraph()
	one := netdef.Shape{batch, 1, 1, 1}
	in := nets.AdapterInput{
		Y:     nets.ToFlow(g, cfg, g.Patchify(g.Input("view", netdef.Shape{batch, 3, side, side}))),
		Mask:  g.Patchify(g.Input("known", netdef.Shape{batch, 1, side, side})),
		Task:  g.Input("task", netdef.Shape{batch, 1, 1, nets.Tasks}),
		Sigma: g.Input("sigma", one),
	}
	mu, logvar := nets.Adapter(g, cfg, in)
	noise := g.Normal(mu.Shape, g.Input("key", netdef.KeyShape), 1)
	z := g.Add(mu, g.Mul(g.Exp(g.Scale(logvar, 0.5)), noise))
	x := g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, z)))
	if err := g.Err(); err != nil {
		return nil, err
	}
	n := &oneStepNet{side: side}
	var err error
	if n.deviceNet, err = newDeviceNet(dev, ck, batch, side, x); err != nil {
		return nil, err
	}
	if n.program, err = compile.Compile(dev, n.store, g, []*netdef.Node{x}, compile.Options{}); err != nil {
		n.store.Close()
		return nil, err
	}
	return n, nil
}

func (n *oneStepNet) close() {
	n.program.Close()
	n.store.Close()
}

// sample draws o.times samples for every case, in the order of the batch.
func (n *oneStepNet) sample(ctx context.Context, o caseOperator, t task.Task, sigma float64, seed uint64) ([]float64, error) {
	total := len(o.cases) * o.times
	out := make([]float64, 0, total*n.size)
	plane := n.side * n.side
	for at := 0; at < total; at += n.batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in := map[string][]float32{
			"view": make([]float32, n.batch*n.size), "known": make([]float32, n.batch*plane),
			"task": make([]float32, n.batch*nets.Tasks), "sigma": make([]float32, n.batch),
			"key": netdef.Key{Seed: seed, Sample: uint32(at)}.Float32(),
		}
		for i := range n.batch {
			c := o.cases[min(at+i, total-1)/o.times]
			copy(in["view"][i*n.size:], c.view.Pix)
			copy(in["known"][i*plane:], c.known)
			in["task"][i*nets.Tasks+t.Class()], in["sigma"][i] = 1, float32(sigma)
		}
		for name, v := range in {
			if err := n.program.SetInput(name, v); err != nil {
				return nil, err
			}
		}
		if err := n.program.Run(); err != nil {
			return nil, err
		}
		v, err := n.program.Output(0)
		if err != nil {
			return nil, err
		}
		for _, x := range v[:min(n.batch, total-at)*n.size] {
			out = append(out, float64(x))
		}
	}
	return out, nil
}

package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// graphBuilder builds the programs' graphs for one size.
type graphBuilder struct {
	cfg  nets.Architecture
	w, h int
}

func (k graphBuilder) build(g *netdef.Graph, program programKind) ([]*netdef.Node, error) {
	var outs []*netdef.Node
	secondView := program&secondViewFlag != 0
	switch program &^ secondViewFlag {
	case programWhole:
		outs = k.whole(g, secondView)
	case programPicture:
		all := k.whole(g, secondView)
		// mu is an output, so that it is float32 here as it is between the programs for tiles.
		outs = []*netdef.Node{all[outMu], all[outPicture]}
	case programAdapter:
		mu, logvar := k.adapter(g, secondView)
		outs = []*netdef.Node{mu, logvar}
	case programMu, programMuToBand:
		mu, _ := k.adapter(g, secondView)
		outs = []*netdef.Node{mu}
	case programDraw:
		outs = []*netdef.Node{k.draw(g, false)}
	case programDrawScales:
		outs = []*netdef.Node{k.draw(g, true)}
	case programFlow, programFlowFromBand:
		outs = []*netdef.Node{k.picture(g, nets.OneStep(g, k.cfg, k.sites(g, "z")))}
	case programStep:
		outs = k.step(g)
	default:
		return nil, fmt.Errorf("restore: no program %q", program)
	}
	return outs, g.Err()
}

func (k graphBuilder) shape() netdef.Shape {
	return netdef.Shape{1, k.h / 4, k.w / 4, nets.FlowChannels}
}

func (k graphBuilder) sites(g *netdef.Graph, name string) *netdef.Node {
	return g.Input(name, k.shape())
}

// picture brings flow space back to planes.
func (k graphBuilder) picture(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	return g.Unpatchify(nets.FromFlow(g, k.cfg, x))
}

// flow brings planes to flow space.
func (k graphBuilder) flow(g *netdef.Graph, name string) *netdef.Node {
	return nets.ToFlow(g, k.cfg, g.Patchify(g.Input(name, netdef.Shape{1, 3, k.h, k.w})))
}

func (k graphBuilder) adapter(g *netdef.Graph, secondView bool) (mu, logvar *netdef.Node) {
	view := k.flow(g, "view")
	known := g.Input("known", netdef.Shape{1, 1, k.h, k.w})
	in := nets.AdapterInput{
		Y: view, Mask: g.Patchify(known),
		Task: g.Input("task", netdef.Shape{1, 1, 1, nets.Tasks}), Sigma: g.Input("sigma", netdef.Scalar),
	}
	if k.cfg.Traits().Noise {
		in.Noise = g.Input("noise", netdef.Shape{1, 1, 1, nets.NoiseNumbers})
	}
	if secondView {
		in.Guess = k.flow(g, "guess")
	}
	return nets.Adapter(g, k.cfg, in)
}

func (k graphBuilder) whole(g *netdef.Graph, secondView bool) []*netdef.Node {
	mu, logvar := k.adapter(g, secondView)
	return []*netdef.Node{mu, logvar, k.picture(g, nets.OneStep(g, k.cfg, mu))}
}

func (k graphBuilder) draw(g *netdef.Graph, inScales bool) *netdef.Node {
	mu, logvar := k.sites(g, "mu"), k.sites(g, "logvar")
	spread := g.Mul(g.Exp(g.Scale(logvar, 0.5)), g.Input("temperature", netdef.Scalar))
	noise := g.Normal(k.shape(), g.Input("key", netdef.KeyShape), 0)
	if inScales {
		white := g.Input("white", netdef.Shape{1, 1, 1, nets.FlowChannels})
		noise = g.Add(g.Mul(noise, white), k.sites(g, "coarse"))
	}
	return g.Add(mu, g.Mul(spread, noise))
}

func (k graphBuilder) step(g *netdef.Graph) []*netdef.Node {
	x, r, t := k.sites(g, "x"), g.Input("r", netdef.Scalar), g.Input("t", netdef.Scalar)
	next := g.Sub(x, g.Mul(nets.FlowMap(g, k.cfg, x, r, t), g.Sub(t, r)))
	return []*netdef.Node{next, k.picture(g, next)}
}

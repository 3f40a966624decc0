package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// kind is one of the device programs. All work on w×h pixels, in flow space on sites [1, h/4, w/4, 48].
type programKind uint8

const (
	// view [1,3,h,w], known [1,1,h,w], task, sigma (and noise, if the network is told its shape) → mu, logvar, and the picture f(mu) [1,3,h,w] in one step
	programWhole programKind = iota + 1
	// the same → mu, and the picture
	programPicture
	// view, known, task, sigma → mu, logvar
	programAdapter
	// view, known, task, sigma → mu
	programMu
	// kindMu whose mu stays on the device
	programMuToBand
	// kindOne whose z comes from there
	programFlowFromBand
	// mu, logvar, key, temperature → z = mu + temperature·exp(logvar/2)·ε
	programDraw
	// the same, and white, coarse → z = mu + temperature·exp(logvar/2)·(white·ε + coarse)
	programDrawScales
	// z → the picture f(z) in one step
	programFlow
	// x, r, t → x − (t−r)·u(x, r, t), in flow space and as a picture
	programStep
	// One of package motionblur's.
	programMotionBlur

	// guessing is added to one of the adapter's kinds that has one more input: guess [1,3,h,w].
	secondViewFlag programKind = 1 << 7
)

var programNames = [...]string{
	programWhole: "whole", programPicture: "picture", programAdapter: "adapter", programMu: "mu", programMuToBand: "mu, held", programFlowFromBand: "one, held", programDraw: "draw",
	programDrawScales: "draw in scales", programFlow: "one", programStep: "step", programMotionBlur: "motion blur",
}

// String returns the kind's name, for messages.
func (k programKind) String() string {
	name := programNames[k&^secondViewFlag]
	if k&secondViewFlag != 0 {
		name += " with guess"
	}
	return name
}

// with returns the kind, one of the adapter's, that also reads a guess if there is one.
func (k programKind) withSecondView(guess bool) programKind {
	if guess {
		return k | secondViewFlag
	}
	return k
}

// held says what of a kind's inputs and outputs stays on the device.
func (k programKind) onDevice() (inputs []string, outputs []int) {
	switch k &^ secondViewFlag {
	case programMuToBand:
		return nil, []int{outMu}
	case programFlowFromBand:
		return []string{"z"}, nil
	}
	return nil, nil
}

// Outputs of kindWhole, kindAdapter, kindMu (the first of them) and kindStep.
const (
	outMu, outLogVar, outPicture = 0, 1, 2
	outOnlyPicture               = 1 // of kindPicture
	outStep, outStepPicture      = 0, 1
)

// kinds builds the programs' graphs for one size.
type graphBuilder struct {
	cfg  nets.Architecture
	w, h int
}

func (k graphBuilder) build(g *netdef.Graph, what programKind) ([]*netdef.Node, error) {
	var outs []*netdef.Node
	guess := what&secondViewFlag != 0
	switch what &^ secondViewFlag {
	case programWhole:
		outs = k.whole(g, guess)
	case programPicture:
		all := k.whole(g, guess)
		outs = []*netdef.Node{all[outMu], all[outPicture]} // mu too: between programs for tiles it is float32, so here as well
	case programAdapter:
		mu, logvar := k.adapter(g, guess)
		outs = []*netdef.Node{mu, logvar}
	case programMu, programMuToBand:
		mu, _ := k.adapter(g, guess)
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
		return nil, fmt.Errorf("restore: no program %q", what)
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

func (k graphBuilder) adapter(g *netdef.Graph, guessed bool) (mu, logvar *netdef.Node) {
	view := k.flow(g, "view")
	known := g.Input("known", netdef.Shape{1, 1, k.h, k.w})
	what := g.Input("task", netdef.Shape{1, 1, 1, nets.Tasks})
	in := nets.AdapterInput{Y: view, Mask: g.Patchify(known), Task: what, Sigma: g.Input("sigma", netdef.Scalar)}
	if k.cfg.Traits().Noise {
		in.Noise = g.Input("noise", netdef.Shape{1, 1, 1, nets.NoiseNumbers})
	}
	if guessed {
		in.Guess = k.flow(g, "guess")
	}
	return nets.Adapter(g, k.cfg, in)
}

func (k graphBuilder) whole(g *netdef.Graph, guessed bool) []*netdef.Node {
	mu, logvar := k.adapter(g, guessed)
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

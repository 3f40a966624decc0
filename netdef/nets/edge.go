package nets

import "github.com/vfmrestore/restore/netdef"

// adapter implements Architecture.
func (c EdgeConfig) adapter(g *netdef.Graph, in AdapterInput) (mu, logvar *netdef.Node) {
	o := observe(g, c.SD, in)
	nDown, nUp := c.filmCounts()
	f := newFilm(g, "emb", c.Emb, conditions{o.level, in.Task, in.Noise}, nDown+nUp)
	more := o.second(g)
	features := unet(g, c, []*netdef.Node{o.normal, in.Mask}, more, f, f)
	// Before training the network's output is 0.
	net := func(half int) *netdef.Node {
		return linearTo(g, "out", features, 2*FlowChannels, netdef.Zeros, half*FlowChannels, (half+1)*FlowChannels)
	}
	mean := addFine(g, c, net(0), features, o.normal, f)
	return o.posterior(g, mean, more, func() *netdef.Node { return net(1) })
}

// flowMap implements Architecture.
func (c EdgeConfig) flowMap(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node {
	return meanFlow(g, c.SD, x, r, t, c.flowNet(g))
}

// oneStep implements Architecture.
func (c EdgeConfig) oneStep(g *netdef.Graph, z *netdef.Node) *netdef.Node {
	return oneStep(g, c.SD, z, c.flowNet(g))
}

// flowNet builds the network of the flow map. The blocks on the way down and in the middle are
// conditioned on t, the blocks on the way up on r.
func (c EdgeConfig) flowNet(g *netdef.Graph) func(x, r, t *netdef.Node) *netdef.Node {
	return func(x, r, t *netdef.Node) *netdef.Node {
		nDown, nUp := c.filmCounts()
		encode := newFilm(g, "emb-t", c.Emb, conditions{s: t}, nDown)
		decode := newFilm(g, "emb-r", c.Emb, conditions{s: r}, nUp)
		features := unet(g, c, []*netdef.Node{x}, nil, encode, decode)
		return addFine(g, c, linear(g, "out", features, FlowChannels, netdef.Zeros), features, x, decode)
	}
}

package nets

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// MLPConfig is a perceptron of Layers SiLU layers with Width channels: the paper's networks for
// points in the plane (B.1.1).
type MLPConfig struct {
	Layers, Width int
	// Dim is the dimension of the points, 1 to 6. They have 8 channels, of which the others are 0.
	Dim int
}

// Channels of points [1,1,B,8]. Channels 6 and 7 pass the times t and r to the velocity network.
const (
	mlpChannels  = 8
	mlpT, mlpR   = 6, 7
	mlpMinLogStd = -6
	mlpMaxLogStd = 3
)

// channelMask is 1 in the channels from ≤ i < to and 0 elsewhere.
func channelMask(g *netdef.Graph, from, to int) *netdef.Node {
	v := make([]float32, mlpChannels)
	for i := from; i < to; i++ {
		v[i] = 1
	}
	return g.Const(fmt.Sprint("channels ", from, to), netdef.Shape{1, 1, 1, mlpChannels}, v)
}

// Coordinates keeps the first Dim channels and sets the others to 0.
func (c MLPConfig) Coordinates(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	return g.Mul(x, channelMask(g, 0, c.Dim))
}

func (c MLPConfig) hidden(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	for i := range c.Layers {
		x = g.SiLU(linear(g, fmt.Sprint("layer", i), x, c.Width, netdef.HeNormal{Gain: 1}))
	}
	return x
}

// MLPFlowMap returns the average velocity u(x, r, t), [1,1,B,8], for points x [1,1,B,8] and times r
// and t [1,1,B,1]. Parameters are named "flow/...".
func MLPFlowMap(g *netdef.Graph, c MLPConfig, x, r, t *netdef.Node) *netdef.Node {
	defer g.Scope("flow")()
	in := g.Add(x, g.Mul(channelMask(g, mlpT, mlpT+1), t))
	in = g.Add(in, g.Mul(channelMask(g, mlpR, mlpR+1), r))
	return c.Coordinates(g, linear(g, "out", c.hidden(g, in), mlpChannels, netdef.HeNormal{Gain: 1}))
}

// MLPAdapter returns q(z|y) for observations y [1,1,B,8]: the mean and the logarithm of the
// standard deviation (clamped to [-6, 3]) of every coordinate, [1,1,B,8] each. Parameters are named
// "adapter/...".
func MLPAdapter(g *netdef.Graph, c MLPConfig, y *netdef.Node) (mu, logstd *netdef.Node) {
	defer g.Scope("adapter")()
	h := c.hidden(g, y)
	mu = c.Coordinates(g, linear(g, "mu", h, mlpChannels, netdef.HeNormal{Gain: 1}))
	logstd = g.Clamp(linear(g, "logstd", h, mlpChannels, netdef.Zeros), mlpMinLogStd, mlpMaxLogStd)
	return mu, logstd
}

// encoderShare is the share of MLPDecoupled's layers that are the encoder. In DMFT-B/2 it is 8 of
// 12 blocks.
const encoderShare = 2.0 / 3

// MLPDecoupled is the average velocity of Decoupled MeanFlow, u(x, r, t) = decoder(encoder(x, t),
// r). The encoder, the first two thirds of the layers but at least one, sees only t. The other
// layers and the output see only r. So a network of instantaneous velocities (r = t) becomes one of
// average velocities without other layers. Shapes are as in MLPFlowMap. Parameters are named
// "flow/...".
func MLPDecoupled(g *netdef.Graph, c MLPConfig, x, r, t *netdef.Node) *netdef.Node {
	defer g.Scope("flow")()
	time := func(at int, s *netdef.Node) *netdef.Node { return g.Mul(channelMask(g, at, at+1), s) }
	encoder := max(1, int(math.Round(encoderShare*float64(c.Layers))))
	h := g.Add(x, time(mlpT, t))
	next := time(mlpR, r)
	for i := range c.Layers {
		name := fmt.Sprint("layer", i)
		if i < encoder {
			h = g.SiLU(linear(g, name, h, c.Width, netdef.HeNormal{Gain: 1}))
		} else {
			h = g.SiLU(linearOf(g, name, []*netdef.Node{h, next}, c.Width, netdef.HeNormal{Gain: 1}))
		}
	}
	return c.Coordinates(g, linearOf(g, "out", []*netdef.Node{h, next}, mlpChannels, netdef.HeNormal{Gain: 1}))
}

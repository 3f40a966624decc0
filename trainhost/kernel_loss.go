package trainhost

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// Inputs of KernelLoss.
const (
	inViews    = "views"    // [B,64,64,8]: motionblur.Estimator.Views
	inTruth    = "kernel"   // [B,1,64,64]: the kernel, displacements −32..31
	inVariance = "variance" // [B,1,1,1]: of the noise
)

const (
	kernelSide  = nets.KernelSide
	kernelMap   = kernelSide * kernelSide
	kernelViews = nets.KernelViews
	// Frequencies of the loss, of equal and of opposite sign: multiples of 1/lossGrid cycles per pixel. Beyond, photographs are below the noise.
	lossBand, lossGrid = 48, 128
	lawStep            = 256 / lossGrid // as motionblur.PriorPower counts them
	// lawShare of the law's power belongs to E|K|² in training, so that the loss is finite whatever the maps are. Package motionblur uses more (NetworkPriorWeight).
	lawShare = 0.02
)

// KernelLoss is what the kernel network is trained for: the mean over a batch of log R, where R is the error that the linear estimate leaves of
// a picture with the mean spectrum S of photographs. With G = E[K]·S/(E|K|²·S + σ²) and the true transform K, summed over frequencies,
//
//	R = Σ S·|1 − G·K|² + |G|²·σ²
//
// It is least for the posterior's own moments, so that the network learns these, where they matter.
func KernelLoss(g *netdef.Graph, batch int) *netdef.Node {
	views := g.Input(inViews, netdef.Shape{batch, kernelSide, kernelSide, kernelViews})
	truth := g.Input(inTruth, netdef.Shape{batch, 1, kernelSide, kernelSide})
	variance := g.Input(inVariance, netdef.Shape{batch, 1, 1, 1})
	return kernelRisk(g, motionblur.KernelMaps(g, views), truth, variance)
}

// kernelRisk is KernelLoss of maps [B,64,64,8].
func kernelRisk(g *netdef.Graph, maps, truth, variance *netdef.Node) *netdef.Node {
	batch := maps.Shape[0]
	first := make([]float32, nets.KernelParts*lossBand*lossBand) // 1 in the first plane
	for i := range first[:lossBand*lossBand] {
		first[i] = 1
	}
	only := g.Const("first", netdef.Shape{1, nets.KernelParts, lossBand, lossBand}, first)
	// [B,64,64,8] as 8 planes.
	planes := g.Reshape(g.Transpose(g.Reshape(maps, netdef.Shape{batch, 1, kernelMap, nets.KernelParts})), netdef.Shape{batch, nets.KernelParts, kernelSide, kernelSide})
	m, k := waves(g, planes), waves(g, truth)
	var sum *netdef.Node
	for sign := range m {
		// A frequency and its negative are one: those on the axes are taken with the equal signs.
		spectrum := plane(g, "spectrum", func(x, y int) float64 {
			if x == 0 && y == 0 || sign == 1 && (x == 0 || y == 0) {
				return 0
			}
			return motionblur.Spectrum(float64(x)/lossGrid, float64(y)/lossGrid)
		})
		law := plane(g, "law", func(x, y int) float64 {
			return lawShare * motionblur.PriorPower(x*lawStep, y*(1-2*sign)*lawStep)
		})
		mean := over(g, g.Mul(m[sign].re, only)) // half-turns are as likely: what is even
		second := g.Add(over(g, m[sign].power(g)), law)
		gain := g.Div(g.Mul(mean, spectrum), g.Add(g.Mul(second, spectrum), variance))
		left := g.Offset(g.Add(g.Scale(g.Mul(gain, k[sign].re), -2), g.Mul(g.Square(gain), k[sign].power(g))), 1)
		r := g.Sum(g.Add(g.Mul(spectrum, left), g.Mul(g.Square(gain), variance)), netdef.AxHWC)
		if sum == nil {
			sum = r
		} else {
			sum = g.Add(sum, r)
		}
	}
	return g.Mean(g.Log(sum), netdef.AxAll)
}

// complexNode is a transform.
type complexNode struct{ re, im *netdef.Node }

func (c complexNode) power(g *netdef.Graph) *netdef.Node {
	return g.Add(g.Square(c.re), g.Square(c.im))
}

// waves transforms maps of displacements [B,N,64,64] at frequencies of equal and of opposite sign, [B,N,48,48] each, in rows of those along x.
func waves(g *netdef.Graph, maps *netdef.Node) [2]complexNode {
	matrix := func(name string, f func(float64) float64) *netdef.Node {
		v := make([]float32, kernelSide*lossBand)
		for i := range v {
			v[i] = float32(f(2 * math.Pi * float64((i/lossBand-kernelSide/2)*(i%lossBand)) / lossGrid))
		}
		return g.Const(name, netdef.Shape{1, 1, kernelSide, lossBand}, v)
	}
	cos, sin := matrix("cos", math.Cos), matrix("sin", math.Sin)
	c, s := g.Transpose(g.MatMul(maps, cos)), g.Transpose(g.MatMul(maps, sin))
	cc, cs, sc, ss := g.MatMul(c, cos), g.MatMul(c, sin), g.MatMul(s, cos), g.MatMul(s, sin)
	return [2]complexNode{{g.Sub(cc, ss), g.Add(cs, sc)}, {g.Add(cc, ss), g.Sub(cs, sc)}} // but for the sign of imaginary parts
}

// plane is a constant over the frequencies.
func plane(g *netdef.Graph, name string, f func(x, y int) float64) *netdef.Node {
	v := make([]float32, lossBand*lossBand)
	for i := range v {
		v[i] = float32(f(i/lossBand, i%lossBand))
	}
	return g.Const(name, netdef.Shape{1, 1, lossBand, lossBand}, v)
}

// over sums [B,8,48,48] over the maps, to [B,1,48,48].
func over(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	s := x.Shape
	x = g.Sum(g.Reshape(x, netdef.Shape{s[0], 1, s[1], s[2] * s[3]}), netdef.AxHW)
	return g.Reshape(x, netdef.Shape{s[0], 1, s[2], s[3]})
}

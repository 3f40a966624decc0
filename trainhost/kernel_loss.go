package trainhost

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// Inputs of kernelLoss.
const (
	inViews    = "views"    // [B,64,64,8]: motionblur.Estimator.Views
	inTruth    = "kernel"   // [B,1,64,64]: the kernel, displacements −32..31
	inVariance = "variance" // [B,1,1,1]: of the noise
)

const (
	kernelSide  = nets.KernelSide
	kernelMap   = kernelSide * kernelSide
	kernelViews = nets.KernelViews
	// The loss sums over the frequencies (i, ±j)/lossGrid cycles per pixel with i and j below
	// lossBand. At higher frequencies photographs are weaker than the noise.
	lossBand, lossGrid = 48, 128
	priorStep          = 256 / lossGrid // motionblur.PriorPower counts frequencies in 1/256
	// priorShare of the mean power of kernels is added to E|K|² in training, so that the loss is
	// finite for all outputs of the network. Package motionblur adds more (NetworkPriorWeight).
	priorShare = 0.02
)

// kernelLoss is the training loss of the kernel network: the mean over a batch of log R. R is the
// error of the linear estimate for a picture with the mean spectrum S of photographs. With
// G = E[K]·S/(E|K|²·S + σ²) and the true transform K, summed over frequencies,
//
//	R = Σ S·|1 − G·K|² + |G|²·σ²
//
// R is least for the posterior's own moments. So the network learns these, at the frequencies where
// they matter.
func kernelLoss(g *netdef.Graph, batch int) *netdef.Node {
	views := g.Input(inViews, netdef.Shape{batch, kernelSide, kernelSide, kernelViews})
	truth := g.Input(inTruth, netdef.Shape{batch, 1, kernelSide, kernelSide})
	variance := g.Input(inVariance, netdef.Shape{batch, 1, 1, 1})
	return kernelRisk(g, motionblur.KernelMaps(g, views), truth, variance)
}

// kernelRisk is kernelLoss for maps [B,64,64,8].
func kernelRisk(g *netdef.Graph, maps, truth, variance *netdef.Node) *netdef.Node {
	batch := maps.Shape[0]
	mask := make([]float32, nets.KernelParts*lossBand*lossBand) // 1 in the first plane
	for i := range mask[:lossBand*lossBand] {
		mask[i] = 1
	}
	first := g.Const("first", netdef.Shape{1, nets.KernelParts, lossBand, lossBand}, mask)
	// [B,64,64,8] as 8 planes.
	planes := g.Reshape(g.Transpose(g.Reshape(maps, netdef.Shape{batch, 1, kernelMap, nets.KernelParts})), netdef.Shape{batch, nets.KernelParts, kernelSide, kernelSide})
	m, k := fourier(g, planes), fourier(g, truth)
	var sum *netdef.Node
	for sign := range m {
		// A frequency and its negative count once: those on the axes belong to sign 0.
		spectrum := plane(g, "spectrum", func(x, y int) float64 {
			if x == 0 && y == 0 || sign == 1 && (x == 0 || y == 0) {
				return 0
			}
			return motionblur.Spectrum(float64(x)/lossGrid, float64(y)/lossGrid)
		})
		prior := plane(g, "law", func(x, y int) float64 {
			return priorShare * motionblur.PriorPower(x*priorStep, y*(1-2*sign)*priorStep)
		})
		mean := sumMaps(g, g.Mul(m[sign].re, first)) // a kernel and its half-turn are equally likely, so E[K] is even
		second := g.Add(sumMaps(g, m[sign].power(g)), prior)
		gain := g.Div(g.Mul(mean, spectrum), g.Add(g.Mul(second, spectrum), variance))
		misfit := g.Offset(g.Add(g.Scale(g.Mul(gain, k[sign].re), -2), g.Mul(g.Square(gain), k[sign].power(g))), 1)
		r := g.Sum(g.Add(g.Mul(spectrum, misfit), g.Mul(g.Square(gain), variance)), netdef.AxHWC)
		if sum == nil {
			sum = r
		} else {
			sum = g.Add(sum, r)
		}
	}
	return g.Mean(g.Log(sum), netdef.AxAll)
}

// complexNode is a complex value in the graph.
type complexNode struct{ re, im *netdef.Node }

func (c complexNode) power(g *netdef.Graph) *netdef.Node {
	return g.Add(g.Square(c.re), g.Square(c.im))
}

// fourier transforms maps of displacements [B,N,64,64]. It returns [B,N,48,48] for the frequencies
// (i, j), and for (i, −j). The first axis of frequencies is x.
func fourier(g *netdef.Graph, maps *netdef.Node) [2]complexNode {
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
	return [2]complexNode{{g.Sub(cc, ss), g.Add(cs, sc)}, {g.Add(cc, ss), g.Sub(cs, sc)}} // up to the sign of the imaginary parts
}

// plane is a constant over the frequencies.
func plane(g *netdef.Graph, name string, f func(x, y int) float64) *netdef.Node {
	v := make([]float32, lossBand*lossBand)
	for i := range v {
		v[i] = float32(f(i/lossBand, i%lossBand))
	}
	return g.Const(name, netdef.Shape{1, 1, lossBand, lossBand}, v)
}

// sumMaps sums [B,8,48,48] over the maps, to [B,1,48,48].
func sumMaps(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	s := x.Shape
	x = g.Sum(g.Reshape(x, netdef.Shape{s[0], 1, s[1], s[2] * s[3]}), netdef.AxHW)
	return g.Reshape(x, netdef.Shape{s[0], 1, s[2], s[3]})
}

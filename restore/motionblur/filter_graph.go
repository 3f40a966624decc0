package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// taper is the number of pixels over which the filter fades out.
const taper = 32

// Taper is the weight of a filter's value d pixels from the centre along an axis: 1, falling to 0
// over the last 32 pixels of its reach.
func Taper(d, reach int) float64 {
	if d < 0 {
		d = -d
	}
	if d <= reach-taper {
		return 1
	}
	return 0.5 + 0.5*math.Cos(math.Pi*float64(d-reach+taper)/(taper+1))
}

// parts is a filter or blur kernel as the part that is even in both coordinates and the one that is
// odd in both.
type parts struct{ even, odd *netdef.Node }

// transform transforms the even part with cosines and the odd part with sines: rows by a, columns
// by b. It transposes both.
func (p parts) transform(g *netdef.Graph, a, b waves) parts {
	return parts{transformed(g, a.cos, p.even, b.cos), transformed(g, a.sin, p.odd, b.sin)}
}

func (p Program) buildFilter(g *netdef.Graph) []*netdef.Node {
	h := filterParts(g)
	gains := h.transform(g, p.Height.filterWaves(g, "rows"), p.Width.filterWaves(g, "columns"))
	x := g.Input(inPlanes, netdef.Shape{3, 1, p.Height.side(), p.Width.side()})
	rows := matrix(g, "analysis of rows", p.Height.side(), p.Height.side(), p.Height.analysis)
	columns := matrix(g, "analysis of columns", p.Width.side(), p.Width.side(), p.Width.analysis)
	spectrum := transformed(g, rows, x, columns) // transposed, as the gains are
	filtered := parts{g.Mul(spectrum, gains.even), g.Mul(spectrum, gains.odd)}.transform(g, p.Width.synthesis(g, "columns"), p.Height.synthesis(g, "rows"))
	// The program does not return even − odd, because on software drivers that compute kernel would
	// take longer to build than it saves.
	return []*netdef.Node{filtered.even, filtered.odd}
}

// filterParts are the filters of brightness and of the two colour axes, [3,1,quarterSide,
// quarterSide]. As they are symmetric, a quarter of each is enough; its values are the sums over a
// place and its mirror images. They come transposed, and the next transform transposes them back.
func filterParts(g *netdef.Graph) parts {
	var moments [4]*netdef.Node
	for i, name := range inMoments {
		moments[i] = g.Input(name, netdef.Shape{1, 1, quarterSide, quarterSide})
	}

	// σ²/S, with frequencies along x as rows, as in the moments. 1/S is 0 at frequency 0, where
	// nothing is known.
	inverse := make([]float32, 3*quarterSide*quarterSide)
	for i := range inverse {
		inverse[i] = 1
		if x, y := i/quarterSide%quarterSide, i%quarterSide; y <= WindowSide/2 && x <= WindowSide/2 {
			inverse[i] = float32(1 / Spectrum(float64(x)/WindowSide, float64(y)/WindowSide))
		}
		if i >= quarterSide*quarterSide {
			inverse[i] /= ColourPower
		}
	}
	noiseToSignal := g.Mul(g.Const("inverse spectrum", netdef.Shape{3, 1, quarterSide, quarterSide}, inverse), g.Input(inVariance, netdef.Scalar))

	// The gains at frequencies of equal and of opposite sign, and their even and odd parts.
	gain := func(k, p *netdef.Node) *netdef.Node { return g.Div(k, g.Add(g.Max(p, g.Square(k)), noiseToSignal)) }
	equal, opposite := gain(moments[0], moments[2]), gain(moments[1], moments[3])
	even, odd := g.Scale(g.Add(equal, opposite), 0.5), g.Scale(g.Sub(equal, opposite), 0.5)

	// Back to pixels, tapered. A frequency stands for itself and its negative, except the lowest
	// and the highest; so does a distance, except 0.
	back := newWaves(g, "filter", quarterSide, quarterSide, windowAngle, func(k, d int) float64 {
		if d > FilterReach || k > WindowSide/2 {
			return 0
		}
		f := 4 * Taper(d, FilterReach) / WindowSide
		if d == 0 {
			f /= 2
		}
		if k == 0 || k == WindowSide/2 {
			f /= 2
		}
		return f
	})
	h := parts{even, odd}.transform(g, back, back)

	// Flat areas must stay as they are. What the sum of the filter lacks to 1 is therefore spread
	// over all of it, as a weighted mean of the pixels it reaches. Scaling the filter instead would
	// change every frequency by what was cut off at the lowest.
	mean, all := make([]float32, 3*quarterSide*quarterSide), 0.0
	for d := -FilterReach; d <= FilterReach; d++ {
		all += Taper(d, FilterReach)
	}
	for i := range mean {
		if x, y := i/quarterSide%quarterSide, i%quarterSide; max(x, y) <= FilterReach {
			w := Taper(x, FilterReach) * Taper(y, FilterReach) / square(all)
			for _, d := range [2]int{x, y} {
				if d > 0 {
					w *= 2
				}
			}
			mean[i] = float32(w)
		}
	}
	lacks := g.Offset(g.Neg(g.Sum(h.even, netdef.AxHWC)), 1)
	h.even = g.Add(h.even, g.Mul(g.Const("mean", netdef.Shape{3, 1, quarterSide, quarterSide}, mean), lacks))
	return h
}

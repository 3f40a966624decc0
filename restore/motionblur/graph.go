package motionblur

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// Kind is one of the programs that do an Estimator's work on a device.
type Kind string

const (
	// window [1,1,256,256] → the power at frequencies of equal sign and of opposite sign, [1,1,96,96] each, in cycles per 256 pixels
	Power Kind = "power spectrum"
	// signal of each of four shapes of spectra and 1 + observed [1,1,B,1], at B bins, as multiples of the noise → Σ log(|K|²·signal + 1 + observed) for every shape, then
	// Σ log(1 + |K|²·signal), [1,1,1,K] for K kernels
	Misfit Kind = "misfit of kernels"
	// views [1,64,64,8] → the kernel network's maps [1,64,64,8] (nets.KernelMaps), the first with what it is added to, and the moments E[K] and E|K|²
	// of them at frequencies of equal sign and of opposite sign, [1,1,144,144] each; its parameters are Network's
	Maps Kind = "maps of the kernel"
	// planes [3,1,h,w] (brightness and colour), the kernel's moments, variance → two parts whose difference is the filtered planes
	Filter Kind = "filter by kernel"
)

// Program names a program: its graph is a function of it.
type Program struct {
	Kind          Kind
	Width, Height axis // Filter only
}

const (
	// quarter is the side of all tensors that a filter is made with: of its quarter (128), and of the frequencies of equal signs that it is made at (129). One for all, as software drivers take long to build kernels.
	quarter = 144
	// powerSide is that of the frequencies which the bins are averaged from.
	powerSide = 96
	binStep   = 64 // the number of bins is rounded up to a multiple of it
)

// Names of inputs. Those in settings depend on the picture, not on the tile.
const (
	inWindow   = "window"
	inSignal   = "signal "
	inObserved = "observed"
	inVariance = "variance"
	inPlanes   = "planes"
	inViews    = "views"
)

// settings are the inputs that are the same for all parts of a picture (see compile.Options).
var settings = append([]string{inVariance}, inMoments[:]...)

// inMoments are E[K] and E|K|² at frequencies of equal and of opposite sign.
var inMoments = [4]string{"mean, equal signs", "mean, opposite signs", "power, equal signs", "power, opposite signs"}

// Build appends the program's nodes to a graph and gives its outputs.
func (p Program) Build(g *netdef.Graph) ([]*netdef.Node, error) {
	var outs []*netdef.Node
	switch p.Kind {
	case Power:
		outs = buildPower(g)
	case Misfit:
		outs = buildMisfit(g, shared())
	case Maps:
		outs = buildMaps(g)
	case Filter:
		outs = p.buildFilter(g)
	default:
		return nil, fmt.Errorf("shake: no program %q", p.Kind)
	}
	return outs, g.Err()
}

// Bytes bounds the memory that a program takes on a device.
func (p Program) Bytes() int64 {
	switch p.Kind {
	case Power:
		return 4 << 20
	case Maps:
		return 16 << 20
	case Misfit:
		l := shared()
		return 4 * int64(len(l.kernels)) * int64(len(l.bins)+binStep) * 3
	}
	w, h := int64(p.Width.side()), int64(p.Height.side())
	return 4 * (30*w*h + 8*(w*w+h*h) + 1<<20)
}

// turned is (a·x·b)ᵀ, from aᵀ and b: constants are right factors, which all planes share and every lowering is fastest with. Turned twice is as before.
func turned(g *netdef.Graph, aT, x, b *netdef.Node) *netdef.Node {
	return g.MatMul(g.Transpose(g.MatMul(x, b)), aT)
}

// buildPower is |Σ v·e^{−i(θy+φx)}|² at θ, φ ≥ 0, and at −θ, φ, in rows of φ.
func buildPower(g *netdef.Graph) []*netdef.Node {
	v := g.Input(inWindow, netdef.Shape{1, 1, window, window})
	w := newWaves(g, "window", window, powerSide, windowAngle, inside(window, powerSide))
	c, s := g.Transpose(g.MatMul(v, w.cos)), g.Transpose(g.MatMul(v, w.sin))
	cc, ss, sc, cs := g.MatMul(c, w.cos), g.MatMul(s, w.sin), g.MatMul(c, w.sin), g.MatMul(s, w.cos)
	power := func(re, im *netdef.Node) *netdef.Node { return g.Add(g.Square(re), g.Square(im)) }
	return []*netdef.Node{power(g.Sub(cc, ss), g.Add(sc, cs)), power(g.Add(cc, ss), g.Sub(cs, sc))}
}

// binRows is the number of bins in a tensor.
func (l *library) binRows() int { return (len(l.bins) + binStep - 1) / binStep * binStep }

// buildMisfit is what Estimator.score sums, for all kernels. Bins that are there to round their number up add the same for every kernel.
func buildMisfit(g *netdef.Graph, l *library) (outs []*netdef.Node) {
	rows, n := l.binRows(), len(l.kernels)
	power := make([]float32, rows*n)
	for k := range n {
		for b, v := range l.powerOf(k) {
			power[b*n+k] = v
		}
	}
	p := g.Const("power", netdef.Shape{1, 1, rows, n}, power)
	column := func(name string) *netdef.Node { return g.Input(name, netdef.Shape{1, 1, rows, 1}) }
	observed := column(inObserved)
	var without []*netdef.Node
	for s := range spectra {
		signal := column(fmt.Sprint(inSignal, s))
		// The product is made twice rather than stored, by nodes that are not the same.
		outs = append(outs, g.Sum(g.Log(g.Add(g.Mul(p, signal), observed)), netdef.AxHW))
		without = append(without, g.Sum(g.Log(g.Offset(g.Mul(signal, p), 1)), netdef.AxHW))
	}
	return append(outs, without...)
}

// parts is a filter or kernel as what is even and what is odd in both coordinates.
type parts struct{ even, odd *netdef.Node }

// through takes parts through cosines and sines: rows by a, columns by b, and turns them.
func (p parts) through(g *netdef.Graph, a, b waves) parts {
	return parts{turned(g, a.cos, p.even, b.cos), turned(g, a.sin, p.odd, b.sin)}
}

func (p Program) buildFilter(g *netdef.Graph) []*netdef.Node {
	h := filterParts(g)
	gains := h.through(g, p.Height.taps(g, "rows"), p.Width.taps(g, "columns"))
	x := g.Input(inPlanes, netdef.Shape{3, 1, p.Height.side(), p.Width.side()})
	rows := matrix(g, "analysis of rows", p.Height.side(), p.Height.side(), p.Height.analysis)
	columns := matrix(g, "analysis of columns", p.Width.side(), p.Width.side(), p.Width.analysis)
	spectrum := turned(g, rows, x, columns) // as the gains are
	filtered := parts{g.Mul(spectrum, gains.even), g.Mul(spectrum, gains.odd)}.through(g, p.Width.synthesis(g, "columns"), p.Height.synthesis(g, "rows"))
	return []*netdef.Node{filtered.even, filtered.odd} // not even − odd: on software drivers the kernel would take longer to build than it saves
}

// filterParts are the filters of brightness and of the two axes of colour, [3,1,quarter,quarter], as Estimator.filter makes them, in quarters:
// what a place and its mirror images weigh together. The waves of the filter turn what was turned.
func filterParts(g *netdef.Graph) parts {
	var moments [4]*netdef.Node
	for i, name := range inMoments {
		moments[i] = g.Input(name, netdef.Shape{1, 1, quarter, quarter})
	}

	// σ²/S, in rows of frequencies along x as the moments are; 1/S is 0 at frequency 0, where nothing is known.
	inverse := make([]float32, 3*quarter*quarter)
	for i := range inverse {
		inverse[i] = 1
		if x, y := i/quarter%quarter, i%quarter; y <= window/2 && x <= window/2 {
			inverse[i] = float32(1 / Spectrum(float64(x)/window, float64(y)/window))
		}
		if i >= quarter*quarter {
			inverse[i] /= chromaShare
		}
	}
	doubt := g.Mul(g.Const("inverse spectrum", netdef.Shape{3, 1, quarter, quarter}, inverse), g.Input(inVariance, netdef.Scalar))

	// The gains at frequencies of equal and of opposite sign, and of these what is even and odd.
	gain := func(k, p *netdef.Node) *netdef.Node { return g.Div(k, g.Add(g.Max(p, g.Square(k)), doubt)) }
	equal, opposite := gain(moments[0], moments[2]), gain(moments[1], moments[3])
	even, odd := g.Scale(g.Add(equal, opposite), 0.5), g.Scale(g.Sub(equal, opposite), 0.5)

	// Back to space, where the filter fades out. Every frequency but the lowest and the highest stands for itself and its negative, every distance but 0 too.
	back := newWaves(g, "filter", quarter, quarter, windowAngle, func(k, d int) float64 {
		if d > largestReach || k > window/2 {
			return 0
		}
		f := 4 * fade(d, largestReach) / window
		if d == 0 {
			f /= 2
		}
		if k == 0 || k == window/2 {
			f /= 2
		}
		return f
	})
	h := parts{even, odd}.through(g, back, back)
	// Flat areas stay as they are: see Estimator.filter.
	mean, all := make([]float32, 3*quarter*quarter), 0.0
	for d := -largestReach; d <= largestReach; d++ {
		all += fade(d, largestReach)
	}
	for i := range mean {
		if x, y := i/quarter%quarter, i%quarter; max(x, y) <= largestReach {
			w := fade(x, largestReach) * fade(y, largestReach) / square(all)
			for _, d := range [2]int{x, y} {
				if d > 0 {
					w *= 2
				}
			}
			mean[i] = float32(w)
		}
	}
	lacks := g.Offset(g.Neg(g.Sum(h.even, netdef.AxHWC)), 1)
	h.even = g.Add(h.even, g.Mul(g.Const("mean", netdef.Shape{3, 1, quarter, quarter}, mean), lacks))
	return h
}

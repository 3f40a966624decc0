package motionblur

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// Kind is one of the programs that do an Estimator's work on a device.
type Kind string

const (
	// Power: window [1,1,256,256] → two power spectra [1,1,96,96], as in Backend.PowerSpectrum.
	Power Kind = "power spectrum"
	// LogSums: for each of four shapes s of spectra signal_s [1,1,B,1], and observed [1,1,B,1], at
	// B bins → first Σ_b log(|K|²·signal_s + observed) for every shape, then Σ_b log(|K|²·signal_s
	// + 1), [1,1,1,K] each for K blur kernels. Powers are in multiples of the noise's; observed is
	// 1 + T (see Likelihood).
	LogSums Kind = "likelihood of blur kernels"
	// Maps: views [1,64,64,8] → the maps of the kernel network [1,64,64,8] (KernelMaps), then E[K]
	// at frequencies of equal sign and of opposite sign, and E|K|² likewise, [1,1,144,144] each.
	// Its parameters are those of Network.
	Maps Kind = "maps of the blur kernel"
	// Filter: planes [3,1,h,w] (brightness and colour), the moments of Maps and the noise's
	// variance → two tensors [3,1,h,w] whose difference is the filtered planes.
	Filter Kind = "linear filter"
)

// Program names a program. Its graph is a function of it.
type Program struct {
	Kind          Kind
	Width, Height axis // Filter only
}

const (
	// quarterSide is the side of all tensors that a filter is made with: of a quarter of the filter
	// (128), and of the frequencies of equal signs that it is made from (129). All have the same
	// side, as software drivers take long to build compute kernels.
	quarterSide = 144
	binStep     = 64 // the number of bins is rounded up to a multiple of it
)

// Names of inputs.
const (
	inWindow   = "window"
	inSignal   = "signal "
	inObserved = "observed"
	inVariance = "variance"
	inPlanes   = "planes"
	inViews    = "views"
)

// inMoments are E[K] and E|K|² at frequencies of equal and of opposite sign.
var inMoments = [4]string{"mean, equal signs", "mean, opposite signs", "power, equal signs", "power, opposite signs"}

// settings are the inputs that are the same for all blocks of a picture (see compile.Options).
var settings = append([]string{inVariance}, inMoments[:]...)

// Build appends the program's nodes to a graph and returns its outputs.
func (p Program) Build(g *netdef.Graph) ([]*netdef.Node, error) {
	var outs []*netdef.Node
	switch p.Kind {
	case Power:
		outs = buildPower(g)
	case LogSums:
		outs = buildLogSums(g, sharedLibrary())
	case Maps:
		outs = buildMaps(g)
	case Filter:
		outs = p.buildFilter(g)
	default:
		return nil, fmt.Errorf("motion blur: there is no program of kind %q", p.Kind)
	}
	return outs, g.Err()
}

// Bytes is an upper bound of the memory that a program takes on a device.
func (p Program) Bytes() int64 {
	switch p.Kind {
	case Power:
		return 4 << 20
	case Maps:
		return 16 << 20
	case LogSums:
		l := sharedLibrary()
		return 4 * int64(len(l.kernels)) * int64(len(l.bins)+binStep) * 3
	}
	w, h := int64(p.Width.side()), int64(p.Height.side())
	return 4 * (30*w*h + 8*(w*w+h*h) + 1<<20)
}

// transformed is (a·x·b)ᵀ, from aᵀ, x and b. The constants are right factors, which all planes
// share and every lowering is fastest with. Applied twice, the transpositions cancel.
func transformed(g *netdef.Graph, aT, x, b *netdef.Node) *netdef.Node {
	return g.MatMul(g.Transpose(g.MatMul(x, b)), aT)
}

// buildPower is |Σ v·e^{−i(θy+φx)}|² at θ, φ ≥ 0, and at −θ, φ, with φ as the row.
func buildPower(g *netdef.Graph) []*netdef.Node {
	v := g.Input(inWindow, netdef.Shape{1, 1, WindowSide, WindowSide})
	w := newWaves(g, "window", WindowSide, PowerSide, windowAngle, inside(WindowSide, PowerSide))
	c, s := g.Transpose(g.MatMul(v, w.cos)), g.Transpose(g.MatMul(v, w.sin))
	cc, ss, sc, cs := g.MatMul(c, w.cos), g.MatMul(s, w.sin), g.MatMul(c, w.sin), g.MatMul(s, w.cos)
	power := func(re, im *netdef.Node) *netdef.Node { return g.Add(g.Square(re), g.Square(im)) }
	return []*netdef.Node{power(g.Sub(cc, ss), g.Add(sc, cs)), power(g.Add(cc, ss), g.Sub(cs, sc))}
}

// binRows is the number of bins in a tensor.
func (l *library) binRows() int { return (len(l.bins) + binStep - 1) / binStep * binStep }

// buildLogSums is LogSums for the blur kernels of a library. Bins that round their number up add
// the same to the sums of every blur kernel.
func buildLogSums(g *netdef.Graph, l *library) (outs []*netdef.Node) {
	rows, n := l.binRows(), len(l.kernels)
	power := make([]float32, rows*n)
	for k := range n {
		for b, v := range l.kernelPower(k) {
			power[b*n+k] = v
		}
	}
	p := g.Const("power", netdef.Shape{1, 1, rows, n}, power)
	column := func(name string) *netdef.Node { return g.Input(name, netdef.Shape{1, 1, rows, 1}) }
	observed := column(inObserved)
	var without []*netdef.Node
	for s := range spectrumShapes {
		signal := column(fmt.Sprint(inSignal, s))
		// Two different nodes make the same product, so that it is computed twice and not stored.
		outs = append(outs, g.Sum(g.Log(g.Add(g.Mul(p, signal), observed)), netdef.AxHW))
		without = append(without, g.Sum(g.Log(g.Offset(g.Mul(signal, p), 1)), netdef.AxHW))
	}
	return append(outs, without...)
}

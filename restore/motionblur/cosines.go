package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/planar"
)

// On a device, Fourier transforms are products with dense matrices. At these sizes they are as fast
// as the networks' own convolutions, and need no compute kernels of their own. A picture of n
// pixels along an axis, which is continued by reflection about its first and last pixel, is a sum
// of cosines with θ_k = πk/(n−1):
//
//	y(i) = Σ_k Y(k)·cos(θ_k·i)
//
// All filters h here are the same after a half-turn. Their transform is H(θ, φ) = E(θ, φ) + O(θ,
// φ), where E is even in both frequencies and O is odd in both, and
//
//	h ⋆ cos(θ·i)·cos(φ·j) = E·cos(θ·i)·cos(φ·j) − O·sin(θ·i)·sin(φ·j).
//
// E is a transform of h with cosines, O one with sines. Everything is real, and half as long as the
// periodic continuation.

const (
	// An axis of at most wholeMost pixels is filtered as a whole. A longer one is filtered in
	// pieces of pieceSide pixels, of which pieceMargin on both sides belong to the neighbours. The
	// cosines reflect what lies beyond the piece, which is too far away to change its own pixels.
	// Sides are rounded up to a multiple of sideStep, as compute kernels depend on them.
	wholeMost   = 768
	sideStep    = 128
	pieceSide   = 512
	pieceMargin = FilterReach + 1
)

// axis is one axis of a picture, or of a piece of it, that is filtered on a device.
type axis struct {
	n   int  // pixels that are transformed
	cut bool // a piece of a longer axis
}

func newAxis(pixels int) axis {
	if pixels > wholeMost {
		return axis{pieceSide, true}
	}
	return axis{pixels, false}
}

// side is the side of the tensor that holds the pixels, and of the one that holds the frequencies.
func (a axis) side() int { return (a.n + sideStep - 1) / sideStep * sideStep }

// result is where the result begins, and its length.
func (a axis) result() (from, n int) {
	if a.cut {
		return pieceMargin, pieceSide - 2*pieceMargin
	}
	return 0, a.side()
}

// block is the length of a block of an axis with so many pixels.
func (a axis) block(pixels int) int {
	if a.cut {
		return pieceSide - 2*pieceMargin
	}
	return pixels
}

// source is the place in the picture of the i-th pixel that is transformed for the block at x.
func (a axis) source(x, i, pixels int) int {
	if a.cut {
		return planar.Mirror(x+i-pieceMargin, pixels)
	}
	return i
}

// theta is the k-th frequency in radians per pixel.
func (a axis) theta(k int) float64 { return math.Pi * float64(k) / float64(max(a.n-1, 1)) }

// analysis is the matrix that makes Y from y. It is symmetric, and 0 beyond n.
func (a axis) analysis(i, k int) float64 {
	if k >= a.n || i >= a.n {
		return 0
	}
	if a.n == 1 {
		return 1
	}
	end := func(i int) float64 {
		if i == 0 || i == a.n-1 {
			return 0.5
		}
		return 1
	}
	return 2 / float64(a.n-1) * end(k) * end(i) * math.Cos(a.theta(k)*float64(i))
}

// filterWaves lead from a quarter of a filter to the axis' frequencies.
func (a axis) filterWaves(g *netdef.Graph, name string) waves {
	return newWaves(g, "taps at "+name, quarterSide, a.side(), func(d, k int) float64 { return a.theta(k) * float64(d) }, inside(FilterReach+1, a.n))
}

// synthesis leads from the frequencies to the pixels of the result.
func (a axis) synthesis(g *netdef.Graph, name string) waves {
	from, n := a.result()
	return newWaves(g, "synthesis of "+name, a.side(), n, func(k, i int) float64 { return a.theta(k) * float64(from+i) }, inside(a.n, a.n))
}

// matrix makes a constant [rows][cols] from a function of row and column.
func matrix(g *netdef.Graph, name string, rows, cols int, f func(r, c int) float64) *netdef.Node {
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = float32(f(i/cols, i%cols))
	}
	return g.Const(name, netdef.Shape{1, 1, rows, cols}, v)
}

// waves are the matrices factor·cos(angle) and factor·sin(angle), [from][to], for products from the
// right.
type waves struct{ cos, sin *netdef.Node }

func newWaves(g *netdef.Graph, name string, from, to int, angle, factor func(from, to int) float64) waves {
	wave := func(what string, f func(float64) float64) *netdef.Node {
		return matrix(g, what+" of "+name, from, to, func(r, c int) float64 { return factor(r, c) * f(angle(r, c)) })
	}
	return waves{wave("cos", math.Cos), wave("sin", math.Sin)}
}

// inside is 1 in the first rows and columns, and 0 in those that round a matrix up.
func inside(rows, cols int) func(r, c int) float64 {
	return func(r, c int) float64 {
		if r < rows && c < cols {
			return 1
		}
		return 0
	}
}

// windowAngle is the phase of frequency k, in cycles per window, at place i.
func windowAngle(i, k int) float64 { return 2 * math.Pi * float64(i*k%WindowSide) / WindowSide }

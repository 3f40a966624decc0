package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/planar"
)

// On a device Fourier transforms are products with dense matrices: at the sizes needed these are as fast as the networks' own convolutions and need no
// kernels of their own. A picture that is continued by reflection about its first and last pixel is a sum of cosines, of θ_k = πk/(n−1) for n pixels:
//
//	y(i) = Σ_k Y(k)·cos θ_k·i
//
// and a filter h that is the same turned by half a turn (as all here are) has a transform H(θ, φ) = E(θ, φ) + O(θ, φ) of a part E that is even in both
// frequencies and a part O that is odd in both, so that
//
//	h ⋆ cos(θ·i)·cos(φ·j) = E·cos(θ·i)·cos(φ·j) − O·sin(θ·i)·sin(φ·j).
//
// E comes from h by cosines and O by sines. Everything is real, and half as long as the periodic continuation.

const (
	// Of an axis longer than wholeMost, stretches are filtered, each together with reach pixels on both sides; their cosines reflect what lies
	// beyond, which does not reach the stretch. Others are filtered whole. Sides are rounded up to a multiple of sideStep, as kernels depend on them.
	wholeMost = 768
	sideStep  = 128
	piece     = 512
	margin    = largestReach + 1
)

// axis is one direction of a picture that is filtered on a device.
type axis struct {
	n   int  // pixels that are transformed
	cut bool // a stretch of a longer axis: the result is what lies margin from both ends
}

func axisOf(pixels int) axis {
	if pixels > wholeMost {
		return axis{piece, true}
	}
	return axis{pixels, false}
}

// side is the length of the tensor that holds the pixels; there are as many frequencies.
func (a axis) side() int { return (a.n + sideStep - 1) / sideStep * sideStep }

// result is the part of it that is the result, and where it begins.
func (a axis) result() (from, n int) {
	if a.cut {
		return margin, piece - 2*margin
	}
	return 0, a.side()
}

// inner is how many pixels of the picture's are a block's own.
func (a axis) inner(pixels int) int {
	if a.cut {
		return piece - 2*margin
	}
	return pixels
}

// source is where in the picture the i-th pixel that is transformed for the stretch from x on comes from.
func (a axis) source(x, i, pixels int) int {
	if a.cut {
		return planar.Mirror(x+i-margin, pixels)
	}
	return i
}

// theta is the k-th frequency in radians per pixel.
func (a axis) theta(k int) float64 { return math.Pi * float64(k) / float64(max(a.n-1, 1)) }

// analysis is the matrix that makes Y of y, which is symmetric. Beyond n all is 0.
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

// taps are the waves from a filter's quarter to the axis' frequencies.
func (a axis) taps(g *netdef.Graph, name string) waves {
	return newWaves(g, "taps at "+name, quarter, a.side(), func(d, k int) float64 { return a.theta(k) * float64(d) }, inside(largestReach+1, a.n))
}

// synthesis are those from the frequencies to the pixels of the result.
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

// waves are the matrices of factor·cos and factor·sin of an angle, as right factors: [where they are taken from][where to].
type waves struct{ cos, sin *netdef.Node }

func newWaves(g *netdef.Graph, name string, from, to int, angle, factor func(from, to int) float64) waves {
	wave := func(what string, f func(float64) float64) *netdef.Node {
		return matrix(g, what+" of "+name, from, to, func(r, c int) float64 { return factor(r, c) * f(angle(r, c)) })
	}
	return waves{wave("cos", math.Cos), wave("sin", math.Sin)}
}

// inside is 1 in so many rows and columns, and 0 in those that round a matrix up.
func inside(rows, cols int) func(r, c int) float64 {
	return func(r, c int) float64 {
		if r < rows && c < cols {
			return 1
		}
		return 0
	}
}

// windowAngle is that of frequency k, in cycles per window, at place i, or the other way round.
func windowAngle(i, k int) float64 { return 2 * math.Pi * float64(i*k%window) / window }

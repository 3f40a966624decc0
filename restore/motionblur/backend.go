package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/restore/task"
)

// Sizes of the arrays that a Backend reads and writes.
const (
	WindowSide  = 256 // side of the windows whose power spectra are averaged, in pixels
	PowerSide   = 96  // frequencies 0 … 95 along each axis of a power spectrum, in cycles per window
	KernelSide  = 61  // side of the blur kernels
	autoReach   = KernelSide - 1
	AutoSide    = 2*autoReach + 1 // side of a blur kernel's autocorrelation
	FilterReach = 127             // how far the linear filter reaches from its centre, in pixels
)

// Backend does those computations of an Estimator that take long. NewDevice does them on a device;
// package reference does them on the host in float64, for tests.
type Backend interface {
	// PowerSpectrum sets power to |V(f)|² of a window [WindowSide][WindowSide], where V(f) = Σ
	// v(x)·e^(−2πi f·x). power[0] is at the frequencies (fx, fy) and power[1] at (fx, −fy), both
	// [PowerSide][PowerSide] with fx as the row.
	PowerSpectrum(ctx context.Context, window []float32, power [2][]float32) error
	// LogSums sets l.SumExpected and l.SumObserved.
	LogSums(ctx context.Context, l *Likelihood) error
	// Moments prepares E[K] and E|K|² for PrepareFilter. A Backend with a kernel network computes
	// maps [64][64][8] from views [64][64][8] (nets.KernelMaps), takes the moments from the maps
	// and returns true. One without takes the moments from the library's posterior and returns
	// false.
	Moments(ctx context.Context, p *Posterior, views, maps []float32) (mapped bool, err error)
	// PrepareFilter prepares the filters of the moments for blocks of a picture of w×h pixels whose
	// noise has the given variance.
	PrepareFilter(w, h int, variance float64)
	// BlockSize is the size of a block of the picture of PrepareFilter, in pixels.
	BlockSize() (w, h int)
	// FilterBlocks filters the blocks block(0) … block(count−1), perhaps several at a time.
	FilterBlocks(ctx context.Context, count int, block func(i int) Block) error
}

// Likelihood is what the power spectrum of a picture is compared by with the library of blur
// kernels, at B frequencies ("bins"). A blur kernel k and a shape s of the picture's own spectrum
// let expect the power D(b) = |K_k(b)|²·S_s(b) + σ² at bin b.
type Likelihood struct {
	KernelPower []float32   // |K|², [kernel][bin]; shared between Estimators, only to be read
	Signal      [][]float64 // S, [shape][bin]
	Observed    []float64   // T: the picture's power times tailWeight, [bin]
	Variance    float64     // σ²

	// The results, [shape][kernel]: Σ_b log D and Σ_b log(D + T). A Backend may add a number to all
	// of them, the same for every shape and kernel.
	SumExpected, SumObserved [][]float64
}

// Block is a block of a picture that is filtered.
type Block struct {
	Src           task.Source // the picture's pixels
	Width, Height int         // of the picture
	X, Y, W, H    int         // the block's place and size in the picture
	// Result is for three planes of the block. Plane is the distance between planes, Stride that
	// between rows, in values.
	Result        []float32
	Plane, Stride int
}

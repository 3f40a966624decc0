// Package metric measures restorations: fidelity of one picture to another (PSNR, SSIM), and how
// well a set of samples describes the truth (CRPS, MMD, NLPD, support accuracy, interval coverage,
// spread and error). Equation numbers are those of the Variational Flow Maps paper, appendix B.1.3.
//
// Pictures are planar.Image in [-1, 1], so the data range is 2 (Range). No function clamps values;
// clamp pictures first if they will be written with 8 bits. Vectors are []float64; a set of samples
// is a slice of vectors of the same length.
package metric

import (
	"fmt"

	"github.com/vfmrestore/restore/restore/planar"
)

// Range is the data range of planar.Image: from -1 to 1.
const Range = 2.0

// ShapeError says that arguments differ in size, are empty, or are out of range.
type ShapeError struct{ Reason string }

func (e *ShapeError) Error() string { return e.Reason }

func shapef(format string, args ...any) error {
	return &ShapeError{Reason: fmt.Sprintf(format, args...)}
}

// sameImages returns an error unless all pictures are valid and of the same size.
func sameImages(a *planar.Image, others ...*planar.Image) error {
	if err := a.Check(); err != nil {
		return err
	}
	for _, b := range others {
		if err := b.Check(); err != nil {
			return err
		}
		if a.W != b.W || a.H != b.H {
			return shapef("pictures of different size: %d×%d and %d×%d", a.W, a.H, b.W, b.H)
		}
	}
	return nil
}

// sameVectors returns an error unless there is at least one sample and all have dim values.
func sameVectors(what string, dim int, samples [][]float64) error {
	if len(samples) == 0 {
		return shapef("no %s", what)
	}
	for i, s := range samples {
		if len(s) != dim {
			return shapef("%s %d has %d values; %d needed", what, i, len(s), dim)
		}
	}
	return nil
}

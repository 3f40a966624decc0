package defocus

import (
	"context"
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// Shading says nothing about a blur, however its values are rounded.
func TestShading(t *testing.T) {
	for _, slope := range []float64{0.3, 1.3, 4} {
		y := blind.NewPlane(96, 80)
		for i := range y.Pix {
			y.Pix[i] = math.Round(20+slope*float64(i%96)/2+slope*float64(i/96)/3) / 255
		}
		r, err := Estimate(context.Background(), y, nil)
		if err != nil || r.Certainty.Verdict != blind.Untold {
			t.Errorf("a ramp of %g levels a pixel: %+v, %v", slope, r, err)
		}
	}
}

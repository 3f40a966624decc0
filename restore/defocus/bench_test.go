package defocus

import (
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
)

// brightness is the brightness of a picture, from 0 to 1.
func brightness(x *planar.Image) *blind.Plane {
	y := blind.NewPlane(x.W, x.H)
	n := x.W * x.H
	for i := range y.Pix {
		y.Pix[i] = (float64(x.Pix[i]+x.Pix[n+i]+x.Pix[2*n+i])/3 + 1) / 2
	}
	return y
}

func BenchmarkDescribe(b *testing.B) {
	y := brightness(planar.FromNRGBA(synth.Photo(1, 256, 256)))
	unknown := Clipped(y)
	var x [Features]float32
	for b.Loop() {
		Describe(y, unknown, &x)
	}
}

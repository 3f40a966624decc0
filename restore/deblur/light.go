package deblur

import (
	"context"
	"runtime"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// Blur adds up light, but pictures hold values, to which a tone curve was applied. So no blur kernel
// explains these values well, and the true one less than others. A blur that is known is therefore
// undone in light, by sRGB's curve: the picture's own curve is seldom known, but sRGB's is nearer to
// it than none.
//
// A few pictures hold light itself, or means of values. In them the true blur kernel explains the
// values much better than their light.
//
// A blur that has to be found is still searched for and undone in values (docs/QUALITY.md says what
// light would gain, and why it is not used yet).

// A picture's values are light if the blur kernel explains them by at least valuesGain
// (blind.Field.Explain), and their light by less than lightShare of that. In Levin's captured
// shakes, which hold light, the gain in values is 0.5 to 1.2, and in light less than 0.36 times
// that. In 24 photographs of the training set that were blurred in light, it is at least 0.68 times
// the gain in values where that is at least 0.35. With more noise gains are smaller and tell less.
const (
	valuesGain = 0.35
	lightShare = 0.55
)

// values is the picture's brightness, with the options to examine it.
func (p Picture) values() (*blind.Plane, blind.Options) {
	y, unknown := p.Brightness()
	return y, blind.Options{Unknown: unknown, Workers: runtime.GOMAXPROCS(0)}
}

// slopes are the slopes of light at each pixel's brightness.
func slopes(brightness *blind.Plane) *blind.Plane {
	slope := blind.NewPlane(brightness.W, brightness.H)
	for i, v := range brightness.Pix {
		slope.Pix[i] = camera.LightSlope(v)
	}
	return slope
}

// SetLight sets f.Light for a blur that is known: whether the picture's light was blurred, not its
// values. It fails with ctx.Err().
func (p Picture) SetLight(ctx context.Context, f *blind.Field) error {
	f.Light = true
	values, o := p.values()
	light, inLight := p.mean(func(_ int, v float32) float64 { return float64(camera.Light(v)) }), o
	inLight.Slope = slopes(values)
	a, ok, err := f.Explain(ctx, light, inLight)
	if err != nil || !ok {
		return err
	}
	b, _, err := f.Explain(ctx, values, o)
	f.Light = b < valuesGain || a >= lightShare*b
	return err
}

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

// channels is a plane of a picture, made from its three channels.
type channels struct {
	y       *blind.Plane
	slope   *blind.Plane // blind.Options.Slope
	unknown []bool       // the pixels that say nothing
}

func (c channels) options() blind.Options {
	return blind.Options{Unknown: c.unknown, Slope: c.slope, Workers: runtime.GOMAXPROCS(0)}
}

// plane is the picture's light or brightness.
func (p Picture) plane(light bool) channels {
	y, unknown := p.Brightness()
	if !light {
		return channels{y: y, unknown: unknown}
	}
	return channels{y: p.mean(func(_ int, v float32) float64 { return float64(camera.Light(v)) }), slope: slopes(y), unknown: unknown}
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
	light, values := p.plane(true), p.plane(false)
	a, ok, err := f.Explain(ctx, light.y, light.options())
	if err != nil || !ok {
		return err
	}
	b, _, err := f.Explain(ctx, values.y, values.options())
	f.Light = b < valuesGain || a >= lightShare*b
	return err
}

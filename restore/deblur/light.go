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
// A blur that the whole picture shares is first searched for in light (FindShared), too. If none is
// found, blur is searched for and undone in values.

// A picture's values are light if the blur kernel explains them by at least valuesGain
// (blind.Field.Explain), and their light by less than lightShare of that. In Levin's captured
// shakes, which hold light, the gain in values is 0.5 to 1.2, and in light less than 0.36 times
// that. In 24 photographs of the training set that were blurred in light, it is at least 0.68 times
// the gain in values where that is at least 0.35. With more noise gains are smaller and tell less.
const (
	valuesGain = 0.35
	lightShare = 0.55
)

// That the light of a denoised picture was blurred is sure if the blur kernel that is found in it
// (FindShared) explains it by at least this share of what it explains of the values. In 15 of 17
// photographs that were shaken in light the share is at least 0.77, in the others 0.60 and 0.42; in
// five means of the training video's frames it is 0.85 to 0.93, even if values were added up.
const sureLightShare = 0.75

// values is the picture's brightness, with the options to examine it.
func (p Picture) values() (*blind.Plane, blind.Options) {
	y, unknown := p.Brightness()
	return y, blind.Options{Unknown: unknown, Workers: runtime.GOMAXPROCS(0)}
}

// light is the mean of the picture's channels in light, from 0 to 1.
func (p Picture) light() *blind.Plane {
	return p.mean(func(_ int, v float32) float64 { return float64(camera.Light(v)) })
}

// inLight is the picture's light, with the options to examine it.
func (p Picture) inLight() (*blind.Plane, blind.Options) {
	values, o := p.values()
	o.Slope = slopes(values)
	return p.light(), o
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
	a, b, err := p.explain(ctx, f)
	f.Light = blursLight(a, b)
	return err
}

// blursLight reports whether the picture's light was blurred, not its values, if the blur kernel
// explains them by so much.
func blursLight(light, values float64) bool { return values < valuesGain || light >= lightShare*values }

// explain returns by how much the blur kernels of f explain the picture's light and its values
// (blind.Field.Explain); 0 if that cannot be told. It fails with ctx.Err().
func (p Picture) explain(ctx context.Context, f *blind.Field) (light, values float64, err error) {
	y, o := p.inLight()
	light, ok, err := f.Explain(ctx, y, o)
	if err != nil || !ok {
		return 0, 0, err
	}
	y, o = p.values()
	values, _, err = f.Explain(ctx, y, o)
	return light, values, err
}

// darkShare is the share of the picture's pixels whose light is clearly below 0 after the blur f is
// undone. There is no such light: a wrong blur kernel, or movement of a part of the picture only,
// takes from dark places what bright ones beside them did not give. It fails with ctx.Err().
func (p Picture) darkShare(ctx context.Context, f *blind.Field) (float64, error) {
	y, o := p.inLight()
	d := blind.Deconvolution{Unknown: o.Unknown, Slope: o.Slope, Noise: leastNoise}
	x, err := f.Deconvolve(ctx, y, d, o.Workers)
	if err != nil {
		return 0, err
	}
	dark := 0
	for _, v := range x.Pix {
		if v < darkLight {
			dark++
		}
	}
	return float64(dark) / float64(len(x.Pix)), nil
}

// mostDark and tooDark are the largest shares of pixels below darkLight. The deconvolution of
// pictures with more than mostDark has visible black rims and ripples in dark places, so half of the
// result is the network's. In the training photographs whose blur was found the share is at most
// 0.0053, and 0.024 in one that is left out; in means of video frames it is at most 0.0005. mostDark
// was first set after frames of gopro0374 were seen, too.
const (
	darkLight = -0.03
	mostDark  = 0.0015 // of a blur that is sure
	tooDark   = 0.02   // of one that is probable, too
	// tooDarkInHalf is the largest share of a halved picture's pixels if its blur was found in its
	// values. It is 0.008 in a shaken photograph whose blur kernel is right, and 0.016 in a sharp one of
	// repeated objects.
	tooDarkInHalf = 0.012
)

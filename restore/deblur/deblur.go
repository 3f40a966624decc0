// Package deblur finds the motion blur of a picture in colour and undoes it, by package blind and
// without a network. In the program and in training, networks see its result in addition to the
// picture.
package deblur

import (
	"context"
	"runtime"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/pyramid"
	"github.com/vfmrestore/restore/restore/task"
)

// Picture is a picture of W×H pixels.
type Picture struct {
	W, H   int
	Gray   bool             // the three planes are the same
	Row    task.Source      // reads values from -1 to 1
	Hidden func(i int) bool // says which pixels, counted along the rows, say nothing; nil: none
}

const (
	// nearWhite is the value from which on pixels count as clipped; white is 1.
	nearWhite = 253.5 / 255
	// leastNoise is the noise of 8 bits and of a slightly wrong blur kernel, in units of
	// blind.Plane.
	leastNoise = 0.003
	// chromaSteps are the iterations for the colour axes, half as many as for luminance. Six shaken
	// photographs lose 0.003 dB in the mean, and 0.02 with 12.
	chromaSteps = 18
)

// Half is the picture at half its size. A pixel says nothing if any of the four that it covers says
// nothing.
func (p Picture) Half() Picture {
	m := pyramid.Halve(p.W, p.H, p.Row)
	half := Picture{W: m.W, H: m.H, Gray: p.Gray, Row: pyramid.RowsOf(m)}
	_, unknown := p.Brightness()
	hidden := make([]bool, m.W*m.H)
	for i, u := range unknown {
		if u {
			hidden[i/p.W/2*m.W+i%p.W/2] = true
		}
	}
	half.Hidden = func(i int) bool { return hidden[i] }
	return half
}

// Find finds the picture's blur, which may vary over the picture, in its values. It fails with
// ctx.Err().
func Find(ctx context.Context, p Picture) (*blind.Field, error) {
	y, o := p.values()
	return blind.EstimateField(ctx, y, o)
}

// Shared is what FindShared found.
type Shared struct {
	Field *blind.Field // nil: no blur that the whole picture shares, nor that it is sharp
	// Kernel is the blur kernel that was found, though perhaps not even probable. nil: none.
	Kernel *task.Kernel
	// NotLight says that a blur was found which is not sure in light: perhaps only a part of the
	// picture moved. Field is that blur, unless it is not even probable.
	NotLight bool
	// Narrow says that there is at most a narrow blur, as in photographs that are a little soft.
	Narrow bool
}

// FindShared finds a blur that the whole picture shares, in its light. The picture must be denoised.
// It fails with ctx.Err().
func FindShared(ctx context.Context, p Picture) (Shared, error) {
	y, o := p.inLight()
	f, narrow, err := blind.EstimateShared(ctx, y, o)
	if err != nil || f == nil || !f.Shared {
		return Shared{Field: f, Narrow: narrow}, err
	}
	k := f.Best().Kernel
	a, b, err := p.explain(ctx, f)
	if err != nil {
		return Shared{}, err
	}
	f.Light = blursLight(a, b)
	f.Probable = f.Probable || a < sureLightShare*b
	dark, err := p.darkShare(ctx, f)
	if err != nil || dark > tooDark {
		return Shared{Kernel: k, NotLight: true}, err
	}
	f.Probable = f.Probable || dark > mostDark
	return Shared{Field: f, Kernel: k, NotLight: f.Probable}, nil
}

// FindInParts looks for a blur that the parts of a small picture (blind.HasParts) share, in its
// light. The picture must be denoised. It returns nil if none is sure. It fails with ctx.Err().
func FindInParts(ctx context.Context, p Picture) (*blind.Field, error) {
	y, o := p.inLight()
	f, err := blind.EstimateInParts(ctx, y, o)
	if err != nil || f == nil {
		return nil, err
	}
	if err := p.SetLight(ctx, f); err != nil {
		return nil, err
	}
	dark, err := p.darkShare(ctx, f)
	if err != nil || dark > mostDark {
		return nil, err
	}
	return f, nil
}

// Darkens reports whether more of the light of a halved, denoised picture is below 0 after the blur f
// is undone than the picture's own blur leaves there. It fails with ctx.Err().
func Darkens(ctx context.Context, p Picture, f *blind.Field) (bool, error) {
	dark, err := p.darkShare(ctx, f)
	return dark > tooDarkInHalf, err
}

// sameBlur is the least similarity of the blur kernels that values and light show if they are the
// same.
const sameBlur = 0.7

// FindAgain looks for a blur that the whole picture shares in its values, where light showed the
// blur kernel k. It returns nil if there is none, or another one. It fails with ctx.Err().
func FindAgain(ctx context.Context, p Picture, k *task.Kernel) (*blind.Field, error) {
	y, o := p.values()
	f, err := blind.EstimateAlike(ctx, y, o)
	if err != nil || f == nil || f.Best() == nil {
		return nil, err
	}
	if blind.Similarity(k, f.Best().Kernel) < sameBlur {
		return nil, nil
	}
	return f, nil
}

// Confirm looks for confirmation of the blur that Find found (blind.Field.Confirm). It fails with
// ctx.Err().
func Confirm(ctx context.Context, p Picture, f *blind.Field) (bool, error) {
	y, o := p.values()
	return f.Confirm(ctx, y, o)
}

// Brightness is the mean of the picture's channels, from 0 to 1. unknown marks the pixels, row by
// row, whose brightness says nothing: those with a clipped channel, and hidden ones.
func (p Picture) Brightness() (y *blind.Plane, unknown []bool) {
	unknown = make([]bool, p.W*p.H)
	y = p.mean(func(i int, value float32) float64 {
		bright := (float64(value) + 1) / 2
		unknown[i] = unknown[i] || bright >= nearWhite
		return bright
	})
	if p.Hidden != nil {
		for i := range unknown {
			unknown[i] = unknown[i] || p.Hidden(i)
		}
	}
	return y, unknown
}

// mean is the mean over the channels of a function of a pixel's index and its value.
func (p Picture) mean(of func(i int, value float32) float64) *blind.Plane {
	y := blind.NewPlane(p.W, p.H)
	row := make([]float32, p.W)
	for c := range 3 {
		for v := range p.H {
			p.Row(row, c, v, 0)
			for x, value := range row {
				y.Pix[v*p.W+x] += of(v*p.W+x, value) / 3
			}
		}
	}
	return y
}

// Deconvolve undoes the blur f of luminance and of both colour axes separately, in the picture's
// light if f.Light is set. It returns three planes of values from about -1 to 1, which are clamped
// only then. level is the picture's noise. given says that the blur kernel is known and must not be
// shifted; one that Find found has no position, and is centred (blind.Deconvolution). It fails with
// ctx.Err().
func Deconvolve(ctx context.Context, p Picture, f *blind.Field, level noise.Profile, given bool) ([]float32, error) {
	brightness, unknown := p.Brightness()
	d := blind.Deconvolution{Unknown: unknown, Centred: !given}
	if f.Light {
		d.Slope = slopes(brightness)
	}
	n := p.W * p.H
	out := make([]float32, 3*n)
	for c := range 3 {
		for y := range p.H {
			p.Row(out[c*n+y*p.W:][:p.W], c, y, 0)
		}
	}
	if f.Light {
		for i, v := range out {
			out[i] = 2*camera.Light(v) - 1
		}
	}
	toOpponent(out)
	for c := range 3 {
		if c > 0 && p.Gray {
			break
		}
		y := blind.NewPlane(p.W, p.H)
		for i := range y.Pix {
			y.Pix[i] = float64(out[c*n+i]) / 2
		}
		d.Noise = leastNoise
		// Only the fine bands count, which deconvolution amplifies. In the coarse bands of a
		// blurred picture the estimate takes what is left of the texture for noise.
		for _, b := range []noise.Band{noise.Diagonal, noise.Fine} {
			if c == 0 {
				d.Noise = max(d.Noise, level.Luma[b]/2)
			} else {
				d.Noise = max(d.Noise, level.Chroma[b]/2)
			}
		}
		if c > 0 {
			d.Steps = chromaSteps
		}
		x, err := f.Deconvolve(ctx, y, d, runtime.GOMAXPROCS(0))
		if err != nil {
			return nil, err
		}
		for i, v := range x.Pix {
			out[c*n+i] = float32(2 * v)
		}
	}
	fromOpponent(out)
	if f.Light {
		for i, v := range out {
			out[i] = camera.Display((v + 1) / 2)
		}
	}
	return out, nil
}

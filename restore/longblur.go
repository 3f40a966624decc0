package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/pyramid"
	"github.com/vfmrestore/restore/restore/task"
)

// Long blur is found in the picture's half or quarter: there its kernel is short enough for the
// search, and noise is weaker.

const (
	// mostHalvings is how often a picture is halved to find its blur.
	mostHalvings = 2
	// halfShare is the share of the deconvolved half's change in the result. The rest is the network's.
	// Of two estimates with different errors the mean is better than either: on three means of the
	// training video's frames it gained 2.3, 2.0 and 2.3 dB where the network for movement gained 0.9,
	// 1.0 and 1.0, and the deconvolved half alone 1.9, 1.3 and 1.8.
	halfShare = 0.5
)

// findHalved finds a blur in a halved picture. It returns nil if there is none that can be trusted.
// suspected says that a kernel was found that cannot be trusted, there or in the whole picture, whose
// blur is whole, and that the picture is sharp in no size.
func findHalved(ctx context.Context, p, denoised deblur.Picture, whole *Blur) (found *Blur, suspected bool, err error) {
	sizes := [][2]int{}
	suspected = suspectsBlur(whole.Field, 1)
	for n := 1; n <= mostHalvings && pyramid.CanHalve(p.W, p.H); n++ {
		sizes = append(sizes, [2]int{p.W, p.H})
		p = p.Half()
		inLight := &denoised
		if whole.shared.NotLight {
			inLight = nil
		} else {
			denoised = denoised.Half()
		}
		b, err := findInHalf(ctx, p, inLight, n)
		if err != nil || b.Verdict == blind.Sharp {
			return nil, false, err
		}
		if b.Kernel == nil {
			suspected = suspected || suspectsBlur(b.Field, float64(int(1)<<n))
			continue
		}
		b.enlarge(sizes)
		return b, false, nil
	}
	return nil, suspected, nil
}

// findInHalf finds the blur of a picture that was halved n times, as findTrusted does. Parts are
// searched in the half only: a kernel of the quarter, enlarged, is too coarse for the whole picture.
func findInHalf(ctx context.Context, p deblur.Picture, denoised *deblur.Picture, n int) (*Blur, error) {
	if denoised != nil && n == 1 {
		if parts, err := findInParts(ctx, *denoised); parts != nil || err != nil {
			return parts, err
		}
	}
	b, err := findTrusted(ctx, p, denoised, n == mostHalvings)
	if err != nil || b.Kernel == nil || denoised == nil {
		return b, err
	}
	dark, err := deblur.Darkens(ctx, *denoised, b.Field)
	if dark {
		b.Verdict, b.Kernel = blind.Untold, nil
	}
	return b, err
}

// enlarge makes the blur of a halved picture that of the whole. sizes are those of the pictures that
// were halved, the largest first.
func (b *Blur) enlarge(sizes [][2]int) {
	b.halved, b.Halvings = b.Field, len(sizes)
	for i := len(sizes) - 1; i >= 0; i-- {
		b.Field = b.Field.Enlarged(sizes[i][0], sizes[i][1])
	}
	b.Kernel = b.Field.Best().Kernel
}

// findInParts finds a blur that the parts of a small denoised picture share. It returns nil if none
// is sure.
func findInParts(ctx context.Context, denoised deblur.Picture) (*Blur, error) {
	f, err := deblur.FindInParts(ctx, denoised)
	if err != nil || f == nil {
		return nil, err
	}
	b := sharedBlur(f)
	b.inParts = true
	return b, nil
}

// longerBy is how much wider a blur that the picture's half shows must be than the one that the whole
// shows.
const longerBy = 1.5

// findLonger returns the blur of a denoised picture that its half shows, if that is longer than the
// blur b that the whole shows: part of a long path looks like a short one. Else it returns b.
func findLonger(ctx context.Context, denoised deblur.Picture, b *Blur) (*Blur, error) {
	if !pyramid.CanHalve(denoised.W, denoised.H) {
		return b, nil
	}
	longer, err := findInParts(ctx, denoised.Half())
	if err != nil || longer == nil || 2*longer.width() < longerBy*b.width() {
		return b, err
	}
	longer.enlarge([][2]int{{denoised.W, denoised.H}})
	return longer, nil
}

// A kernel of such a width, in pixels, raises a suspicion of blur: in the picture in which it was
// found, and in the whole. Kernels of sharp photographs' halves are narrower.
const (
	leastSuspectWidth      = 2
	leastSuspectWidthWhole = 5
)

// suspectsBlur reports whether a window of a field has a kernel that is wide enough. scale is the
// width of the whole picture in relation to the field's.
func suspectsBlur(f *blind.Field, scale float64) bool {
	for _, w := range f.Windows {
		if w.Kernel != nil && !w.Borrowed && w.Certainty.Width >= max(leastSuspectWidth, leastSuspectWidthWhole/scale) {
			return true
		}
	}
	return false
}

// deblurSuspected restores a picture in which a blur is suspected whose kernel cannot be trusted. The
// result is the mean of those of the network for movement and of the network with the posterior over
// kernels (package motionblur). Samples come from the latter.
func (m *Model) deblurSuspected(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	moved := req
	moved.Rows, moved.Samples, moved.Explain = nil, 0, false
	first, err := m.restoreWithoutDeblurring(ctx, pic, moved, j)
	if err != nil {
		return nil, err
	}
	blurred := req
	blurred.Rows, blurred.byNetwork, blurred.foundBlur = nil, true, &Blur{}
	if _, given := requestedNoise(req.Noise); !given {
		blurred.Profile = &j.profile
	}
	result, err := m.Restore(ctx, pic, blurred)
	if err != nil {
		return nil, err
	}
	pix := j.values(tile.PlanesOf(result.Picture))
	j.average(pix, first.Picture)
	result.Picture, result.Blur = j.pictureOf(pix), j.blur
	return result, nil
}

// average replaces values by their means with those of a restored picture.
func (j *job) average(pix []float32, p *picture.Picture) {
	for i, v := range j.values(tile.PlanesOf(p)) {
		pix[i] = (pix[i] + v) / 2
	}
}

// deblurHalf undoes a blur that was found in the halved picture.
func (m *Model) deblurHalf(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	whole := req
	whole.Rows = nil
	result, err := m.restoreWithoutDeblurring(ctx, pic, whole, j)
	if err != nil {
		return nil, err
	}
	restored := tile.PlanesOf(result.Picture)
	pix := j.values(restored)
	change, err := m.halfChange(ctx, j, restored)
	if err != nil {
		return nil, err
	}
	addChange(pix, change, j.w, j.h)
	result.Picture = j.pictureOf(pix)
	for _, s := range result.Samples {
		addChange(s.Pix, change, j.w, j.h)
		j.limitValues(s.Pix)
	}
	if result.Mean != nil {
		addChange(result.Mean.Pix, change, j.w, j.h)
	}
	return result, nil
}

// halfChange is the change that the halved picture's deconvolution makes to a restoration, at the
// size of that half, multiplied by halfShare.
func (m *Model) halfChange(ctx context.Context, j *job, restored tile.Planes) (*planar.Image, error) {
	given, done := halvedOften(j.input(), j.blur.Halvings), halvedOften(restored, j.blur.Halvings)
	profile := j.profile
	for range j.blur.Halvings {
		profile = profile.Halved()
	}
	half := picture.New(given.W, given.H, given.Pix)
	half.Gray = j.pic.Gray
	deblurred, err := m.Restore(ctx, half, Request{
		Task: task.MotionDeblur, Profile: &profile, Below: j.req.Below, Above: j.req.Above,
		foundBlur: &Blur{Verdict: blind.Blurred, Field: j.blur.halved, Kernel: j.blur.halved.Best().Kernel},
	})
	if err != nil {
		return nil, err
	}
	for i, v := range deblurred.Picture.Pix {
		done.Pix[i] = halfShare * (v - done.Pix[i])
	}
	return done, nil
}

// halvedOften halves a picture n times, n ≥ 1.
func halvedOften(p tile.Planes, n int) *planar.Image {
	m := pyramid.Halve(p.W, p.H, p.Row)
	for range n - 1 {
		m = pyramid.Halve(m.W, m.H, pyramid.RowsOf(m))
	}
	return m
}

// addChange adds the enlarged change of a halved picture to three planes of w×h pixels.
func addChange(pix []float32, change *planar.Image, w, h int) {
	if change.W < (w+1)/2 { // of a quarter
		larger := planar.New((w+1)/2, (h+1)/2)
		addChange(larger.Pix, change, larger.W, larger.H)
		change = larger
	}
	pyramid.AddEnlarged(pix, change, 0, 0, w, h)
}

package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Motion blur is undone in one of seven ways:
//
//   - If the kernel is given or can be trusted, the picture is denoised and deconvolved with it
//     (package blind). Samples come from the network, whose second view is the deconvolved picture.
//   - If the kernel can be estimated only in the picture's half or quarter, because it is long, that
//     is deconvolved, and its change joined to what the network for movement makes of the whole. But
//     if the parts of a small half show the same kernel, it is enlarged and trusted.
//   - If neither is so, but the light of the whole picture shows a kernel that is probable, the
//     result is the mean of its deconvolution and of what the network for movement makes.
//   - If the picture is sharp, it is only denoised. So is a picture in which much noise is found
//     (not given) and, after denoising, no blur.
//   - If there seems to be blur, but its kernel cannot be trusted, the result is the mean of two
//     networks': the one for movement, and the one below.
//   - If no kernel can be estimated although there is little noise, the network that was trained
//     for movement restores it, and denoises.
//   - If there is too much noise to estimate a kernel by edges, the network does it. Its second
//     view comes from the posterior over kernels that the spectrum gives (package motionblur),
//     which does not need a certain one.

// maxBlindNoise is the noise, in 8-bit levels, up to which a kernel can be estimated by edges.
const maxBlindNoise = 5

// deblurMotion does motion-deblur. It returns nil if the network is to do it.
func (m *Model) deblurMotion(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	var err error
	_, _, canDenoise := m.networkFor(task.Denoise)
	var denoise denoiser
	if canDenoise && !req.byNetwork {
		denoise = func(ctx context.Context) (*picture.Picture, error) { return m.denoiseBlurred(ctx, pic, req, j) }
	}
	if j.blur, err = j.findBlur(ctx, denoise); err != nil {
		return nil, err
	}
	switch {
	case !canDenoise || req.byNetwork:
		return nil, nil
	case j.blur.halved != nil && !j.blur.inParts:
		return m.deblurHalf(ctx, pic, req, j)
	case j.blur.probable():
		return m.deblurProbable(ctx, pic, req, j)
	case j.blur.Kernel != nil:
		return m.denoiseAndDeconvolve(ctx, pic, req, j)
	case j.blur.suspected:
		return m.deblurSuspected(ctx, pic, req, j)
	case j.noise <= maxBlindNoise:
		return m.restoreWithoutDeblurring(ctx, pic, req, j)
	case j.profile.Found:
		return m.denoiseIfSharp(ctx, pic, req, j)
	}
	return nil, nil
}

// denoiseIfSharp denoises a picture in which much noise was found. That noise may be its texture.
// If the denoised picture shows no blur, it is the result. Otherwise denoiseIfSharp returns nil.
func (m *Model) denoiseIfSharp(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	clean := req
	clean.Task, clean.Profile, clean.Rows = task.Denoise, &j.profile, nil
	result, err := m.Restore(ctx, pic, clean)
	if err != nil {
		return nil, err
	}
	denoised := j.deblurInput()
	denoised.Row = tile.PlanesOf(result.Picture).Row
	f, err := deblur.Find(ctx, denoised)
	if err != nil || f.Verdict() == blind.Blurred {
		return nil, err
	}
	result.Task, result.Blur = j.task, &Blur{Verdict: f.Verdict(), Field: f}
	if req.Rows != nil {
		req.Rows(result.Picture, result.Picture.H)
	}
	return result, nil
}

// denoiser makes the denoised picture of a job.
type denoiser func(context.Context) (*picture.Picture, error)

// findBlur returns the motion blur of the job's picture. If denoise is nil, a blur that the whole
// picture shares is looked for in the noisy picture.
func (j *job) findBlur(ctx context.Context, denoise denoiser) (*Blur, error) {
	if j.req.foundBlur != nil {
		return j.req.foundBlur, nil
	}
	if k := j.req.Kernel; k != nil {
		field := blind.UniformField(j.pic.W, j.pic.H, k)
		if err := j.deblurInput().SetLight(ctx, field); err != nil {
			return nil, err
		}
		return &Blur{Verdict: blind.Blurred, Field: field, Kernel: k, Given: true}, nil
	}
	if j.noise > maxBlindNoise {
		return &Blur{}, nil
	}
	p := j.deblurInput()
	denoised := p
	if denoise != nil && (blind.CanShare(p.W, p.H) || blind.HasParts(p.W, p.H)) {
		clean, err := denoise(ctx)
		if err != nil {
			return nil, err
		}
		denoised.Row = tile.PlanesOf(clean).Row
	}
	b, err := findTrusted(ctx, p, &denoised, false)
	if err != nil {
		return nil, err
	}
	if b.shared.Narrow && b.Kernel != nil {
		b.Verdict, b.Kernel = blind.Sharp, nil
	}
	if b.Kernel != nil && b.Field.Shared && !blind.SearchesHalves(p.W, p.H) {
		return findLonger(ctx, denoised, b)
	}
	if b.Verdict != blind.Untold {
		return b, nil
	}
	if parts, err := findInParts(ctx, denoised); parts != nil || err != nil {
		return parts, err
	}
	longer, suspected, err := findHalved(ctx, p, denoised, b)
	switch {
	case longer != nil || err != nil:
		return longer, err
	case b.shared.Field != nil:
		return sharedBlur(b.shared.Field), nil
	}
	b.suspected = suspected
	return b, nil
}

// findTrusted finds the blur of a picture, which is also given denoised. If denoised is nil, there
// is no search in light. last says that there will be no search in its half. Kernels that cannot be
// trusted count as none.
func findTrusted(ctx context.Context, p deblur.Picture, denoised *deblur.Picture, last bool) (*Blur, error) {
	var shared deblur.Shared
	if denoised != nil {
		var err error
		if shared, err = deblur.FindShared(ctx, *denoised); err != nil {
			return nil, err
		}
		if f := shared.Field; f != nil && !f.Probable {
			return sharedBlur(f), nil
		}
		if !last && !shared.Narrow && blind.SearchesHalves(p.W, p.H) {
			return findAgain(ctx, p, shared)
		}
	}
	f, err := deblur.Find(ctx, p)
	if err != nil {
		return nil, err
	}
	trusted := f.Shared || trustKernels(f)
	if !trusted && f.Verdict() != blind.Sharp {
		if trusted, err = deblur.Confirm(ctx, p, f); err != nil {
			return nil, err
		}
	}
	b := &Blur{Verdict: f.Verdict(), Field: f, shared: shared}
	if best := f.Best(); best != nil {
		if b.Kernel = best.Kernel; !trusted {
			b.Verdict, b.Kernel = blind.Untold, nil
		}
	}
	return b, nil
}

// findAgain completes what the search in light found in a picture of many windows, where it found no
// narrow blur and nothing that is sure. A probable blur is sure if the picture's values show it,
// too. Otherwise nothing is: a wider blur is easier to find in the picture's half.
func findAgain(ctx context.Context, p deblur.Picture, shared deblur.Shared) (*Blur, error) {
	if shared.Kernel != nil {
		f, err := deblur.FindAgain(ctx, p, shared.Kernel)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return sharedBlur(f), nil
		}
	}
	return &Blur{Field: blind.UniformField(p.W, p.H, nil), shared: shared}, nil
}

// sharedBlur is the blur that was found in a picture's light.
func sharedBlur(f *blind.Field) *Blur {
	b := &Blur{Verdict: f.Verdict(), Field: f}
	if best := f.Best(); best != nil {
		b.Kernel = best.Kernel
	}
	return b
}

// A picture is deconvolved if at least minTrustedShare of the windows with a kernel have one of at
// least this gain and agreement. The limits were chosen on photographs of the training set, shaken
// in light, and on means of the training video's frames. On the photographs, deconvolution by such
// kernels gained 0.4 to 5.6 dB and lost nothing; by others it gained as often as it lost. In the
// video, where people and the camera move in many ways at once, single windows pass and lose up to
// 2.8 dB, but never half of a picture's windows.
const (
	minKernelGain      = 0.6
	minKernelAgreement = 0.85
	minTrustedShare    = 0.5
)

// Kernels of several windows are also trusted if they are alike: at least minCoherentWindows of
// them, in at least half of the windows. Means of the training video's frames reach a coherence of
// 0.80.
const (
	minCoherentWindows = 3
	minCoherence       = 0.85
)

// trustKernels reports whether the kernels of a field may be trusted without confirmation.
func trustKernels(f *blind.Field) bool {
	found, trusted := 0, 0
	for _, w := range f.Windows {
		if w.Kernel == nil || w.Borrowed {
			continue
		}
		found++
		if w.Certainty.Gain >= minKernelGain && w.Certainty.Agreement >= minKernelAgreement {
			trusted++
		}
	}
	if found >= minCoherentWindows && 2*found >= len(f.Windows) && f.Coherence() >= minCoherence {
		return true
	}
	return found > 0 && float64(trusted) >= minTrustedShare*float64(found)
}

// deblurInput is the job's picture as package deblur reads it.
func (j *job) deblurInput() deblur.Picture {
	p := deblur.Picture{W: j.pic.W, H: j.pic.H, Gray: j.pic.Gray, Row: j.input().Row}
	if j.original != nil {
		p.Hidden = func(i int) bool { return !visible(j.original, i) }
	}
	return p
}

package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// Motion blur is undone in one of four ways, whichever the picture allows:
//
//   - The kernel can be told, or was given: the picture is denoised and deconvolved with it (package blind). Samples are the network's,
//     whose second view is then the picture deconvolved.
//   - The picture is sharp: it is denoised, and else left alone. So is one in which much noise is found, not told, and no blur behind it.
//   - Nothing tells its kernel though there is little noise: a network that has learned how things move does what it can, and denoises.
//   - There is too much noise for edges to tell a kernel: the second view is made from the posterior over kernels that the spectrum
//     gives (package motionblur), which does not need one that is certain.

// mostBlindNoise is the noise, in 8-bit levels, up to which edges tell a kernel.
const maxBlindNoise = 5

// Blur is what a Result tells about a picture's blur.
type Blur struct {
	Verdict blind.Verdict
	// Field says how the blur varies over the picture; nil if it was not looked at, because of its noise, or if another network than motion-deblur's undid it.
	Field *blind.Field
	// Kernel is the one that was given, or of those of Field the most certain; nil if there is none.
	Kernel *task.Kernel
	// Given says that the kernel, or Defocus, came with the request.
	Given bool
	// Defocus is the blur of gaussian-deblur; none for motion-deblur, and unless the verdict is blind.Blurred.
	Defocus defocus.Blur
	// Certainty is what the verdict about it was made from; zero if the blur was given.
	Certainty defocus.Certainty
}

// findBlur tells how the job's picture is blurred.
func (j *job) findBlur(ctx context.Context) (*Blur, error) {
	if j.req.foundBlur != nil {
		return j.req.foundBlur, nil
	}
	if k := j.req.Kernel; k != nil {
		return &Blur{Verdict: blind.Blurred, Field: blind.UniformField(j.pic.W, j.pic.H, k), Kernel: k, Given: true}, nil
	}
	if j.noise > maxBlindNoise {
		return &Blur{}, nil
	}
	f, err := deblur.Find(ctx, j.deblurInput())
	if err != nil {
		return nil, err
	}
	b := &Blur{Verdict: f.Verdict(), Field: f}
	if best := f.Best(); best != nil {
		if b.Kernel = best.Kernel; !trustKernels(f) {
			b.Verdict, b.Kernel = blind.Untold, nil
		}
	}
	return b, nil
}

// What a window's kernel must be sure of, and how many of the windows that tell one must be, for a
// picture to be deconvolved. Chosen on photographs of the training set, shaken in light, and on
// means of the training video's frames: of the first, deconvolution by such kernels gained 0.4 to
// 5.6 dB and lost nothing, by others it gained as often as it lost; of the second, where people and
// the camera move in many ways at once, single windows pass and lose up to 2.8 dB, but never half
// of a picture's.
const (
	minKernelGain      = 0.6
	minKernelAgreement = 0.85
	minTrustedShare    = 0.5
)

// Kernels of several windows may also be trusted because they are alike: at least so many of them,
// in at least half of the windows. Means of the training video's frames reach 0.80.
const (
	minCoherentWindows = 3
	minCoherence       = 0.85
)

// sure tells whether the kernels of a field may be trusted.
func trustKernels(f *blind.Field) bool {
	told, trusted := 0, 0
	for _, w := range f.Windows {
		if w.Kernel == nil || w.Borrowed {
			continue
		}
		told++
		if w.Certainty.Gain >= minKernelGain && w.Certainty.Agreement >= minKernelAgreement {
			trusted++
		}
	}
	if told >= minCoherentWindows && 2*told >= len(f.Windows) && f.Coherence() >= minCoherence {
		return true
	}
	return told > 0 && float64(trusted) >= minTrustedShare*float64(told)
}

// seen is the job's picture as package motion looks at it.
func (j *job) deblurInput() deblur.Picture {
	p := deblur.Picture{W: j.pic.W, H: j.pic.H, Gray: j.pic.Gray, Row: j.input().Row}
	if j.original != nil {
		p.Hidden = func(i int) bool { return !visible(j.original, i) }
	}
	return p
}

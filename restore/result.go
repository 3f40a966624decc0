package restore

import (
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// AreaSide is the side of the areas of Result.Areas, in pixels.
const AreaSide = 16

// Result is the answer to a Request. Its pictures have the depth, format, profile, grey and alpha
// of the given picture (enlarged for super-resolution). Their values are limited to [-1, 1] (see
// Request.Below). If the given picture has Levels, the restoration has Levels too, unless samples,
// a latent, the projection or an ensemble are asked for.
type Result struct {
	Picture *picture.Picture   // from z = μ, the mode of the adapter's proposal; see Request.Ensemble
	Samples []*picture.Picture // the samples; sample i is the same however many are drawn
	Mean    *picture.Picture   // mean of the samples; nil without samples
	// Std is the samples' standard deviation (unbiased, divided by N−1), three planes as
	// Picture.Pix; nil if N < 2.
	Std []float32
	// Areas is the standard deviation of the samples' means over areas of AreaSide×AreaSide pixels
	// (fewer at the right and lower border): three planes of ⌈H/AreaSide⌉ rows of ⌈W/AreaSide⌉
	// values. The uncertainty of single pixels mostly averages out there; what is left is the
	// uncertainty of shapes, brightness and colour.
	Areas   []float32
	Noise   float64       // the noise level used, in 8-bit levels
	Profile noise.Profile // the noise profile used; white noise if Request.Noise gave a level
	Task    task.Task     // the task done: Inpaint has become InpaintRandom or InpaintBox
	Latent  *Latent       // the adapter's proposal; nil unless Request.Explain
	Blur    *Blur         // what was found about the picture's blur; nil for tasks without blur
}

// Blur is what a Result tells about a picture's blur.
type Blur struct {
	Verdict blind.Verdict
	// Field says how the blur varies over the picture. It is nil if the blur was not searched for,
	// because of noise, or if another network than motion-deblur's undid it.
	Field *blind.Field
	// Halvings is how often the picture had to be halved until its blur could be found; 0 if it was
	// not. Field and Kernel are those of the whole picture, enlarged.
	Halvings int
	halved   *blind.Field // the field that was found in the halved picture
	// inParts says that the parts of a small picture, or of a halved one, showed the same kernel.
	// Then the whole picture is deconvolved with it, in the latter case with the enlarged kernel.
	inParts bool
	// suspected says that there seems to be a blur whose kernel cannot be trusted.
	suspected bool
	// shared is what the search in the picture's light found, if that is not sure.
	shared deblur.Shared
	// Kernel is the given kernel, or the most certain one of Field; nil if there is none.
	Kernel *task.Kernel
	// Given says that the request brought the kernel, or Defocus.
	Given bool
	// Defocus is the blur of gaussian-deblur. It is no blur for motion-deblur, and unless the
	// verdict is blind.Blurred.
	Defocus defocus.Blur
	// Certainty is what the verdict about Defocus is based on; zero if the blur was given.
	Certainty defocus.Certainty
}

// width is that of the most certain kernel, in pixels (blind.Certainty).
func (b *Blur) width() float64 { return b.Field.Best().Certainty.Width }

// probable reports whether the whole picture shares a kernel that is probable, but not sure.
func (b *Blur) probable() bool { return b.Field != nil && b.Field.Probable }

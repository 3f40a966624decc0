package restore

import (
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Margins other than a number of pixels; see Config.Margin.
const (
	NoMargin   = 0  // the domain ends less than its rounding beyond the picture
	FullMargin = -1 // the receptive field of adapter and flow map
)

// Config says how to open a Model. The zero value is the embedded weights on the best device.
type Config struct {
	Device  string   // index or part of a name; "": $VFM_DEVICE, else the best
	Weights string   // path of a .vfm file; "": the embedded weights
	Network *Network // weights that are in memory; nil: as Weights says
	// Special are networks for some tasks (Network.SetTasks), which they do in place of the one above, whatever their form. The embedded weights have
	// such without being told.
	Special []*Network

	// Tile is the side, in pixels, of the part of the restored picture that one tile gives at most; it is rounded down to what the
	// network's levels allow, and the tile itself is larger by the networks' receptive field (256 pixels with the shipped one).
	// 0 chooses by speed and by the memory of the device. It does not change the picture, but for rounding.
	Tile int
	// Margin is how many pixels the networks see beyond each side of the picture, continued by reflection: FullMargin means so
	// many that no pixel of the result (in one step) sees where the continuation ends, NoMargin none but what rounds the size up.
	// Any margin is tiled exactly; a full one costs (W+2M)(H+2M)/WH times the work, 8 times for 256×256 pixels and the shipped
	// network.
	Margin int

	Validation bool         // switch on the Vulkan validation layer; slow
	OnMessage  func(string) // gets its messages; nil: standard error
	CacheDir   string       // of pipelines; "": the user's cache directory, "-": none
	Portable   bool         // use only kernels that run on every device, for comparisons
	// Once is for a few small pictures. On software drivers it builds kernels that are ready sooner
	// but run a tenth slower.
	Once      bool
	Precision Precision // of activations and weights in the device's memory

	// Timeout is how long the device may take for one tile before it counts as hung and lost: 0 for two minutes, negative for no limit.
	Timeout time.Duration

	// Pace is the share of the device's time that the Model may take, above 0 and at most 1, which
	// 0 means too: after every run of a network (a tile, a frame) it lets the device rest for so
	// long that the rest is left to others, or to cool down. What is built before the first runs
	// does not count.
	Pace float64

	faults  *gpu.Faults                           // of tests
	kernels func() (motionblur.Parameters, error) // of tests; nil: the embedded network that reads motion blur's kernels

	// Shared is a device to use instead of opening one; Device, Validation, OnMessage, CacheDir and Timeout then mean nothing, and Close
	// leaves it open. It must outlive the Model.
	Shared *gpu.Device
}

// largestTile is as good as any larger one: no picture is longer.
const maxTile = 1 << 30

// hungAfter is far beyond what a tile takes where no dispatch takes longer than dispatchLimit.
const defaultTimeout = 2 * time.Minute

func (cfg Config) timeout() time.Duration {
	if cfg.Timeout == 0 {
		return defaultTimeout
	}
	return max(cfg.Timeout, 0)
}

func (cfg Config) kernelNetwork() (motionblur.Parameters, error) {
	if cfg.kernels != nil {
		return cfg.kernels()
	}
	return motionblur.Network()
}

// MaxSamples is the most pictures that a request draws. More would say little more: the mean's error
// falls with the root of their number, to a thirtieth of the spread here. The command and the C
// library have the same bound.
const MaxSamples = 1000

// MaxNoise is the highest noise level that the networks know, in 8-bit levels: 0.4 in [-1, 1]. Higher ones are taken for it.
const MaxNoise = 0.4 * 127.5

// Request says what to do with a picture.
type Request struct {
	Task task.Task
	// Mask has a value for every pixel, true where it is missing. For the inpainting tasks only, which need it.
	Mask []bool
	// Noise is the standard deviation of the picture's noise in 8-bit levels, at most MaxNoise
	// (more counts as that), and means white noise; NoNoise says that there is none. At 0 and below
	// it is estimated, in the known pixels, with its shape (Result.Profile); for inpainting an
	// estimate below 1.5 levels counts as none.
	//
	// Inpainting at a noise of at most 0.5 leaves the known pixels as they are, bit for bit; otherwise they are denoised.
	Noise float64

	// Profile, if not nil, describes the noise, in place of Noise.
	Profile *noise.Profile
	// Grain is the share of what denoising took away that is put back, of luminance and of chroma, 0 to 1. For Denoise only.
	Grain [2]float64

	// Kernel is the blur kernel of motion-deblur where it is known, by a calibration or a gyroscope: the picture is deconvolved with it.
	// nil: it is found. Its weights have the sum 1.
	Kernel *task.Kernel

	// Blur is the blur of gaussian-deblur where it is known; defocus.Blur{} is none. nil: it is found. Gaussians of 2.8 to 3.3 pixels are undone by that
	// task's network, as TrainedBlur is; of others the picture is denoised and deconvolved, and samples and the latent are those of motion-deblur. Steps, Times and Temperature
	// then have no meaning but for these.
	Blur *defocus.Blur

	// Expected leaves wide holes as the network fills them, the expected picture z = μ, a mean of
	// all that might be there. Otherwise inpainting fills holes of more than 12 pixels across from
	// the picture's own patches (package patch), each sample and Seed in another way, so that they
	// look like the rest.
	Expected bool

	// Samples is how many pictures to draw from the posterior, at most MaxSamples.
	Samples int
	// Temperature scales the spread of the samples: 1, which 0 means too, is the posterior; at
	// NoSpread all are like the picture that is returned anyway.
	Temperature float64
	// Seed makes samples reproducible: the same seed gives the same samples on any device, but for rounding.
	Seed uint64
	// StatisticsOnly drops the samples as soon as their mean and deviation are updated: Result.Samples stays empty.
	StatisticsOnly bool

	// Steps is the number K of steps of the flow map, over the times 1, 1−1/K, …, 0. 0 means 1, what the networks are made for.
	Steps int
	// Times, if not nil, is any other partition of the time from noise to picture (Algorithm 1): K+1 falling numbers from 1 to 0. Steps
	// must then be 0 or K.
	Times []float64

	// Ensemble is in how many of the eight orientations of a square the picture is restored, 1, 2, 4 or 8 (0 means 1): Result.Picture is then the mean of what
	// comes of them, which costs that many times as much and is a little better. Samples and latent are of the picture as it lies.
	Ensemble int

	// Project replaces every restoration x by x + Aᵀ(y − A x) = Aᵀy + (I − AᵀA)x, the paper's projection trick, which makes it agree
	// better with the picture given, noise included. For the inpainting tasks (where the known pixels become those given) and
	// gaussian-deblur, there of TrainedBlur only, which is taken for granted then.
	Project bool

	// Explain fills Result.Latent.
	Explain bool

	// Progress, if not nil, is called on the caller's goroutine as tiles get done. total may change when memory runs short.
	Progress func(done, total int)

	// Rows, if not nil, is called on the caller's goroutine as rows of the result get done, from the
	// top. p will be Result.Picture. As many rows of it as are told do not change any more, and any
	// goroutine may read them; those below may still change. If Restore fails, it may not have
	// reported all rows. With Ensemble, Rows is called once, at the end. With Project, which needs
	// the whole picture, it is not called.
	Rows func(p *picture.Picture, rows int)

	// Below and Above are how far below -1 and above 1 values of the result may go; 0: not at all.
	// For video, whose codes reach there (frame.Format.RGBRange).
	Below, Above float32

	// unfinished leaves the wide holes of Result.Picture, its grain and the bounds of its JPEG file,
	// but not those of samples, to an ensemble.
	skipFinish bool
	// network asks for motion-deblur by the network, with Kernel for its second view.
	byNetwork bool
	// memory, if not nil, is used again for many pictures.
	memory *frameMemory
	// moved asks for denoising by the network that undoes movement too.
	byMovementNetwork bool
	// compressed asks for denoising by the network that undoes JPEG, if there is one.
	byCompressionNetwork bool
	// found, if not nil, is the blur that Inspect found for this task in this picture, with the
	// noise that would be found again.
	foundBlur *Blur
}

// AreaSide is the side of the areas of Result.Areas, in pixels.
const AreaSide = 16

// Result is what came of a Request. The pictures are as the one given in depth, format, profile,
// grey and alpha (enlarged for super-resolution), their values limited to [-1, 1] (see
// Request.Below). For a picture with Levels, the restoration has Levels too, unless samples, a
// latent, the projection or an ensemble are asked for.
type Result struct {
	Picture *picture.Picture   // from z = μ, the mode of the adapter's proposal; see Request.Ensemble
	Samples []*picture.Picture // as many as asked for, sample i the same whatever their number
	Mean    *picture.Picture   // mean of the samples; nil without any
	Std     []float32          // their standard deviation (unbiased, divided by N−1), three planes as Picture.Pix; nil for N < 2
	// Areas is the standard deviation of the samples' means over areas of AreaSide×AreaSide pixels
	// (fewer at the right and lower border), as Std: three planes of ⌈H/AreaSide⌉ rows of ⌈W/AreaSide⌉
	// values. Doubt of single pixels mostly averages out there; what is left is doubt of shapes,
	// brightness and colour.
	Areas   []float32
	Noise   float64       // the noise level used, in 8-bit levels
	Profile noise.Profile // and the noise's shape; of white noise if it was told
	Task    task.Task     // the class used: Inpaint has become InpaintRandom or InpaintBox
	Latent  *Latent       // the adapter's proposal; nil unless Request.Explain
	Blur    *Blur         // what was found of a picture's blur; nil for tasks without any
}

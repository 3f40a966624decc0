package trainhost

import (
	"context"
	"fmt"
	"image"
	"math"
	"path/filepath"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// EvalConfig is the evaluation protocol: every picture of a folder is degraded by the random
// operator and the noise of every task, restored, and compared.
type EvalConfig struct {
	Folder  string
	Tasks   []task.Task // nil: all that the model was trained for
	Sigma   float64     // standard deviation of the noise in [-1,1]; 0.05 is the paper's
	Samples int         // posterior samples per picture; 0: z = μ only
	Limit   int         // use at most this many pictures; 0: all
	Spread  bool        // with Limit: take them at equal distances from the folder, not the first ones
	Crop    int         // use at most this many pixels a side, from the middle; 0: all
	Seed    uint64
	Draws   int // random operators and noises per picture, of the seeds Seed, Seed+1, …; 0: one
	Steps   int // of the flow map; 0: one
	// Ensemble is restore.Request.Ensemble.
	Ensemble int
	Auto     bool // let the model estimate the noise level, instead of giving it
	Scales   bool // also measure the means of blocks (Score.Scales); needs two samples
	// Camera, if not empty, degrades the pictures of denoise instead of white noise (camera.Parse).
	Camera string
	// Seen, if not nil, is called with the pictures of every evaluation.
	Seen func(ctx context.Context, e *Evaluated) error
	// Progress is called after each picture; it may be nil.
	Progress func(t task.Task, done, total int)
}

// Evaluated are the pictures of one evaluation, clamped to [-1,1].
type Evaluated struct {
	Task        task.Task
	File        string // of the reference
	Index, Draw int
	// Fresh says that no earlier evaluation of the task had the same Truth. With a camera Truth is
	// another one in every draw.
	Fresh   bool
	Truth   *planar.Image
	Input   *planar.Image // the observation, enlarged for super-resolve
	Mode    *planar.Image // z = μ
	Samples []*planar.Image
}

// Score is the result for one task: means over the pictures and draws. PSNR is in dB, of pictures
// clamped to [-1,1]. SSIM is in [0,1].
type Score struct {
	Task     string  `json:"task"`
	Pictures int     `json:"pictures"`
	Draws    int     `json:"draws"`
	Input    float64 `json:"psnr_input"` // the observation, enlarged for super-resolve
	Mode     float64 `json:"psnr_mode"`  // z = μ
	ModeSSIM float64 `json:"ssim_mode"`
	// ModeDraws is psnr_mode of each draw, which shows how much it varies.
	ModeDraws           []float64    `json:"psnr_mode_draws,omitempty"`
	LumaInput, LumaMode float64      `json:",omitempty"`            // PSNR of luminance, with EvalConfig.Camera
	Itself, ItselfWorst float64      `json:",omitempty"`            // PSNR between input and result: mean and least
	Sample              float64      `json:"psnr_sample,omitempty"` // one posterior sample
	SampleSSIM          float64      `json:"ssim_sample,omitempty"`
	Mean                float64      `json:"psnr_mean,omitempty"` // mean of the samples
	MeanSSIM            float64      `json:"ssim_mean,omitempty"`
	CRPS                float64      `json:"crps,omitempty"`                // eq. 98, per pixel value
	Coverage            float64      `json:"coverage90,omitempty"`          // share of true values inside the samples' 90 % interval
	Expected            float64      `json:"coverage90_expected,omitempty"` // coverage of a calibrated ensemble of this size
	Std                 float64      `json:"std,omitempty"`                 // root mean square of the samples' standard deviation
	Error               float64      `json:"error,omitempty"`               // root mean square error of their mean
	Scales              []ScaleScore `json:"scales,omitempty"`              // with EvalConfig.Scales
	Corr                float64      `json:"corr,omitempty"`                // correlation of std and |error| over pixels
}

// Evaluate runs the protocol. Random operators and noise depend only on the seed, the task and the
// index of the picture in the folder.
func Evaluate(ctx context.Context, m *restore.Model, c EvalConfig) ([]Score, error) {
	if c.Tasks == nil {
		c.Tasks = m.Tasks()
	}
	c.Draws = max(c.Draws, 1)
	paths, err := pictureFiles(c.Folder, c.Limit, c.Spread)
	if err != nil {
		return nil, err
	}
	var out []Score
	for _, t := range c.Tasks {
		s := Score{Task: t.String(), Pictures: len(paths), Draws: c.Draws, ItselfWorst: 99}
		for d := range c.Draws {
			before := s.Mode
			draw := c
			draw.Seed += uint64(d)
			for i, path := range paths {
				if err := s.addPicture(ctx, m, draw, &Evaluated{Task: t, File: path, Index: i, Draw: d}); err != nil {
					return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
				}
				if c.Progress != nil {
					c.Progress(t, d*len(paths)+i+1, c.Draws*len(paths))
				}
			}
			s.ModeDraws = append(s.ModeDraws, (s.Mode-before)/float64(len(paths)))
		}
		s.finish(c)
		out = append(out, s)
	}
	return out, nil
}

// addPicture adds the scores of the picture in e.File.
func (s *Score) addPicture(ctx context.Context, m *restore.Model, c EvalConfig, e *Evaluated) error {
	t, index := e.Task, uint64(e.Index)
	p, err := picture.DecodeFile(e.File, picture.Limits{Regular: true})
	if err != nil {
		return err
	}
	truth, err := p.Planar().Crop(middle(p.W, p.H, c.Crop))
	if err != nil {
		return err
	}
	rng := task.NewRand(c.Seed, index<<8|uint64(t.Class()))
	w, err := task.DrawLaw(rng, t, task.Law{W: truth.W, H: truth.H, Clean: truth, Scale: 1})
	if err != nil {
		return err
	}
	op, err := task.NewOperator(t, truth.W, truth.H, w)
	if err != nil {
		return err
	}
	y, err := op.Observe(rng, truth, c.Sigma)
	if c.Camera != "" && t.Takes(task.OptionCamera) {
		var cam camera.Camera
		if cam, err = camera.Parse(c.Camera, rng); err == nil {
			truth, y, err = cam.Degrade(rng, truth)
		}
	}
	if err != nil {
		return err
	}
	req := restore.Request{Task: t, Noise: max(task.Std8(c.Sigma), restore.NoNoise), Samples: c.Samples, Steps: c.Steps, Ensemble: c.Ensemble, Seed: c.Seed + index, Temperature: 1, Expected: true}
	if t.Takes(task.OptionBlur) { // the networks are told the protocol's blur
		req.Blur = &restore.TrainedBlur
	}
	if c.Auto {
		req.Noise = 0
	}
	if w.Mask != nil {
		req.Mask = make([]bool, len(w.Mask))
		for i, v := range w.Mask {
			req.Mask[i] = v < 0.5
		}
	}
	r, err := m.Restore(ctx, &picture.Picture{W: y.W, H: y.H, Pix: y.Pix, Depth: 16}, req)
	if err != nil {
		return err
	}
	if c.Scales && c.Samples >= 2 {
		var where []bool
		if t == task.InpaintBox {
			where = req.Mask
		}
		s.addBlocks(truth, r, where)
	}
	return s.add(ctx, c, e, truth, y, r)
}

// middle is the part of a picture that is used: sides that are multiples of 4, of at most crop
// pixels (0: no limit).
func middle(w, h, crop int) image.Rectangle {
	if crop == 0 || crop >= max(w, h) {
		return image.Rect(0, 0, w&^3, h&^3)
	}
	cw, ch := min(w, crop)&^3, min(h, crop)&^3
	x, y := (w-cw)/2, (h-ch)/2
	return image.Rect(x, y, x+cw, y+ch)
}

// add adds the scores of r, the restoration of y. It fills in the pictures of e.
func (s *Score) add(ctx context.Context, c EvalConfig, e *Evaluated, truth, y *planar.Image, r *restore.Result) error {
	t, input := e.Task, y
	if t.Scale() > 1 {
		v, _, err := task.View(t, y, nil)
		if err != nil {
			return err
		}
		input = v
	}
	img := func(p *picture.Picture) *planar.Image {
		return p.Planar().Clone().Clamp()
	}
	both := func(p *planar.Image, psnr, ssim *float64) error {
		v, err := metric.PSNR(truth, p)
		if err != nil {
			return err
		}
		*psnr += v
		if ssim != nil {
			if v, err = metric.SSIM(truth, p, 2); err != nil {
				return err
			}
			*ssim += v
		}
		return nil
	}
	if err := both(input.Clone().Clamp(), &s.Input, nil); err != nil {
		return err
	}
	if err := both(img(r.Picture), &s.Mode, &s.ModeSSIM); err != nil {
		return err
	}
	if c.Camera != "" {
		before, err := metric.PSNR(luminance(truth), luminance(input.Clone().Clamp()))
		if err != nil {
			return err
		}
		after, err := metric.PSNR(luminance(truth), luminance(img(r.Picture)))
		if err != nil {
			return err
		}
		s.LumaInput, s.LumaMode = s.LumaInput+before, s.LumaMode+after
		own, err := metric.PSNR(input, img(r.Picture))
		if err != nil {
			return err
		}
		s.Itself, s.ItselfWorst = s.Itself+min(own, 99), min(own, s.ItselfWorst)
	}
	samples := make([]*planar.Image, len(r.Samples))
	for i, p := range r.Samples {
		samples[i] = img(p)
	}
	if c.Seen != nil {
		e.Fresh = e.Draw == 0 || c.Camera != "" && t.Takes(task.OptionCamera)
		e.Truth, e.Input, e.Mode, e.Samples = truth, input.Clone().Clamp(), img(r.Picture), samples
		if err := c.Seen(ctx, e); err != nil {
			return err
		}
	}
	if c.Samples < 2 {
		return nil
	}
	if err := both(samples[0], &s.Sample, &s.SampleSSIM); err != nil {
		return err
	}
	if err := both(img(r.Mean), &s.Mean, &s.MeanSSIM); err != nil {
		return err
	}
	crps, err := metric.ImageCRPS(truth, samples, false)
	if err != nil {
		return err
	}
	cover, err := metric.Coverage(truth, samples, 0.9)
	if err != nil {
		return err
	}
	sp, err := metric.SpreadError(truth, samples)
	if err != nil {
		return err
	}
	s.CRPS += crps
	s.Coverage += cover
	s.Std += sp.Std * sp.Std
	s.Error += sp.Error * sp.Error
	s.Corr += sp.Correlation
	return nil
}

// finish turns sums into means.
func (s *Score) finish(c EvalConfig) {
	n := float64(s.Pictures * s.Draws)
	for _, v := range []*float64{&s.Input, &s.Mode, &s.ModeSSIM, &s.Sample, &s.SampleSSIM, &s.Mean, &s.MeanSSIM, &s.CRPS, &s.Coverage, &s.Std, &s.Error, &s.Corr, &s.LumaInput, &s.LumaMode, &s.Itself} {
		*v /= n
	}
	s.Std, s.Error = math.Sqrt(s.Std), math.Sqrt(s.Error)
	for i := range s.Scales {
		s.Scales[i].finish()
	}
	if c.Samples >= 2 {
		s.Expected = metric.ExpectedCoverage(c.Samples, 0.9)
	}
}

package restore

import (
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/jpegbound"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/patch"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// keepNoise is the noise, in 8-bit levels, up to which inpainting leaves known pixels alone: less than rounding hides.
	keepNoise = 0.5
	// textureNoise is the estimate of noise that clean pictures may give.
	textureNoise = 1.5
	// fewWindows is the number of whole windows below which the shape of noise cannot be told.
	fewWindows = 4
	maxSteps   = 1000
)

// job is a request that was checked, with all that is made once for the whole picture.
type job struct {
	session engine.Session
	req     Request
	pic     *picture.Picture // with what alpha hides filled in
	// The picture as it was given, and the result's alpha, where something is hidden.
	covered *picture.Picture
	alpha   []float32
	task    task.Task
	of      *member // whose task it is
	net     *loaded // which is this network
	class   int     // its place in the one-hot vector
	noise   float64 // the level of profile, in 8-bit levels
	profile noise.Profile
	times   []float64      // of the partition, from 1 to 0
	keep    bool           // the known pixels
	holes   patch.Holes    // wide ones, which are filled from the picture's patches
	op      *task.Operator // for the projection; nil without
	y       *planar.Image  // and the observation that it projects to

	w, h  int              // of the result
	view  *mirrored        // what the adapter sees
	bound *jpegbound.Bound // what a JPEG file says; nil: nothing
	// compressed says that net is the network for compression.
	compressed bool
	guessing   bool   // it has a second view
	guess      *guess // which is this

	kernel *task.Kernel // that the guess is made with
	blur   *Blur        // of motion blur, what was found
	still  *mirrored    // the second view where it is made at once, by deconvolution; nil: guess
}

// accept checks the request.
func (m *Model) accept(pic *picture.Picture, req Request) (*job, error) {
	if err := check(pic, req); err != nil {
		return nil, err
	}
	if pic.Levels != nil && !req.Packs() {
		pic = pic.Unpacked()
	}
	t := req.Task
	if t.Masked() {
		t = task.ResolveOf(t, req.known, pic.W, pic.H)
	}
	req.compressed = mostlyCompressed(pic, req)
	j, err := m.newJob(req, t, pic.W, pic.H)
	if err != nil {
		return nil, err
	}
	if j.pic, err = uncovered(pic, req.known); err != nil {
		return nil, err
	}
	if j.pic != pic {
		j.covered, j.alpha = pic, pic.Like(j.w, j.h, nil).Alpha
	}
	if j.task.Masked() { // what was to go may stand in them
		j.pic = j.pic.WithoutMakerNotes()
	}
	if j.holes, err = j.wideHoles(); err != nil {
		return nil, err
	}
	j.setNoise(j.find())
	if level, told := toldNoise(req.Noise); told && req.Profile == nil {
		j.noise = level // to the bit
	}
	j.within()
	return j, j.projection()
}

// newJob is what can be said of a job without the picture, which has w×h pixels: by which programs task t is done, and what they make.
func (m *Model) newJob(req Request, t task.Task, w, h int) (j *job, err error) {
	j = &job{req: req, task: t, times: partition(req.Steps, req.Times), w: w * t.Scale(), h: h * t.Scale()}
	who := t
	_, _, knows := m.memberFor(compression)
	switch {
	case req.moved:
		who = movement
	case t == task.Denoise && req.compressed && knows:
		who, j.compressed = compression, true
	}
	if j.of, j.class, err = m.memberOf(who); err != nil {
		return nil, err
	}
	if j.net, err = j.of.read(); err != nil {
		return nil, err
	}
	j.guessing = j.net.Config.Traits().Guess && t == task.MotionDeblur
	return j, nil
}

// wantsLatent tells whether μ and σ are needed once the picture of z = μ is there.
func (j *job) wantsLatent() bool { return j.req.Samples > 0 || j.req.Explain }

// oneStep tells whether the flow map takes z to the picture at once.
func (j *job) oneStep() bool { return len(j.times) == 2 }

// inOne tells whether one program does all, as there is one tile.
func (j *job) inOne(ts []tile) bool { return len(ts) == 1 && j.oneStep() }

// banded tells whether μ is needed for the tiles at hand only.
func (j *job) banded() bool { return j.oneStep() && !j.wantsLatent() }

// kinds are the programs that make the picture of z = μ: one that does all, or the adapter and the flow map.
func (j *job) kinds(inOne bool) []kind {
	switch {
	case inOne && j.wantsLatent():
		return []kind{kindWhole.with(j.guessing)}
	case inOne:
		return []kind{kindPicture.with(j.guessing)}
	case j.banded():
		return []kind{kindMuHeld.with(j.guessing), kindOneHeld}
	case j.oneStep():
		return []kind{kindAdapter.with(j.guessing), kindOne}
	}
	return []kind{kindAdapter.with(j.guessing), kindStep}
}

// Packs tells whether the result of a picture with Levels can have Levels too: where more than one is made, floats are.
func (r *Request) Packs() bool {
	return r.Samples == 0 && !r.Explain && !r.Project && r.Ensemble <= 1
}

// given is the picture itself.
func (j *job) given() planes {
	return planes{w: j.pic.W, h: j.pic.H, data: j.pic.Pix, levels: j.pic.Levels}
}

// look prepares the adapter's views, which are made tile by tile. The caller calls forget in the end.
func (m *Model) look(ctx context.Context, j *job) error {
	given := j.given()
	p, err := task.NewPieces(j.task, j.pic.W, j.pic.H, j.req.Mask, given.row)
	if err != nil {
		return err
	}
	j.view = newMirrored(j.w, j.h, 3, func(dst []float32, r rect) { p.Read(dst, r.x, r.y, r.w, r.h) })
	if j.req.memory != nil {
		j.view.reuse(&j.req.memory.view)
	}
	if !j.guessing {
		return nil
	}
	if j.blur != nil && j.blur.Kernel != nil {
		x, err := deblur.Deconvolve(ctx, j.seen(), j.blur.Field, j.profile, j.blur.Given)
		if err != nil {
			return err
		}
		j.kernel = j.blur.Kernel
		all := planes{w: j.w, h: j.h, data: x}
		j.still = newMirrored(j.w, j.h, 3, func(dst []float32, r rect) {
			for c := range 3 {
				for y := range r.h {
					all.row(dst[(c*r.h+y)*r.w:][:r.w], c, r.y+y, r.x)
				}
			}
		})
		return nil
	}
	e, _ := m.estimators.Get().(*estimator)
	if e == nil {
		if e, err = m.newEstimator(); err != nil {
			return err
		}
	}
	e.runner.session = &j.session
	if j.covered != nil {
		e.ExcludePixels(func(i int) bool { return !visible(j.covered, i) })
	}
	if err := e.Begin(ctx, j.pic.W, j.pic.H, given.row, task.Sigma(j.noise)); err != nil {
		return err
	}
	if j.pic.W*j.pic.H > largePicture {
		if err := m.dropShort(ctx); err != nil {
			return err
		}
	}
	j.guess, j.kernel = newGuess(ctx, e, j.w, j.h), e.Kernel()
	return nil
}

// forget gives back what look took.
func (m *Model) forget(j *job) {
	if j.guess != nil {
		j.guess.e.End()
		m.estimators.Put(j.guess.e)
	}
}

// known tells whether a pixel is.
func (r *Request) known(i int) bool { return r.Mask == nil || !r.Mask[i] }

// knownOf turns a mask of what is missing into 1 where a pixel is known.
func knownOf(missing []bool) []float32 {
	known := make([]float32, len(missing))
	for i, m := range missing {
		if !m {
			known[i] = 1
		}
	}
	return known
}

// find is the noise that the request tells, or that is found in the picture.
func (j *job) find() noise.Profile {
	if j.req.Profile != nil {
		return *j.req.Profile
	}
	if level, told := toldNoise(j.req.Noise); told {
		return whiteNoise(j.pic, level)
	}
	src := noise.Source{W: j.pic.W, H: j.pic.H, Crop: j.pic.Crop}
	switch {
	case j.covered != nil:
		src.Known = func(i int) bool { return j.req.known(i) && visible(j.covered, i) }
	case j.req.Mask != nil:
		src.Known = j.req.known
	}
	return findNoise(new(noise.Estimator), src, j.task)
}

// whiteNoise is white noise of a level in 8-bit steps, as it is in such a picture.
func whiteNoise(p *picture.Picture, level float64) noise.Profile {
	if colourless(p) {
		return noise.Grey(task.Sigma(level))
	}
	return noise.White(task.Sigma(level))
}

// colourless tells whether the three channels of a picture are the same everywhere.
func colourless(p *picture.Picture) bool {
	if p.Gray {
		return true
	}
	if n := p.W * p.H; p.Levels == nil {
		return slices.Equal(p.Pix[:n], p.Pix[n:2*n]) && slices.Equal(p.Pix[:n], p.Pix[2*n:3*n])
	}
	const rows = 16
	for y := 0; y < p.H; y += rows {
		part := p.Crop(0, y, p.W, min(rows, p.H-y))
		if !slices.Equal(part.Plane(0), part.Plane(1)) || !slices.Equal(part.Plane(0), part.Plane(2)) {
			return false
		}
	}
	return true
}

// findNoise estimates the noise of a picture for a task.
func findNoise(e *noise.Estimator, src noise.Source, t task.Task) noise.Profile {
	p := e.Estimate(src)
	if src.Known != nil && e.Windows() < fewWindows {
		// Single missing pixels leave no window whole: white noise is taken for granted, and 2×2 blocks looked at.
		p = noise.White(task.EstimateSigmaOf(src.W, src.H, src.Crop, src.Known))
	}
	if t.Masked() && task.Std8(p.Sigma()) < textureNoise {
		p = noise.White(0)
	}
	return p
}

// setNoise tells the job what noise there is. More than MaxNoise counts as that.
func (j *job) setNoise(p noise.Profile) {
	j.profile, j.noise = p.Limit(task.Sigma(MaxNoise)), min(task.Std8(p.Sigma()), MaxNoise)
	j.keep = j.task.Masked() && j.noise <= keepNoise
}

// describe is the vector of the noise's shape, as the adapter reads it.
func (j *job) describe() []float32 {
	v := make([]float32, noise.Numbers)
	j.profile.Vector(v)
	return v
}

// check holds what does not depend on the model.
func check(pic *picture.Picture, req Request) error {
	if pic == nil {
		return badRequest("picture", "is missing")
	}
	if err := pic.Check(); err != nil {
		return badRequest("picture", "cannot be used: %v", err)
	}
	if i := firstBad(pic.Pix); i >= 0 {
		return badRequest("picture", "has a value that is not a finite number (%v at index %d)", pic.Pix[i], i)
	}
	switch {
	case !req.Task.Valid():
		return &task.UnknownTaskError{Name: req.Task.String()}
	case req.Task.Masked() && req.Mask == nil:
		return badRequest("mask", "is missing; task %v needs one", req.Task)
	case !req.Task.Masked() && req.Mask != nil:
		return badRequest("mask", "has no meaning for task %v", req.Task)
	case req.Mask != nil && len(req.Mask) != pic.W*pic.H:
		return badRequest("mask", "has %d values, the picture has %d×%d pixels", len(req.Mask), pic.W, pic.H)
	case req.Mask != nil && !somethingKnown(req.Mask):
		return badRequest("mask", "leaves nothing of the picture: every pixel is missing")
	case checkNoise(req.Noise) != nil:
		return checkNoise(req.Noise)
	case !(req.Below >= 0 && req.Below <= 10) || !(req.Above >= 0 && req.Above <= 10):
		return badRequest("range", "goes by %v below -1 and by %v above 1, must be 0 to 10", req.Below, req.Above)
	case req.Profile != nil && !req.Profile.Valid():
		return badRequest("profile", "has a level that is negative or not a finite number")
	case !inUnit(req.Grain[0]) || !inUnit(req.Grain[1]):
		return badRequest("grain", "is %v, must be two shares from 0 to 1", req.Grain)
	case req.Grain != [2]float64{} && !req.Task.Takes(task.OptionStrength):
		return badRequest("grain", "has no meaning for task %v, only for denoise", req.Task)
	case req.checkBlur() != nil:
		return req.checkBlur()
	case req.Kernel != nil && !req.Task.Takes(task.OptionKernel):
		return badRequest("kernel", "has no meaning for task %v, only for motion-deblur", req.Task)
	case req.Kernel != nil && req.Kernel.Check() != nil:
		return badRequest("kernel", "cannot be used: %v", req.Kernel.Check())
	case req.Samples < 0 || req.Samples > MaxSamples:
		return badRequest("samples", "are %d, must be 0 to %d", req.Samples, MaxSamples)
	case req.Steps < 0 || req.Steps > maxSteps:
		return badRequest("steps", "are %d, must be 1 to %d", req.Steps, maxSteps)
	case req.Ensemble < 0 || req.Ensemble > orientations || req.Ensemble&(req.Ensemble-1) != 0:
		return badRequest("ensemble", "is %d, must be 1, 2, 4 or 8", req.Ensemble)
	case req.Project && !projects(req.Task):
		return badRequest("project", "has no meaning for task %v, only for inpainting and gaussian-deblur", req.Task)
	case !(req.Temperature >= 0) || math.IsInf(req.Temperature, 0):
		return badRequest("temperature", "is %v, must be 0 or more", req.Temperature)
	}
	return checkTimes(req.Steps, req.Times)
}

func inUnit(v float64) bool { return v >= 0 && v <= 1 }

func somethingKnown(mask []bool) bool {
	for _, missing := range mask {
		if !missing {
			return true
		}
	}
	return false
}

// oneHot is the task as the adapter reads it.
func (j *job) oneHot() []float32 {
	v := make([]float32, nets.Tasks)
	v[j.class] = 1
	return v
}

// adapterInputs is what kindAdapter and kindWhole read.
func (j *job) adapterInputs() []input {
	known := func(_ rect, dst []float32) {
		for i := range dst {
			dst[i] = 1
		}
	}
	if j.req.Mask != nil {
		m := newMirrored(j.w, j.h, 1, j.known)
		if j.req.memory != nil {
			m.reuse(&j.req.memory.known)
		}
		known = m.read
	}
	ins := []input{
		{name: "view", fill: j.view.read}, {name: "known", fill: known},
		value("task", j.oneHot()...), value("sigma", float32(task.Sigma(j.noise))),
	}
	if j.net.Config.Traits().Noise {
		ins = append(ins, value("noise", j.describe()...))
	}
	if j.still != nil {
		ins = append(ins, input{name: "guess", fill: j.still.read})
	}
	if j.guess != nil {
		ins = append(ins, input{name: "guess", fill: j.guess.fill, plan: j.guess.plan, prepare: j.guess.prepare})
	}
	return ins
}

// known writes 1 for the known pixels of a rectangle, 0 for the missing ones.
func (j *job) known(dst []float32, r rect) {
	for y := range r.h {
		for x, missing := range j.req.Mask[(r.y+y)*j.w+r.x:][:r.w] {
			dst[y*r.w+x] = 1
			if missing {
				dst[y*r.w+x] = 0
			}
		}
	}
}

package restore

import (
	"context"
	"math"
	"strings"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/shake"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// keepNoise is the noise, in 8-bit levels, up to which inpainting leaves known pixels alone: less than rounding hides.
	keepNoise = 0.5
	// textureNoise is the estimate of noise that clean pictures give (see task.EstimateSigma).
	textureNoise = 2
	maxSteps     = 1000
)

// job is a request that was checked, with all that is made once for the whole picture.
type job struct {
	req   Request
	pic   *picture.Picture
	task  task.Task
	class int // its place in the one-hot vector
	noise float64
	times []float64      // of the partition, from 1 to 0
	keep  bool           // the known pixels
	op    *task.Operator // for the projection; nil without
	y     *planar.Image  // and the observation that it projects to

	w, h  int           // of the result
	view  *planar.Image // nil where the adapter sees the picture itself
	known []float32     // by pixel, nil for all 1
	guess []float32     // the adapter's second view, three planes; nil without

	kernel *task.Kernel // that the guess is made with
}

// prepare checks the request and makes the adapter's view.
func (m *Model) prepare(pic *picture.Picture, req Request) (*job, error) {
	if err := check(pic, req); err != nil {
		return nil, err
	}
	if pic.Levels != nil && !req.packs() {
		pic = pic.Unpacked()
	}
	j := &job{req: req, pic: pic, task: req.Task, noise: req.Noise, times: partition(req.Steps, req.Times)}
	var mask []float32
	if req.Task.Masked() {
		mask = knownOf(req.Mask)
		j.task = task.Resolve(req.Task, mask, pic.W, pic.H)
	}
	j.class = -1
	for i, t := range m.tasks {
		if t == j.task {
			j.class = i
		}
	}
	if j.class < 0 {
		return nil, &UnsupportedTaskError{j.task.String(), strings.Join(taskNames(m.tasks), ", ")}
	}
	if j.noise < 0 {
		j.noise = estimate(pic, mask, j.task)
	}
	j.noise = min(j.noise, MaxNoise)
	j.keep = j.task.Masked() && j.noise <= keepNoise
	var err error
	j.w, j.h = pic.W*j.task.Scale(), pic.H*j.task.Scale()
	if mask != nil || j.task.Scale() > 1 {
		if j.view, j.known, err = task.View(j.task, pic.Unpacked().Planar(), mask); err != nil {
			return nil, err
		}
	}
	if mask == nil {
		j.known = nil
	}
	return j, j.projection(mask)
}

// packs tells whether the result of a picture with Levels can have Levels too: where more than one is made, floats are.
func (r *Request) packs() bool { return r.Samples == 0 && !r.Explain && !r.Project }

// given is the picture itself.
func (j *job) given() planes {
	return planes{w: j.pic.W, h: j.pic.H, data: j.pic.Pix, levels: j.pic.Levels}
}

// seen is what the adapter sees.
func (j *job) seen() planes {
	if j.view != nil {
		return planes{w: j.w, h: j.h, data: j.view.Pix}
	}
	return j.given()
}

// makeGuess makes the adapter's second view, where the network and the task have one.
func (m *Model) makeGuess(ctx context.Context, j *job) error {
	if !m.guesses(j.task) {
		return nil
	}
	e, _ := m.estimators.Get().(*shake.Estimator)
	if e == nil {
		e = shake.NewEstimator(0)
	}
	defer m.estimators.Put(e)
	y := j.pic.Unpacked().Planar()
	j.guess = make([]float32, len(y.Pix))
	if err := e.Deblur(ctx, j.guess, y, task.Sigma(j.noise)); err != nil {
		return err
	}
	j.kernel = e.Kernel()
	return nil
}

// guesses says whether the adapter has a second view for a task.
func (m *Model) guesses(t task.Task) bool { return m.net.Guess && t == task.MotionDeblur }

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

// estimate is the noise level of a picture for a task, in 8-bit levels.
func estimate(pic *picture.Picture, known []float32, t task.Task) float64 {
	noise := task.Std8(task.EstimateSigmaOf(pic.W, pic.H, pic.Crop, known))
	if t.Masked() && noise < textureNoise {
		return 0
	}
	return noise
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
	case math.IsNaN(req.Noise) || math.IsInf(req.Noise, 0):
		return badRequest("noise", "is %v, must be a level from 0 on, or negative to estimate it", req.Noise)
	case req.Samples < 0 || req.Samples > math.MaxInt32:
		return badRequest("samples", "are %d, must be 0 or more", req.Samples)
	case req.Steps < 0 || req.Steps > maxSteps:
		return badRequest("steps", "are %d, must be 1 to %d", req.Steps, maxSteps)
	case req.Project && !projects(req.Task):
		return badRequest("project", "has no meaning for task %v, only for inpainting and gaussian-deblur", req.Task)
	case !(req.Temperature >= 0) || math.IsInf(req.Temperature, 0):
		return badRequest("temperature", "is %v, must be 0 or more", req.Temperature)
	}
	return checkTimes(req.Steps, req.Times)
}

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
	known := input{name: "known", perPixel: 1, fill: func(_ rect, dst []float32) {
		for i := range dst {
			dst[i] = 1
		}
	}}
	if j.known != nil {
		known.fill = planes{w: j.w, h: j.h, data: j.known}.read
	}
	ins := []input{
		{name: "view", perPixel: 3, fill: j.seen().read}, known,
		value("task", j.oneHot()...), value("sigma", float32(task.Sigma(j.noise))),
	}
	if j.guess != nil {
		ins = append(ins, input{name: "guess", perPixel: 3, fill: planes{w: j.w, h: j.h, data: j.guess}.read})
	}
	return ins
}

// canvas is memory for a result.
func (j *job) canvas() planes {
	p := planes{w: j.w, h: j.h}
	if j.pic.Levels != nil {
		p.levels = picture.NewLevels(j.pic.Depth, 3*j.w*j.h)
	} else {
		p.data = make([]float32, 3*j.w*j.h)
	}
	return p
}

// writer puts tiles of the network's output on a canvas. Levels hold nothing but a picture's values, so that the output becomes such there and then.
func (j *job) writer(p planes) func(t tile, src []float32) {
	if p.levels == nil {
		return p.write
	}
	return func(t tile, src []float32) {
		j.tone(src)
		p.write(t, src)
	}
}

// finish makes the picture of a canvas, which it takes over.
func (j *job) finish(p planes) *picture.Picture {
	p = j.settle(p)
	q := j.pic.Like(j.w, j.h, p.data)
	q.Levels = p.levels
	return q
}

// settle turns the network's output into the values of the picture, in place where nothing is projected. Levels are toned already (see writer).
func (j *job) settle(p planes) planes {
	if p.levels == nil {
		if j.op != nil {
			p.data = j.project(p.data)
		}
		j.tone(p.data)
	}
	if j.keep {
		given, n := j.given(), j.w*j.h
		for i, missing := range j.req.Mask {
			if !missing {
				for c := range 3 {
					p.take(given, c*n+i)
				}
			}
		}
	}
	return p
}

// tone limits the values of three planes and makes grey pictures grey.
func (j *job) tone(pix []float32) {
	for i, v := range pix {
		pix[i] = min(max(v, -1), 1)
	}
	if n := len(pix) / 3; j.pic.Gray {
		for i := range n {
			v := (pix[i] + pix[n+i] + pix[2*n+i]) / 3
			pix[i], pix[n+i], pix[2*n+i] = v, v, v
		}
	}
}

func (j *job) like(pix []float32) *picture.Picture { return j.pic.Like(j.w, j.h, pix) }

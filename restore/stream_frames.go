package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// frames restores frame after frame.
type frames struct {
	m          *Model
	cfg        StreamConfig
	asked      *job // what is to be done
	job        *job // the same where a frame is a single tile: it is reused then
	tiled      bool // the device cannot do a frame in a single tile
	viewer     *task.Viewer
	seen       []float32 // the view of the frame itself
	pic        picture.Picture
	planar     planar.Image // of seen
	frameImage planar.Image // the frame at hand
	eye        noise.Estimator
	source     noise.Source  // the frame, to look at
	noise      noise.Profile // smoothed
	begun      bool          // noise is known
	shape      [noise.Numbers]float32
	xs, ys     []int // where the columns and rows of the domain come from
	dom        rect
	tiles      workspace // of frames in tiles
	out        []float32 // where the frame at hand goes
	blurred    *estimator
	frame      []float32 // the guess at the frame itself
	sigma      [1]float32
	class      []float32
	session    engine.Session
	work       engine.Work
	below      float32 // how far values may go below -1
	above      float32 // and above 1
}

// noiseMemory is the share of a new frame in the smoothed estimate.
const noiseMemory = 1.0 / 8

func (e *frames) init(m *Model, cfg StreamConfig) error {
	e.m, e.cfg = m, cfg
	e.tiles.buffers = map[string][]float32{}
	e.pic = *picture.New(cfg.W, cfg.H, make([]float32, 3*cfg.W*cfg.H))
	e.pic.Gray = cfg.In.Kind == frame.Gray
	e.frameImage = planar.Image{W: cfg.W, H: cfg.H}
	e.source = noise.ImageSource(&e.frameImage, nil)
	if cfg.Mask != nil {
		e.source.Known = (&Request{Mask: cfg.Mask}).known
	}
	low, high := cfg.Out.RGBRange() // the frame's writer limits further
	e.below, e.above = -1-low, high-1
	if err := checkNoise(cfg.Noise); err != nil {
		return err
	}
	// A level is told in any case: there is no frame yet to estimate it in.
	j, err := m.accept(&e.pic, Request{Task: cfg.Task, Mask: cfg.Mask, Noise: max(cfg.Noise, NoNoise), Below: e.below, Above: e.above, Expected: true})
	if err != nil {
		return err
	}
	e.asked = j
	return e.settle()
}

// settle makes what frames in a single tile need, if they fit one. Until a device that may be slow has shown what it can do, they may not: it is asked again
// after every frame then.
func (e *frames) settle() (err error) {
	m, cfg, j := e.m, e.cfg, e.asked
	r := m.newRun(context.Background(), j, nil)
	if ts, _ := r.tiles(j.net.halo); len(ts) != 1 {
		return nil
	}
	e.dom = r.dom
	var known []float32
	if cfg.Mask != nil {
		known = knownOf(cfg.Mask)
	}
	if e.viewer, err = task.NewViewer(j.task, cfg.W, cfg.H, known); err != nil {
		return err
	}
	w, h := e.viewer.Size()
	e.seen = make([]float32, 3*w*h)
	e.planar = planar.Image{W: w, H: h, Pix: e.seen}
	n := e.dom.w * e.dom.h
	for x := range e.dom.w {
		e.xs = append(e.xs, planar.Mirror(e.dom.x+x, w))
	}
	for y := range e.dom.h {
		e.ys = append(e.ys, planar.Mirror(e.dom.y+y, h))
	}
	if j.guessing {
		if e.blurred, err = m.newEstimator(); err != nil {
			return err
		}
		e.frame = make([]float32, 3*w*h)
		e.blurred.runner.session = &e.session
	}
	e.class = j.oneHot()
	e.work = engine.Work{
		Recipe: recipe{m: m, kind: kindPicture.with(e.blurred != nil), of: j.of, w: e.dom.w, h: e.dom.h},
		Count:  1, Pixels: n, Fill: e.fill, Take: e.take,
	}
	e.job = j
	return nil
}

// setMask changes the mask, if it is another one. It is kept: nobody may change it until it is
// replaced.
func (e *frames) setMask(mask []bool) error {
	if slices.Equal(mask, e.cfg.Mask) {
		return nil
	}
	cfg := e.cfg
	cfg.Mask = slices.Clone(mask)
	old := *e
	*e = frames{noise: old.noise, begun: old.begun}
	if err := e.init(old.m, cfg); err != nil {
		*e = old
		return err
	}
	if old.tiled {
		e.giveUp()
	}
	return nil
}

// restore makes out of pix, both planes in [-1, 1], and tells the noise level. alpha, if not nil, is that of the frame, and sensor the noise that it is known to have.
func (e *frames) restore(ctx context.Context, out, pix []float32, alpha []byte, sensor *noise.Profile) (float64, error) {
	if i := firstBad(pix); i >= 0 {
		return 0, badRequest("frame", "has a value that is not a finite number (%v at index %d)", pix[i], i)
	}
	e.pic.Pix, e.frameImage.Pix = pix, pix
	e.setAlpha(alpha)
	profile := e.profile(sensor)
	noise := task.Std8(profile.Sigma())
	if level, told := toldNoise(e.cfg.Noise); told {
		noise = level
	}
	if e.job == nil && !e.tiled {
		if err := e.settle(); err != nil {
			return noise, err
		}
	}
	if e.job != nil && !e.m.engine.Pace.Allows(e.dom.w*e.dom.h) {
		e.giveUp()
	}
	if e.job != nil && e.pic.Alpha == nil {
		err := e.direct(ctx, out, profile)
		if err == nil || !engine.TooBig(err) {
			return noise, err
		}
		e.giveUp()
	}
	whole := profile // a copy, so that only frames that come here allocate
	req := Request{Task: e.cfg.Task, Mask: e.cfg.Mask, Profile: &whole, Below: e.below, Above: e.above, Expected: true, memory: &e.tiles}
	e.tiles.out = out
	if req.Task == task.GaussianDeblur { // as in frames of a single tile, whose blur is not looked for
		req.Blur = &TrainedBlur
	}
	r, err := e.m.Restore(ctx, &e.pic, req)
	if err != nil {
		return noise, err
	}
	if &out[0] != &r.Picture.Pix[0] {
		copy(out, r.Picture.Pix)
	}
	return noise, nil
}

// giveUp does all further frames in tiles.
func (e *frames) giveUp() { e.job, e.tiled = nil, true }

// setAlpha gives the picture alpha if it hides something; else it changes nothing for the networks.
func (e *frames) setAlpha(alpha []byte) {
	e.pic.Alpha = nil
	if !slices.Contains(alpha, 0) {
		return
	}
	e.pic.Alpha = make([]float32, len(alpha))
	for i, a := range alpha {
		e.pic.Alpha[i] = float32(a) / 255
	}
}

// profile is the noise of the frame at hand, smoothed if it is an estimate.
func (e *frames) profile(sensor *noise.Profile) noise.Profile {
	if sensor != nil {
		return sensor.Limit(task.Sigma(MaxNoise))
	}
	if level, told := toldNoise(e.cfg.Noise); told {
		return whiteNoise(&e.pic, level)
	}
	src := e.source
	if e.pic.Alpha != nil {
		src.Known = func(i int) bool { return visible(&e.pic, i) && (e.cfg.Mask == nil || !e.cfg.Mask[i]) }
	}
	p := findNoise(&e.eye, src, e.cfg.Task)
	if e.begun {
		p = e.noise.Toward(p, noiseMemory)
	}
	e.noise, e.begun = p, true
	return p.Limit(task.Sigma(MaxNoise))
}

// direct is Model.Restore for a frame in a single tile, in memory that is there already.
func (e *frames) direct(ctx context.Context, out []float32, profile noise.Profile) error {
	e.viewer.View(e.seen, e.pic.Pix)
	e.sigma[0] = float32(profile.Sigma())
	profile.Vector(e.shape[:])
	e.job.setNoise(profile)
	if e.blurred != nil {
		if err := e.blurred.Deblur(ctx, e.frame, &e.planar, profile.Sigma()); err != nil {
			return err
		}
	}
	e.out = out
	return e.m.engine.Run(ctx, &e.session, &e.work)
}

// extend continues the planes of a frame over the whole domain.
func (e *frames) extend(dst, pix []float32) {
	w, h := e.planar.W, e.planar.H
	for c := range len(pix) / (w * h) {
		for y, from := range e.ys {
			row := pix[(c*h+from)*w:][:w]
			dst := dst[(c*e.dom.h+y)*e.dom.w:][:e.dom.w]
			for x, from := range e.xs {
				dst[x] = row[from]
			}
		}
	}
}

// fill writes the inputs of the frame at hand.
func (e *frames) fill(_ int, in *engine.Slot) error {
	e.extend(in.Input("view"), e.seen)
	e.extend(in.Input("known"), e.viewer.Known())
	if e.blurred != nil {
		e.extend(in.Input("guess"), e.frame)
	}
	in.Set("task", e.class)
	in.Set("sigma", e.sigma[:])
	if in.HasInput("noise") {
		in.Set("noise", e.shape[:])
	}
	return nil
}

// take reads what became of it.
func (e *frames) take(_ int, out *engine.Slot) error {
	result := out.Output(outOnlyPicture)
	if firstBad(result) >= 0 {
		return &OutputError{e.m.engine.Device().Info().Name}
	}
	p := planes{w: e.planar.W, h: e.planar.H, data: e.out}
	p.write(tile{e.dom, e.dom}, result)
	e.job.settle(p)
	return nil
}

package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// frameRestorer restores frame after frame of one size.
type frameRestorer struct {
	m     *Model
	cfg   StreamConfig
	below float32 // how far values may go below -1
	above float32 // and above 1

	// The current frame.
	pic        picture.Picture
	frameImage planar.Image // its planes
	out        []float32    // where its restoration goes

	// The noise.
	estimator noise.Estimator
	source    noise.Source  // the current frame
	noise     noise.Profile // smoothed, if hasNoise
	hasNoise  bool

	checked *job        // what to do
	tiled   bool        // the device cannot do a frame in a single tile
	memory  frameMemory // for frames in tiles

	// For frames in a single tile: the same job, and the memory that all frames use in turn. job is
	// nil if they do not fit in one.
	job           *job
	domain        tile.Rect
	viewer        *task.Viewer
	view          []float32    // the adapter's view of the frame
	planar        planar.Image // the same
	columns, rows []int        // of the view, for the columns and rows of the domain
	secondView    []float32    // the adapter's second view of the frame
	blurEstimator *deviceEstimator
	oneHot        []float32
	sigma         [1]float32
	shape         [noise.Numbers]float32
	session       engine.Session
	work          engine.Work
}

// frameMemory is memory that a Stream whose frames are done in tiles uses for one frame after the
// other: it is as large as a frame. Only one request at a time may use it.
type frameMemory struct {
	out         []float32            // the result's planes
	buffers     map[string][]float32 // of run
	view, known [][]float32          // scratch memory of tile.MirrorReader
}

// noiseMemory is the share of a new frame in the smoothed estimate.
const noiseMemory = 1.0 / 8

func (e *frameRestorer) init(m *Model, cfg StreamConfig) error {
	e.m, e.cfg = m, cfg
	e.memory.buffers = map[string][]float32{}
	e.pic = *picture.New(cfg.W, cfg.H, make([]float32, 3*cfg.W*cfg.H))
	e.pic.Gray = cfg.In.Kind == frame.Gray
	e.frameImage = planar.Image{W: cfg.W, H: cfg.H}
	e.source = noise.ImageSource(&e.frameImage, nil)
	if cfg.Mask != nil {
		e.source.Known = (&Request{Mask: cfg.Mask}).isKnown
	}
	low, high := cfg.Out.RGBRange() // the frame's writer limits further
	e.below, e.above = -1-low, high-1
	if err := checkNoise(cfg.Noise); err != nil {
		return err
	}
	// The request gives a level in any case: there is no frame yet to estimate it in.
	j, err := m.newCheckedJob(&e.pic, Request{
		Task: cfg.Task, Mask: cfg.Mask, Noise: max(cfg.Noise, NoNoise),
		Below: e.below, Above: e.above, Expected: true,
	})
	if err != nil {
		return err
	}
	e.checked = j
	return e.prepareSingleTile()
}

// prepareSingleTile makes what frames in a single tile need, if they fit in one. A device that may
// be slow allows small tiles only, until it has shown its speed. So this is tried again for every
// frame.
func (e *frameRestorer) prepareSingleTile() (err error) {
	m, cfg, j := e.m, e.cfg, e.checked
	r := m.newRun(context.Background(), j, nil)
	if ts, _ := r.tiles(j.loaded.halo); len(ts) != 1 {
		return nil
	}
	e.domain = r.domain
	var known []float32
	if cfg.Mask != nil {
		known = knownValues(cfg.Mask)
	}
	if e.viewer, err = task.NewViewer(j.task, cfg.W, cfg.H, known); err != nil {
		return err
	}
	w, h := e.viewer.Size()
	e.view = make([]float32, 3*w*h)
	e.planar = planar.Image{W: w, H: h, Pix: e.view}
	n := e.domain.W * e.domain.H
	for x := range e.domain.W {
		e.columns = append(e.columns, planar.Mirror(e.domain.X+x, w))
	}
	for y := range e.domain.H {
		e.rows = append(e.rows, planar.Mirror(e.domain.Y+y, h))
	}
	if j.hasSecondView {
		e.secondView, e.blurEstimator = make([]float32, 3*w*h), m.newDeviceEstimator()
		e.blurEstimator.runner.session = &e.session
	}
	e.oneHot = j.oneHot()
	e.work = engine.Work{
		Recipe: recipe{m: m, kind: programPicture.withSecondView(e.blurEstimator != nil), network: j.network, w: e.domain.W, h: e.domain.H},
		Count:  1, Pixels: n, Fill: e.fill, Take: e.take,
	}
	e.job = j
	return nil
}

// setMask changes the mask, if it is another one. The mask is copied.
func (e *frameRestorer) setMask(mask []bool) error {
	if slices.Equal(mask, e.cfg.Mask) {
		return nil
	}
	cfg := e.cfg
	cfg.Mask = slices.Clone(mask)
	old := *e
	*e = frameRestorer{noise: old.noise, hasNoise: old.hasNoise}
	if err := e.init(old.m, cfg); err != nil {
		*e = old
		return err
	}
	if old.tiled {
		e.useTiles()
	}
	return nil
}

// restore makes out of pix, both planes in [-1, 1], and returns the noise level in 8-bit levels.
// alpha, if not nil, is that of the frame; sensor, if not nil, its noise.
func (e *frameRestorer) restore(ctx context.Context, out, pix []float32, alpha []byte, sensor *noise.Profile) (float64, error) {
	if i := firstNonFinite(pix); i >= 0 {
		return 0, badRequest("frame", "has a value that is not a finite number (%v at index %d)", pix[i], i)
	}
	e.pic.Pix, e.frameImage.Pix = pix, pix
	e.setAlpha(alpha)
	profile := e.profile(sensor)
	noise := task.Std8(profile.Sigma())
	if level, given := requestedNoise(e.cfg.Noise); given {
		noise = level
	}
	if e.job == nil && !e.tiled {
		if err := e.prepareSingleTile(); err != nil {
			return noise, err
		}
	}
	if e.job != nil && !e.m.engine.Pace.Allows(e.domain.W*e.domain.H) {
		e.useTiles()
	}
	if e.job != nil && e.pic.Alpha == nil {
		err := e.restoreSingleTile(ctx, out, profile)
		if err == nil || !engine.TooBig(err) {
			return noise, err
		}
		e.useTiles()
	}
	whole := profile // a copy, so that only frames in tiles allocate
	req := Request{
		Task: e.cfg.Task, Mask: e.cfg.Mask, Profile: &whole,
		Below: e.below, Above: e.above, Expected: true, memory: &e.memory,
	}
	e.memory.out = out
	if req.Task == task.GaussianDeblur { // as for frames in a single tile, whose blur is not estimated
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

// useTiles restores all further frames in tiles.
func (e *frameRestorer) useTiles() { e.job, e.tiled = nil, true }

// setAlpha gives the picture alpha if that hides a pixel. Other alpha has no effect on the
// networks.
func (e *frameRestorer) setAlpha(alpha []byte) {
	e.pic.Alpha = nil
	if !slices.Contains(alpha, 0) {
		return
	}
	e.pic.Alpha = make([]float32, len(alpha))
	for i, a := range alpha {
		e.pic.Alpha[i] = float32(a) / 255
	}
}

// profile is the noise of the current frame, smoothed if it is an estimate.
func (e *frameRestorer) profile(sensor *noise.Profile) noise.Profile {
	if sensor != nil {
		return sensor.Limit(task.Sigma(MaxNoise))
	}
	if level, given := requestedNoise(e.cfg.Noise); given {
		return whiteNoise(&e.pic, level)
	}
	src := e.source
	if e.pic.Alpha != nil {
		src.Known = func(i int) bool {
			return visible(&e.pic, i) && (e.cfg.Mask == nil || !e.cfg.Mask[i])
		}
	}
	p := estimateNoise(&e.estimator, src, e.cfg.Task)
	if e.hasNoise {
		p = e.noise.Toward(p, noiseMemory)
	}
	e.noise, e.hasNoise = p, true
	return p.Limit(task.Sigma(MaxNoise))
}

// restoreSingleTile is Model.Restore for a frame in a single tile, without allocating memory.
func (e *frameRestorer) restoreSingleTile(ctx context.Context, out []float32, profile noise.Profile) error {
	e.viewer.View(e.view, e.pic.Pix)
	e.sigma[0] = float32(profile.Sigma())
	profile.Vector(e.shape[:])
	e.job.setNoise(profile)
	if e.blurEstimator != nil {
		if err := e.blurEstimator.Deblur(ctx, e.secondView, &e.planar, profile.Sigma()); err != nil {
			return err
		}
	}
	e.out = out
	return e.m.engine.Run(ctx, &e.session, &e.work)
}

// extend continues the planes of a frame over the whole domain.
func (e *frameRestorer) extend(dst, pix []float32) {
	w, h := e.planar.W, e.planar.H
	for c := range len(pix) / (w * h) {
		for y, from := range e.rows {
			row := pix[(c*h+from)*w:][:w]
			dst := dst[(c*e.domain.H+y)*e.domain.W:][:e.domain.W]
			for x, from := range e.columns {
				dst[x] = row[from]
			}
		}
	}
}

// fill writes the inputs for the current frame.
func (e *frameRestorer) fill(_ int, in *engine.Slot) error {
	e.extend(in.Input("view"), e.view)
	e.extend(in.Input("known"), e.viewer.Known())
	if e.blurEstimator != nil {
		e.extend(in.Input("guess"), e.secondView)
	}
	in.Set("task", e.oneHot)
	in.Set("sigma", e.sigma[:])
	if in.HasInput("noise") {
		in.Set("noise", e.shape[:])
	}
	return nil
}

// take reads the output for the current frame.
func (e *frameRestorer) take(_ int, out *engine.Slot) error {
	result := out.Output(outOnlyPicture)
	if firstNonFinite(result) >= 0 {
		return &OutputError{e.m.engine.Device().Info().Name}
	}
	p := tile.Planes{W: e.planar.W, H: e.planar.H, Data: e.out}
	p.Write(tile.Whole(e.domain), result)
	e.job.finishValues(p)
	return nil
}

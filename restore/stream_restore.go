package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/internal/finite"
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

func (f *frameRestorer) init(m *Model, cfg StreamConfig) error {
	f.m, f.cfg = m, cfg
	f.memory.buffers = map[string][]float32{}
	f.pic = *picture.New(cfg.W, cfg.H, make([]float32, 3*cfg.W*cfg.H))
	f.pic.Gray = cfg.In.Kind == frame.Gray
	f.frameImage = planar.Image{W: cfg.W, H: cfg.H}
	f.source = noise.ImageSource(&f.frameImage, nil)
	if cfg.Mask != nil {
		f.source.Known = (&Request{Mask: cfg.Mask}).isKnown
	}
	low, high := cfg.Out.RGBRange() // Converter.Write limits further
	f.below, f.above = -1-low, high-1
	if err := checkNoise(cfg.Noise); err != nil {
		return err
	}
	// The request gives a level in any case: there is no frame yet to estimate it in.
	j, err := m.newCheckedJob(&f.pic, Request{
		Task: cfg.Task, Mask: cfg.Mask, Noise: max(cfg.Noise, NoNoise),
		Below: f.below, Above: f.above, Expected: true,
	})
	if err != nil {
		return err
	}
	f.checked = j
	return f.prepareSingleTile()
}

// prepareSingleTile makes what frames in a single tile need, if they fit in one. A device that may
// be slow allows small tiles only, until it has shown its speed. So this is tried again for every
// frame.
func (f *frameRestorer) prepareSingleTile() (err error) {
	m, cfg, j := f.m, f.cfg, f.checked
	r := m.newRun(context.Background(), j, nil)
	if ts, _ := r.tiles(j.loaded.halo); len(ts) != 1 {
		return nil
	}
	f.domain = r.domain
	var known []float32
	if cfg.Mask != nil {
		known = knownValues(cfg.Mask)
	}
	if f.viewer, err = task.NewViewer(j.task, cfg.W, cfg.H, known); err != nil {
		return err
	}
	w, h := f.viewer.Size()
	f.view = make([]float32, 3*w*h)
	f.planar = planar.Image{W: w, H: h, Pix: f.view}
	n := f.domain.W * f.domain.H
	for x := range f.domain.W {
		f.columns = append(f.columns, planar.Mirror(f.domain.X+x, w))
	}
	for y := range f.domain.H {
		f.rows = append(f.rows, planar.Mirror(f.domain.Y+y, h))
	}
	if j.hasSecondView {
		if f.blurEstimator, err = m.newDeviceEstimator(); err != nil {
			return err
		}
		f.secondView = make([]float32, 3*w*h)
		f.blurEstimator.runner.session = &f.session
	}
	f.oneHot = j.oneHot()
	f.work = engine.Work{
		Recipe: recipe{
			m: m, program: programPicture.withSecondView(j.hasSecondView), network: j.network,
			w: f.domain.W, h: f.domain.H,
		},
		Count: 1, Pixels: n, Fill: f.fill, Take: f.take,
	}
	f.job = j
	return nil
}

// setMask changes the mask, if it is another one. The mask is copied.
func (f *frameRestorer) setMask(mask []bool) error {
	if slices.Equal(mask, f.cfg.Mask) {
		return nil
	}
	cfg := f.cfg
	cfg.Mask = slices.Clone(mask)
	old := *f
	*f = frameRestorer{noise: old.noise, hasNoise: old.hasNoise}
	if err := f.init(old.m, cfg); err != nil {
		*f = old
		return err
	}
	if old.tiled {
		f.useTiles()
	}
	return nil
}

// restore makes out of pix, both planes in [-1, 1], and returns the noise level in 8-bit levels.
// alpha, if not nil, is that of the frame; sensor, if not nil, its noise.
func (f *frameRestorer) restore(ctx context.Context, out, pix []float32, alpha []byte, sensor *noise.Profile) (float64, error) {
	if i := finite.FirstNot(pix); i >= 0 {
		return 0, badRequest("frame", "has a value that is not a finite number (%v at index %d)", pix[i], i)
	}
	f.pic.Pix, f.frameImage.Pix = pix, pix
	f.setAlpha(alpha)
	profile := f.profile(sensor)
	noise := task.Std8(profile.Sigma())
	if level, given := requestedNoise(f.cfg.Noise); given {
		noise = level
	}
	if f.job == nil && !f.tiled {
		if err := f.prepareSingleTile(); err != nil {
			return noise, err
		}
	}
	if f.job != nil && !f.m.engine.Pace.Allows(f.domain.W*f.domain.H) {
		f.useTiles()
	}
	if f.job != nil && f.pic.Alpha == nil {
		err := f.restoreSingleTile(ctx, out, profile)
		if err == nil || !engine.TooBig(err) {
			return noise, err
		}
		f.useTiles()
	}
	whole := profile // a copy, so that only frames in tiles allocate
	req := Request{
		Task: f.cfg.Task, Mask: f.cfg.Mask, Profile: &whole,
		Below: f.below, Above: f.above, Expected: true, memory: &f.memory,
	}
	f.memory.out = out
	if req.Task == task.GaussianDeblur { // as for frames in a single tile, whose blur is not estimated
		req.Blur = &TrainedBlur
	}
	r, err := f.m.Restore(ctx, &f.pic, req)
	if err != nil {
		return noise, err
	}
	if &out[0] != &r.Picture.Pix[0] {
		copy(out, r.Picture.Pix)
	}
	return noise, nil
}

// useTiles restores all further frames in tiles.
func (f *frameRestorer) useTiles() { f.job, f.tiled = nil, true }

// setAlpha gives the picture alpha if that hides a pixel. Other alpha has no effect on the
// networks.
func (f *frameRestorer) setAlpha(alpha []byte) {
	f.pic.Alpha = nil
	if !slices.Contains(alpha, 0) {
		return
	}
	f.pic.Alpha = make([]float32, len(alpha))
	for i, a := range alpha {
		f.pic.Alpha[i] = float32(a) / 255
	}
}

// profile is the noise of the current frame, smoothed if it is an estimate.
func (f *frameRestorer) profile(sensor *noise.Profile) noise.Profile {
	if sensor != nil {
		return sensor.Limit(task.Sigma(MaxNoise))
	}
	if level, given := requestedNoise(f.cfg.Noise); given {
		return whiteNoise(&f.pic, level)
	}
	src := f.source
	if f.pic.Alpha != nil {
		src.Known = func(i int) bool {
			return visible(&f.pic, i) && (f.cfg.Mask == nil || !f.cfg.Mask[i])
		}
	}
	p := estimateNoise(&f.estimator, src, f.cfg.Task)
	if f.hasNoise {
		p = f.noise.Toward(p, noiseMemory)
	}
	f.noise, f.hasNoise = p, true
	return p.Limit(task.Sigma(MaxNoise))
}

// restoreSingleTile is Model.Restore for a frame in a single tile, without allocating memory.
func (f *frameRestorer) restoreSingleTile(ctx context.Context, out []float32, profile noise.Profile) error {
	f.viewer.View(f.view, f.pic.Pix)
	f.sigma[0] = float32(profile.Sigma())
	profile.Vector(f.shape[:])
	f.job.setNoise(profile)
	if f.blurEstimator != nil {
		if err := f.blurEstimator.Deblur(ctx, f.secondView, &f.planar, profile.Sigma()); err != nil {
			return err
		}
	}
	f.out = out
	return f.m.engine.Run(ctx, &f.session, &f.work)
}

// extend continues the planes of a frame over the whole domain.
func (f *frameRestorer) extend(dst, pix []float32) {
	w, h := f.planar.W, f.planar.H
	for c := range len(pix) / (w * h) {
		for y, from := range f.rows {
			row := pix[(c*h+from)*w:][:w]
			dst := dst[(c*f.domain.H+y)*f.domain.W:][:f.domain.W]
			for x, from := range f.columns {
				dst[x] = row[from]
			}
		}
	}
}

// fill writes the inputs for the current frame.
func (f *frameRestorer) fill(_ int, in *engine.Slot) error {
	f.extend(in.Input("view"), f.view)
	f.extend(in.Input("known"), f.viewer.Known())
	if f.blurEstimator != nil {
		f.extend(in.Input("guess"), f.secondView)
	}
	in.Set("task", f.oneHot)
	in.Set("sigma", f.sigma[:])
	if in.HasInput("noise") {
		in.Set("noise", f.shape[:])
	}
	return nil
}

// take reads the output for the current frame.
func (f *frameRestorer) take(_ int, out *engine.Slot) error {
	result := out.Output(outOnlyPicture)
	if finite.FirstNot(result) >= 0 {
		return &OutputError{f.m.engine.Device().Info().Name}
	}
	p := tile.Planes{W: f.planar.W, H: f.planar.H, Data: f.out}
	p.Write(tile.Whole(f.domain), result)
	f.job.finishValues(p)
	return nil
}

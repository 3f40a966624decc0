package restore

import (
	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/jpegbound"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/patch"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// job is a request that was checked, with what is found out once for the whole picture.
type job struct {
	session engine.Session
	req     Request
	task    task.Task
	times   []float64 // of the partition, from 1 to 0

	// The network that does the task.
	network *taskNetwork
	loaded  *loadedNetwork // the same, loaded
	class   int            // the task's place in its one-hot vector; -1 for samples of the prior
	// byCompressionNetwork says that it is the network for compression.
	byCompressionNetwork bool

	pic         *picture.Picture // the picture given, with its hidden pixels filled
	original    *picture.Picture // the picture given, if some of its pixels are hidden; else nil
	w, h        int              // of the result
	resultAlpha []float32        // of the result, if some pixels are hidden

	noise           float64 // the level of profile, in 8-bit levels
	profile         noise.Profile
	blur            *Blur            // the blur that was found
	denoised        *picture.Picture // by denoiseBlurred; nil before
	keepKnownPixels bool             // inpainting keeps the known pixels bit for bit
	holes           patch.Holes      // wide ones, which are filled with the picture's patches
	bound           *jpegbound.Bound // what the JPEG file allows; nil: everything
	projector       *task.Operator   // for the projection; nil: none
	observation     *planar.Image    // what it projects to

	// What the adapter reads, by prepareViews.
	view          *tile.MirrorReader
	hasSecondView bool
	// The second view is deconvolvedView if the kernel is known, else secondView.
	deconvolvedView *tile.MirrorReader
	secondView      *secondView
	kernel          *task.Kernel // that the second view is made with
}

// newCheckedJob checks a request and makes a job of it.
func (m *Model) newCheckedJob(pic *picture.Picture, req Request) (*job, error) {
	if err := check(pic, req); err != nil {
		return nil, err
	}
	if pic.Levels != nil && !req.KeepsLevels() {
		pic = pic.Unpacked()
	}
	t := req.Task
	if t.Masked() {
		t = task.ResolveOf(t, req.isKnown, pic.W, pic.H)
	}
	req.byCompressionNetwork = req.byCompressionNetwork || isStronglyCompressed(pic, req)
	j, err := m.newJob(req, t, pic.W, pic.H)
	if err != nil {
		return nil, err
	}
	if j.pic, err = fillHidden(pic, req.isKnown); err != nil {
		return nil, err
	}
	if j.pic != pic {
		j.original, j.resultAlpha = pic, pic.Like(j.w, j.h, nil).Alpha
	}
	if j.task.Masked() { // the notes may hold a preview that shows what is to be removed
		j.pic = j.pic.WithoutMakerNotes()
	}
	if j.holes, err = j.findHoles(); err != nil {
		return nil, err
	}
	j.setNoise(j.findNoise())
	if j.byCompressionNetwork && isCameraFile(pic, j.profile) {
		j.byCompressionNetwork = false
		if err := m.setNetwork(j, task.Denoise); err != nil {
			return nil, err
		}
	}
	if level, given := requestedNoise(req.Noise); given && req.Profile == nil {
		j.noise = level // exactly, not rounded by the profile
	}
	j.prepareBound()
	return j, j.prepareProjection()
}

// newJob makes the part of a job that does not depend on the values of the picture, which has w×h
// pixels: which network does task t, and the size of the result.
func (m *Model) newJob(req Request, t task.Task, w, h int) (j *job, err error) {
	j = &job{
		req: req, task: t, times: partition(req.Steps, req.Times), w: w * t.Scale(), h: h * t.Scale(),
	}
	part := t // the task, or the part of it, that the network was trained for
	_, _, undoesJPEG := m.networkFor(compression)
	switch {
	case req.byMovementNetwork:
		part = movement
	case t == task.Denoise && req.byCompressionNetwork && undoesJPEG:
		part, j.byCompressionNetwork = compression, true
	}
	if err := m.setNetwork(j, part); err != nil {
		return nil, err
	}
	j.hasSecondView = j.loaded.Config.Traits().Guess && t == task.MotionDeblur
	return j, nil
}

// setNetwork gives the job the network for a task or a part of one, loaded.
func (m *Model) setNetwork(j *job, part task.Task) (err error) {
	if j.network, j.class, err = m.requireNetwork(part); err != nil {
		return err
	}
	j.loaded, err = j.network.load()
	return err
}

// needsLatent reports whether μ and σ are needed after the picture of z = μ is made.
func (j *job) needsLatent() bool { return j.req.Samples > 0 || j.req.Explain }

// oneStep reports whether the flow map takes z to the picture in one step.
func (j *job) oneStep() bool { return len(j.times) == 2 }

// inSingleTile reports whether one program does everything, because there is one tile.
func (j *job) inSingleTile(ts []tile.Tile) bool { return len(ts) == 1 && j.oneStep() }

// usesBand reports whether μ is needed for the current tiles only.
func (j *job) usesBand() bool { return j.oneStep() && !j.needsLatent() }

// programs are those that make the picture of z = μ: one that does everything, or the adapter's and
// the flow map's.
func (j *job) programs(single bool) []programKind {
	switch {
	case single && j.needsLatent():
		return []programKind{programWhole.withSecondView(j.hasSecondView)}
	case single:
		return []programKind{programPicture.withSecondView(j.hasSecondView)}
	case j.usesBand():
		return []programKind{programMuToBand.withSecondView(j.hasSecondView), programFlowFromBand}
	case j.oneStep():
		return []programKind{programAdapter.withSecondView(j.hasSecondView), programFlow}
	}
	return []programKind{programAdapter.withSecondView(j.hasSecondView), programStep}
}

// values reads a picture of the result's size: three planes.
func (j *job) values(p tile.Planes) []float32 {
	pix := make([]float32, 3*j.w*j.h)
	p.Read(pix, tile.Rect{W: j.w, H: j.h})
	return pix
}

// input is the picture given, with its hidden pixels filled.
func (j *job) input() tile.Planes { return tile.PlanesOf(j.pic) }

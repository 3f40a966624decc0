package restore

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Restore repairs a picture, which is not changed. It may take long: cancel ctx to stop it after the tile at hand.
//
// Grey pictures go through the network as three equal channels; the result is the mean of what comes out. Alpha is kept as it
// is, or enlarged with the picture; where it is 0 the given colours are not looked at, and stand in the result again.
//
// Errors: *RequestError, *UnsupportedTaskError, *task.UnknownTaskError, *MemoryError, ErrClosed, ctx.Err(), *OutputError, and those of the
// device: *gpu.OutOfMemoryError if not even the smallest tiles fit, *gpu.DeviceLostError, *gpu.CallError.
func (m *Model) Restore(ctx context.Context, pic *picture.Picture, req Request) (*Result, error) {
	if err := m.checkAlive(ctx); err != nil {
		return nil, err
	}
	if pic != nil && req.Task.Valid() {
		if err := req.checkMemory(pic.W, pic.H, pic.Levels != nil); err != nil {
			return nil, err
		}
	}
	if req.Ensemble > 1 {
		return m.ensemble(ctx, pic, req)
	}
	j, err := m.newCheckedJob(pic, req)
	if err != nil {
		return nil, err
	}
	if j.task == task.MotionDeblur {
		if j.blur, err = j.findBlur(ctx); err != nil {
			return nil, err
		}
		_, _, cleans := m.networkFor(task.Denoise)
		switch {
		case !cleans || req.byNetwork: // the network does it all
		case j.blur.Kernel != nil:
			return m.denoiseAndDeconvolve(ctx, pic, req, j)
		case j.noise <= maxBlindNoise:
			return m.restoreWithoutDeblurring(ctx, pic, req, j)
		case j.profile.Found:
			if result, err := m.denoiseIfSharp(ctx, pic, req, j); result != nil || err != nil {
				return result, err
			}
		}
	}
	if j.task == task.GaussianDeblur {
		if !m.skipsBlurSearch(req) {
			return m.deblurDefocus(ctx, pic, req, j)
		}
		j.blur = &Blur{Verdict: blind.Blurred, Defocus: TrainedBlur, Given: req.Blur != nil}
		if req.Blur != nil {
			j.blur.Defocus = *req.Blur
		}
	}
	if err := m.prepareViews(ctx, j); err != nil {
		return nil, err
	}
	defer m.releaseViews(j)
	r := m.newRun(ctx, j, req.Progress)
	result := &Result{Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur}
	mu, logvar, err := r.restoreMean(j, result)
	if err != nil {
		return nil, err
	}
	if j.holes != nil && !req.skipFinish {
		if err := j.fillHoles(ctx, result.Picture, 0); err != nil {
			return nil, err
		}
		if req.Rows != nil {
			req.Rows(result.Picture, result.Picture.H)
		}
	}
	if req.Explain {
		result.Latent = newLatent(j, mu, logvar)
	}
	return result, r.samples(j, mu, logvar, result)
}

// littleNoise is the noise, in 8-bit levels, up to which a picture that is left alone is not even
// denoised.
const negligibleNoise = 0.75

// leaveAlone answers a request for motion-deblur or gaussian-deblur of a picture without blur that
// a kernel could undo: what moved is left to the network that knows movement, and else it is
// denoised where there is noise to speak of.
func (m *Model) restoreWithoutDeblurring(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	moved := false
	if j.task == task.MotionDeblur && j.blur.Verdict == blind.Untold {
		_, _, moved = m.networkFor(movement)
	}
	if !moved && j.noise <= negligibleNoise && !j.needsLatent() {
		given, pix := j.input(), make([]float32, 3*j.w*j.h)
		for i := range 3 * j.h {
			given.Row(pix[i*j.w:][:j.w], i/j.h, i%j.h, 0)
		}
		return &Result{Picture: j.pictureOf(pix), Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur}, nil
	}
	req.Task, req.Kernel, req.Blur, req.byMovementNetwork = task.Denoise, nil, nil, moved
	if _, told := requestedNoise(req.Noise); !told {
		req.Profile = &j.profile
	}
	result, err := m.Restore(ctx, pic, req)
	if err != nil {
		return nil, err
	}
	result.Task, result.Blur = j.task, j.blur
	return result, nil
}

// onlyNoisy answers a request for motion-deblur of a picture in which much noise was found, which
// may be its texture, if it shows no blur once that is taken away: that is then the result. It
// gives nil for others.
func (m *Model) denoiseIfSharp(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	clean := req
	clean.Task, clean.Profile, clean.Rows = task.Denoise, &j.profile, nil
	result, err := m.Restore(ctx, pic, clean)
	if err != nil {
		return nil, err
	}
	seen := j.deblurInput()
	seen.Row = tile.Planes{W: pic.W, H: pic.H, Data: result.Picture.Pix, Levels: result.Picture.Levels}.Row
	f, err := deblur.Find(ctx, seen)
	if err != nil || f.Verdict() == blind.Blurred {
		return nil, err
	}
	result.Task, result.Blur = j.task, &Blur{Verdict: f.Verdict(), Field: f}
	if req.Rows != nil {
		req.Rows(result.Picture, result.Picture.H)
	}
	return result, nil
}

// newRun lays out the domain of a job.
func (m *Model) newRun(ctx context.Context, j *job, progress func(done, total int)) *run {
	r := &run{
		m: m, session: &j.session, memory: j.req.memory, network: j.network, loaded: j.loaded, ctx: ctx, maxPixels: math.MaxInt, progress: progress, buffers: map[string][]float32{},
		domain: tile.Rect{
			-j.loaded.margin, -j.loaded.margin,
			tile.DomainSide(j.w, j.loaded.align) + 2*j.loaded.margin, tile.DomainSide(j.h, j.loaded.align) + 2*j.loaded.margin,
		},
	}
	if r.memory != nil {
		r.buffers = r.memory.buffers
	}
	return r
}

// count is the number of tiles of a stage.
func (r *run) tileCount(halo int) int {
	ts, _ := r.tiles(halo)
	return len(ts)
}

// plan counts the runs of programs ahead.
func (r *run) planRuns(j *job, whole bool) {
	n := r.tileCount(r.loaded.halo)
	if whole {
		r.total = n
	} else {
		r.total = n * len(j.times) // adapter, and the steps of the flow map
	}
	r.planSampleRuns(j)
}

func (r *run) planSampleRuns(j *job) {
	r.total += j.req.Samples * (r.tileCount(0) + r.tileCount(r.loaded.halo)*(len(j.times)-1))
}

// mode runs the adapter and makes the picture of z = μ. What only samples need is nil without them.
func (r *run) restoreMean(j *job, result *Result) (mu, logvar *tile.Field, err error) {
	pix := j.newCanvas()
	if j.holes == nil {
		pix.rows = j.req.Rows
	}
	ts, _ := r.tiles(r.loaded.halo)
	whole := j.inSingleTile(ts)
	adapter := stage{program: j.programs(false)[0], halo: r.loaded.halo, inputs: j.adapterInputs()}
	r.planRuns(j, whole)
	if !whole && !j.usesBand() || j.needsLatent() {
		mu = tile.NewField(r.domain)
		adapter.outputs = append(adapter.outputs, output{index: outMu, write: mu.Write})
	}
	if j.needsLatent() {
		logvar = tile.NewField(r.domain)
		adapter.outputs = append(adapter.outputs, output{index: outLogVar, write: logvar.Write})
	}
	if whole {
		one := adapter
		one.program = j.programs(true)[0]
		if j.needsLatent() {
			one.outputs = append(one.outputs, output{index: outPicture, write: j.tileWriter(pix)})
		} else {
			one.outputs = []output{{index: outOnlyPicture, write: j.tileWriter(pix)}}
		}
		one.planTiles(ts)
		err = r.runTiles(one, ts)
		if err == nil {
			result.Picture = j.finishPicture(pix)
			return mu, logvar, nil
		}
		if !engine.TooBig(err) {
			return nil, nil, err
		}
		// On in smaller tiles, adapter and flow map one after the other.
		r.maxPixels = r.domain.W * r.domain.H / 2
		r.planRuns(j, false)
	}
	if j.usesBand() {
		err = r.runInBand(adapter, func(mu *band) stage {
			return stage{program: programFlowFromBand, halo: r.loaded.halo, inputs: []input{{name: "z", fromBand: mu.read}}, outputs: []output{{index: 0, write: j.tileWriter(pix)}}}
		})
	} else if err = r.runStage(adapter); err == nil {
		err = r.flow(j, mu, pix)
	}
	if err != nil {
		return nil, nil, err
	}
	result.Picture = j.finishPicture(pix)
	return mu, logvar, nil
}

// oneStep is the flow map in one step from z to the picture.
func (r *run) oneStep(j *job, z *tile.Field, pix *resultCanvas) stage {
	return stage{program: programFlow, halo: r.loaded.halo, inputs: []input{fromField("z", z)}, outputs: []output{{index: 0, write: j.tileWriter(pix)}}}
}

// flow takes z to the picture along the partition: x ← x + (t_k − t_{k−1})·u(x, t_k, t_{k−1}) for k = 1 … K (Algorithm 1).
func (r *run) flow(j *job, z *tile.Field, pix *resultCanvas) error {
	last := len(j.times) - 1
	if last == 1 {
		return r.runStage(r.oneStep(j, z, pix))
	}
	x := z
	for k := 1; k <= last; k++ {
		t, to := j.times[k-1], j.times[k]
		s := stage{program: programStep, halo: r.loaded.halo}
		s.inputs = []input{fromField("x", x), constant("r", float32(to)), constant("t", float32(t))}
		if k == last {
			s.outputs = []output{{index: outStepPicture, write: j.tileWriter(pix)}}
			return r.runStage(s)
		}
		next := tile.NewField(r.domain)
		s.outputs = []output{{index: outStep, write: next.Write}}
		if err := r.runStage(s); err != nil {
			return err
		}
		x = next
	}
	return nil
}

// samples draws pictures from N(μ, (temperature·σ)²) through the flow map, with their mean and deviation.
func (r *run) samples(j *job, mu, logvar *tile.Field, result *Result) error {
	if j.req.Samples == 0 {
		return nil
	}
	z := tile.NewField(r.domain)
	stats := newMoments(3 * j.w * j.h)
	areas := newMoments(3 * areasAlong(j.w) * areasAlong(j.h))
	shares := j.noiseScales()
	for i := range j.req.Samples {
		key := input{name: "key", fixed: netdef.KeyShape.Size(), fill: func(at tile.Rect, dst []float32) {
			// Sites left of and above the picture's first have negative positions, which wrap around.
			k := netdef.Key{Seed: j.req.Seed, Sample: uint32(i), Y0: uint32(at.Y / 4), X0: uint32(at.X / 4)}
			copy(dst, k.Float32())
		}}
		draw := stage{program: programDraw, outputs: []output{{index: 0, write: z.Write}}}
		draw.inputs = []input{fromField("mu", mu), fromField("logvar", logvar), key, constant("temperature", float32(temperatureOf(j.req.Temperature)))}
		if shares != nil {
			draw.program = programDrawScales
			draw.inputs = append(draw.inputs, scaleInputs(shares, j.req.Seed, uint32(i))...)
		}
		if err := r.runStage(draw); err != nil {
			return err
		}
		if result.Latent != nil && !j.req.StatisticsOnly {
			result.Latent.Z = append(result.Latent.Z, zPicture(j, z))
		}
		pix := j.newCanvas()
		pix.sample = true
		if err := r.flow(j, z, pix); err != nil {
			return err
		}
		sample := j.finishPicture(pix)
		if err := j.fillHoles(r.ctx, sample, uint64(i)+1); err != nil {
			return err
		}
		stats.add(sample.Pix)
		areas.add(areaMeans(sample.Pix, j.w, j.h))
		if !j.req.StatisticsOnly {
			result.Samples = append(result.Samples, sample)
		}
	}
	result.Mean, result.Std, result.Areas = j.like(stats.mean), stats.std(), areas.std()
	return nil
}

// field is an input that a tile reads from a field over the domain.
func fromField(name string, s *tile.Field) input {
	return input{name: name, fill: s.Read}
}

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
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	if pic != nil && req.Task.Valid() {
		if err := req.fits(pic.W, pic.H, pic.Levels != nil); err != nil {
			return nil, err
		}
	}
	if req.Ensemble > 1 {
		return m.ensemble(ctx, pic, req)
	}
	j, err := m.accept(pic, req)
	if err != nil {
		return nil, err
	}
	if j.task == task.MotionDeblur {
		if j.blur, err = j.findBlur(ctx); err != nil {
			return nil, err
		}
		_, _, cleans := m.memberFor(task.Denoise)
		switch {
		case !cleans || req.network: // the network does it all
		case j.blur.Kernel != nil:
			return m.deconvolved(ctx, pic, req, j)
		case j.noise <= mostBlindNoise:
			return m.leaveAlone(ctx, pic, req, j)
		case j.profile.Found:
			if result, err := m.onlyNoisy(ctx, pic, req, j); result != nil || err != nil {
				return result, err
			}
		}
	}
	if j.task == task.GaussianDeblur {
		if !m.asTrained(req) {
			return m.refocus(ctx, pic, req, j)
		}
		j.blur = &Blur{Verdict: blind.Blurred, Defocus: TrainedBlur, Given: req.Blur != nil}
		if req.Blur != nil {
			j.blur.Defocus = *req.Blur
		}
	}
	if err := m.look(ctx, j); err != nil {
		return nil, err
	}
	defer m.forget(j)
	r := m.newRun(ctx, j, req.Progress)
	result := &Result{Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur}
	mu, logvar, err := r.mode(j, result)
	if err != nil {
		return nil, err
	}
	if j.holes != nil && !req.unfinished {
		if err := j.fill(ctx, result.Picture, 0); err != nil {
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
const littleNoise = 0.75

// leaveAlone answers a request for motion-deblur or gaussian-deblur of a picture without blur that
// a kernel could undo: what moved is left to the network that knows movement, and else it is
// denoised where there is noise to speak of.
func (m *Model) leaveAlone(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	moved := false
	if j.task == task.MotionDeblur && j.blur.Verdict == blind.Untold {
		_, _, moved = m.memberFor(movement)
	}
	if !moved && j.noise <= littleNoise && !j.wantsLatent() {
		given, pix := j.given(), make([]float32, 3*j.w*j.h)
		for i := range 3 * j.h {
			given.Row(pix[i*j.w:][:j.w], i/j.h, i%j.h, 0)
		}
		return &Result{Picture: j.whole(pix), Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur}, nil
	}
	req.Task, req.Kernel, req.Blur, req.moved = task.Denoise, nil, nil, moved
	if _, told := toldNoise(req.Noise); !told {
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
func (m *Model) onlyNoisy(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	clean := req
	clean.Task, clean.Profile, clean.Rows = task.Denoise, &j.profile, nil
	result, err := m.Restore(ctx, pic, clean)
	if err != nil {
		return nil, err
	}
	seen := j.seen()
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
		m: m, session: &j.session, memory: j.req.memory, of: j.of, net: j.net, ctx: ctx, limit: math.MaxInt, progress: progress, buffers: map[string][]float32{},
		dom: tile.Rect{
			-j.net.margin, -j.net.margin,
			tile.DomainSide(j.w, j.net.align) + 2*j.net.margin, tile.DomainSide(j.h, j.net.align) + 2*j.net.margin,
		},
	}
	if r.memory != nil {
		r.buffers = r.memory.buffers
	}
	return r
}

// count is the number of tiles of a stage.
func (r *run) count(halo int) int {
	ts, _ := r.tiles(halo)
	return len(ts)
}

// plan counts the runs of programs ahead.
func (r *run) plan(j *job, whole bool) {
	n := r.count(r.net.halo)
	if whole {
		r.total = n
	} else {
		r.total = n * len(j.times) // adapter, and the steps of the flow map
	}
	r.planSamples(j)
}

func (r *run) planSamples(j *job) {
	r.total += j.req.Samples * (r.count(0) + r.count(r.net.halo)*(len(j.times)-1))
}

// mode runs the adapter and makes the picture of z = μ. What only samples need is nil without them.
func (r *run) mode(j *job, result *Result) (mu, logvar *tile.Field, err error) {
	pix := j.canvas()
	if j.holes == nil {
		pix.rows = j.req.Rows
	}
	ts, _ := r.tiles(r.net.halo)
	whole := j.inOne(ts)
	adapter := stage{kind: j.kinds(false)[0], halo: r.net.halo, inputs: j.adapterInputs()}
	r.plan(j, whole)
	if !whole && !j.banded() || j.wantsLatent() {
		mu = tile.NewField(r.dom)
		adapter.outputs = append(adapter.outputs, output{index: outMu, take: mu.Write})
	}
	if j.wantsLatent() {
		logvar = tile.NewField(r.dom)
		adapter.outputs = append(adapter.outputs, output{index: outLogVar, take: logvar.Write})
	}
	if whole {
		one := adapter
		one.kind = j.kinds(true)[0]
		if j.wantsLatent() {
			one.outputs = append(one.outputs, output{index: outPicture, take: j.writer(pix)})
		} else {
			one.outputs = []output{{index: outOnlyPicture, take: j.writer(pix)}}
		}
		one.plan(ts)
		err = r.pass(one, ts)
		if err == nil {
			result.Picture = j.finish(pix)
			return mu, logvar, nil
		}
		if !engine.TooBig(err) {
			return nil, nil, err
		}
		// On in smaller tiles, adapter and flow map one after the other.
		r.limit = r.dom.W * r.dom.H / 2
		r.plan(j, false)
	}
	if j.banded() {
		err = r.roll(adapter, func(mu *band) stage {
			return stage{kind: kindOneHeld, halo: r.net.halo, inputs: []input{{name: "z", held: mu.read}}, outputs: []output{{index: 0, take: j.writer(pix)}}}
		})
	} else if err = r.sweep(adapter); err == nil {
		err = r.flow(j, mu, pix)
	}
	if err != nil {
		return nil, nil, err
	}
	result.Picture = j.finish(pix)
	return mu, logvar, nil
}

// oneStep is the flow map in one step from z to the picture.
func (r *run) oneStep(j *job, z *tile.Field, pix *canvas) stage {
	return stage{kind: kindOne, halo: r.net.halo, inputs: []input{field("z", z)}, outputs: []output{{index: 0, take: j.writer(pix)}}}
}

// flow takes z to the picture along the partition: x ← x + (t_k − t_{k−1})·u(x, t_k, t_{k−1}) for k = 1 … K (Algorithm 1).
func (r *run) flow(j *job, z *tile.Field, pix *canvas) error {
	last := len(j.times) - 1
	if last == 1 {
		return r.sweep(r.oneStep(j, z, pix))
	}
	x := z
	for k := 1; k <= last; k++ {
		t, to := j.times[k-1], j.times[k]
		s := stage{kind: kindStep, halo: r.net.halo}
		s.inputs = []input{field("x", x), value("r", float32(to)), value("t", float32(t))}
		if k == last {
			s.outputs = []output{{index: outStepPicture, take: j.writer(pix)}}
			return r.sweep(s)
		}
		next := tile.NewField(r.dom)
		s.outputs = []output{{index: outStep, take: next.Write}}
		if err := r.sweep(s); err != nil {
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
	z := tile.NewField(r.dom)
	stats := newMoments(3 * j.w * j.h)
	areas := newMoments(3 * areasAlong(j.w) * areasAlong(j.h))
	shares := j.scaled()
	for i := range j.req.Samples {
		key := input{name: "key", fixed: netdef.KeyShape.Size(), fill: func(at tile.Rect, dst []float32) {
			// Sites left of and above the picture's first have negative positions, which wrap around.
			k := netdef.Key{Seed: j.req.Seed, Sample: uint32(i), Y0: uint32(at.Y / 4), X0: uint32(at.X / 4)}
			copy(dst, k.Float32())
		}}
		draw := stage{kind: kindDraw, outputs: []output{{index: 0, take: z.Write}}}
		draw.inputs = []input{field("mu", mu), field("logvar", logvar), key, value("temperature", float32(spread(j.req.Temperature)))}
		if shares != nil {
			draw.kind = kindDrawScales
			draw.inputs = append(draw.inputs, scaleInputs(shares, j.req.Seed, uint32(i))...)
		}
		if err := r.sweep(draw); err != nil {
			return err
		}
		if result.Latent != nil && !j.req.StatisticsOnly {
			result.Latent.Z = append(result.Latent.Z, zPicture(j, z))
		}
		pix := j.canvas()
		pix.sample = true
		if err := r.flow(j, z, pix); err != nil {
			return err
		}
		sample := j.finish(pix)
		if err := j.fill(r.ctx, sample, uint64(i)+1); err != nil {
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
func field(name string, s *tile.Field) input {
	return input{name: name, fill: s.Read}
}

package restore

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// run is one call of Restore or Sample, with the domain of its picture.
type run struct {
	m           *Model
	session     *engine.Session
	network     *taskNetwork
	loaded      *loadedNetwork
	ctx         context.Context
	domain      tile.Rect
	maxPixels   int // of a tile; lowered when the device runs out of memory
	done, total int // runs of programs
	progress    func(done, total int)
	buffers     map[string][]float32
	memory      *frameMemory // nil: none is kept
}

// newRun lays out the domain of a job.
func (m *Model) newRun(ctx context.Context, j *job, progress func(done, total int)) *run {
	align, margin := j.loaded.align, j.loaded.margin
	r := &run{
		m: m, session: &j.session, memory: j.req.memory, network: j.network, loaded: j.loaded, ctx: ctx,
		maxPixels: math.MaxInt, progress: progress, buffers: map[string][]float32{},
		domain: tile.Rect{
			X: -margin, Y: -margin,
			W: tile.DomainSide(j.w, align) + 2*margin, H: tile.DomainSide(j.h, align) + 2*margin,
		},
	}
	if r.memory != nil {
		r.buffers = r.memory.buffers
	}
	return r
}

// tiles cuts the domain for a stage. ok is false if even the smallest tiles are larger than the
// device is known to allow; these are then returned.
func (r *run) tiles(halo int) (ts []tile.Tile, ok bool) {
	w, h, ok := r.m.tiling(r.loaded, halo, r.maxPixels).Size(r.domain)
	return tile.Cut(r.domain, w, h, halo), ok
}

// tileCount is the number of tiles of a stage.
func (r *run) tileCount(halo int) int {
	ts, _ := r.tiles(halo)
	return len(ts)
}

// planRuns counts the runs of programs ahead, for the progress.
func (r *run) planRuns(j *job, single bool) {
	n := r.tileCount(r.loaded.halo)
	if single {
		r.total = n
	} else {
		r.total = n * len(j.times) // adapter, and the steps of the flow map
	}
	r.planSampleRuns(j)
}

// planSampleRuns adds those of the samples.
func (r *run) planSampleRuns(j *job) {
	r.total += j.req.Samples * (r.tileCount(0) + r.tileCount(r.loaded.halo)*(len(j.times)-1))
}

// restoreMean runs the adapter and makes the picture of z = μ, which it puts into result. mu and
// logvar are nil unless they are needed later.
func (r *run) restoreMean(j *job, result *Result) (mu, logvar *tile.Field, err error) {
	pix := j.newCanvas()
	if j.holes == nil {
		pix.rows = j.req.Rows
	}
	ts, _ := r.tiles(r.loaded.halo)
	single := j.inSingleTile(ts)
	r.planRuns(j, single)
	adapter := stage{
		program: j.programs(false)[0], halo: r.loaded.halo, inputs: j.adapterInputs(),
	}
	if !single && !j.usesBand() || j.needsLatent() {
		mu = tile.NewField(r.domain)
		adapter.outputs = append(adapter.outputs, output{index: outMu, write: mu.Write})
	}
	if j.needsLatent() {
		logvar = tile.NewField(r.domain)
		adapter.outputs = append(adapter.outputs, output{index: outLogVar, write: logvar.Write})
	}
	if single {
		err = r.restoreSingleTile(j, adapter, ts, pix)
		if engine.TooBig(err) {
			// Go on in smaller tiles, with the adapter and the flow map in programs of their own.
			r.maxPixels = r.domain.W * r.domain.H / 2
			r.planRuns(j, false)
			single = false
		}
	}
	if !single {
		err = r.restoreInTiles(j, adapter, mu, pix)
	}
	if err != nil {
		return nil, nil, err
	}
	result.Picture = j.finishPicture(pix)
	return mu, logvar, nil
}

// restoreSingleTile runs the adapter and the flow map in one program over one tile.
func (r *run) restoreSingleTile(j *job, adapter stage, ts []tile.Tile, pix *resultCanvas) error {
	both := adapter
	both.program = j.programs(true)[0]
	if j.needsLatent() {
		both.outputs = append(both.outputs, output{index: outPicture, write: j.tileWriter(pix)})
	} else {
		both.outputs = []output{{index: outOnlyPicture, write: j.tileWriter(pix)}}
	}
	both.planTiles(ts)
	return r.runTiles(both, ts)
}

// restoreInTiles runs the adapter, which writes μ, and then the flow map over the tiles of the
// domain; or both in turns, if μ is not needed later.
func (r *run) restoreInTiles(j *job, adapter stage, mu *tile.Field, pix *resultCanvas) error {
	if j.usesBand() {
		return r.runInBand(adapter, func(mu *band) stage {
			return stage{
				program: programFlowFromBand, halo: r.loaded.halo,
				inputs:  []input{{name: "z", fromBand: mu.read}},
				outputs: []output{{index: 0, write: j.tileWriter(pix)}},
			}
		})
	}
	if err := r.runStage(adapter); err != nil {
		return err
	}
	return r.flow(j, mu, pix)
}

// oneStep is the stage of the flow map in one step from z to the picture.
func (r *run) oneStep(j *job, z *tile.Field, pix *resultCanvas) stage {
	return stage{
		program: programFlow, halo: r.loaded.halo,
		inputs:  []input{fromField("z", z)},
		outputs: []output{{index: 0, write: j.tileWriter(pix)}},
	}
}

// flow takes z to the picture along the partition:
// x ← x + (t_k − t_{k−1})·u(x, t_k, t_{k−1}) for k = 1 … K (Algorithm 1).
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

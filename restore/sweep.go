package restore

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
)

// input is what a program reads: of each tile, perPixel values per pixel, or a fixed number of values.
type input struct {
	name    string
	fixed   int // number of values that do not depend on the size of the tile; 0: it does
	fill    func(at rect, dst []float32)
	plan    func(ts []tile)     // if not nil, is told for which tiles fill will be called, in this order
	prepare func(at rect) error // if not nil, is called before fill and may use the device
}

// output takes an output of a program, which has 3 values per pixel.
type output struct {
	index int
	take  func(t tile, src []float32)
}

// stage is one program run over the whole domain.
type stage struct {
	kind    kind
	halo    int
	inputs  []input
	outputs []output
}

// value is an input that is the same for all tiles.
func value(name string, v ...float32) input {
	return input{name: name, fixed: len(v), fill: func(_ rect, dst []float32) { copy(dst, v) }}
}

// plan announces the tiles to the inputs.
func (s *stage) plan(ts []tile) {
	for _, x := range s.inputs {
		if x.plan != nil {
			x.plan(ts)
		}
	}
}

// run is one call of Restore as it goes over its domain.
type run struct {
	m           *Model
	session     *engine.Session
	of          *member
	net         *loaded
	ctx         context.Context
	dom         rect
	limit       int // pixels of a tile; lowered when the device runs out of memory
	done, total int
	progress    func(done, total int)
	buffers     map[string][]float32
	memory      *workspace // nil: none is kept
}

// tiles cuts the domain for a stage. ok is false if these are the smallest tiles and still too large by what is known.
func (r *run) tiles(halo int) (ts []tile, ok bool) {
	w, h, ok := r.m.tiling(r.net, halo, r.limit).choose(r.dom)
	return cutRect(r.dom, w, h, halo), ok
}

// sweep runs a stage.
func (r *run) sweep(s stage) error {
	return r.shrinking(s.halo, 1, func(ts []tile) error {
		s.plan(ts)
		return r.pass(s, ts)
	})
}

// shrinking calls work with the tiles of the domain, and again with smaller ones if the device cannot do what was chosen. stages is how often it runs each.
func (r *run) shrinking(halo, stages int, work func(ts []tile) error) error {
	ts, ok := r.tiles(halo)
	for {
		before := r.done
		err := work(ts)
		if err == nil || !engine.TooBig(err) {
			return err
		}
		w, h := ts[0].at.w, ts[0].at.h
		if !ok {
			return fmt.Errorf("even in tiles of %d×%d pixels: %w", w, h, err)
		}
		r.limit = w * h / 2
		r.done, r.total = before, r.total-stages*len(ts)
		ts, ok = r.tiles(halo)
		r.total += stages * len(ts)
	}
}

// pass runs a stage over the given tiles.
func (r *run) pass(s stage, ts []tile) error {
	w, h := ts[0].at.w, ts[0].at.h
	work := engine.Work{
		Recipe: recipe{m: r.m, kind: s.kind, of: r.of, w: w, h: h}, Count: len(ts), Pixels: w * h,
		Prepare: func(i int) error {
			for _, x := range s.inputs {
				if x.prepare != nil {
					if err := x.prepare(ts[i].at); err != nil {
						return err
					}
				}
			}
			return r.ctx.Err()
		},
		Fill: func(i int, in *engine.Slot) error {
			for _, x := range s.inputs {
				if x.fixed == 0 {
					x.fill(ts[i].at, in.Input(x.name))
					continue
				}
				v := r.buffer(x.name, x.fixed)
				x.fill(ts[i].at, v)
				in.Set(x.name, v)
			}
			return nil
		},
		Take: func(i int, out *engine.Slot) error {
			for _, x := range s.outputs {
				if firstBad(out.Output(x.index)) >= 0 {
					return &OutputError{r.m.engine.Device().Info().Name}
				}
				x.take(ts[i], out.Output(x.index))
			}
			r.tick()
			return nil
		},
	}
	return r.m.engine.Run(r.ctx, r.session, &work)
}

// buffer gives n values of scratch memory, the same for the same name.
func (r *run) buffer(name string, n int) []float32 {
	if cap(r.buffers[name]) < n {
		r.buffers[name] = make([]float32, n)
	}
	return r.buffers[name][:n]
}

func (r *run) tick() {
	r.done++
	r.total = max(r.total, r.done)
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
}

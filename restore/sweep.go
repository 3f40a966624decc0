package restore

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// input is what a program reads: of each tile, perPixel values per pixel, or a fixed number of values.
type input struct {
	name        string
	fixed       int // number of values that do not depend on the size of the tile; 0: it does
	fill        func(at tile.Rect, dst []float32)
	planTiles   func(ts []tile.Tile)                      // if not nil, is told for which tiles fill will be called, in this order
	fromBand    func(at tile.Rect, in *engine.Slot) error // if not nil, in place of fill: the input comes from memory of the device
	prepareTile func(at tile.Rect) error                  // if not nil, is called before fill and may use the device
}

// output takes an output of a program, which has 3 values per pixel.
type output struct {
	index  int
	write  func(t tile.Tile, src []float32)
	toBand func(t tile.Tile, in *engine.Slot) error // if not nil, in place of take: the output goes to memory of the device
}

// stage is one program run over the whole domain.
type stage struct {
	program        programKind
	halo           int
	lostWithDevice bool // what it reads or writes is lost with the device
	inputs         []input
	outputs        []output
}

// value is an input that is the same for all tiles.
func constant(name string, v ...float32) input {
	return input{name: name, fixed: len(v), fill: func(_ tile.Rect, dst []float32) { copy(dst, v) }}
}

// plan announces the tiles to the inputs.
func (s *stage) planTiles(ts []tile.Tile) {
	for _, x := range s.inputs {
		if x.planTiles != nil {
			x.planTiles(ts)
		}
	}
}

// run is one call of Restore as it goes over its domain.
type run struct {
	m           *Model
	session     *engine.Session
	network     *taskNetwork
	loaded      *loadedNetwork
	ctx         context.Context
	domain      tile.Rect
	maxPixels   int // pixels of a tile; lowered when the device runs out of memory
	done, total int
	progress    func(done, total int)
	buffers     map[string][]float32
	memory      *frameMemory // nil: none is kept
}

// tiles cuts the domain for a stage. ok is false if these are the smallest tiles and still too large by what is known.
func (r *run) tiles(halo int) (ts []tile.Tile, ok bool) {
	w, h, ok := r.m.tiling(r.loaded, halo, r.maxPixels).Size(r.domain)
	return tile.Cut(r.domain, w, h, halo), ok
}

// sweep runs a stage.
func (r *run) runStage(s stage) error {
	return r.withTiles(s.halo, 1, func(ts []tile.Tile) error {
		s.planTiles(ts)
		return r.runTiles(s, ts)
	})
}

// shrinking calls work with the tiles of the domain, and again with smaller ones if the device cannot do what was chosen. stages is how often it runs each.
func (r *run) withTiles(halo, stages int, work func(ts []tile.Tile) error) error {
	ts, ok := r.tiles(halo)
	renewed := false
	for {
		before, generation := r.done, r.m.engine.Generation()
		err := work(ts)
		if engine.IsLost(err) && !renewed && r.m.engine.Renew(r.ctx, generation) == nil {
			renewed, r.done = true, before
			continue
		}
		if err == nil || !engine.TooBig(err) {
			return err
		}
		w, h := ts[0].At.W, ts[0].At.H
		if !ok {
			return fmt.Errorf("even in tiles of %d×%d pixels: %w", w, h, err)
		}
		r.maxPixels = w * h / 2
		r.done, r.total = before, r.total-stages*len(ts)
		ts, ok = r.tiles(halo)
		r.total += stages * len(ts)
	}
}

// pass runs a stage over the given tiles.
func (r *run) runTiles(s stage, ts []tile.Tile) error {
	w, h := ts[0].At.W, ts[0].At.H
	work := engine.Work{
		Recipe: recipe{m: r.m, kind: s.program, network: r.network, w: w, h: h}, Count: len(ts), Pixels: w * h, Once: s.lostWithDevice,
		Prepare: func(i int) error {
			for _, x := range s.inputs {
				if x.prepareTile != nil {
					if err := x.prepareTile(ts[i].At); err != nil {
						return err
					}
				}
			}
			return r.ctx.Err()
		},
		Fill: func(i int, in *engine.Slot) error {
			for _, x := range s.inputs {
				switch {
				case x.fromBand != nil:
					if err := x.fromBand(ts[i].At, in); err != nil {
						return err
					}
				case x.fixed > 0:
					v := r.buffer(x.name, x.fixed)
					x.fill(ts[i].At, v)
					in.Set(x.name, v)
				default:
					x.fill(ts[i].At, in.Input(x.name))
				}
			}
			for _, x := range s.outputs {
				if x.toBand != nil {
					if err := x.toBand(ts[i], in); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Take: func(i int, out *engine.Slot) error {
			for _, x := range s.outputs {
				if x.toBand != nil {
					continue
				}
				if firstNonFinite(out.Output(x.index)) >= 0 {
					return &OutputError{r.m.engine.Device().Info().Name}
				}
				x.write(ts[i], out.Output(x.index))
			}
			r.tileDone()
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

func (r *run) tileDone() {
	r.done++
	r.total = max(r.total, r.done)
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
}

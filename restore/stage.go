package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// input is an input of a program. It has the values of each tile, a fixed number per pixel, or it
// is the same for all tiles.
type input struct {
	name  string
	fixed int // number of values, if it does not depend on the size of the tile; else 0
	fill  func(at tile.Rect, dst []float32)
	// planTiles, if not nil, is called with the tiles for which fill will be called, in this order.
	planTiles func(ts []tile.Tile)
	// prepareTile, if not nil, is called before fill and may use the device.
	prepareTile func(at tile.Rect) error
	// fromBand, if not nil, replaces fill: the input comes from a band on the device.
	fromBand func(at tile.Rect, in *engine.Slot) error
}

// output is an output of a program, with 3 values per pixel.
type output struct {
	index int
	write func(t tile.Tile, src []float32)
	// toBand, if not nil, replaces write: the output goes to a band on the device.
	toBand func(t tile.Tile, in *engine.Slot) error
}

// stage is one program run over the whole domain.
type stage struct {
	program programKind
	halo    int
	inputs  []input
	outputs []output
	// lostWithDevice says that the stage reads or writes a band, whose content is lost with the
	// device.
	lostWithDevice bool
}

// constant is an input that is the same for all tiles.
func constant(name string, v ...float32) input {
	return input{name: name, fixed: len(v), fill: func(_ tile.Rect, dst []float32) { copy(dst, v) }}
}

// fromField is an input that a tile reads from a field over the domain.
func fromField(name string, s *tile.Field) input {
	return input{name: name, fill: s.Read}
}

// planTiles announces the tiles to the inputs.
func (s *stage) planTiles(ts []tile.Tile) {
	for _, x := range s.inputs {
		if x.planTiles != nil {
			x.planTiles(ts)
		}
	}
}

// runStage runs a stage over the domain.
func (r *run) runStage(s stage) error {
	return r.withTiles(s.halo, 1, func(ts []tile.Tile) error {
		s.planTiles(ts)
		return r.runTiles(s, ts)
	})
}

// withTiles calls work with the tiles of the domain. If the device cannot compute tiles of that
// size, it calls work again with smaller ones. stages is how many stages work runs over the tiles.
func (r *run) withTiles(halo, stages int, work func(ts []tile.Tile) error) error {
	ts, ok := r.tiles(halo)
	for {
		before := r.done
		err := work(ts)
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

// runTiles runs a stage over the given tiles.
func (r *run) runTiles(s stage, ts []tile.Tile) error {
	w, h := ts[0].At.W, ts[0].At.H
	work := engine.Work{
		Recipe: recipe{m: r.m, program: s.program, network: r.network, w: w, h: h},
		Count:  len(ts), Pixels: w * h, Once: s.lostWithDevice,
		Prepare: func(i int) error {
			for _, x := range s.inputs {
				if x.prepareTile != nil {
					if err := x.prepareTile(ts[i].At); err != nil {
						return err
					}
				}
			}
			return nil
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
				if finite.FirstNot(out.Output(x.index)) >= 0 {
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

// buffer returns n values of scratch memory, the same for the same name.
func (r *run) buffer(name string, n int) []float32 {
	if cap(r.buffers[name]) < n {
		r.buffers[name] = make([]float32, n)
	}
	return r.buffers[name][:n]
}

// tileDone counts a finished run of a program.
func (r *run) tileDone() {
	r.done++
	r.total = max(r.total, r.done)
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
}

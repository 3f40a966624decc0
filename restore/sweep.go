package restore

import (
	"context"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/netdef/compile"
)

// input is what a program reads: of each tile, perPixel values per pixel, or a fixed number of values.
type input struct {
	name     string
	perPixel int
	fixed    int
	fill     func(at rect, dst []float32) error
	plan     func(ts []tile) // if not nil, is told for which tiles fill will be called, in this order
}

func (i input) size(w, h int) int { return i.perPixel*w*h + i.fixed }

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
	return input{name: name, fixed: len(v), fill: surely(func(_ rect, dst []float32) { copy(dst, v) })}
}

// surely is a fill that cannot fail.
func surely(fill func(at rect, dst []float32)) func(at rect, dst []float32) error {
	return func(at rect, dst []float32) error {
		fill(at, dst)
		return nil
	}
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
	of          *member
	net         *loaded
	ctx         context.Context
	dom         rect
	limit       int // pixels of a tile; lowered when the device runs out of memory
	done, total int
	progress    func(done, total int)
	buffers     map[string][]float32
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
		if err == nil || !tooBig(err) {
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

// pass runs a stage over the given tiles. Packing and unpacking happen outside the turn.
func (r *run) pass(s stage, ts []tile) error {
	in := make([][]float32, len(s.inputs))
	out := make([][]float32, len(s.outputs))
	w, h := ts[0].at.w, ts[0].at.h
	for i, x := range s.inputs {
		in[i] = r.buffer(fmt.Sprint("in ", i), x.size(w, h)) // the same for adapter and flow map, which take turns
	}
	for i, x := range s.outputs {
		out[i] = r.buffer(fmt.Sprint("out ", x.index), 3*w*h)
	}
	for _, t := range ts {
		for i, x := range s.inputs {
			if err := x.fill(t.at, in[i]); err != nil {
				return err
			}
		}
		if err := r.compute(s, t, in, out); err != nil {
			return err
		}
		for i, x := range s.outputs {
			if firstBad(out[i]) >= 0 {
				return &OutputError{r.m.device().Info().Name}
			}
			x.take(t, out[i])
		}
		r.tick()
	}
	return nil
}

// compute runs one tile on the device.
func (r *run) compute(s stage, t tile, in, out [][]float32) error {
	return r.m.onDevice(r.ctx, func() error {
		p, err := r.m.program(recipe{kind: s.kind, of: r.of, w: t.at.w, h: t.at.h})
		if err != nil {
			return err
		}
		for i, x := range s.inputs {
			if err := p.SetInput(x.name, in[i]); err != nil {
				return err
			}
		}
		if err := r.m.timed(p, t.at.w*t.at.h); err != nil {
			return err
		}
		return readAll(p, s.outputs, out)
	})
}

// timed runs a program over a tile of so many pixels and learns from how long it takes. The caller has the turn.
func (m *Model) timed(p *compile.Program, pixels int) error {
	began := time.Now()
	err := p.Run()
	end := time.Now()
	m.rest.note(end, end.Sub(began))
	if err == nil {
		m.pace.note(pixels, p.Heaviest(), end.Sub(began))
	}
	return err
}

func readAll(p *compile.Program, outputs []output, out [][]float32) error {
	for i, x := range outputs {
		if err := p.ReadOutput(x.index, out[i]); err != nil {
			return err
		}
	}
	return nil
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

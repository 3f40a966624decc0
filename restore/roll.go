package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef/nets"
)

// roll runs the adapter and the flow map over the domain side by side, from top to bottom: the flow map follows as soon as μ is there for a row of its
// tiles, and what lies above is forgotten. So of μ, which is as large as the picture in floats, only a band is held, on the device.
func (r *run) roll(adapter stage, flow func(mu *band) stage) error {
	return r.shrinking(adapter.halo, 2, func(ts []tile) error {
		adapter.plan(ts)
		lead, next := byRow(ts), 0
		then := following(lead, r.dom, adapter.halo)
		mu, err := newBand(r.ctx, r.m.engine, r.dom, bandOf(lead, then, adapter.halo)/4)
		if err != nil {
			return err
		}
		defer mu.memory.Free()
		first := adapter
		first.once = true
		first.outputs = append(first.outputs[:len(first.outputs):len(first.outputs)], output{index: outMu, held: mu.write})
		second := flow(mu)
		second.once = true
		for _, row := range lead {
			if err := r.pass(first, row); err != nil {
				return err
			}
			for ; next < len(then) && ready(then[next], row, r.dom, adapter.halo); next++ {
				if err := r.pass(second, then[next]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// band holds some neighbouring rows of sites of a domain on the device: row k lies where k modulo ring
// does, so that writing a row overwrites the one ring rows above.
type band struct {
	dom    rect
	ring   int
	memory *engine.Band
}

func newBand(ctx context.Context, e *engine.Engine, dom rect, ring int) (*band, error) {
	memory, err := e.NewBand(ctx, dom.w/4*ring*nets.FlowChannels)
	return &band{dom, ring, memory}, err
}

// rows calls f with the rows of sites that part, which lies in the tile at, and the band have in
// common: once, or twice where the ring is closed between them.
func (b *band) rows(at, part rect, f func(r engine.Rows) error) error {
	stride := b.dom.w / 4 * nets.FlowChannels
	for y, end := (part.y-b.dom.y)/4, (part.y-b.dom.y+part.h)/4; y < end; {
		n := min(end-y, b.ring-y%b.ring)
		err := f(engine.Rows{
			Band: y%b.ring*stride + (part.x-b.dom.x)/4*nets.FlowChannels, BandStride: stride,
			Value:       ((y-(at.y-b.dom.y)/4)*(at.w/4) + (part.x-at.x)/4) * nets.FlowChannels,
			ValueStride: at.w / 4 * nets.FlowChannels,
			Size:        part.w / 4 * nets.FlowChannels, Count: n,
		})
		if err != nil {
			return err
		}
		y += n
	}
	return nil
}

// read is the input z of a tile.
func (b *band) read(at rect, in *engine.Slot) error {
	return b.rows(at, at, func(r engine.Rows) error { return in.FromBand("z", b.memory, r) })
}

// write takes the own part of a tile's μ.
func (b *band) write(t tile, in *engine.Slot) error {
	return b.rows(t.at, t.own, func(r engine.Rows) error { return in.ToBand(outMu, b.memory, r) })
}

// byRow splits tiles into rows of the same height.
func byRow(ts []tile) (rows [][]tile) {
	for i, t := range ts {
		if i == 0 || t.at.y != ts[i-1].at.y {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], t)
	}
	return rows
}

// following gives rows of tiles for the flow map, of the size of the adapter's. Cut like those they would reach a halo beyond what the adapter has done, wait for
// its next row, and the band would have to hold nearly two. So they lie a halo higher and end where the adapter has come to; the first, which cannot lie
// higher, owns less, and what it reads below is not μ but does not reach what it owns. Where this takes a row more, they lie as the adapter's do.
func following(lead [][]tile, dom rect, halo int) (rows [][]tile) {
	done, end := dom.y, bottom(dom)
	for _, row := range lead {
		h, to := row[0].at.h, bottom(row[0].own)
		if to < end {
			to -= halo
		}
		for done < to {
			y := max(dom.y, min(done-halo, end-h))
			own := to
			if y+h < end {
				own = min(own, y+h-halo)
			}
			rows = append(rows, moved(row, y, done, own-done))
			done = own
		}
	}
	if len(rows) > len(lead) {
		return lead
	}
	return rows
}

// moved is a row of tiles at another height.
func moved(row []tile, y, ownY, ownH int) []tile {
	var ts []tile
	for _, t := range row {
		t.at.y, t.own.y, t.own.h = y, ownY, ownH
		ts = append(ts, t)
	}
	return ts
}

// ready tells whether a row of the flow map's tiles can be run once a row of the adapter's is.
func ready(row, done []tile, dom rect, halo int) bool {
	return min(bottom(row[0].own)+halo, bottom(dom)) <= bottom(done[0].own)
}

// bandOf is how many rows of pixels roll needs at a time, from the top of what a row reads to the bottom of what was made last.
func bandOf(lead, then [][]tile, halo int) (most int) {
	next := 0
	last := lead[len(lead)-1][0].own
	dom := rect{y: lead[0][0].at.y, h: bottom(last) - lead[0][0].at.y}
	for _, row := range lead {
		most = max(most, bottom(row[0].own)-then[next][0].at.y)
		for next < len(then) && ready(then[next], row, dom, halo) {
			next++
		}
	}
	return most
}

func bottom(r rect) int { return r.y + r.h }

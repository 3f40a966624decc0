package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// runInBand runs the adapter and the flow map over the domain in turns, a row of tiles each, from
// top to bottom (tile.FollowingRows). The flow map runs as soon as μ is there for its row. μ is as
// large as the picture in floats; so only a band of it is in memory, on the device.
func (r *run) runInBand(adapter stage, flow func(mu *band) stage) error {
	return r.withTiles(adapter.halo, 2, func(ts []tile.Tile) error {
		before, generation := r.done, r.m.engine.Generation()
		err := r.passInBand(adapter, flow, ts)
		if engine.IsLost(err) && r.m.engine.Renew(r.ctx, generation) == nil {
			r.done = before // the band is lost with the device
			err = r.passInBand(adapter, flow, ts)
		}
		return err
	})
}

// passInBand runs both stages once over the tiles.
func (r *run) passInBand(adapter stage, flow func(mu *band) stage, ts []tile.Tile) error {
	adapter.planTiles(ts)
	lead, next := tile.Rows(ts), 0
	following := tile.FollowingRows(lead, r.domain, adapter.halo)
	mu, err := newBand(r.ctx, r.m.engine, r.domain, tile.BandHeight(lead, following, adapter.halo)/4)
	if err != nil {
		return err
	}
	defer mu.memory.Free()
	first := adapter
	first.lostWithDevice = true
	first.outputs = append(first.outputs[:len(first.outputs):len(first.outputs)], output{index: outMu, toBand: mu.write})
	second := flow(mu)
	second.lostWithDevice = true
	for _, row := range lead {
		if err := r.runTiles(first, row); err != nil {
			return err
		}
		for ; next < len(following) && tile.Ready(following[next], row, r.domain, adapter.halo); next++ {
			if err := r.runTiles(second, following[next]); err != nil {
				return err
			}
		}
	}
	return nil
}

// band holds some neighbouring rows of sites of a domain on the device. It is a ring: row k is at
// k modulo ring, so a row overwrites the one ring rows above.
type band struct {
	domain tile.Rect
	ring   int
	memory *engine.Band
}

func newBand(ctx context.Context, e *engine.Engine, dom tile.Rect, ring int) (*band, error) {
	memory, err := e.NewBand(ctx, dom.W/4*ring*nets.FlowChannels)
	return &band{dom, ring, memory}, err
}

// rows calls f for the rows of sites that part, which lies in the tile at, and the band have in
// common. It calls f once, or twice if they cross the end of the ring.
func (b *band) rows(at, part tile.Rect, f func(r engine.Rows) error) error {
	stride := b.domain.W / 4 * nets.FlowChannels
	for y, end := (part.Y-b.domain.Y)/4, (part.Y-b.domain.Y+part.H)/4; y < end; {
		n := min(end-y, b.ring-y%b.ring)
		err := f(engine.Rows{
			Band: y%b.ring*stride + (part.X-b.domain.X)/4*nets.FlowChannels, BandStride: stride,
			Value:       ((y-(at.Y-b.domain.Y)/4)*(at.W/4) + (part.X-at.X)/4) * nets.FlowChannels,
			ValueStride: at.W / 4 * nets.FlowChannels,
			Size:        part.W / 4 * nets.FlowChannels, Count: n,
		})
		if err != nil {
			return err
		}
		y += n
	}
	return nil
}

// read copies the input z of a tile from the band.
func (b *band) read(at tile.Rect, in *engine.Slot) error {
	return b.rows(at, at, func(r engine.Rows) error { return in.FromBand("z", b.memory, r) })
}

// write copies the own part of a tile's μ to the band.
func (b *band) write(t tile.Tile, in *engine.Slot) error {
	return b.rows(t.At, t.Own, func(r engine.Rows) error { return in.ToBand(outMu, b.memory, r) })
}

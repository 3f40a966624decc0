package restore

import (
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/task"
)

// If memory runs out at the flow map's first program, the tiles get smaller, and the picture stays
// the same.
func TestBandAfterOutOfMemory(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 150, 170)
	req := request(rnd, task.Denoise, p)
	want := restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix
	m := variant(t, sharedModel(t, 0, NoMargin))
	m.engine.Pace.Force(time.Hour, 0, 128*128) // not in one piece
	built, last, of := 0, 0, 0
	compiled := m.engine.Build
	m.engine.Build = func(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
		if built++; built == 2 || built == 3 { // the second time with nothing else in memory
			return nil, &gpu.OutOfMemoryError{Size: 1 << 40, Available: -1}
		}
		return compiled(store, g, outs, opt)
	}
	req.Progress = func(done, total int) { last, of = done, total }
	if d := apart(restored(t, m, p, req).Picture.Pix, want); d > 5e-5 || built < 5 || last != of {
		t.Errorf("off by %g, %d programs built, %d of %d tiles", d, built, last, of)
	}
}

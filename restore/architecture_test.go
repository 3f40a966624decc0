package restore

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// TestOtherArchitecture restores with the weights file of a network that is not an edge network,
// whole and in tiles, and compares with float64.
func TestOtherArchitecture(t *testing.T) {
	rnd := newRand(t)
	net := tinyNetwork(t, nets.PlainConfig{Width: 16, Blocks: 2, Emb: 8, SD: nets.PhotoSD()}, sharedSeed)
	f, err := net.File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plain.vfm")
	if err := weights.Save(path, f); err != nil {
		t.Fatal(err)
	}
	p := randomPicture(rnd, 70, 45)
	req := request(rnd, task.Denoise, p)
	req.Noise += 1
	for _, tile := range []int{0, 16} {
		m := open(t, Config{Weights: path, Tile: tile})
		if info := m.Info(); !strings.Contains(info, "plain network of widths [16]") {
			t.Errorf("the model describes itself as %s", info)
		}
		res := restored(t, m, p, req)
		j, err := m.newCheckedJob(p, req)
		if err == nil {
			err = m.prepareViews(t.Context(), j)
		}
		if err != nil {
			t.Fatal(err)
		}
		off, moved := apart(res.Picture.Pix, oracle(t, m, net, j, 0, 0)), apart(res.Picture.Pix, p.Pix)
		if !(off < 2e-4) || moved < 0.05 {
			t.Errorf("tiles of %d: off by %g from the reference; the network moved pixels by %g", tile, off, moved)
		}
		m.Close()
	}
}

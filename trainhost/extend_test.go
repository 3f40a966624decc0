package trainhost

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// trainedTiny trains a network for a step and gives the checkpoint's path.
func trainedTiny(t *testing.T, net nets.EdgeConfig) string {
	t.Helper()
	first, err := NewTrainer(testDev, noisePictures(4, 48), net, tinyConfig(1), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Run(context.Background(), optim.Schedule{}, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.ckpt")
	if err := SaveCheckpoint(path, first.Store(), first.State); err != nil {
		t.Fatal(err)
	}
	return path
}

// lossAfter loads a checkpoint, extends its network and does a step: the loss is that of the
// weights it starts from.
func lossAfter(t *testing.T, path string, extend func(*Checkpoint) error) (before float32, tr *Trainer) {
	t.Helper()
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := extend(c); err != nil {
		t.Fatal(err)
	}
	tr = newTiny(t, tinyConfig(2), c, false)
	if err := tr.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := tr.train(batch{}); err != nil {
		t.Fatal(err)
	}
	v, err := tr.step.Output(0)
	if err != nil {
		t.Fatal(err)
	}
	return v[0], tr
}

// wantExtended checks that an extended network computes the same as before, and that the named
// parameters change in the first step.
func wantExtended(t *testing.T, path string, extend func(*Checkpoint) error, names ...string) *Trainer {
	t.Helper()
	want, _ := lossAfter(t, path, func(*Checkpoint) error { return nil })
	got, tr := lossAfter(t, path, extend)
	if d := math.Abs(float64(got-want) / float64(want)); !(d < 1e-5) {
		t.Errorf("loss %g after extending, %g before", got, want)
	}
	p, err := tr.Store().State(compile.Weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if v := p[name]; len(v) == 0 || v[0] == 0 {
			t.Errorf("%s has not moved in a step: %d values", name, len(v))
		}
	}
	return tr
}

// Added gates change nothing at first, change in the first step, and cannot be removed.
func TestAddGates(t *testing.T) {
	plain := tinyNet()
	plain.Gates = nil
	path := trainedTiny(t, plain)
	tr := wantExtended(t, path, func(c *Checkpoint) error { return c.AddGates([]int{1, 3}) }, "adapter/mid/block0/gate/w", "flow/down0/block0/gate/w")
	c := &Checkpoint{State: tr.State}
	for _, bad := range [][]int{nil, {0, 3}, {1, 3, 1}, {1, 2}} {
		if err := c.AddGates(bad); err == nil {
			t.Errorf("gates %v became %v", tr.State.Network.Gates, bad)
		}
	}
}

// Added blocks change nothing at first on any level, change in the first step, and are not removed
// without being asked.
func TestSetBlocks(t *testing.T) {
	path := trainedTiny(t, tinyNet())
	blocks, up, mid := tinyNet().Blocks[0], tinyNet().Blocks[0], tinyNet().Mid
	tr := wantExtended(t, path, func(c *Checkpoint) error {
		return c.SetBlocks(Blocks{[]int{blocks + 1}, []int{up + 2}, mid + 1}, false)
	},
		"adapter/down0/block1/conv1/w", "adapter/up0/block2/conv1/w", "adapter/mid/block1/conv1/w", "flow/down0/block1/conv1/w", "flow/up0/block1/conv1/w", "flow/mid/block1/conv1/w")
	wantExtended(t, path, func(c *Checkpoint) error { return c.SetBlocks(Blocks{[]int{blocks}, []int{up + 1}, mid}, false) }, "flow/up0/block1/conv1/w")
	c := &Checkpoint{State: tr.State}
	for _, bad := range [][3]int{{blocks, up + 2, mid + 1}, {blocks + 1, up, mid + 1}, {blocks + 1, up + 2, mid}, {blocks + 1, up + 2, 100}} {
		if err := c.SetBlocks(Blocks{bad[0:1], bad[1:2], bad[2]}, false); err == nil {
			t.Errorf("blocks %v, %v, %d became %v", tr.State.Network.Blocks, tr.State.Network.Up, tr.State.Network.Mid, bad)
		}
	}
}

// Dropped blocks are removed, and the other blocks keep their FiLM parameters: after adding and
// dropping blocks the network computes the same as before.
func TestDropBlocks(t *testing.T) {
	path := trainedTiny(t, tinyNet())
	blocks, up, mid := tinyNet().Blocks[0], tinyNet().Blocks[0], tinyNet().Mid
	wantExtended(t, path, func(c *Checkpoint) error {
		if err := c.SetBlocks(Blocks{[]int{blocks + 1}, []int{up + 1}, mid + 2}, false); err != nil {
			return err
		}
		return c.SetBlocks(Blocks{[]int{blocks}, []int{up + 1}, mid}, true)
	}, "flow/up0/block1/conv1/w")
}

// An added level of 2×2 blocks changes nothing at first, changes in the first step, and keeps its
// width.
func TestAddFine(t *testing.T) {
	path := trainedTiny(t, tinyNet())
	tr := wantExtended(t, path, func(c *Checkpoint) error { return c.AddFine(16) }, "adapter/fine/out/w", "flow/fine/out/w")
	c := &Checkpoint{State: tr.State}
	for _, bad := range []int{0, 8, 24} {
		if err := c.AddFine(bad); err == nil {
			t.Errorf("a level of 16 channels became one of %d", bad)
		}
	}
	c.State.Network.Fine = 0
	if err := c.AddFine(12); err == nil {
		t.Error("a level of 12 channels was added")
	}
}

package restore

import (
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

func TestScratch(t *testing.T) {
	dev, err := gpu.Open(gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c := dev.Info().Caps
	t.Logf("budget %d MB, maxalloc %d MB range %d MB unified %v", c.HeapBudget>>20, c.MaxAlloc>>20, c.MaxStorageRange>>20, c.Unified)
	cfg := nets.DefaultEdge()
	for _, side := range []int{256, 512, 256, 528} {
		for _, kind := range []string{"adapter", "one"} {
			g := netdef.NewGraph()
			var outs []*netdef.Node
			if kind == "adapter" {
				v := g.Input("view", netdef.Shape{1, 3, side, side})
				k := g.Input("known", netdef.Shape{1, 1, side, side})
				mu, lv := nets.Adapter(g, cfg, nets.ToFlow(g, cfg, g.Patchify(v)), g.Patchify(k), g.Input("task", netdef.Shape{1, 1, 1, 8}), g.Input("sigma", netdef.Scalar))
				outs = []*netdef.Node{mu, lv}
			} else {
				z := g.Input("z", netdef.Shape{1, side / 4, side / 4, 48})
				outs = []*netdef.Node{g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, z)))}
			}
			st, err := compile.NewStore(dev, netdef.Reachable(outs...), false, 1)
			if err != nil {
				t.Fatal(err)
			}
			t0 := time.Now()
			p, err := compile.Compile(dev, st, g, outs, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			d := time.Since(t0)
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			t0 = time.Now()
			n := 0
			for time.Since(t0) < time.Second || n < 2 {
				p.Run()
				n++
			}
			r := time.Since(t0) / time.Duration(n)
			t.Logf("%s %d: compile %v run %v (%.2f Mpx/s) work %.1f B/px, %.1f GFLOP, %d dispatches", kind, side, d, r, float64(side*side)/1e6/r.Seconds(), float64(p.WorkBytes())/float64(side*side), p.Flops()/1e9, p.Dispatches())
			p.Close()
			st.Close()
		}
	}
}

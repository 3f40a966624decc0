package restore

import (
	"syscall"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestScratch(t *testing.T) {
	dev, err := gpu.Open(gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	cfg := nets.DefaultEdge()
	for _, side := range []int{256} {
		for _, kind := range []string{"adapter", "one", "step", "fused", "draw"} {
			g := netdef.NewGraph()
			var outs []*netdef.Node
			s := netdef.Shape{1, side / 4, side / 4, 48}
			ad := func() (*netdef.Node, *netdef.Node) {
				v := g.Input("view", netdef.Shape{1, 3, side, side})
				k := g.Input("known", netdef.Shape{1, 1, side, side})
				return nets.Adapter(g, cfg, nets.ToFlow(g, cfg, g.Patchify(v)), g.Patchify(k), g.Input("task", netdef.Shape{1, 1, 1, 8}), g.Input("sigma", netdef.Scalar))
			}
			switch kind {
			case "adapter":
				mu, lv := ad()
				outs = []*netdef.Node{mu, lv}
			case "one":
				outs = []*netdef.Node{g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, g.Input("z", s))))}
			case "step":
				x, r, tt := g.Input("x", s), g.Input("r", netdef.Scalar), g.Input("t", netdef.Scalar)
				nx := g.Sub(x, g.Mul(nets.FlowMap(g, cfg, x, r, tt), g.Sub(tt, r)))
				outs = []*netdef.Node{nx, g.Unpatchify(nets.FromFlow(g, cfg, nx))}
			case "fused":
				mu, lv := ad()
				outs = []*netdef.Node{mu, lv, g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, mu)))}
			case "draw":
				mu, lv := g.Input("mu", s), g.Input("logvar", s)
				outs = []*netdef.Node{g.Add(mu, g.Mul(g.Mul(g.Exp(g.Scale(lv, 0.5)), g.Input("temperature", netdef.Scalar)), g.Normal(s, g.Input("key", netdef.KeyShape), 0)))}
			}
			st, err := compile.NewStore(dev, netdef.Reachable(outs...), false, 1)
			if err != nil {
				t.Fatal(err)
			}
			t0, c0 := time.Now(), cpu()
			p, err := compile.Compile(dev, st, g, outs, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			d, c := time.Since(t0), cpu()-c0
			c0 = cpu()
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			c1 := cpu() - c0
			t0 = time.Now()
			c0 = cpu()
			n := 0
			for time.Since(t0) < time.Second || n < 2 {
				p.Run()
				n++
			}
			r := time.Since(t0) / time.Duration(n)
			t.Logf("%s %d: compile %v (cpu %v, first run %v) run %v cpu %v, work %.1f B/px, %.1f GFLOP, %d dispatches", kind, side, d, c, c1, r, (cpu()-c0)/time.Duration(n), float64(p.WorkBytes())/float64(side*side), p.Flops()/1e9, p.Dispatches())
			p.Close()
			st.Close()
		}
	}
}

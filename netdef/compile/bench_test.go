package compile

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/vfmrestore/restore/netdef"
)

// benchTuning reads $VFM_MAXFMA, for trying other kernel sizes.
func benchTuning() Tuning {
	n, _ := strconv.Atoi(os.Getenv("VFM_MAXFMA"))
	return Tuning{MaxFMA: n}
}

// BenchmarkKernels prints the speed of single kernels at the edge network's shapes.
func BenchmarkKernels(b *testing.B) {
	type shape struct {
		name string
		make func(g *netdef.Graph) *netdef.Node
	}
	conv := func(k, hw, cin, cout int) shape {
		return shape{fmt.Sprintf("conv%d_%d_%d_%d", k, hw, cin, cout), func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{1, hw, hw, cin}), g.Param("w", S{k, k, cin, cout}, netdef.HeNormal{Gain: 1}), 1)
		}}
	}
	gw := func(k, bb, hw, cin, cout int) shape {
		return shape{fmt.Sprintf("gradw%d_%dx%d_%d_%d", k, bb, hw, cin, cout), func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{bb, hw, hw, cin}), g.Input("g", S{bb, hw, hw, cout}), k, 1)
		}}
	}
	for _, s := range []shape{conv(3, 64, 32, 32), conv(3, 32, 64, 64), conv(3, 16, 96, 96), conv(1, 64, 64, 32), conv(1, 32, 128, 64), gw(3, 24, 16, 32, 32), gw(3, 24, 8, 64, 64), gw(1, 24, 16, 48, 32),
		{"layernorm", func(g *netdef.Graph) *netdef.Node { return g.SiLU(g.LayerNorm(g.Input("x", S{1, 64, 64, 32}), 1e-5)) }},
		{"add", func(g *netdef.Graph) *netdef.Node {
			return g.Add(g.Input("x", S{1, 64, 64, 32}), g.Input("y", S{1, 64, 64, 32}))
		}},
		{"gate", func(g *netdef.Graph) *netdef.Node {
			x, h := g.Input("x", S{1, 64, 64, 32}), g.Input("h", S{1, 64, 64, 32})
			v := func(n string) *netdef.Node { return g.Input(n, S{1, 1, 1, 32}) }
			c := g.Add(g.Conv2D(h, g.Param("w", S{1, 1, 32, 32}, netdef.HeNormal{Gain: 1}), 1), v("b"))
			return g.Mul(g.SiLU(g.Add(g.Mul(g.LayerNorm(x, 1e-5), v("s")), v("t"))), g.Offset(c, 1))
		}},
		{"sum", func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("x", S{24, 16, 16, 32}), netdef.AxBHW) }},
		{"transpose", func(g *netdef.Graph) *netdef.Node { return g.Transpose(g.Input("x", S{1, 12, 128, 128})) }},
		{"blur", func(g *netdef.Graph) *netdef.Node {
			return g.Blur(g.Input("x", S{2, 3, 191, 192}), g.Input("k", S{2, 1, 64, 64}), 64, false, 128)
		}},
	} {
		b.Run(s.name, func(b *testing.B) {
			g := netdef.NewGraph()
			out := []*netdef.Node{s.make(g)}
			store, err := NewStore(testDev, netdef.Reachable(out...), false, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			t0 := time.Now()
			p, err := Compile(testDev, store, g, out, Options{Tuning: benchTuning()})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			if err := p.Run(); err != nil {
				b.Fatal(err)
			}
			build := time.Since(t0)
			for b.Loop() {
				if err := p.Run(); err != nil {
					b.Fatal(err)
				}
			}
			sec := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(p.Flops()/sec/1e9, "GFLOP/s")
			b.ReportMetric(float64(out[0].Shape.Size())*4/sec/1e9, "GBout/s")
			b.ReportMetric(build.Seconds(), "s-build")
			b.ReportMetric(float64(p.Dispatches()), "dispatches")
		})
	}
}

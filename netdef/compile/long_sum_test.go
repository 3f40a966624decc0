package compile

import (
	"fmt"
	"testing"

	"github.com/vfmrestore/restore/netdef"
)

// Sums of single channels over more terms than lavapipe allows iterations (65535 for all loops of a
// kernel together): it silently ends loops there. Also sums of many channels over a prime number of
// pixels, whose partial results would not fit a binding.
func TestLongSums(t *testing.T) {
	type S = netdef.Shape
	for _, s := range []S{{70001, 1, 3, 1}, {1, 400, 401, 1}, {3, 1, 70001, 1}, {1, 1, 70001, 8}, {1, 1, 30011, 128}} {
		for name, build := range map[string]func(g *netdef.Graph, x *netdef.Node) *netdef.Node{
			"over a batch": func(g *netdef.Graph, x *netdef.Node) *netdef.Node { return g.Sum(x, netdef.AxB) },
			"over all":     func(g *netdef.Graph, x *netdef.Node) *netdef.Node { return g.Sum(x, netdef.AxAll) },
			"of a depthwise gradient": func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
				return g.DepthwiseGradW(x, g.Input("y", s))
			},
			"of a convolution's gradient": func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
				return g.Apply(&netdef.ConvGradWOp{K: 3, Stride: 1}, x, g.Input("y", S{s[0], s[1], s[2], 8}))
			},
			"of a product": func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
				return g.MatMulTA(x, g.Input("y", S{s[0], s[1], s[2], 8}))
			},
		} {
			if s[3] == 128 && name != "of a depthwise gradient" {
				continue // the partial results of the other ops are as large with fewer channels
			}
			g := netdef.NewGraph()
			outs := []*netdef.Node{build(g, g.Input("x", s))}
			if err := g.Err(); err != nil {
				t.Fatal(err)
			}
			c := newComparison(outs, 9)
			if c == nil {
				t.Fatal("rounding alone changes", name, s)
			}
			for _, portable := range []bool{false, true} {
				if portable || !onlyPortable() {
					if err := c.run(outs, Options{Portable: portable}); err != nil {
						t.Error(fmt.Sprintf("%s, %v, portable %v:", name, s, portable), err)
					}
				}
			}
		}
	}
}

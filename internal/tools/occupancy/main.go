// Command occupancy prints, without a device, how the gpu lowering divides the network's
// convolutions: tiles, workgroups, shared memory, sums per invocation, arithmetic per load, and the
// bytes that a forward pass moves in float32 and in float16. docs/BENCHMARKS.md has this table.
package main

import (
	"flag"
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/shaders"
)

func main() {
	side := flag.Int("size", 256, "side of the picture, in pixels")
	flag.Parse()
	cfg := nets.DefaultEdge()
	g := netdef.NewGraph()
	h := *side / 4
	y := g.Input("y", netdef.Shape{1, h, h, nets.FlowChannels})
	mu, _ := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: y, Mask: g.Input("mask", netdef.Shape{1, h, h, nets.MaskChannels}),
		Task:  g.Input("task", netdef.Shape{1, 1, 1, nets.Tasks}),
		Sigma: g.Input("sigma", netdef.Scalar),
	})
	out := nets.OneStep(g, cfg, mu)
	plain := shaders.GPUTarget(128, 32<<10)
	matrix := plain
	matrix.Matrix = shaders.Matrix{M: 16, N: 16, K: 16, Subgroup: 32}
	fmt.Println("| convolution | × | tile, pixels × channels × depth | workgroups | shared, KiB " +
		"| sums per invocation | multiply-adds per load from shared memory | with matrices: " +
		"tile, workgroups, KiB, matrices per subgroup |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	count := map[shaders.ConvShape]int{}
	var order []shaders.ConvShape
	moved := 0
	for _, n := range netdef.Reachable(out) {
		op, ok := n.Op.(*netdef.Conv2DOp)
		if !ok || n.Shape[1]*n.Shape[2] < 16 {
			continue
		}
		x, w := n.In[0].Shape, n.In[1].Shape
		s := shaders.ConvShape{B: 1, IH: x[1], IW: x[2], Cin: x[3], OH: n.Shape[1], OW: n.Shape[2],
			N: n.Shape[3], KH: w[0], Stride: op.Stride, Pad: (w[0] - 1) / 2, KC: x[3]}
		s.NJ = plain.NJ(s.N)
		if count[s]++; count[s] == 1 {
			order = append(order, s)
		}
		moved += x.Size() + w.Size() + n.Shape.Size()
	}
	for _, s := range order {
		t, m := plain.Tile(s), matrix.Tile(s)
		bm, bn := t.Tile.PM*t.TP, t.Tile.PN*8*t.NJ
		// Per four input channels an invocation loads TP quads of pixels and four times NJ weights,
		// as one quad or less each.
		intensity := float64(4*t.TP*t.NJ) / float64(t.TP+4)
		with := "as without"
		if m.Tile.SM > 0 {
			mm, mn := m.Tile.PM*m.TP, m.Tile.PN*8*m.NJ
			with = fmt.Sprintf("%d×%d×%d, %d, %.1f, %d×%d", mm, mn, m.Tile.BK, m.Groups(matrix),
				float64(m.SharedBytes(matrix))/1024, mm/16/m.Tile.SM, mn/16/m.Tile.SN)
		}
		name := fmt.Sprintf("%d×%d %d→%d at %d×%d", s.KH, s.KH, s.Cin, s.N, s.OW, s.OH)
		fmt.Printf("| %s | %d | %d×%d×%d | %d | %.1f | %d | %.1f | %s |\n", name, count[s], bm, bn,
			t.Tile.BK, t.Groups(plain), float64(t.SharedBytes(plain))/1024, t.TP*t.NJ, intensity,
			with)
	}
	fmt.Printf("\nOperands of all convolutions, each once: %.1f MB in float32, %.1f MB in "+
		"float16.\n", float64(4*moved)/1e6, float64(2*moved)/1e6)
}

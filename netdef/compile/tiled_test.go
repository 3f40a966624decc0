package compile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// randomConv builds a convolution of random shape whose input channels are a multiple of deep. Its
// epilogue reads operands of every pattern that networks have.
func randomConv(rng *rand.Rand, deep int) (g *netdef.Graph, out *netdef.Node, name string) {
	g = netdef.NewGraph()
	b, k := 1+rng.IntN(3), 1+rng.IntN(3)
	h, w := 2*(1+rng.IntN(9)), 2*(1+rng.IntN(9))
	cin, n := deep*(1+rng.IntN(72/deep)), 8*(1+rng.IntN(12))
	stride := 1
	if k == 2 {
		stride = 2
	}
	y := g.Conv2D(g.Input("x", S{b, h, w, cin}), g.Param("w", S{k, k, cin, n}, netdef.Zeros), stride)
	post := rng.IntN(4)
	switch post {
	case 1:
		y = g.Add(y, g.Param("b", S{1, 1, 1, n}, netdef.Zeros))
	case 2:
		y = g.Add(g.SiLU(g.Add(y, g.Param("b", S{1, 1, 1, n}, netdef.Zeros))), g.Input("r", y.Shape))
	case 3:
		s := y.Shape
		y = g.Mul(g.Add(y, g.Input("bc", S{b, 1, 1, n})), g.Add(g.Input("p", S{b, s[1], s[2], 1}), g.Input("hwc", S{1, s[1], s[2], n})))
	}
	return g, y, fmt.Sprintf("%d·%d×%d·%d to %d, %d×%d, epilogue %d", b, h, w, cin, n, k, k, post)
}

// hasConv reports whether a Program has a convolution of some kind.
func hasConv(p *Program, is func(shaders.Conv) bool) bool {
	for _, s := range p.steps {
		if s.mod == nil {
			continue
		}
		if c, ok := s.mod.Kernel.(shaders.Conv); ok && is(c) {
			return true
		}
	}
	return false
}

// Convolutions whose workgroups share tiles agree with the reference for any shape: incomplete
// tiles, one, two and four channels per lane, strides, borders.
func TestTiled(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	used := 0
	for range 40 {
		g, out, name := randomConv(rng, 8)
		p := 0
		e := compareWith(t, g, []*netdef.Node{out}, Options{Portable: true}, func(prog *Program) {
			if hasConv(prog, func(c shaders.Conv) bool { return c.Tile.PM > 0 }) {
				p = 1
			}
		})
		used += p
		if !(e < 2e-6) {
			t.Errorf("%s: relative error %.3g", name, e)
		}
	}
	if used < 20 {
		t.Errorf("only %d of 40 convolutions were tiled", used)
	}
}

// Winograd's convolution works band by band on large tensors.
func TestWinogradBands(t *testing.T) {
	g := netdef.NewGraph()
	x := g.SiLU(g.Input("x", S{2, 96, 104, 32}))
	y := g.Add(g.SiLU(g.Conv2D(x, g.Param("w", S{3, 3, 32, 32}, netdef.Zeros), 1)), g.Input("r", x.Shape))
	z := g.Mul(y, g.Conv2D(x, g.Param("v", S{3, 3, 32, 32}, netdef.Zeros), 1))
	bands := 0
	if e := compareWith(t, g, []*netdef.Node{z}, Options{}, func(p *Program) {
		for _, s := range p.steps {
			if s.mod == nil {
				continue
			}
			if _, ok := s.mod.Kernel.(shaders.WinogradOutput); ok {
				bands++
			}
		}
	}); !(e < 1e-5) {
		t.Errorf("relative error %.2g", e)
	}
	if best, _ := Targets(testDev.Info().Caps); best.Mode == shaders.CPU && bands < 4 {
		t.Errorf("%d bands", bands)
	}
}

// In training, Winograd's method computes a convolution of many tiles and its gradients too. The
// weights are then transformed in every run. The weights' gradient uses the input that the
// convolution has transformed.
func TestWinogradInTraining(t *testing.T) {
	if best, _ := Targets(testDev.Info().Caps); best.Mode != shaders.CPU {
		t.Skip("for software drivers")
	}
	for _, side := range []int{24, 12} { // 72 tiles, 18 tiles
		g := netdef.NewGraph()
		x, w := g.Input("x", S{2, side, side, 32}), g.Param("w", S{3, 3, 32, 40}, netdef.Zeros)
		y := g.Conv2D(g.SiLU(x), w, 1)
		grads, err := g.Gradient(g.Sum(g.Mul(y, g.Input("v", y.Shape)), netdef.AxAll), []*netdef.Node{x, w})
		if err != nil {
			t.Fatal(err)
		}
		kinds := []shaders.Kernel{shaders.WinogradWeights{}, shaders.WinogradInput{}, shaders.WinogradOutput{}, shaders.WinogradGrad{}, shaders.WinogradGradW{}}
		transformed := make([]int, len(kinds))
		e := compareTrained(t, g, append(grads, y), Options{}, true, func(p *Program) {
			for _, s := range p.steps {
				for i, kind := range kinds {
					if s.mod != nil && reflect.TypeOf(s.mod.Kernel) == reflect.TypeOf(kind) && s.phase == always {
						transformed[i]++
					}
				}
			}
		})
		if !(e <= 1e-5) {
			t.Errorf("side %d: relative error %.3g", side, e)
		}
		want := make([]int, len(kinds))
		if side == 24 {
			want = []int{2, 2, 2, 1, 1}
		}
		if !slices.Equal(transformed, want) {
			t.Errorf("side %d: there are %v transforms of %T, not %v", side, transformed, kinds, want)
		}
	}
}

package nets_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	. "github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
)

// conv3 is a 3×3 convolution whose input continues with zeros. Output site (i, j) reads rows
// stride·i - pad to stride·i - pad + 2.
func (p plainNet) conv3(t testing.TB, name string, x maps, stride, pad int) maps {
	w, b := p.get(t, name+"/w"), p.get(t, name+"/b")
	in, out := len(x.v[0]), len(b)
	y := newMaps(x.h/stride, x.w/stride, out)
	for i := range y.h {
		for j := range y.w {
			to := y.v[i*y.w+j]
			copy(to, b)
			for dy := range 3 {
				for dx := range 3 {
					row, col := stride*i-pad+dy, stride*j-pad+dx
					if row < 0 || row >= x.h || col < 0 || col >= x.w {
						continue
					}
					for c, v := range x.v[row*x.w+col] {
						for o := range to {
							to[o] += v * w[((dy*3+dx)*in+c)*out+o]
						}
					}
				}
			}
		}
	}
	return y
}

// groupNorm normalises up to 32 groups of channels, each over all sites.
func (p plainNet) groupNorm(t testing.TB, name string, x maps, eps float64) maps {
	scale, shift := p.get(t, name+"/scale"), p.get(t, name+"/shift")
	channels := len(scale)
	width := channels / min(32, channels)
	y := newMaps(x.h, x.w, channels)
	for first := 0; first < channels; first += width {
		var group []float64
		for _, v := range x.v {
			group = append(group, v[first:first+width]...)
		}
		group = standard(group, eps)
		for i := range y.v {
			for k := range width {
				c := first + k
				y.v[i][c] = group[i*width+k]*scale[c] + shift[c]
			}
		}
	}
	return y
}

func (p plainNet) normConv(t testing.TB, name, number string, x maps, eps float64) maps {
	h := p.groupNorm(t, name+"norm"+number, x, eps)
	for i := range h.v {
		h.v[i] = apply64(h.v[i], silu64)
	}
	return p.conv3(t, name+"conv"+number, h, 1, 1)
}

func sum(a, b maps) maps {
	y := newMaps(a.h, a.w, len(a.v[0]))
	for i := range y.v {
		for k := range y.v[i] {
			y.v[i][k] = a.v[i][k] + b.v[i][k]
		}
	}
	return y
}

func (p plainNet) skip(t testing.TB, name string, x maps) maps {
	if p[name+"skip/w"] == nil {
		return x
	}
	return p.affineAll(t, name+"skip", x)
}

// adapter is the paper's adapter for one observation.
func (p plainNet) adapter(t testing.TB, c LatentAdapterConfig, y maps, class int) maps {
	table := p.get(t, "adapter/class/table")[class*c.Emb : (class+1)*c.Emb]
	cond := p.affine(t, "adapter/class/out", apply64(p.affine(t, "adapter/class/in", table), silu64))
	film := func(name string, x maps) maps {
		m := p.affine(t, name, cond)
		n := len(m) / 2
		for _, v := range x.v {
			for k := range v {
				v[k] = m[k]*v[k] + m[n+k]
			}
		}
		return x
	}
	block := func(name string, x maps) maps {
		h := film(name+"film0", p.normConv(t, name, "0", x, 1e-5))
		h = film(name+"film1", p.normConv(t, name, "1", h, 1e-5))
		return sum(h, p.skip(t, name, x))
	}
	h := p.conv3(t, "adapter/in", y, 1, 1)
	for i := range c.Widths {
		for b := range c.Blocks {
			h = block(fmt.Sprintf("adapter/down%d/block%d/", i, b), h)
		}
		if i < len(c.Widths)-1 {
			h = p.conv3(t, fmt.Sprintf("adapter/down%d/down", i), h, 2, 1)
		}
	}
	h = block("adapter/mid1/", block("adapter/mid0/", h))
	h = p.normConv(t, "adapter/out/", "", h, 1e-5)
	for _, v := range h.v {
		for k := 4; k < 8; k++ {
			v[k] = math.Max(-10, math.Min(2, v[k]))
		}
	}
	return h
}

func (p plainNet) vaeBlock(t testing.TB, name string, x maps) maps {
	return sum(p.normConv(t, name, "1", p.normConv(t, name, "0", x, 1e-6), 1e-6), p.skip(t, name, x))
}

func (p plainNet) vaeMiddle(t testing.TB, name string, x maps) maps {
	x = p.vaeBlock(t, name+"mid/block0/", x)
	n := p.groupNorm(t, name+"mid/attention/norm", x, 1e-6)
	head := func(which string) [][]float64 { return p.affineAll(t, name+"mid/attention/"+which, n).v }
	h := newMaps(x.h, x.w, len(x.v[0]))
	attend(head("q"), head("k"), head("v"), 0, len(x.v[0]), h.v)
	x = sum(x, p.affineAll(t, name+"mid/attention/out", h))
	return p.vaeBlock(t, name+"mid/block1/", x)
}

func (p plainNet) encode(t testing.TB, c AutoencoderConfig, x maps) maps {
	h := p.conv3(t, "encoder/in", x, 1, 1)
	for i := range c.Widths {
		for b := range c.Blocks {
			h = p.vaeBlock(t, fmt.Sprintf("encoder/down%d/block%d/", i, b), h)
		}
		if i < len(c.Widths)-1 {
			h = p.conv3(t, fmt.Sprintf("encoder/down%d/down", i), h, 2, 0)
		}
	}
	h = p.normConv(t, "encoder/out/", "", p.vaeMiddle(t, "encoder/", h), 1e-6)
	return p.affineAll(t, "encoder/latent", h)
}

func (p plainNet) decode(t testing.TB, c AutoencoderConfig, z maps) maps {
	h := p.conv3(t, "decoder/in", p.affineAll(t, "decoder/latent", z), 1, 1)
	h = p.vaeMiddle(t, "decoder/", h)
	for i := len(c.Widths) - 1; i >= 0; i-- {
		for b := range c.Blocks + 1 {
			h = p.vaeBlock(t, fmt.Sprintf("decoder/up%d/block%d/", i, b), h)
		}
		if i > 0 {
			wide := maps{2 * h.h, 2 * h.w, nil}
			for k := range 4 * h.h * h.w {
				wide.v = append(wide.v, slices.Clone(h.v[k/wide.w/2*h.w+k%wide.w/2]))
			}
			h = p.conv3(t, fmt.Sprintf("decoder/up%d/up", i), wide, 1, 1)
		}
	}
	return p.normConv(t, "decoder/out/", "", h, 1e-6)
}

// convnetCase is a small network, as a graph and by loops.
type convnetCase struct {
	in    netdef.Shape
	used  int // channels of the input that are not zero
	graph func(g *netdef.Graph, x *netdef.Node) *netdef.Node
	loops func(t testing.TB, p plainNet, x maps) maps
	extra map[string]*netdef.Tensor // further inputs
}

func convnetCases() map[string]convnetCase {
	adapter := LatentAdapterConfig{Widths: []int{8, 16}, Blocks: 1, Emb: 16, Classes: 5}
	vae := AutoencoderConfig{Widths: []int{8, 64}, Blocks: 1}
	return map[string]convnetCase{
		"adapter": {netdef.Shape{1, 6, 8, 8}, 3, func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
			return adapter.Posterior(g, x, g.Input("class", netdef.Shape{1, 1, 1, adapter.Labels()}))
		}, func(t testing.TB, p plainNet, x maps) maps { return p.adapter(t, adapter, x, 3) },
			map[string]*netdef.Tensor{"class": oneHot(adapter.Labels(), 3)}},
		"encoder": {netdef.Shape{1, 4, 8, 8}, 3, vae.Encode,
			func(t testing.TB, p plainNet, x maps) maps { return p.encode(t, vae, x) }, nil},
		"decoder": {netdef.Shape{1, 2, 4, 8}, 4, vae.Decode,
			func(t testing.TB, p plainNet, x maps) maps { return p.decode(t, vae, x) }, nil},
	}
}

// The paper's convolutional networks and their gradients are those of the loops.
func TestConvnetsAgainstLoops(t *testing.T) {
	for name, n := range convnetCases() {
		t.Run(name, func(t *testing.T) {
			rng := seeded(t)
			g := netdef.NewGraph()
			x := g.Input("x", n.in)
			y := n.graph(g, x)
			weight := g.Input("weight", y.Shape)
			wrt := append([]*netdef.Node{x}, netdef.Params(y)...)
			grads, err := g.Gradient(g.Sum(g.Mul(y, weight), netdef.AxAll), wrt)
			if err != nil {
				t.Fatal(err)
			}
			p := randomParams(rng, 0.1, y)
			a := randomMaps(rng, n.in[1], n.in[2], n.in[3], n.used)
			w := randomMaps(rng, y.Shape[1], y.Shape[2], y.Shape[3], y.Shape[3])
			in := map[string]*netdef.Tensor{"x": batch(a), "weight": batch(w)}
			for k, v := range n.extra {
				in[k] = v
			}
			got, err := reference.Run(append([]*netdef.Node{y}, grads...), in, p)
			if err != nil {
				t.Fatal(err)
			}
			if e := distance(t, got[0], batch(n.loops(t, p, a))); !(e < 1e-10) {
				t.Errorf("relative difference %g", e)
			}
			if last := p["adapter/out/conv/w"]; last != nil {
				// Finite differences must not cross the limits of the log-variance.
				for i := range last.Data {
					last.Data[i] *= 0.01
				}
				if got, err = reference.Run(append([]*netdef.Node{y}, grads...), in, p); err != nil {
					t.Fatal(err)
				}
			}
			loss := func() (sum float64) {
				for i, v := range n.loops(t, p, a).v {
					for k, y := range v {
						sum += y * w.v[i][k]
					}
				}
				return sum
			}
			checkSlopes(t, rng, wrt, got[1:], loss, func(m *netdef.Node, i int) *float64 {
				if m == x {
					return &a.v[i/n.in[3]][i%n.in[3]]
				}
				return &p[m.Name].Data[i]
			})
		})
	}
}

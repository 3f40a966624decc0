package published

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/trainhost/latent"
	"github.com/vfmrestore/restore/trainhost/tensorfile"
	"github.com/vfmrestore/restore/weights"
)

// stateDict is a network as PyTorch holds it.
type stateDict map[string]array

type array struct {
	shape []int
	v     []float64
}

func (s stateDict) add(rng *rand.Rand, name string, around float64, shape ...int) {
	n := 1
	for _, k := range shape {
		n *= k
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = around + float64(float32(rng.NormFloat64()/math.Sqrt(float64(n/shape[0]+8))))
		v[i] = float64(float32(v[i]))
	}
	s[name] = array{shape, v}
}

func (s stateDict) layer(rng *rand.Rand, name string, shape ...int) {
	s.add(rng, name+".weight", 0, shape...)
	s.add(rng, name+".bias", 0, shape[0])
}

func (s stateDict) norm(rng *rand.Rand, name string, n int) {
	s.add(rng, name+".weight", 1, n)
	s.add(rng, name+".bias", 0, n)
}

// open writes the dictionary as a safetensors file, under a prefix, and opens it.
func (s stateDict) open(t *testing.T, prefix string) *tensorfile.File {
	t.Helper()
	header := map[string]any{}
	var data []byte
	for name, a := range s {
		from := len(data)
		for _, x := range a.v {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(x)))
		}
		header[prefix+name] = map[string]any{"dtype": "F32", "shape": a.shape, "data_offsets": []int{from, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	b := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data)
	f, err := tensorfile.New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// torchFile writes dictionaries as torch.save does, in a dictionary of dictionaries, and opens the
// file.
func torchFile(t *testing.T, parts map[string]stateDict) *tensorfile.File {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "checkpoint/" + name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	tuple := func(n []int) string {
		s := "("
		for _, k := range n {
			s += number(k)
		}
		return s + "t"
	}
	code, count := "\x80\x02}(", 0
	for part, s := range parts {
		code += text(part) + "ccollections\nOrderedDict\n)R("
		for name, a := range s {
			key := fmt.Sprint(count)
			count++
			var data []byte
			for _, v := range a.v {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
			}
			put("data/"+key, data)
			strides, n := make([]int, len(a.shape)), 1
			for i := len(strides) - 1; i >= 0; i-- {
				strides[i] = n
				n *= a.shape[i]
			}
			code += text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text(key) + text("cuda:0") + number(n) + "tQK\x00" +
				tuple(a.shape) + tuple(strides) + "\x89ccollections\nOrderedDict\n)RtR"
		}
		code += "u}" + text("_metadata") + "}sb" // attributes of the dictionary
	}
	put("data.pkl", []byte(code+"u."))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := tensorfile.New(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The networks in PyTorch's layouts, by loops: planes are [channel][row·width+column], tokens
// [token][channel].

type planes struct {
	h, w int
	v    [][]float64
}

func (s stateDict) linear(name string, x []float64) []float64 {
	w, b := s[name+".weight"].v, s[name+".bias"].v
	y := slices.Clone(b)
	for o := range y {
		for i, v := range x {
			y[o] += w[o*len(x)+i] * v
		}
	}
	return y
}

// conv2d is torch.nn.functional.conv2d with padding before and as much as is needed behind.
func (s stateDict) conv2d(name string, x planes, stride, pad int) planes {
	w, b := s[name+".weight"], s[name+".bias"].v
	k := w.shape[3]
	y := planes{x.h / stride, x.w / stride, nil}
	for o := range b {
		p := make([]float64, y.h*y.w)
		for i := range p {
			p[i] = b[o]
			for c := range x.v {
				for dy := range k {
					for dx := range k {
						row, col := i/y.w*stride+dy-pad, i%y.w*stride+dx-pad
						if row >= 0 && row < x.h && col >= 0 && col < x.w {
							p[i] += w.v[((o*len(x.v)+c)*k+dy)*k+dx] * x.v[c][row*x.w+col]
						}
					}
				}
			}
		}
		y.v = append(y.v, p)
	}
	return y
}

func standard(v []float64, eps float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		variance += (x - mean) * (x - mean) / float64(len(v))
	}
	y := make([]float64, len(v))
	for i, x := range v {
		y[i] = (x - mean) / math.Sqrt(variance+eps)
	}
	return y
}

func silu(v []float64) []float64 {
	y := make([]float64, len(v))
	for i, x := range v {
		y[i] = x / (1 + math.Exp(-x))
	}
	return y
}

func (s stateDict) groupNorm(name string, x planes, eps float64) planes {
	n := len(x.v) / min(32, len(x.v))
	y := planes{x.h, x.w, nil}
	for c := 0; c < len(x.v); c += n {
		g := standard(slices.Concat(x.v[c:c+n]...), eps)
		for k := range n {
			p := g[k*x.h*x.w : (k+1)*x.h*x.w]
			for i := range p {
				p[i] = p[i]*s[name+".weight"].v[c+k] + s[name+".bias"].v[c+k]
			}
			y.v = append(y.v, p)
		}
	}
	return y
}

// normConv is conv(SiLU(norm(x))).
func (s stateDict) normConv(norm, conv string, x planes, eps float64) planes {
	h := s.groupNorm(norm, x, eps)
	for c := range h.v {
		h.v[c] = silu(h.v[c])
	}
	return s.conv2d(conv, h, 1, 1)
}

func (s stateDict) shortcut(name string, x planes) planes {
	if _, ok := s[name+".weight"]; ok {
		return s.conv2d(name, x, 1, 0)
	}
	return x
}

func plus(a, b planes) planes {
	for c := range a.v {
		for i := range a.v[c] {
			a.v[c][i] += b.v[c][i]
		}
	}
	return a
}

// attention is softmax(q·k/√d)·v of one head from channel from on.
func attention(q, k, v [][]float64, from, d int, out [][]float64) {
	for i := range q {
		weight, total := make([]float64, len(k)), 0.0
		for j := range k {
			dot := 0.0
			for c := from; c < from+d; c++ {
				dot += q[i][c] * k[j][c]
			}
			weight[j] = math.Exp(dot / math.Sqrt(float64(d)))
			total += weight[j]
		}
		for j := range v {
			for c := from; c < from+d; c++ {
				out[i][c] += weight[j] / total * v[j][c]
			}
		}
	}
}

// dmft is the transformer in the order of the published program.
func (s stateDict) dmft(x planes, r, t float64, label, depth, encoder, heads int) planes {
	const p = 2
	width := len(s["x_embedder.proj.bias"].v)
	embed := func(time float64) []float64 {
		f := make([]float64, 256)
		for i := range 128 {
			a := time * math.Exp(-math.Log(10000)*float64(i)/128)
			f[i], f[i+128] = math.Cos(a), math.Sin(a)
		}
		e := s.linear("t_embedder.mlp.2", silu(s.linear("t_embedder.mlp.0", f)))
		for i := range e {
			e[i] += s["y_embedder.embedding_table.weight"].v[label*width+i]
		}
		return silu(e)
	}
	var h [][]float64
	for y := 0; y < x.h; y += p {
		for c := 0; c < x.w; c += p {
			token := slices.Clone(s["x_embedder.proj.bias"].v)
			for o := range token {
				for ch := range 4 {
					for d := range p * p {
						token[o] += s["x_embedder.proj.weight"].v[(o*4+ch)*p*p+d] * x.v[ch][(y+d/p)*x.w+c+d%p]
					}
				}
				place := c / p // the first half is for the column
				if o >= width/2 {
					place = y / p
				}
				k := o % (width / 2)
				a := float64(place) / math.Pow(10000, float64(k%(width/4))/float64(width/4))
				if k < width/4 {
					token[o] += math.Sin(a)
				} else {
					token[o] += math.Cos(a)
				}
			}
			h = append(h, token)
		}
	}
	modulated := func(v, m []float64, shift int) []float64 {
		y := standard(v, 1e-6)
		for i := range y {
			y[i] = y[i]*(1+m[(shift+1)*width+i]) + m[shift*width+i]
		}
		return y
	}
	for b := range depth {
		name := fmt.Sprintf("blocks.%d.", b)
		c := embed(t)
		if b >= encoder {
			c = embed(r)
		}
		m := s.linear(name+"adaLN_modulation.1", c)
		var q, k, v, out [][]float64
		for _, token := range h {
			a := s.linear(name+"attn.qkv", modulated(token, m, 0))
			q, k, v, out = append(q, a[:width]), append(k, a[width:2*width]), append(v, a[2*width:]), append(out, make([]float64, width))
		}
		for i := range heads {
			attention(q, k, v, i*width/heads, width/heads, out)
		}
		for i, token := range h {
			for o, y := range s.linear(name+"attn.proj", out[i]) {
				token[o] += m[2*width+o] * y
			}
			a := s.linear(name+"mlp.fc1", modulated(token, m, 3))
			for j, y := range a {
				a[j] = y / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(y+0.044715*y*y*y)))
			}
			for o, y := range s.linear(name+"mlp.fc2", a) {
				token[o] += m[5*width+o] * y
			}
		}
	}
	out := planes{x.h, x.w, [][]float64{make([]float64, x.h*x.w), make([]float64, x.h*x.w), make([]float64, x.h*x.w), make([]float64, x.h*x.w)}}
	c := embed(r)
	if encoder == depth {
		c = embed(t)
	}
	m := s.linear("final_layer.adaLN_modulation.1", c)
	for i, token := range h {
		y := s.linear("final_layer.linear", modulated(token, m, 0))
		row, col := i/(x.w/p)*p, i%(x.w/p)*p
		for d := range p * p {
			for ch := range 4 {
				out.v[ch][(row+d/p)*x.w+col+d%p] = y[d*len(y)/(p*p)+ch]
			}
		}
	}
	return out
}

// sites returns planes as a tensor [1,h,w,8].
func (p planes) sites() *netdef.Tensor {
	t := netdef.NewTensor(netdef.Shape{1, p.h, p.w, 8})
	for c, plane := range p.v {
		for i, v := range plane {
			t.Data[i*8+c] = v
		}
	}
	return t
}

func randomPlanes(rng *rand.Rand, n, h, w int) planes {
	p := planes{h, w, nil}
	for range n {
		v := make([]float64, h*w)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		p.v = append(p.v, v)
	}
	return p
}

// run imports a network, builds it from the settings in the file, and returns its output.
func run(t *testing.T, r *Result, in map[string]*netdef.Tensor, build func(g *netdef.Graph) *netdef.Node) *netdef.Tensor {
	t.Helper()
	var buf bytes.Buffer
	if err := weights.Encode(&buf, r.File); err != nil {
		t.Fatal(err)
	}
	file, err := weights.Decode(buf.Bytes(), weights.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	g := netdef.NewGraph()
	out := build(g)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(out) {
		x := file.Find(p.Name)
		if x == nil || !slices.Equal(x.Shape, latent.StoredShape(p.Shape)) {
			t.Fatalf("%s is %v in the file, %v in the graph", p.Name, x, p.Shape)
		}
		if params[p.Name], err = netdef.FromFloat32(p.Shape, x.Data); err != nil {
			t.Fatal(err)
		}
	}
	v, err := reference.Run([]*netdef.Node{out}, in, params)
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

func settings[C any](t *testing.T, r *Result, network string) (c C) {
	t.Helper()
	if r.File.Meta[weights.KeyNetwork] != network {
		t.Errorf("the file says it is %q, want %q", r.File.Meta[weights.KeyNetwork], network)
	}
	if err := json.Unmarshal([]byte(r.File.Meta[weights.KeyConfig]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// compare checks the first used channels of every site.
func compare(t *testing.T, got, want *netdef.Tensor, used int) {
	t.Helper()
	if got.Shape != want.Shape {
		t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
	}
	var d, n float64
	for i, w := range want.Data {
		if i%8 < used {
			d += (got.Data[i] - w) * (got.Data[i] - w)
			n += w * w
		}
	}
	if e := math.Sqrt(d / n); !(e < 1e-6) { // constants of the graphs are float32
		t.Errorf("relative difference %g", e)
	}
}

func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 2))
}

func transformerDict(rng *rand.Rand, width, depth, outputs int) stateDict {
	s := stateDict{}
	s.layer(rng, "x_embedder.proj", width, 4, 2, 2)
	s.layer(rng, "t_embedder.mlp.0", width, 256)
	s.layer(rng, "t_embedder.mlp.2", width, width)
	s.add(rng, "y_embedder.embedding_table.weight", 0, 6, width)
	for b := range depth {
		name := fmt.Sprintf("blocks.%d.", b)
		s.layer(rng, name+"attn.qkv", 3*width, width)
		s.layer(rng, name+"attn.proj", width, width)
		s.layer(rng, name+"mlp.fc1", 4*width, width)
		s.layer(rng, name+"mlp.fc2", width, 4*width)
		s.layer(rng, name+"adaLN_modulation.1", 6*width, width)
	}
	s.layer(rng, "final_layer.linear", 4*outputs, width)
	s.layer(rng, "final_layer.adaLN_modulation.1", 2*width, width)
	return s
}

func TestTransformer(t *testing.T) {
	rng := seeded(t)
	for _, c := range []struct {
		network, prefix string
		encoder, out    int // outputs per site
	}{{"dmft", "ema.", 2, 8}, {"sit", "", 3, 4}} {
		s := transformerDict(rng, 32, 3, c.out)
		positions := nets.TransformerConfig{Width: 32}.Positions(4, 4)
		fixed := array{shape: []int{1, 16, 32}}
		for _, v := range positions {
			fixed.v = append(fixed.v, float64(v))
		}
		s["pos_embed"] = fixed
		s.add(rng, "logvar_linear.weight", 0, 1, 256)
		f := s.open(t, c.prefix)
		if c.prefix != "" {
			f = torchFile(t, map[string]stateDict{"ema": s, "model": transformerDict(rng, 32, 3, c.out), "ema_adapter": {}})
		}
		r, err := Import(f, Options{Network: c.network, Heads: 2})
		if err != nil {
			t.Fatal(err)
		}
		if r.Part != strings.TrimSuffix(c.prefix, ".") {
			t.Errorf("read part %q", r.Part)
		}
		cfg := settings[nets.TransformerConfig](t, r, c.network)
		if want := (nets.TransformerConfig{Width: 32, Depth: 3, Heads: 2, Patch: 2, Encoder: c.encoder, Classes: 5}); cfg != want {
			t.Errorf("settings %+v, want %+v", cfg, want)
		}
		x := randomPlanes(rng, 4, 8, 8)
		label := netdef.NewTensor(netdef.Shape{1, 1, 1, 8})
		label.Data[4] = 1
		number := func(v float64) *netdef.Tensor {
			return &netdef.Tensor{Shape: netdef.Scalar, Data: []float64{v}}
		}
		in := map[string]*netdef.Tensor{"x": x.sites(), "label": label, "r": number(0.25), "t": number(0.9)}
		got := run(t, r, in, func(g *netdef.Graph) *netdef.Node {
			patches := nets.LatentPatches(g, g.Input("x", netdef.Shape{1, 8, 8, 8}), 2, 0)
			u := cfg.Velocity(g, patches, g.Input("r", netdef.Scalar), g.Input("t", netdef.Scalar), g.Input("label", label.Shape))
			return nets.LatentSites(g, u, 2)
		})
		compare(t, got, s.dmft(x, 0.25, 0.9, 4, 3, c.encoder, 2).sites(), 4)
	}
}

func TestAdapter(t *testing.T) {
	rng := seeded(t)
	s := stateDict{}
	block := func(name string, in, out int) {
		s.norm(rng, name+"norm1", in)
		s.layer(rng, name+"conv1", out, in, 3, 3)
		s.layer(rng, name+"film1.fc", 2*out, 16)
		s.norm(rng, name+"norm2", out)
		s.layer(rng, name+"conv2", out, out, 3, 3)
		s.layer(rng, name+"film2.fc", 2*out, 16)
		if in != out {
			s.layer(rng, name+"shortcut", out, in, 1, 1)
		}
	}
	s.add(rng, "class_embed.0.weight", 0, 6, 16)
	s.layer(rng, "class_embed.1", 16, 16)
	s.layer(rng, "class_embed.3", 16, 16)
	s.layer(rng, "conv_in", 8, 3, 3, 3)
	block("down_blocks.0.res_blocks.0.", 8, 8)
	s.layer(rng, "down_blocks.0.downsample", 8, 8, 3, 3)
	block("down_blocks.1.res_blocks.0.", 8, 64)
	block("mid_block1.", 64, 64)
	block("mid_block2.", 64, 64)
	s.norm(rng, "norm_out", 64)
	s.layer(rng, "conv_out", 8, 64, 3, 3)
	both := stateDict{}
	for name, a := range s {
		both["ema_adapter."+name] = a
	}
	for name, a := range transformerDict(rng, 32, 1, 4) {
		both["ema."+name] = a
	}
	r, err := Import(both.open(t, ""), Options{Network: "latent-adapter"})
	if err != nil {
		t.Fatal(err)
	}
	c := settings[nets.LatentAdapterConfig](t, r, "latent-adapter")
	y := randomPlanes(rng, 3, 4, 6)
	class := netdef.NewTensor(netdef.Shape{1, 1, 1, c.Labels()})
	class.Data[5] = 1
	got := run(t, r, map[string]*netdef.Tensor{"y": y.sites(), "class": class}, func(g *netdef.Graph) *netdef.Node {
		return c.Posterior(g, g.Input("y", netdef.Shape{1, 4, 6, 8}), g.Input("class", class.Shape))
	})
	cond := s.linear("class_embed.3", silu(s.linear("class_embed.1", s["class_embed.0.weight"].v[5*16:6*16])))
	film := func(name string, x planes) planes {
		m := s.linear(name, cond)
		for i, p := range x.v {
			for k := range p {
				p[k] = m[i]*p[k] + m[len(x.v)+i]
			}
		}
		return x
	}
	res := func(name string, x planes) planes {
		h := film(name+"film1.fc", s.normConv(name+"norm1", name+"conv1", x, 1e-5))
		return plus(film(name+"film2.fc", s.normConv(name+"norm2", name+"conv2", h, 1e-5)), s.shortcut(name+"shortcut", x))
	}
	h := res("down_blocks.0.res_blocks.0.", s.conv2d("conv_in", y, 1, 1))
	h = res("down_blocks.1.res_blocks.0.", s.conv2d("down_blocks.0.downsample", h, 2, 1))
	h = s.normConv("norm_out", "conv_out", res("mid_block2.", res("mid_block1.", h)), 1e-5)
	for _, p := range h.v[4:] {
		for i := range p {
			p[i] = math.Max(-10, math.Min(2, p[i]))
		}
	}
	compare(t, got, h.sites(), 8)
}

func TestAutoencoder(t *testing.T) {
	for _, names := range [][4]string{{"to_q", "to_k", "to_v", "to_out.0"}, {"query", "key", "value", "proj_attn"}} {
		rng := seeded(t)
		s := stateDict{}
		block := func(name string, in, out int) {
			s.norm(rng, name+"norm1", in)
			s.layer(rng, name+"conv1", out, in, 3, 3)
			s.norm(rng, name+"norm2", out)
			s.layer(rng, name+"conv2", out, out, 3, 3)
			if in != out {
				s.layer(rng, name+"conv_shortcut", out, in, 1, 1)
			}
		}
		for _, half := range []string{"encoder", "decoder"} {
			block(half+".mid_block.resnets.0.", 64, 64)
			block(half+".mid_block.resnets.1.", 64, 64)
			s.norm(rng, half+".mid_block.attentions.0.group_norm", 64)
			for _, n := range names {
				s.layer(rng, half+".mid_block.attentions.0."+n, 64, 64)
			}
		}
		s.layer(rng, "encoder.conv_in", 8, 3, 3, 3)
		block("encoder.down_blocks.0.resnets.0.", 8, 8)
		s.layer(rng, "encoder.down_blocks.0.downsamplers.0.conv", 8, 8, 3, 3)
		block("encoder.down_blocks.1.resnets.0.", 8, 64)
		s.norm(rng, "encoder.conv_norm_out", 64)
		s.layer(rng, "encoder.conv_out", 8, 64, 3, 3)
		s.layer(rng, "quant_conv", 8, 8, 1, 1)
		s.layer(rng, "post_quant_conv", 4, 4, 1, 1)
		s.layer(rng, "decoder.conv_in", 64, 4, 3, 3)
		block("decoder.up_blocks.0.resnets.0.", 64, 64)
		block("decoder.up_blocks.0.resnets.1.", 64, 64)
		s.layer(rng, "decoder.up_blocks.0.upsamplers.0.conv", 64, 64, 3, 3)
		block("decoder.up_blocks.1.resnets.0.", 64, 8)
		block("decoder.up_blocks.1.resnets.1.", 8, 8)
		s.norm(rng, "decoder.conv_norm_out", 8)
		s.layer(rng, "decoder.conv_out", 3, 8, 3, 3)

		r, err := Import(s.open(t, ""), Options{Network: "sd-vae"})
		if err != nil {
			t.Fatal(err)
		}
		c := settings[nets.AutoencoderConfig](t, r, "sd-vae")
		res := func(name string, x planes) planes {
			h := s.normConv(name+"norm1", name+"conv1", x, 1e-6)
			return plus(s.normConv(name+"norm2", name+"conv2", h, 1e-6), s.shortcut(name+"conv_shortcut", x))
		}
		middle := func(name string, x planes) planes {
			x = res(name+"resnets.0.", x)
			n := s.groupNorm(name+"attentions.0.group_norm", x, 1e-6)
			var heads [3][][]float64
			var out [][]float64
			for i := range x.h * x.w {
				token := make([]float64, len(n.v))
				for c := range token {
					token[c] = n.v[c][i]
				}
				for k := range heads {
					heads[k] = append(heads[k], s.linear(name+"attentions.0."+names[k], token))
				}
				out = append(out, make([]float64, len(token)))
			}
			attention(heads[0], heads[1], heads[2], 0, len(x.v), out)
			for i := range out {
				for c, v := range s.linear(name+"attentions.0."+names[3], out[i]) {
					x.v[c][i] += v
				}
			}
			return res(name+"resnets.1.", x)
		}
		x := randomPlanes(rng, 3, 4, 8)
		got := run(t, r, map[string]*netdef.Tensor{"x": x.sites()}, func(g *netdef.Graph) *netdef.Node { return c.Encode(g, g.Input("x", netdef.Shape{1, 4, 8, 8})) })
		h := res("encoder.down_blocks.0.resnets.0.", s.conv2d("encoder.conv_in", x, 1, 1))
		h = res("encoder.down_blocks.1.resnets.0.", s.conv2d("encoder.down_blocks.0.downsamplers.0.conv", h, 2, 0))
		h = s.normConv("encoder.conv_norm_out", "encoder.conv_out", middle("encoder.mid_block.", h), 1e-6)
		compare(t, got, s.conv2d("quant_conv", h, 1, 0).sites(), 8)

		z := randomPlanes(rng, 4, 2, 4)
		got = run(t, r, map[string]*netdef.Tensor{"z": z.sites()}, func(g *netdef.Graph) *netdef.Node { return c.Decode(g, g.Input("z", netdef.Shape{1, 2, 4, 8})) })
		h = middle("decoder.mid_block.", s.conv2d("decoder.conv_in", s.conv2d("post_quant_conv", z, 1, 0), 1, 1))
		h = res("decoder.up_blocks.0.resnets.1.", res("decoder.up_blocks.0.resnets.0.", h))
		wide := planes{2 * h.h, 2 * h.w, nil}
		for _, p := range h.v {
			q := make([]float64, 4*len(p))
			for i := range q {
				q[i] = p[i/wide.w/2*h.w+i%wide.w/2]
			}
			wide.v = append(wide.v, q)
		}
		h = s.conv2d("decoder.up_blocks.0.upsamplers.0.conv", wide, 1, 1)
		h = res("decoder.up_blocks.1.resnets.1.", res("decoder.up_blocks.1.resnets.0.", h))
		compare(t, got, s.normConv("decoder.conv_norm_out", "decoder.conv_out", h, 1e-6).sites(), 3)
	}
}

func TestErrors(t *testing.T) {
	rng := seeded(t)
	for name, c := range map[string]struct {
		change func(s stateDict)
		o      Options
		want   string
	}{
		"missing":            {func(s stateDict) { delete(s, "blocks.0.mlp.fc2.bias") }, Options{Network: "sit", Heads: 2}, "1 tensors missing: blocks.0.mlp.fc2.bias"},
		"another shape":      {func(s stateDict) { s["blocks.0.attn.proj.bias"] = array{[]int{31}, make([]float64, 31)} }, Options{Network: "sit", Heads: 2}, "blocks.0.attn.proj.bias is [31], not [32]"},
		"more":               {func(s stateDict) { s.norm(rng, "blocks.0.attn.q_norm", 16) }, Options{Network: "sit", Heads: 2}, "not part of the network: blocks.0.attn.q_norm.bias"},
		"a gap":              {func(s stateDict) { delete(s, "blocks.0.attn.qkv.weight") }, Options{Network: "sit", Heads: 2}, "depth is 0"},
		"trained positions":  {func(s stateDict) { s.add(rng, "pos_embed", 0, 1, 16, 32) }, Options{Network: "sit", Heads: 2}, "not the fixed embedding"},
		"positions of lines": {func(s stateDict) { s.add(rng, "pos_embed", 0, 1, 15, 32) }, Options{Network: "sit", Heads: 2}, "places of a square"},
		"heads":              {func(stateDict) {}, Options{Network: "sit", Heads: 3}, "heads is 3"},
		"no decoder":         {func(stateDict) {}, Options{Network: "dmft", Heads: 2, Encoder: 2}, "fewer blocks on t"},
		"sit with encoder":   {func(stateDict) {}, Options{Network: "sit", Heads: 2, Encoder: 1}, "for dmft only"},
		"part":               {func(stateDict) {}, Options{Network: "sit", Part: "ema"}, `the part "ema" holds no tensor`},
		"network":            {func(stateDict) {}, Options{Network: "vae"}, `no network "vae"`},
		"another network":    {func(stateDict) {}, Options{Network: "sd-vae"}, "holds no tensor decoder.conv_in.weight"},
		"not finite":         {func(s stateDict) { s["x_embedder.proj.bias"].v[3] = math.NaN() }, Options{Network: "sit", Heads: 2}, "not a finite number"},
	} {
		s := transformerDict(rng, 32, 2, 4)
		c.change(s)
		r, err := Import(s.open(t, ""), c.o)
		if err == nil {
			err = weights.Encode(&bytes.Buffer{}, r.File)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something with %q", name, err, c.want)
		}
	}
	var e *MismatchError
	if _, err := Import(stateDict{"x_embedder.proj.weight": {[]int{32, 4, 2, 2}, make([]float64, 512)}, "blocks.0.attn.qkv.weight": {[]int{1}, []float64{0}}}.open(t, ""), Options{Network: "sit", Heads: 2}); !errors.As(err, &e) || len(e.Missing) < 10 || len(e.Wrong) != 1 {
		t.Errorf("almost nothing: %v", err)
	}
}

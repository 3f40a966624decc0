package latent

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/weights"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

var (
	smallFlow    = nets.TransformerConfig{Width: 16, Depth: 2, Heads: 2, Patch: 2, Encoder: 1, Classes: 5}
	smallDecoder = nets.AutoencoderConfig{Widths: []int{8, 16}, Blocks: 1}
	smallAdapter = nets.LatentAdapterConfig{Widths: []int{8, 16}, Blocks: 1, Emb: 8, Classes: 6}
)

const width, height = 16, 8

// file makes a weights file of random parameters of a network.
func file(t *testing.T, rng *rand.Rand, c Config, outs ...*netdef.Node) *weights.File {
	t.Helper()
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &weights.File{Meta: map[string]string{weights.KeyNetwork: c.Name(), weights.KeyConfig: string(config)}}
	for _, p := range netdef.Params(outs...) {
		v := netdef.InitialValues(p, rng.Uint64())
		for i := range v {
			v[i] += 0.1 * float32(rng.NormFloat64())
		}
		f.Tensors = append(f.Tensors, weights.Tensor{Name: p.Name, Shape: StoredShape(p.Shape), Data: v})
	}
	return f
}

func flowInputs(g *netdef.Graph) (x, r, t, label *netdef.Node) {
	return g.Input("x", netdef.Shape{1, height / 4, width / 4, 16}), g.Input("r", netdef.Scalar), g.Input("t", netdef.Scalar), g.Input("label", netdef.Shape{1, 1, 1, 8})
}

func smallFiles(t *testing.T) (flow, decoder, adapter *weights.File) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 8))
	g := netdef.NewGraph()
	flow = file(t, rng, smallFlow, smallVelocity(g))
	decoder = file(t, rng, smallDecoder, smallDecoder.Decode(g, g.Input("z", netdef.Shape{1, 4, 8, 8})), smallDecoder.Encode(g, g.Input("p", netdef.Shape{1, 8, 16, 8})))
	adapter = file(t, rng, smallAdapter, smallAdapter.Posterior(g, g.Input("y", netdef.Shape{1, 8, 16, 8}), g.Input("c", netdef.Shape{1, 1, 1, 8})))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return flow, decoder, adapter
}

func smallVelocity(g *netdef.Graph) *netdef.Node {
	x, r, t, label := flowInputs(g)
	return smallFlow.Velocity(g, x, r, t, label)
}

// eval runs a graph in float64 with the parameters of a file.
func eval(t *testing.T, f *weights.File, in map[string]*netdef.Tensor, out *netdef.Node) []float64 {
	t.Helper()
	values, err := params(f, out)
	if err != nil {
		t.Fatal(err)
	}
	p := map[string]*netdef.Tensor{}
	for _, n := range netdef.Params(out) {
		if p[n.Name], err = netdef.FromFloat32(n.Shape, values[n.Name]); err != nil {
			t.Fatal(err)
		}
	}
	v, err := reference.Run([]*netdef.Node{out}, in, p)
	if err != nil {
		t.Fatal(err)
	}
	return v[0].Data
}

func oneHot(n, i int) *netdef.Tensor {
	t := netdef.NewTensor(netdef.Shape{1, 1, 1, n})
	t.Data[i] = 1
	return t
}

// The samples are those of the same steps in float64: the posterior's draw, x + (r - t)·u with the
// velocity guided by hand, and the decoder.
func TestSample(t *testing.T) {
	flow, decoder, adapter := smallFiles(t)
	picture := planar.New(width, height)
	for i := range picture.Pix {
		picture.Pix[i] = float32(math.Sin(float64(i)))
	}
	for name, c := range map[string]struct {
		o Options
		y *Observation
	}{
		"prior, one step":     {Options{Class: -1, Guidance: 1, Steps: 1}, nil},
		"class, two steps":    {Options{Class: 3, Guidance: 1, Steps: 2}, nil},
		"guided, three steps": {Options{Class: 4, Guidance: 2.5, Steps: 3}, nil},
		"posterior":           {Options{Class: -1, Guidance: 2, Steps: 1, Adapter: adapter}, &Observation{picture, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Flow, c.o.Decoder, c.o.Width, c.o.Height = flow, decoder, width, height
			s, err := New(testDev, c.o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := s.Sample(context.Background(), 7, c.y)
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.Sample(context.Background(), 7, c.y)
			if err != nil || !slices.Equal(got.Pix, again.Pix) {
				t.Errorf("the same seed gives another picture (%v)", err)
			}
			other, err := s.Sample(context.Background(), 8, c.y)
			if err != nil || slices.Equal(got.Pix, other.Pix) {
				t.Errorf("another seed gives the same picture (%v)", err)
			}
			want := inFloat64(t, c.o, c.y, 7)
			var d, n float64
			for i, v := range got.Pix {
				d += (float64(v) - want[i]) * (float64(v) - want[i])
				n += want[i] * want[i]
			}
			if e := math.Sqrt(d / n); !(e < 1e-4) {
				t.Errorf("relative difference %g", e)
			}
		})
	}
}

func inFloat64(t *testing.T, o Options, y *Observation, seed uint64) []float64 {
	size := height / 4 * (width / 4) * 16
	x := make([]float64, size)
	for i, v := range Noise(seed, size) {
		x[i] = float64(v)
	}
	if y != nil {
		planes := netdef.NewTensor(netdef.Shape{1, 3, height, width})
		for i, v := range y.Picture.Pix {
			planes.Data[i] = float64(v)
		}
		in := map[string]*netdef.Tensor{"y": planes, "c": oneHot(8, y.Problem)}
		for first := range 2 {
			g := netdef.NewGraph()
			q := smallAdapter.Posterior(g, nets.ColourSites(g, g.Input("y", planes.Shape)), g.Input("c", netdef.Shape{1, 1, 1, 8}))
			v := eval(t, o.Adapter, in, nets.LatentPatches(g, q, 2, 4*(1-first)))
			for i := range x {
				if first == 0 {
					x[i] *= math.Exp(v[i] / 2)
				} else {
					x[i] += v[i]
				}
			}
		}
	}
	for k := range o.Steps {
		at, to := 1-float64(k)/float64(o.Steps), 1-float64(k+1)/float64(o.Steps)
		velocity := func(class int) []float64 {
			g := netdef.NewGraph()
			u := smallVelocity(g)
			scalar := func(v float64) *netdef.Tensor { return &netdef.Tensor{Shape: netdef.Scalar, Data: []float64{v}} }
			in := map[string]*netdef.Tensor{"x": {Shape: netdef.Shape{1, height / 4, width / 4, 16}, Data: x}, "r": scalar(to), "t": scalar(at), "label": oneHot(8, class)}
			return eval(t, o.Flow, in, u)
		}
		none := velocity(smallFlow.Classes)
		u := slices.Clone(none)
		if o.Class >= 0 {
			for i, v := range velocity(o.Class) {
				u[i] = none[i] + o.Guidance*(v-none[i])
			}
		}
		x = slices.Clone(x)
		for i := range x {
			x[i] += (to - at) * u[i]
		}
	}
	for i := range x {
		x[i] /= 0.18215
	}
	g := netdef.NewGraph()
	z := nets.LatentSites(g, g.Input("z", netdef.Shape{1, height / 4, width / 4, 16}), 2)
	pix := eval(t, o.Decoder, map[string]*netdef.Tensor{"z": {Shape: netdef.Shape{1, height / 4, width / 4, 16}, Data: x}}, nets.ColourPlanes(g, smallDecoder.Decode(g, z)))
	for i, v := range pix {
		pix[i] = math.Max(-1, math.Min(1, v))
	}
	return pix
}

func TestErrors(t *testing.T) {
	flow, decoder, adapter := smallFiles(t)
	good := Options{Flow: flow, Decoder: decoder, Adapter: adapter, Width: width, Height: height, Class: 1, Guidance: 1, Steps: 1}
	with := func(f *weights.File, key, value string) *weights.File {
		m := maps.Clone(f.Meta)
		m[key] = value
		return &weights.File{Meta: m, Tensors: f.Tensors}
	}
	without := &weights.File{Meta: flow.Meta, Tensors: flow.Tensors[1:]}
	for want, change := range map[string]func(o *Options){
		"no flow map":         func(o *Options) { o.Flow = decoder },
		"no autoencoder":      func(o *Options) { o.Decoder = flow },
		"no noise adapter":    func(o *Options) { o.Adapter = flow },
		"not for one on lat":  func(o *Options) { o.Flow = with(flow, weights.KeyNetwork, "edge") },
		`of a network "dmft"`: func(o *Options) { o.Flow = with(flow, weights.KeyNetwork, "sit") },
		"are not valid":       func(o *Options) { o.Flow = with(flow, weights.KeyConfig, "{}") },
		"hold no":             func(o *Options) { o.Flow = without },
		"has shape": func(o *Options) {
			o.Flow = with(flow, weights.KeyConfig, strings.Replace(flow.Meta[weights.KeyConfig], `"classes":5`, `"classes":9`, 1))
		},
		"multiples of 4":   func(o *Options) { o.Width = 18 },
		"1 to 4096 pixels": func(o *Options) { o.Width = 1 << 20 },
		"steps":            func(o *Options) { o.Steps = 0 },
		"class 5":          func(o *Options) { o.Class = 5 },
		"guidance":         func(o *Options) { o.Guidance = math.NaN() },
	} {
		o := good
		change(&o)
		s, err := New(testDev, o)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want something with %q", err, want)
		}
	}
	s, err := New(testDev, good)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Sample(done, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for want, y := range map[string]*Observation{"must be 16×8": {planar.New(8, 8), 0}, "knows 0 to 5": {planar.New(width, height), 6}} {
		if _, err := s.Sample(context.Background(), 1, y); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want something with %q", err, want)
		}
	}
}

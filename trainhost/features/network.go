package features

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/onnx"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/foreign"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Features are what a network computes of a picture.
type Features struct {
	Layers []metric.FeatureMap // the network's outputs, in order; a vector is a map of one site
	Vector []float64           // the last one, averaged over its sites
}

// Network computes features.
type Network interface {
	// Extract returns the features of a picture.
	Extract(ctx context.Context, img *planar.Image) (*Features, error)
	// Layers are the names of the network's outputs.
	Layers() []string
	Close() error
}

// Config says which network to open.
type Config struct {
	// Path is an ONNX model with one input [1,3,H,W] and any number of outputs [1,C,H,W] or [1,C];
	// or a .vfm or .safetensors file of this program, whose only features are the adapter's mean μ
	// for denoise at Sigma.
	Path     string
	Range    foreign.Range // of an ONNX model's pictures
	Device   string        // as in restore.Config
	Portable bool
	Shared   *gpu.Device
}

// Sigma is the standard deviation of the noise, in [-1,1], that the adapter of a .vfm file is told.
const Sigma = 0.05

// Open opens a network. Errors are those of reading the file and of opening the device.
func Open(cfg Config) (Network, error) {
	if strings.EqualFold(filepath.Ext(cfg.Path), ".onnx") {
		return openONNX(cfg)
	}
	m, err := restore.Open(restore.Config{Weights: cfg.Path, Device: cfg.Device, Portable: cfg.Portable, Shared: cfg.Shared})
	if err != nil {
		return nil, err
	}
	return &adapter{m}, nil
}

// adapter is a network of this program. Its features are μ.
type adapter struct{ *restore.Model }

// Layers implements Network.
func (a *adapter) Layers() []string { return []string{"mu"} }

// blockSide is the side of the blocks of pixels that are a site of μ.
const blockSide = 4

// Extract implements Network.
func (a *adapter) Extract(ctx context.Context, img *planar.Image) (*Features, error) {
	if img.W < blockSide || img.H < blockSide {
		return nil, fmt.Errorf("a picture of %d×%d pixels has no features: %d×%[3]d are needed", img.W, img.H, blockSide)
	}
	r, err := a.Restore(ctx, picture.New(img.W, img.H, img.Pix), restore.Request{Task: task.Denoise, Noise: task.Std8(Sigma), Explain: true})
	if err != nil {
		return nil, err
	}
	// μ in pixels, in blocks: what lies in each block is its site's features. The transform between
	// the two is orthonormal.
	h, w := img.H/blockSide, img.W/blockSide
	m := metric.FeatureMap{H: h, W: w, C: 3 * blockSide * blockSide}
	for y := range h {
		for x := range w {
			for c := range 3 {
				for i := range blockSide * blockSide {
					m.Data = append(m.Data, r.Latent.Mu[(c*img.H+y*blockSide+i/blockSide)*img.W+x*blockSide+i%blockSide])
				}
			}
		}
	}
	return newFeatures([]metric.FeatureMap{m}), nil
}

// onnxNetwork is an ONNX model on a device.
type onnxNetwork struct {
	cfg        Config
	model      *onnx.Model
	engine     *engine.Engine
	session    engine.Session
	parameters engine.Parameters
	a, b       float32     // a·v + b is in the range of the model's pictures
	built      *onnx.Built // for pictures of w×h pixels, the last ones
	w, h       int
}

func openONNX(cfg Config) (Network, error) {
	m, err := onnx.Load(cfg.Path)
	if err != nil {
		return nil, err
	}
	n := &onnxNetwork{cfg: cfg, model: m}
	r, err := foreign.RangeOf(cfg.Range, m.Meta)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	n.a, n.b = r.Affine()
	if len(m.Inputs) != 1 {
		return nil, fmt.Errorf("%s: it has %d inputs; a network for features has one, a picture [1,3,H,W]", cfg.Path, len(m.Inputs))
	}
	n.engine, err = engine.Open(engine.Options{Shared: cfg.Shared, GPU: gpu.Options{Device: cfg.Device}})
	return n, err
}

// Layers implements Network.
func (n *onnxNetwork) Layers() (names []string) {
	for _, p := range n.model.Outputs {
		names = append(names, p.Name)
	}
	return names
}

// Close implements Network.
func (n *onnxNetwork) Close() error {
	n.engine.Close()
	return nil
}

// build appends the network for pictures of h×w pixels to a graph.
func (n *onnxNetwork) build(g *netdef.Graph, h, w int) (*onnx.Built, error) {
	in := n.model.Inputs[0]
	b, err := n.model.Build(g, map[string][]int{in.Name: {1, 3, h, w}})
	if err != nil {
		hint := ""
		if d := in.Dims; len(d) == 4 && d[2] > 0 && d[3] > 0 && (d[2] != h || d[3] != w) {
			hint = fmt.Sprintf(" (the file says %d×%d; -crop cuts pictures to a square)", d[3], d[2])
		}
		return nil, fmt.Errorf("%s: for pictures of %d×%d pixels: %w%s", n.cfg.Path, w, h, err, hint)
	}
	for _, o := range b.Outputs {
		if o.Dims[0] != 1 {
			return nil, fmt.Errorf("%s: its output %q is %v; [1,C,H,W] or [1,C] is needed", n.cfg.Path, o.Name, o.Dims)
		}
	}
	return b, nil
}

// recipe is the program for pictures of one size (engine.Recipe).
type recipe struct {
	n    *onnxNetwork
	h, w int
}

// Parameters implements engine.Recipe.
func (r recipe) Parameters() *engine.Parameters { return &r.n.parameters }

// Graph implements engine.Recipe.
func (r recipe) Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	b, err := r.n.build(g, r.h, r.w)
	if err != nil {
		return nil, opt, 0, err
	}
	for _, o := range b.Outputs {
		outs = append(outs, o.Node)
	}
	for _, n := range netdef.Reachable(outs...) {
		bytes += 4 * int64(n.Shape.Size()) // more than it takes: not all values exist at a time
	}
	return outs, compile.Options{Portable: r.n.cfg.Portable}, bytes, nil
}

// Extract implements Network.
func (n *onnxNetwork) Extract(ctx context.Context, img *planar.Image) (*Features, error) {
	if err := img.Check(); err != nil {
		return nil, err
	}
	if n.built == nil || n.w != img.W || n.h != img.H {
		b, err := n.build(netdef.NewGraph(), img.H, img.W)
		if err != nil {
			return nil, err
		}
		n.built, n.w, n.h = b, img.W, img.H
	}
	b := n.built
	if n.parameters.Load == nil {
		var outs []*netdef.Node
		for _, o := range b.Outputs {
			outs = append(outs, o.Node)
		}
		params := netdef.Params(outs...)
		n.parameters.Load = func() ([]*netdef.Node, []map[string][]float32, error) {
			values := map[string][]float32{}
			for _, p := range params {
				values[p.Name] = netdef.InitialValues(p, 0)
			}
			return params, []map[string][]float32{values}, nil
		}
	}
	var layers []metric.FeatureMap
	err := n.engine.Run(ctx, &n.session, &engine.Work{
		Recipe: recipe{n, img.H, img.W}, Count: 1,
		Fill: func(_ int, in *engine.Slot) error {
			dst, size, p := in.Input(b.Inputs[0].Name), img.W*img.H, b.Inputs[0].Node.Shape[3]
			clear(dst)
			for c := range 3 {
				for i, v := range img.Pix[c*size : (c+1)*size] {
					dst[p*i+c] = n.a*v + n.b
				}
			}
			return nil
		},
		Take: func(_ int, out *engine.Slot) error {
			layers = nil
			for k, o := range b.Outputs {
				s, src := o.Node.Shape, out.Output(k)
				m := metric.FeatureMap{H: s[1], W: s[2], C: o.Dims[1]}
				for i := range s[1] * s[2] {
					m.Data = append(m.Data, src[i*s[3]:i*s[3]+m.C]...)
				}
				if finite.FirstNot(m.Data) >= 0 {
					return errors.New("the network gave values that are not finite numbers; is the range of its pictures right?")
				}
				layers = append(layers, m)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return newFeatures(layers), nil
}

// newFeatures adds the vector to layers.
func newFeatures(layers []metric.FeatureMap) *Features {
	last := layers[len(layers)-1]
	f := &Features{Layers: layers, Vector: make([]float64, last.C)}
	sites := last.H * last.W
	for i, v := range last.Data {
		f.Vector[i%last.C] += float64(v) / float64(sites)
	}
	return f
}

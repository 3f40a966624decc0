package foreign

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/onnx"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// Model is an ONNX model from picture to picture that was read and checked.
type Model struct {
	cfg   Config
	model *onnx.Model
	// scale is how many times larger the result is; align, halo and fixed are in pixels of the
	// input.
	scale, align, halo int
	global             error  // why there is no halo; nil: there is one
	fixed              [2]int // height and width of tiles; 0: any
	params             []*netdef.Node
	work, widest       int     // float32 numbers per pixel: of all tensors at a time, and of the largest
	count              int     // of weights
	flops              float64 // per pixel of the input
}

// Network is a Model on a device. Its methods are safe for concurrent use.
type Network struct {
	*Model
	once       bool
	engine     *engine.Engine
	parameters engine.Parameters
}

// maxScale is the largest ratio of the sides of result and input.
const maxScale = 8

// Read reads a model and checks it, without a device. Errors: those of the file system,
// *onnx.FormatError, *onnx.NodeError, *Error.
func Read(cfg Config) (*Model, error) {
	m := &Model{cfg: cfg}
	var err error
	if cfg.Data != nil {
		m.model, err = onnx.Parse(cfg.Data)
	} else {
		m.model, err = onnx.Load(cfg.Path)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, m.named(err)
	}
	m.cfg.Data = nil
	return m, nil
}

// named adds the name of the file to an error that does not have it.
func (m *Model) named(err error) error {
	var node *onnx.NodeError
	var own *Error
	if m.cfg.Path != "" && (errors.As(err, &node) || errors.As(err, &own)) {
		return fmt.Errorf("%s: %w", m.cfg.Path, err)
	}
	return err
}

// probe is the side of the picture with which a model is checked. Networks that halve the
// resolution up to seven times are at home with it.
const probe = 128

// check finds out what the model does with pictures.
func (m *Model) check() error {
	cfg := &m.cfg
	r, err := RangeOf(cfg.Range, m.model.Meta)
	if err != nil {
		return err
	}
	cfg.Range = r
	switch {
	case cfg.Halo < NoHalo || cfg.Halo > 1<<16:
		return errorf("a halo of %d pixels is not from 0 to 65536", cfg.Halo)
	case cfg.Tile < 0:
		return errorf("tiles of %d pixels are not possible", cfg.Tile)
	case len(m.model.Inputs) != 1:
		return errorf("the model has %d inputs; a network from picture to picture has one", len(m.model.Inputs))
	case len(m.model.Outputs) != 1:
		return errorf("the model has %d outputs; a network from picture to picture has one", len(m.model.Outputs))
	}
	in := m.model.Inputs[0]
	if d := in.Dims; d != nil && (len(d) != 4 || d[0] > 1 || d[1] != 0 && d[1] != 3) {
		return errorf("its input %q is %v; a picture is [1,3,H,W]", in.Name, d)
	}
	b, err := m.build(netdef.NewGraph(), probe, probe)
	h, w := probe, probe
	if d := in.Dims; err != nil && d != nil && d[2] > 0 && d[3] > 0 {
		m.fixed, h, w = [2]int{d[2], d[3]}, d[2], d[3]
		if again, e := m.build(netdef.NewGraph(), h, w); e == nil {
			b, err = again, nil
		}
	}
	if err != nil {
		return err
	}
	return m.examine(b, h, w)
}

// build appends the network for tiles of h×w pixels to a graph.
func (m *Model) build(g *netdef.Graph, h, w int) (*onnx.Built, error) {
	return m.model.Build(g, map[string][]int{m.model.Inputs[0].Name: {1, 3, h, w}})
}

// examine reads the sizes of the network off its graph for a picture of h×w pixels.
func (m *Model) examine(b *onnx.Built, h, w int) error {
	in, out := b.Inputs[0].Node, b.Outputs[0]
	d := out.Dims
	if len(d) != 4 || d[0] != 1 || d[1] != 3 || d[2]%h != 0 || d[2]*w != d[3]*h || d[2]/h > maxScale {
		return errorf("its output is %v for a picture of %d×%d pixels; [1,3,s·%[3]d,s·%[2]d] with s from 1 to %[4]d is needed",
			d, w, h, maxScale)
	}
	m.scale = d[2] / h
	f, err := netdef.ReceptiveField(out.Node, in)
	m.align, m.halo = f.Align, (f.Halo+f.Align-1)/f.Align*f.Align
	var global *netdef.GlobalError
	switch {
	case errors.As(err, &global):
		m.global = err
	case err != nil:
		return errorf("its output does not depend on the picture")
	}
	if m.cfg.Halo != 0 {
		m.global, m.halo = nil, tile.RoundUp(max(m.cfg.Halo, 0), m.align)
	}
	if m.fixed != [2]int{} && (m.fixed[0]%m.align != 0 || m.fixed[1]%m.align != 0) {
		return errorf("it is for pictures of %d×%d pixels, but shrinks them by %d", m.fixed[1], m.fixed[0], m.align)
	}
	m.params = netdef.Params(out.Node)
	m.count = m.model.Weights()
	m.flops = float64(netdef.FLOPs(out.Node)) / float64(h*w)
	m.work, m.widest = working(out.Node, h*w)
	return nil
}

// working returns how many numbers per pixel of the input all tensors hold at a time, and how many
// the largest one. Nodes are computed in their order and kept until they are read for the last
// time.
func working(out *netdef.Node, pixels int) (work, widest int) {
	nodes := netdef.Reachable(out)
	last := map[*netdef.Node]*netdef.Node{}
	for _, n := range nodes {
		for _, m := range n.In {
			last[m] = n
		}
	}
	size := func(n *netdef.Node) int {
		if len(n.In) == 0 {
			return 0
		}
		return n.Shape.Size()
	}
	now, most, largest := 0, 0, 0
	for _, n := range nodes {
		now += size(n)
		most, largest = max(most, now), max(largest, size(n))
		for i, m := range n.In {
			if last[m] == n && !slices.Contains(n.In[:i], m) {
				now -= size(m)
			}
		}
	}
	return most/pixels + 1, largest/pixels + 1
}

// Scale is the ratio of the sides of result and picture.
func (m *Model) Scale() int { return m.scale }

// Halo is how many pixels of its surroundings a tile gets. ok is false if the network reads the
// whole picture.
func (m *Model) Halo() (pixels int, ok bool) { return m.halo, m.global == nil }

// FLOPs is the number of floating-point operations per pixel of the input, of the convolutions as
// the kernels compute them.
func (m *Model) FLOPs() float64 { return m.flops }

// Range is that of the network's pictures.
func (m *Model) Range() Range { return m.cfg.Range }

// Describe describes the network in a line.
func (m *Model) Describe() string {
	s := fmt.Sprintf("ONNX network of %d weights, %.1f kFLOP per pixel, %d times the size, range %v", m.count, m.flops/1e3, m.scale, m.cfg.Range)
	switch {
	case m.global != nil:
		s += ", reads the whole picture"
	default:
		s += fmt.Sprintf(", tiles with a halo of %d pixels", m.halo)
	}
	if m.fixed != [2]int{} {
		s += fmt.Sprintf(", of %d×%d", m.fixed[1], m.fixed[0])
	}
	return s
}

// Open is Read and OpenModel.
func Open(cfg Config) (*Network, error) {
	m, err := Read(cfg)
	if err != nil {
		return nil, err
	}
	return m.Open(false)
}

// Open opens the device. once is for a few small pictures, as restore.Config.Once. Errors are those
// of gpu.Open.
func (m *Model) Open(once bool) (*Network, error) {
	cfg, timeout := m.cfg, m.cfg.Timeout
	if timeout == 0 {
		timeout = 2 * time.Minute
	}
	e, err := engine.Open(engine.Options{
		Shared: cfg.Shared, Share: cfg.Pace,
		GPU: gpu.Options{
			Device: cfg.Device, Validation: cfg.Validation, OnMessage: cfg.OnMessage, CacheDir: cfg.CacheDir,
			Timeout: max(timeout, 0),
		},
	})
	if err != nil {
		return nil, err
	}
	n := &Network{Model: m, once: once, engine: e}
	n.parameters.Load = func() ([]*netdef.Node, []map[string][]float32, error) {
		values := map[string][]float32{}
		for _, p := range m.params {
			values[p.Name] = netdef.InitialValues(p, 0)
		}
		return m.params, []map[string][]float32{values}, nil
	}
	return n, nil
}

// Close frees everything on the device. It waits for the tile that is being computed.
func (n *Network) Close() error {
	n.engine.Close()
	return nil
}

// Info describes the device and the network in a line.
func (n *Network) Info() string {
	d := n.engine.Device().Info()
	return fmt.Sprintf("%s (%v, %s, Vulkan %v); %s", d.Name, d.Type, d.DriverName, d.API, n.Describe())
}

// recipe is the program for tiles of one size (engine.Recipe).
type recipe struct {
	n    *Network
	h, w int
}

// Parameters implements engine.Recipe.
func (r recipe) Parameters() *engine.Parameters { return &r.n.parameters }

// Graph implements engine.Recipe.
func (r recipe) Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	cfg := r.n.cfg
	opt = compile.Options{Portable: cfg.Portable, Half: cfg.Half}
	if r.n.once {
		opt.Tuning.MaxFMA = compile.SingleRun(r.w * r.h)
	}
	b, err := r.n.build(g, r.h, r.w)
	if err != nil {
		return nil, opt, 0, err
	}
	return []*netdef.Node{b.Outputs[0].Node}, opt, int64(r.w*r.h) * r.n.bytesPerPixel(), nil
}

// bytesPerPixel bounds the device's memory of a program, per pixel of the input: working memory, and
// inputs and outputs of 8 channels for each turn.
func (m *Model) bytesPerPixel() int64 {
	return 4 * (int64(m.work) + compile.Turns*8*int64(1+m.scale*m.scale))
}

package bench

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

func floatBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// network is the forward pass from observation to restored picture.
type network struct {
	graph *netdef.Graph
	out   *netdef.Node
	side  int
}

func newNetwork(opt Options) (*network, error) {
	if n := opt.Network.Align(); opt.Side < n || opt.Side%n != 0 {
		return nil, fmt.Errorf("a picture of %d pixels a side: it must be a multiple of %d",
			opt.Side, n)
	}
	g := netdef.NewGraph()
	y := g.Input("y", netdef.Shape{1, 3, opt.Side, opt.Side})
	h := opt.Side / 4
	mask := g.Input("mask", netdef.Shape{1, h, h, nets.MaskChannels})
	task := g.Input("task", netdef.Shape{1, 1, 1, nets.Tasks})
	sigma := g.Input("sigma", netdef.Shape{1, 1, 1, 1})
	mu, _ := nets.Adapter(g, opt.Network,
		nets.AdapterInput{Y: nets.ToFlow(g, opt.Network, g.Patchify(y)), Mask: mask, Task: task,
			Sigma: sigma})
	out := g.Unpatchify(nets.FromFlow(g, opt.Network, nets.OneStep(g, opt.Network, mu)))
	return &network{g, out, opt.Side}, g.Err()
}

// convolution is a convolution of the network.
type convolution struct {
	x, w   netdef.Shape
	stride int
	count  int
}

func (c convolution) name() string {
	s := fmt.Sprintf("%d×%d %d→%d at %d×%d", c.w[0], c.w[1], c.w[2], c.w[3], c.x[2], c.x[1])
	if c.stride > 1 {
		s += fmt.Sprintf(" stride %d", c.stride)
	}
	return s
}

// convolutions lists the distinct convolutions by kernel size. It leaves out those on single sites
// (embeddings).
func (n *network) convolutions() []convolution {
	var list []convolution
	for _, node := range netdef.Reachable(n.out) {
		op, ok := node.Op.(*netdef.Conv2DOp)
		if !ok || node.Shape[1]*node.Shape[2] < 16 {
			continue
		}
		c := convolution{node.In[0].Shape, node.In[1].Shape, op.Stride, 1}
		at := slices.IndexFunc(list, func(o convolution) bool {
			return o.x == c.x && o.w == c.w &&
				o.stride == c.stride
		})
		if at < 0 {
			list = append(list, c)
		} else {
			list[at].count++
		}
	}
	slices.SortStableFunc(list, func(a, b convolution) int {
		return cmp.Or(cmp.Compare(a.w[0], b.w[0]), cmp.Compare(b.x[1], a.x[1]))
	})
	return list
}

// measure measures the convolution alone.
func (c convolution) measure(dev *gpu.Device, opt Options) (Figure, error) {
	g := netdef.NewGraph()
	out := g.Conv2D(g.Input("x", c.x), g.Param("w", c.w, netdef.HeNormal{Gain: 1}), c.stride)
	p, free, err := program(dev, opt, g, out)
	if err != nil {
		return Figure{}, err
	}
	defer free()
	sec, err := best(p.Run)
	return Figure{Name: c.name(), Count: c.count, Seconds: sec, Flops: p.Flops(),
		Bytes: 4 * float64(c.x.Size()+c.w.Size()+out.Shape.Size())}, err
}

// measure measures the whole network, and its steps by timestamps.
func (n *network) measure(dev *gpu.Device, opt Options) (whole, picture Figure, steps []Figure,
	err error) {
	p, free, err := program(dev, opt, n.graph, n.out)
	if err != nil {
		return whole, picture, nil, err
	}
	defer free()
	sec, err := best(p.Run)
	if err != nil {
		return whole, picture, nil, err
	}
	whole = Figure{Name: fmt.Sprintf("%d dispatches", p.Dispatches()), Seconds: sec,
		Flops: p.Flops()}
	in, out := random(3*n.side*n.side), make([]float32, 3*n.side*n.side)
	sec, err = best(func() error {
		if err := p.SetInput("y", in); err != nil {
			return err
		}
		if err := p.Run(); err != nil {
			return err
		}
		return p.ReadOutput(0, out)
	})
	if err != nil {
		return whole, picture, nil, err
	}
	picture = Figure{Name: "with upload and download", Seconds: sec}
	if !dev.Info().Caps.Timestamps {
		return whole, picture, nil, nil
	}
	timings, err := p.Profile()
	if err != nil {
		return whole, picture, nil, err
	}
	byKind := map[string]*Figure{}
	for _, t := range timings {
		kind := kindOf(t)
		if byKind[kind] == nil {
			byKind[kind] = &Figure{Name: kind}
		}
		f := byKind[kind]
		f.Count++
		f.Seconds += t.Nanoseconds / 1e9
		f.Flops += t.Flops
	}
	for _, f := range byKind {
		steps = append(steps, *f)
	}
	slices.SortFunc(steps, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Name, b.Name))
	})
	return whole, picture, steps, nil
}

var kernelSide = regexp.MustCompile(`\bKH:(\d+)`)

// kindOf names the kernel of a step without its sizes, which follow in braces.
func kindOf(t compile.Timing) string {
	kind, _, ok := strings.Cut(t.Kernel, "{")
	if !ok {
		return "fill"
	}
	kind = strings.ToLower(kind)
	if m := kernelSide.FindStringSubmatch(t.Kernel); m != nil {
		return kind + " " + m[1] + "×" + m[1]
	}
	return kind
}

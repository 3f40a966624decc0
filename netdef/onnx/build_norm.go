package onnx

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// batchNorm is a BatchNormalization: scale·x + shift, per channel.
type batchNorm struct{ scale, shift []float64 }

// findBatchNorms finds the BatchNormalizations that follow a convolution of which nothing else
// reads the result. They become part of its weights.
func (b *builder) findBatchNorms() {
	readers, from := map[string]int{}, map[string]*operator{}
	for _, n := range b.m.nodes {
		for _, name := range n.in {
			readers[name]++
		}
		for _, name := range n.out {
			from[name] = n
		}
	}
	for _, p := range b.m.Outputs {
		readers[p.Name]++
	}
	known := func(name string) *constant {
		if n := from[name]; n != nil && n.op == "Constant" {
			return n.attrs["value"].t
		}
		return b.m.consts[name]
	}
	for _, n := range b.m.nodes {
		if n.op != "BatchNormalization" || !isStandard(n.domain) || len(n.in) != 5 || readers[n.in[0]] != 1 {
			continue
		}
		conv := from[n.in[0]]
		if conv == nil || !isStandard(conv.domain) || conv.op != "Conv" && conv.op != "ConvTranspose" || conv.out[0] != n.in[0] {
			continue
		}
		if norm := n.batchNorm(known); norm != nil {
			b.merged[conv.out[0]] = norm
		}
	}
}

// batchNorm returns what the operator computes, or nil if its inputs are not such constants.
func (n *operator) batchNorm(known func(name string) *constant) *batchNorm {
	var c [4]*constant // scale, bias, mean, variance
	for i := range c {
		if c[i] = known(n.in[1+i]); c[i] == nil || c[i].f == nil || c[i].size() != c[0].size() || c[i].size() == 0 {
			return nil
		}
	}
	norm, eps := &batchNorm{}, n.float("epsilon", 1e-5)
	for k := range c[0].f {
		s := float64(c[0].f[k]) / math.Sqrt(math.Max(float64(c[3].f[k]), 0)+math.Max(eps, 1e-30))
		norm.scale = append(norm.scale, s)
		norm.shift = append(norm.shift, float64(c[1].f[k])-s*float64(c[2].f[k]))
	}
	return norm
}

// into returns the weights and the bias of a convolution followed by the normalisation.
func (norm *batchNorm) into(n *operator, w *constant, bias func(co int) float32) (*constant, func(co int) float32) {
	out := &constant{dims: w.dims, f: make([]float32, len(w.f))}
	per := w.dims[1] * w.dims[2] * w.dims[3]
	taps := w.dims[2] * w.dims[3]
	for i, v := range w.f {
		co := i / per
		if n.op == "ConvTranspose" { // [Cin, Cout of a group, kH, kW]
			ins := max(1, w.dims[0]/max(1, n.integer("group", 1)))
			co = i/per/ins*w.dims[1] + i/taps%w.dims[1]
		}
		if co < len(norm.scale) {
			out.f[i] = float32(float64(v) * norm.scale[co])
		}
	}
	return out, func(co int) float32 {
		v := norm.shift[co]
		if bias != nil {
			v += norm.scale[co] * float64(bias(co))
		}
		return float32(v)
	}
}

func buildBatchNorm(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	if n.integer("training_mode", 0) != 0 {
		return nil, n.fail("attribute training_mode", "is set; export the model for inference")
	}
	if b.merged[n.in[0]] != nil {
		return []value{x}, nil
	}
	if len(n.in) != 5 {
		return nil, n.fail("", "has %d inputs instead of 5", len(n.in))
	}
	norm := n.batchNorm(func(name string) *constant { return b.values[name].data })
	if norm == nil || len(norm.scale) != x.channels() {
		return nil, n.fail("", "wants constants for the %d channels of its input", x.channels())
	}
	return b.affine(n, x, norm.scale, norm.shift)
}

// affine computes scale·x + shift, per channel.
func (b *builder) affine(n *operator, x value, scale, shift []float64) ([]value, error) {
	s, err := b.channelParam(n.out[0]+" scale", x, 0, func(c int) float64 { return scale[c] })
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	t, err := b.channelParam(n.out[0]+" shift", x, 0, func(c int) float64 { return shift[c] })
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	return []value{x.with(b.g.Add(b.g.Mul(x.node, s), t), true)}, nil
}

func buildInstanceNorm(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	var c [2]*constant
	for i := range c {
		if c[i], err = b.known(n, 1+i); err != nil {
			return nil, err
		}
		if c[i].f == nil || c[i].size() != x.channels() {
			return nil, n.fail("", "wants constants for the %d channels of its input", x.channels())
		}
	}
	g, eps := b.g, n.float("epsilon", 1e-5)
	if !(eps > 0) {
		return nil, n.fail("attribute epsilon", "is %g, must be positive", eps)
	}
	d := g.Sub(x.node, g.Mean(x.node, netdef.AxHW))
	d = g.Mul(d, g.Recip(g.Sqrt(g.Offset(g.Mean(g.Square(d), netdef.AxHW), eps))))
	number := func(c *constant) []float64 {
		v := make([]float64, c.size())
		for i := range v {
			v[i] = c.at(i)
		}
		return v
	}
	return b.affine(n, x.with(d, false), number(c[0]), number(c[1]))
}

func buildSoftmax(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	otherwise := -1
	if b.m.Opset < 13 {
		otherwise = 1
	}
	axis, err := n.axis(n.integer("axis", otherwise), len(x.dims))
	if err != nil {
		return nil, err
	}
	if axis != 1 || b.m.Opset < 13 && x.side(2)*x.side(3) > 1 {
		return nil, n.fail("attribute axis", "is %d; only channels (1) are supported", axis)
	}
	if x, err = b.normal(x); err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	if len(x.at) < x.node.Shape[3] { // e^-1e30 = 0
		x.node = b.g.Add(x.node, b.constVector(x, 0, -1e30))
	}
	return []value{x.with(b.g.Softmax(x.node), true)}, nil
}

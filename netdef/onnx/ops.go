package onnx

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// add writes one node. The weights of a convolution are written with it, in the layout of ONNX's
// Conv.
func (x *exporter) add(n *netdef.Node) error {
	name := n.Name
	in := make([]string, len(n.In))
	for i, m := range n.In {
		if _, conv := n.Op.(*netdef.Conv2DOp); conv && i == 1 {
			continue
		}
		var err error
		if in[i], err = x.value(m); err != nil {
			return err
		}
	}
	put := func(op string, attrs ...message) { x.names[n] = x.emit(op, name, in, attrs...) }
	switch op := n.Op.(type) {
	case *netdef.InputOp:
		x.names[n] = name
		x.inputs = append(x.inputs, valueInfo(name, x.dims(n)))
	case *netdef.ParamOp, *netdef.ConstOp: // written where they are used
	case *netdef.Conv2DOp:
		w := n.In[1]
		v, err := x.data(w)
		if err != nil {
			return err
		}
		out, dims := permuted(w.Shape, v, [4]int{3, 2, 0, 1})
		in[1] = name + " weights"
		x.initial = append(x.initial, tensor(in[1], dims, elemFloat, floats(out)))
		k, p := w.Shape[0], (w.Shape[0]-1)/2
		put("Conv", attribute("kernel_shape", []int{k, k}), attribute("strides", []int{op.Stride, op.Stride}), attribute("pads", []int{p, p, p, p}))
	case *netdef.LayerNormOp:
		x.layerNorm(n, op.Eps, in[0])
	case *netdef.SoftmaxOp:
		put("Softmax", attribute("axis", 1))
	case *netdef.SpaceToDepthOp:
		put("SpaceToDepth", attribute("blocksize", op.R))
	case *netdef.PatchifyOp:
		put("SpaceToDepth", attribute("blocksize", 4))
	case *netdef.DepthToSpaceOp:
		put("DepthToSpace", attribute("blocksize", op.R), attribute("mode", "DCR"))
	case *netdef.UnpatchifyOp:
		put("DepthToSpace", attribute("blocksize", 4), attribute("mode", "DCR"))
	case *netdef.ConcatOp:
		put("Concat", attribute("axis", x.axis(n, op.Axis)))
	case *netdef.CropOp:
		var starts, ends, axes []int
		for a := range 4 {
			if op.At[a] != 0 || op.Size[a] != n.In[0].Shape[a] {
				starts, ends, axes = append(starts, op.At[a]), append(ends, op.At[a]+op.Size[a]), append(axes, x.axis(n, a))
			}
		}
		in = append(in, x.integers(starts...), x.integers(ends...), x.integers(axes...))
		put("Slice")
	case *netdef.BroadcastToOp:
		in = append(in, x.integers(x.dims(n)...))
		put("Expand")
	case *netdef.PointwiseOp:
		return x.pointwise(n, op, in)
	default:
		return &UnsupportedError{n.Op.Name(), n.Name}
	}
	return nil
}

// value returns the name of a node's value. Parameters and constants are written at their first
// use.
func (x *exporter) value(n *netdef.Node) (string, error) {
	switch n.Op.(type) {
	case *netdef.ParamOp, *netdef.ConstOp:
	default:
		return x.names[n], nil
	}
	if x.names[n] != "" {
		return x.names[n], nil
	}
	v, err := x.data(n)
	if err != nil {
		return "", err
	}
	order := [4]int{0, 3, 1, 2}
	if x.planar[n] {
		order = [4]int{0, 1, 2, 3}
	}
	out, dims := permuted(n.Shape, v, order)
	name := n.Name
	if _, ok := n.Op.(*netdef.ConstOp); ok {
		name = fmt.Sprintf("%s const %d", name, n.ID)
	}
	x.names[n] = name
	x.initial = append(x.initial, tensor(name, dims, elemFloat, floats(out)))
	return name, nil
}

// axis returns the axis in the model for an axis of netdef's layout.
func (x *exporter) axis(n *netdef.Node, a int) int {
	if x.planar[n] {
		return a
	}
	return [4]int{0, 2, 3, 1}[a]
}

// layerNorm is written in parts: ONNX's LayerNormalization normalises over the last axes, but here
// the channels are not last.
func (x *exporter) layerNorm(n *netdef.Node, eps float64, in string) {
	mean := func(s, of string) string {
		return x.emit("ReduceMean", n.Name+s, []string{of}, attribute("axes", []int{1}), attribute("keepdims", 1))
	}
	d := x.emit("Sub", n.Name+" centred", []string{in, mean(" mean", in)})
	v := mean(" variance", x.emit("Mul", n.Name+" squared", []string{d, d}))
	s := x.emit("Sqrt", n.Name+" std", []string{x.emit("Add", n.Name+" variance+eps", []string{v, x.number(eps)})})
	x.names[n] = x.emit("Div", n.Name, []string{d, s})
}

func (x *exporter) pointwise(n *netdef.Node, op *netdef.PointwiseOp, in []string) error {
	put := func(kind string, in ...string) error {
		x.names[n] = x.emit(kind, n.Name, in)
		return nil
	}
	switch op.Kind {
	case netdef.Neg, netdef.Exp, netdef.Log, netdef.Sqrt, netdef.Sigmoid, netdef.Tanh, netdef.Abs, netdef.Sin, netdef.Cos, netdef.Sign,
		netdef.Add, netdef.Sub, netdef.Mul, netdef.Div, netdef.Max, netdef.Min:
		return put(op.Kind.String(), in...)
	case netdef.Square:
		return put("Mul", in[0], in[0])
	case netdef.SiLU:
		return put("Mul", in[0], x.emit("Sigmoid", n.Name+" sigmoid", in))
	case netdef.Recip:
		return put("Reciprocal", in...)
	case netdef.Scale:
		return put("Mul", in[0], x.number(op.A))
	case netdef.Offset:
		return put("Add", in[0], x.number(op.A))
	case netdef.Clamp:
		return put("Clip", in[0], x.number(op.A), x.number(op.B))
	case netdef.StopGradient:
		return put("Identity", in...)
	}
	return &UnsupportedError{n.Op.Name(), n.Name}
}

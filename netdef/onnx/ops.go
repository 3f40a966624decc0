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
		x.pointwise(n, op, in)
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

// pointwise writes a function with ONNX's operator for it. If there is none, it writes what the
// table of pointwise functions emits.
func (x *exporter) pointwise(n *netdef.Node, op *netdef.PointwiseOp, in []string) {
	put := func(kind string, in ...string) { x.names[n] = x.emit(kind, n.Name, in) }
	switch op.Kind {
	case netdef.Neg, netdef.Exp, netdef.Log, netdef.Sqrt, netdef.Sigmoid, netdef.Tanh, netdef.Abs, netdef.Sin, netdef.Cos, netdef.Sign,
		netdef.Add, netdef.Sub, netdef.Mul, netdef.Div, netdef.Max, netdef.Min:
		put(op.Kind.String(), in...)
	case netdef.Recip:
		put("Reciprocal", in...)
	case netdef.Clamp:
		put("Clip", in[0], x.number(op.A), x.number(op.B))
	default:
		w := &writer{x: x, prefix: n.Name, names: append([]string{}, in...)}
		args := make([]netdef.Value, len(in))
		for i := range args {
			args[i] = i
		}
		x.names[n] = w.names[op.Emit(w, args...)]
	}
}

// writer is a netdef.Emitter that writes an operator for every operation. A value is an index of
// names.
type writer struct {
	x      *exporter
	prefix string
	names  []string
}

func (w *writer) add(name string) netdef.Value {
	w.names = append(w.names, name)
	return len(w.names) - 1
}

func (w *writer) put(kind string, args ...netdef.Value) netdef.Value {
	in := make([]string, len(args))
	for i, a := range args {
		in[i] = w.names[a]
	}
	return w.add(w.x.emit(kind, fmt.Sprintf("%s step %d", w.prefix, len(w.names)), in))
}

func (w *writer) Float(v float64) netdef.Value        { return w.add(w.x.number(v)) }
func (w *writer) Neg(a netdef.Value) netdef.Value     { return w.put("Neg", a) }
func (w *writer) Exp(a netdef.Value) netdef.Value     { return w.put("Exp", a) }
func (w *writer) Log(a netdef.Value) netdef.Value     { return w.put("Log", a) }
func (w *writer) Sqrt(a netdef.Value) netdef.Value    { return w.put("Sqrt", a) }
func (w *writer) Sigmoid(a netdef.Value) netdef.Value { return w.put("Sigmoid", a) }
func (w *writer) Tanh(a netdef.Value) netdef.Value    { return w.put("Tanh", a) }
func (w *writer) Abs(a netdef.Value) netdef.Value     { return w.put("Abs", a) }
func (w *writer) Sin(a netdef.Value) netdef.Value     { return w.put("Sin", a) }
func (w *writer) Cos(a netdef.Value) netdef.Value     { return w.put("Cos", a) }
func (w *writer) Add(a, b netdef.Value) netdef.Value  { return w.put("Add", a, b) }
func (w *writer) Sub(a, b netdef.Value) netdef.Value  { return w.put("Sub", a, b) }
func (w *writer) Mul(a, b netdef.Value) netdef.Value  { return w.put("Mul", a, b) }
func (w *writer) Div(a, b netdef.Value) netdef.Value  { return w.put("Div", a, b) }
func (w *writer) Max(a, b netdef.Value) netdef.Value  { return w.put("Max", a, b) }
func (w *writer) Min(a, b netdef.Value) netdef.Value  { return w.put("Min", a, b) }

// Greater is a truth value in ONNX.
func (w *writer) Greater(a, b netdef.Value) netdef.Value {
	truth := w.names[w.put("Greater", a, b)]
	return w.add(w.x.emit("Cast", truth+" as a number", []string{truth}, attribute("to", elemFloat)))
}

// Package onnx writes networks built with netdef as ONNX models (opset 17), so that other engines
// can run them and be compared, and reads ONNX models into netdef's graphs.
//
// Load and Parse read a file, Build makes its graph for one size of pictures. Operators lists what
// they know: convolutions (also transposed, dilated, strided and in groups), pooling, activations,
// arithmetic, layouts, and what computes sizes. Numbers are float32, whatever the file says.
//
// Write's tensors [B,H,W,C] become [B,C,H,W]; planar pictures [B,P,H,W] stay as they are. The ops of
// networks can be written. Those that only training uses (products of matrices, weight gradients,
// random numbers) cannot.
package onnx

import (
	"fmt"
	"io"

	"github.com/vfmrestore/restore/netdef"
)

const (
	irVersion = 8
	opset     = 17
)

// UnsupportedError reports an op that cannot be written as ONNX.
type UnsupportedError struct{ Op, Node string }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("onnx: %s at %q cannot be written as ONNX", e.Op, e.Node)
}

// Output is a named output of the model.
type Output struct {
	Name string
	Node *netdef.Node
}

// Write writes the model that computes outs. params holds the values of the parameters by name, in
// netdef's layout. Inputs keep their names. meta is written as the model's metadata. Write fails
// with an *UnsupportedError for ops that only training uses, and with another error if a parameter
// is missing or has the wrong size.
func Write(w io.Writer, name string, outs []Output, params map[string][]float32, meta map[string]string) error {
	x := &exporter{params: params, names: map[*netdef.Node]string{}, planar: map[*netdef.Node]bool{}, consts: map[string]bool{}}
	var roots []*netdef.Node
	for _, o := range outs {
		roots = append(roots, o.Node)
	}
	nodes := netdef.Reachable(roots...)
	for _, n := range nodes {
		if n.ID < 0 {
			return fmt.Errorf("onnx: %q could not be built; see Graph.Err", n.Name)
		}
	}
	x.findPlanar(nodes)
	for _, n := range nodes {
		if err := x.add(n); err != nil {
			return err
		}
	}
	for _, o := range outs {
		from, err := x.value(o.Node)
		if err != nil {
			return err
		}
		x.emit("Identity", o.Name, []string{from})
		x.outputs = append(x.outputs, valueInfo(o.Name, x.dims(o.Node)))
	}
	var g message
	for _, m := range x.nodes {
		g.bytes(1, m)
	}
	g.string(2, name)
	for _, m := range x.initial {
		g.bytes(5, m)
	}
	for _, m := range x.inputs {
		g.bytes(11, m)
	}
	for _, m := range x.outputs {
		g.bytes(12, m)
	}
	var set message
	set.string(1, "")
	set.int(2, opset)
	var model message
	model.int(1, irVersion)
	model.string(2, "restore")
	model.bytes(7, g)
	model.bytes(8, set)
	for k, v := range meta {
		var p message
		p.string(1, k)
		p.string(2, v)
		model.bytes(14, p)
	}
	_, err := w.Write(model)
	return err
}

type exporter struct {
	params                          map[string][]float32
	names                           map[*netdef.Node]string
	planar                          map[*netdef.Node]bool
	consts                          map[string]bool
	nodes, initial, inputs, outputs []message
}

// findPlanar marks the nodes that hold planar pictures: inputs of Patchify, outputs of Unpatchify,
// and what is computed from these element by element.
func (x *exporter) findPlanar(nodes []*netdef.Node) {
	for _, n := range nodes {
		switch n.Op.(type) {
		case *netdef.UnpatchifyOp:
			x.planar[n] = true
		case *netdef.PatchifyOp:
			x.planar[n.In[0]] = true
		case *netdef.PointwiseOp:
			for _, m := range n.In {
				x.planar[n] = x.planar[n] || x.planar[m] && m.Shape == n.Shape
			}
		}
	}
}

// dims returns the shape of a node in the model.
func (x *exporter) dims(n *netdef.Node) []int {
	s := n.Shape
	if x.planar[n] {
		return s[:]
	}
	return []int{s[0], s[3], s[1], s[2]}
}

func (x *exporter) emit(op, out string, in []string, attrs ...message) string {
	x.nodes = append(x.nodes, node(op, out, in, []string{out}, attrs...))
	return out
}

// number returns the name of a constant of one element.
func (x *exporter) number(v float64) string {
	name := fmt.Sprintf("number %g", v)
	if !x.consts[name] {
		x.consts[name] = true
		x.initial = append(x.initial, tensor(name, nil, elemFloat, floats([]float32{float32(v)})))
	}
	return name
}

// integers returns the name of a constant list.
func (x *exporter) integers(v ...int) string {
	name := fmt.Sprintf("integers %v", v)
	if !x.consts[name] {
		x.consts[name] = true
		x.initial = append(x.initial, tensor(name, []int{len(v)}, elemInt64, int64s(v)))
	}
	return name
}

// permuted returns data of shape s with its axes in another order, and its new dimensions.
func permuted(s netdef.Shape, data []float32, order [4]int) (out []float32, dims []int) {
	strides := [4]int{s[1] * s[2] * s[3], s[2] * s[3], s[3], 1}
	for _, a := range order {
		dims = append(dims, s[a])
	}
	out = make([]float32, 0, len(data))
	for i := range dims[0] {
		for j := range dims[1] {
			for k := range dims[2] {
				for l := range dims[3] {
					out = append(out, data[i*strides[order[0]]+j*strides[order[1]]+k*strides[order[2]]+l*strides[order[3]]])
				}
			}
		}
	}
	return out, dims
}

// data returns the values of a parameter or constant, or of a crop of one.
func (x *exporter) data(n *netdef.Node) ([]float32, error) {
	switch op := n.Op.(type) {
	case *netdef.ConstOp:
		return op.Data, nil
	case *netdef.ParamOp:
		v := x.params[n.Name]
		if len(v) != n.Shape.Size() {
			return nil, fmt.Errorf("onnx: parameter %q has %d values, the network wants %v", n.Name, len(v), n.Shape)
		}
		return v, nil
	case *netdef.CropOp:
		whole, err := x.data(n.In[0])
		if err != nil {
			return nil, err
		}
		from, err := netdef.FromFloat32(n.In[0].Shape, whole)
		if err != nil {
			return nil, err
		}
		part := netdef.NewTensor(n.Shape)
		op.Eval([]*netdef.Tensor{from}, part)
		return part.Float32(), nil
	}
	return nil, &UnsupportedError{n.Op.Name() + " as weights", n.Name}
}

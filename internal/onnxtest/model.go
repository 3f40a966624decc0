// Package onnxtest writes and runs small ONNX models for tests, by the definitions of the format and
// of the operators and with nothing of package netdef/onnx.
package onnxtest

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Model is a model under construction.
type Model struct {
	Opset int
	Meta  map[string]string
	graph message
}

// New returns a model without nodes, of opset 17.
func New() *Model { return &Model{Opset: 17, Meta: map[string]string{}} }

type message []byte

func (m *message) number(field protowire.Number, v int) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
}

func (m *message) put(field protowire.Number, v []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

func (m *message) text(field protowire.Number, v string) { m.put(field, []byte(v)) }

// Input declares an input of float32 numbers; 0 stands for any size.
func (m *Model) Input(name string, dims ...int) { m.port(11, name, dims) }

// Output declares an output.
func (m *Model) Output(name string, dims ...int) { m.port(12, name, dims) }

func (m *Model) port(field protowire.Number, name string, dims []int) {
	var shape, tensor, typ, info message
	for _, d := range dims {
		var dim message
		if d > 0 {
			dim.number(1, d)
		} else {
			dim.text(2, "any")
		}
		shape.put(1, dim)
	}
	tensor.number(1, 1)
	tensor.put(2, shape)
	typ.put(1, tensor)
	info.text(1, name)
	info.put(2, typ)
	m.graph.put(field, info)
}

func tensor(name string, dims []int, kind int, raw []byte) message {
	var t message
	for _, d := range dims {
		t.number(1, d)
	}
	t.number(2, kind)
	t.text(8, name)
	t.put(9, raw)
	return t
}

func floats(v []float32) (raw []byte) {
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw
}

// Floats adds a constant.
func (m *Model) Floats(name string, dims []int, v ...float32) {
	m.graph.put(5, tensor(name, dims, 1, floats(v)))
}

// Ints adds a constant list of integers.
func (m *Model) Ints(name string, v ...int) {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	m.graph.put(5, tensor(name, []int{len(v)}, 7, raw))
}

// Attrs are attributes of a node: int, float64, string, []int, []float32.
type Attrs map[string]any

// Node adds an operator with one result, which has the operator's name too.
func (m *Model) Node(op, out string, in []string, attrs Attrs) {
	m.Nodes(op, []string{out}, in, attrs)
}

// Nodes is Node for operators with several results.
func (m *Model) Nodes(op string, out, in []string, attrs Attrs) {
	var n message
	for _, s := range in {
		n.text(1, s)
	}
	for _, s := range out {
		n.text(2, s)
	}
	n.text(3, out[0])
	n.text(4, op)
	for name, v := range attrs {
		var a message
		a.text(1, name)
		kind := 0
		switch v := v.(type) {
		case int:
			kind = 2
			a.number(3, v)
		case float64:
			kind = 1
			a = protowire.AppendFixed32(protowire.AppendTag(a, 2, protowire.Fixed32Type), math.Float32bits(float32(v)))
		case string:
			kind = 3
			a.text(4, v)
		case []int:
			kind = 7
			for _, x := range v {
				a.number(8, x)
			}
		case []float32:
			kind = 6
			a.put(7, floats(v)) // packed
		}
		a.number(20, kind)
		n.put(5, a)
	}
	m.graph.put(1, n)
}

// Bytes returns the file.
func (m *Model) Bytes() []byte {
	var set, model message
	set.text(1, "")
	set.number(2, m.Opset)
	model.number(1, 8)
	model.put(7, m.graph)
	model.put(8, set)
	for k, v := range m.Meta {
		var p message
		p.text(1, k)
		p.text(2, v)
		model.put(14, p)
	}
	return model
}

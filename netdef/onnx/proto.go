package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protocol buffer under construction. The field numbers are those of onnx.proto.
type message []byte

func (m *message) int(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) bytes(field protowire.Number, v []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, v)
}

func (m *message) string(field protowire.Number, v string) { m.bytes(field, []byte(v)) }

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, math.Float32bits(v))
}

// Types of attributes and of tensor elements.
const (
	attrFloat, attrInt, attrString, attrInts = 1, 2, 3, 7
	elemFloat, elemInt64                     = 1, 7
)

// attribute returns a named constant of an operator.
func attribute(name string, v any) message {
	var m message
	m.string(1, name)
	kind := int64(0)
	switch v := v.(type) {
	case int:
		kind = attrInt
		m.int(3, int64(v))
	case float64:
		kind = attrFloat
		m.float(2, float32(v))
	case string:
		kind = attrString
		m.string(4, v)
	case []int:
		kind = attrInts
		for _, x := range v {
			m.int(8, int64(x))
		}
	}
	m.int(20, kind)
	return m
}

// tensor returns a constant.
func tensor(name string, dims []int, elem int, raw []byte) message {
	var m message
	for _, d := range dims {
		m.int(1, int64(d))
	}
	m.int(2, int64(elem))
	m.string(8, name)
	m.bytes(9, raw)
	return m
}

func floats(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func int64s(v []int) []byte {
	b := make([]byte, 0, 8*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(x))
	}
	return b
}

// valueInfo declares an input or output of float32 values.
func valueInfo(name string, dims []int) message {
	var shape message
	for _, d := range dims {
		var dim message
		dim.int(1, int64(d))
		shape.bytes(1, dim)
	}
	var t message
	t.int(1, elemFloat)
	t.bytes(2, shape)
	var typ message
	typ.bytes(1, t)
	var m message
	m.string(1, name)
	m.bytes(2, typ)
	return m
}

// node returns an operator.
func node(op, name string, in, out []string, attrs ...message) message {
	var m message
	for _, s := range in {
		m.string(1, s)
	}
	for _, s := range out {
		m.string(2, s)
	}
	m.string(3, name)
	m.string(4, op)
	for _, a := range attrs {
		m.bytes(5, a)
	}
	return m
}

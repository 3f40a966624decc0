package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of what a file may hold. They are far above what networks for pictures need.
const (
	maxNodes    = 1 << 16
	maxRank     = 8
	maxDim      = 1 << 30
	maxElements = 1 << 28 // of a constant
)

// FormatError says that a file is not a valid ONNX model.
type FormatError struct {
	Where string // "model", "graph", `tensor "w"`, …
	What  string // what is wrong
}

func (e *FormatError) Error() string { return "unreadable ONNX file: " + e.Where + ": " + e.What }

func malformed(where, format string, args ...any) error {
	return &FormatError{where, fmt.Sprintf(format, args...)}
}

// field is a field of a protocol buffer: a number, or the bytes of a text, list or message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	bytes  []byte
}

// eachField calls f for the fields of a message.
func eachField(where string, b []byte, f func(x field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return malformed(where, "%v", protowire.ParseError(n))
		}
		b = b[n:]
		x := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			x.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			x.value = uint64(v)
		case protowire.Fixed64Type:
			x.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			x.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return malformed(where, "field %d: %v", number, protowire.ParseError(n))
		}
		b = b[n:]
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// text returns the field as a string.
func (x field) text() string { return string(x.bytes) }

// integers appends the numbers of a repeated integer field, packed or not.
func (x field) integers(where string, to []int64) ([]int64, error) {
	if x.kind == protowire.VarintType {
		return append(to, int64(x.value)), nil
	}
	for b := x.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, malformed(where, "field %d: %v", x.number, protowire.ParseError(n))
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// floats32 appends the numbers of a repeated float field, packed or not.
func (x field) floats32(to []float32) []float32 {
	if x.kind == protowire.Fixed32Type {
		return append(to, math.Float32frombits(uint32(x.value)))
	}
	for b := x.bytes; len(b) >= 4; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to
}

// constant is a tensor with known values: floats in f, or integers in i, row-major.
type constant struct {
	dims []int
	f    []float32
	i    []int64
}

func (c *constant) size() int { return max(len(c.f), len(c.i)) }

// at returns element i as a number.
func (c *constant) at(i int) float64 {
	if c.f != nil {
		return float64(c.f[i])
	}
	return float64(c.i[i])
}

// elements returns the number of elements of a tensor, or an error if it is negative or too large.
func elements(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 0 || d > maxDim {
			return 0, fmt.Errorf("an axis of size %d", d)
		}
		if n *= d; n > maxElements {
			return 0, fmt.Errorf("shape %v has more than %d elements", dims, maxElements)
		}
	}
	return n, nil
}

// Types of tensor elements, besides elemFloat and elemInt64.
const (
	elemUint8, elemInt8, elemInt32, elemBool, elemHalf, elemDouble = 2, 3, 6, 9, 10, 11
)

// parseTensor reads a TensorProto.
func parseTensor(b []byte) (name string, c *constant, err error) {
	c = &constant{}
	var dims, ints []int64
	var floats []float32
	var doubles []float64
	var raw []byte
	kind, external, hasRaw := int64(0), false, false
	where := "tensor"
	err = eachField(where, b, func(x field) (err error) {
		switch x.number {
		case 1:
			dims, err = x.integers(where, dims)
		case 2:
			kind = int64(x.value)
		case 4:
			floats = x.floats32(floats)
		case 5, 7:
			ints, err = x.integers(where, ints)
		case 8:
			name = x.text()
		case 9:
			raw, hasRaw = x.bytes, true
		case 10:
			if x.kind == protowire.Fixed64Type {
				doubles = append(doubles, math.Float64frombits(x.value))
			}
			for b := x.bytes; len(b) >= 8; b = b[8:] {
				doubles = append(doubles, math.Float64frombits(binary.LittleEndian.Uint64(b)))
			}
		case 13:
			external = true
		case 14:
			external = external || x.value == 1
		}
		return err
	})
	if err != nil {
		return name, nil, err
	}
	where = fmt.Sprintf("tensor %q", name)
	if external {
		return name, nil, malformed(where, "its values are in another file; save the model as one file")
	}
	if len(dims) > maxRank {
		return name, nil, malformed(where, "%d axes are more than %d", len(dims), maxRank)
	}
	for _, d := range dims {
		c.dims = append(c.dims, int(d))
	}
	n, err := elements(c.dims)
	if err != nil {
		return name, nil, malformed(where, "%v", err)
	}
	values := func(size int, at func(b []byte) (float32, int64)) bool {
		if !hasRaw || len(raw) != n*size {
			return false
		}
		for b := raw; len(b) > 0; b = b[size:] {
			f, i := at(b)
			floats, ints = append(floats, f), append(ints, i)
		}
		return true
	}
	order, isFloat := binary.LittleEndian, false
	if hasRaw && (floats != nil || ints != nil || doubles != nil) {
		return name, nil, malformed(where, "it has its values twice")
	}
	ok := !hasRaw
	switch kind {
	case elemFloat:
		isFloat = true
		if hasRaw {
			floats = make([]float32, 0, len(raw)/4)
			ok = len(raw) == 4*n
			floats = field{bytes: raw}.floats32(floats)
		}
	case elemHalf:
		isFloat = true
		if hasRaw {
			ok = values(2, func(b []byte) (float32, int64) { return halfValue(order.Uint16(b)), 0 })
		} else {
			for _, v := range ints {
				floats = append(floats, halfValue(uint16(v)))
			}
		}
	case elemDouble:
		isFloat = true
		if hasRaw {
			ok = values(8, func(b []byte) (float32, int64) {
				return float32(math.Float64frombits(order.Uint64(b))), 0
			})
		}
		for _, v := range doubles {
			floats = append(floats, float32(v))
		}
	case elemInt64:
		if hasRaw {
			ok = values(8, func(b []byte) (float32, int64) { return 0, int64(order.Uint64(b)) })
		}
	case elemInt32:
		if hasRaw {
			ok = values(4, func(b []byte) (float32, int64) { return 0, int64(int32(order.Uint32(b))) })
		}
	case elemUint8, elemBool:
		if hasRaw {
			ok = values(1, func(b []byte) (float32, int64) { return 0, int64(b[0]) })
		}
	case elemInt8:
		if hasRaw {
			ok = values(1, func(b []byte) (float32, int64) { return 0, int64(int8(b[0])) })
		}
	default:
		return name, nil, malformed(where, "elements of type %d are not read (float, double, float16 "+
			"and integers are)", kind)
	}
	if isFloat {
		c.f = floats
		if c.f == nil {
			c.f = []float32{}
		}
	} else {
		c.i = ints
		if c.i == nil {
			c.i = []int64{}
		}
	}
	if !ok || c.size() != n {
		return name, nil, malformed(where, "its values do not fit its shape %v", c.dims)
	}
	for i, v := range c.f {
		if v-v != 0 {
			return name, nil, malformed(where, "value %d is %v, not a finite number", i, v)
		}
	}
	return name, c, nil
}

// halfValue converts an IEEE 754 binary16 number.
func halfValue(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, int(h>>10&31), uint32(h&1023)
	switch exp {
	case 0:
		v := float32(frac) / (1 << 24)
		if sign != 0 {
			v = -v
		}
		return v
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | uint32(exp+112)<<23 | frac<<13)
}

// attr is an attribute of a node. Only the fields of its type are set.
type attr struct {
	f      float32
	i      int64
	s      string
	ints   []int64
	floats []float32
	t      *constant
	other  bool // of a type that no op here takes
}

// operator is a node of the model's graph.
type operator struct {
	name, op, domain string
	in, out          []string
	attrs            map[string]attr
}

// title is the operator's name, or that of its first result if it has none.
func (n *operator) title() string {
	if n.name == "" && len(n.out) > 0 {
		return n.out[0]
	}
	return n.name
}

func parseAttr(b []byte) (name string, a attr, err error) {
	const where = "attribute"
	err = eachField(where, b, func(x field) (err error) {
		switch x.number {
		case 1:
			name = x.text()
		case 2:
			a.f = math.Float32frombits(uint32(x.value))
		case 3:
			a.i = int64(x.value)
		case 4:
			a.s = x.text()
		case 5:
			_, a.t, err = parseTensor(x.bytes)
		case 7:
			a.floats = x.floats32(a.floats)
		case 8:
			a.ints, err = x.integers(where, a.ints)
		case 6, 9, 10, 11, 15, 21, 22, 23:
			a.other = true
		}
		return err
	})
	return name, a, err
}

func parseOperator(b []byte) (*operator, error) {
	n := &operator{attrs: map[string]attr{}}
	err := eachField("node", b, func(x field) error {
		switch x.number {
		case 1:
			n.in = append(n.in, x.text())
		case 2:
			n.out = append(n.out, x.text())
		case 3:
			n.name = x.text()
		case 4:
			n.op = x.text()
		case 5:
			name, a, err := parseAttr(x.bytes)
			if err != nil {
				return err
			}
			n.attrs[name] = a
		case 7:
			n.domain = x.text()
		}
		return nil
	})
	return n, err
}

// parsePort reads a ValueInfoProto.
func parsePort(b []byte) (p Port, err error) {
	p.elem = elemFloat
	sub := func(b []byte, number protowire.Number, f func(b []byte) error) error {
		return eachField("value", b, func(x field) error {
			if x.number == number {
				return f(x.bytes)
			}
			return nil
		})
	}
	err = eachField("value", b, func(x field) error {
		switch x.number {
		case 1:
			p.Name = x.text()
		case 2:
			return sub(x.bytes, 1, func(b []byte) error { return parseTensorType(b, &p) })
		}
		return nil
	})
	return p, err
}

func parseTensorType(b []byte, p *Port) error {
	return eachField("type", b, func(x field) error {
		switch x.number {
		case 1:
			p.elem = int64(x.value)
		case 2:
			p.Dims = []int{}
			return eachField("shape", x.bytes, func(x field) error {
				if x.number != 1 {
					return nil
				}
				size := 0
				err := eachField("dimension", x.bytes, func(x field) error {
					if x.number == 1 && (x.value < 1 || x.value > maxDim) {
						size = 0 // some exporters write 0 or -1 for sizes that they do not know
					} else if x.number == 1 {
						size = int(x.value)
					}
					return nil
				})
				if len(p.Dims) == maxRank {
					return malformed("shape", "it has more than %d axes", maxRank)
				}
				p.Dims = append(p.Dims, size)
				return err
			})
		}
		return nil
	})
}

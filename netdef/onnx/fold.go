package onnx

import (
	"math"
	"slices"
)

// Operators on constants are computed while the graph is built: mostly sizes of pictures, on which
// other operators depend.

// maxFolded bounds the size of constants that are computed so.
const maxFolded = 1 << 22

// folded computes an operator if all of its inputs are constants. It returns nil if they are not,
// or if it does not know the operator.
func (b *builder) folded(n *operator) ([]value, error) {
	one := func(c *constant) ([]value, error) {
		if c.size() > maxFolded {
			return nil, n.fail("", "makes a constant of more than %d numbers", maxFolded)
		}
		return []value{{dims: c.dims, data: c}}, nil
	}
	switch n.op {
	case "Constant":
		return b.constantValue(n)
	case "Shape":
		v, err := b.arg(n, 0)
		if err != nil {
			return nil, err
		}
		from, to := 0, len(v.dims)
		if s := n.integer("start", 0); s != 0 || n.integer("end", 1<<30) != 1<<30 {
			e := n.integer("end", 1<<30)
			if s < 0 {
				s += len(v.dims)
			}
			if e < 0 {
				e += len(v.dims)
			}
			from = min(max(s, 0), len(v.dims))
			to = min(max(e, from), len(v.dims))
		}
		c := &constant{dims: []int{to - from}, i: []int64{}}
		for _, d := range v.dims[from:to] {
			c.i = append(c.i, int64(d))
		}
		return one(c)
	}
	var in []*constant
	for i := range n.in {
		v, ok := b.opt(n, i)
		if ok && v.data == nil {
			return nil, nil
		}
		in = append(in, v.data)
	}
	if len(in) == 0 || in[0] == nil {
		return nil, nil
	}
	x := in[0]
	switch n.op {
	case "Identity", "Dropout":
		return one(x)
	case "Cast":
		switch to := n.integer("to", 0); to {
		case elemFloat, elemHalf, elemDouble:
			return one(x.mapped(func(v float64) float64 { return v }, true))
		case elemInt64, elemInt32:
			return one(x.mapped(math.Trunc, false))
		default:
			return nil, n.fail("attribute to", "is type %d, which is not supported", to)
		}
	case "Floor":
		return one(x.mapped(math.Floor, true))
	case "Ceil":
		return one(x.mapped(math.Ceil, true))
	case "Neg":
		return one(x.mapped(func(v float64) float64 { return -v }, x.f != nil))
	case "Sqrt":
		return one(x.mapped(math.Sqrt, true))
	case "Reciprocal":
		return one(x.mapped(func(v float64) float64 { return 1 / v }, true))
	case "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow":
		if len(in) != 2 || in[1] == nil {
			return nil, nil
		}
		c, err := combine(n, x, in[1])
		if err != nil {
			return nil, err
		}
		return one(c)
	case "ConstantOfShape":
		return b.filled(n, x)
	case "Unsqueeze", "Squeeze", "Reshape", "Flatten":
		if x.size() == 0 {
			return nil, nil
		}
		to, err := b.newShape(n, value{dims: x.dims})
		if err != nil {
			return nil, err
		}
		return one(&constant{dims: to, f: x.f, i: x.i})
	case "Concat":
		return b.joined(n, in)
	case "Gather":
		if len(in) == 2 && in[1] != nil && len(x.dims) == 1 && in[1].i != nil && len(in[1].dims) <= 1 {
			var list []int
			for _, i := range toInts(in[1].i) {
				if i < 0 {
					i += x.size()
				}
				if i < 0 || i >= x.size() {
					return nil, n.fail("input 2", "names element %d of %d", i, x.size())
				}
				list = append(list, i)
			}
			c := x.picked(list)
			c.dims = in[1].dims
			return one(c)
		}
	case "Slice":
		return b.slicedConstant(n, x)
	case "Transpose":
		return b.transposed(n, x)
	}
	return nil, nil
}

// constantValue is the operator Constant.
func (b *builder) constantValue(n *operator) ([]value, error) {
	var c *constant
	for name, a := range n.attrs {
		switch name {
		case "value":
			c = a.t
		case "value_float":
			c = &constant{f: []float32{a.f}}
		case "value_int":
			c = &constant{i: []int64{a.i}}
		case "value_floats":
			c = &constant{dims: []int{len(a.floats)}, f: append([]float32{}, a.floats...)}
		case "value_ints":
			c = &constant{dims: []int{len(a.ints)}, i: append([]int64{}, a.ints...)}
		}
	}
	if c == nil {
		return nil, n.fail("attribute value", "is missing or of a kind that is not supported")
	}
	for _, v := range c.f {
		if v-v != 0 {
			return nil, n.fail("attribute value", "is %v, not a finite number", v)
		}
	}
	return []value{{dims: c.dims, data: c}}, nil
}

// mapped applies a function to all elements; the result has floats or integers.
func (c *constant) mapped(f func(v float64) float64, floats bool) *constant {
	out := &constant{dims: c.dims}
	for i := range c.size() {
		out.append(f(c.at(i)), floats)
	}
	out.ensure(floats)
	return out
}

func (c *constant) append(v float64, floats bool) {
	if floats {
		c.f = append(c.f, float32(v))
	} else {
		c.i = append(c.i, int64(min(max(v, -1<<53), 1<<53)))
	}
}

// ensure makes an empty list instead of none.
func (c *constant) ensure(floats bool) {
	if floats && c.f == nil {
		c.f = []float32{}
	} else if !floats && c.i == nil {
		c.i = []int64{}
	}
}

// picked returns a list of elements, as a tensor of one axis.
func (c *constant) picked(list []int) *constant {
	out := &constant{dims: []int{len(list)}}
	for _, i := range list {
		if c.f != nil {
			out.f = append(out.f, c.f[i])
		} else {
			out.i = append(out.i, c.i[i])
		}
	}
	out.ensure(c.f != nil)
	return out
}

// combine applies an arithmetic operator to two constants, broadcast.
func combine(n *operator, x, y *constant) (*constant, error) {
	dims, ok := broadcast(x.dims, y.dims)
	if !ok {
		return nil, n.fail("", "has inputs of shapes %v and %v, which do not fit", x.dims, y.dims)
	}
	total, err := elements(dims)
	if err != nil || total > maxFolded {
		return nil, n.fail("", "makes a constant of more than %d numbers", maxFolded)
	}
	floats := x.f != nil
	f := map[string]func(a, b float64) float64{
		"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
		"Mul": func(a, b float64) float64 { return a * b }, "Max": math.Max, "Min": math.Min, "Pow": math.Pow,
		"Div": func(a, b float64) float64 {
			if !floats {
				return math.Trunc(a / b)
			}
			return a / b
		},
	}[n.op]
	out := &constant{dims: dims}
	for i := range total {
		v := f(x.at(position(i, dims, x.dims)), y.at(position(i, dims, y.dims)))
		if v-v != 0 {
			return nil, n.fail("", "gives %v for constants", v)
		}
		out.append(v, floats)
	}
	out.ensure(floats)
	return out, nil
}

// position is the index in a tensor of element i of what it is broadcast to.
func position(i int, to, from []int) int {
	at, stride := 0, 1
	for k := 1; k <= len(to); k++ {
		d := to[len(to)-k]
		if k <= len(from) {
			if own := from[len(from)-k]; own > 1 {
				at += i % d * stride
				stride *= own
			}
		}
		i /= d
	}
	return at
}

func (b *builder) filled(n *operator, shape *constant) ([]value, error) {
	if shape.i == nil || len(shape.i) > maxRank {
		return nil, n.fail("input 1", "is not a shape")
	}
	c := &constant{dims: toInts(shape.i)}
	total, err := elements(c.dims)
	if err != nil || total > maxFolded {
		return nil, n.fail("", "makes a constant of more than %d numbers", maxFolded)
	}
	v, floats := 0.0, true
	if t := n.attrs["value"].t; t != nil {
		if t.size() != 1 {
			return nil, n.fail("attribute value", "is not one number")
		}
		v, floats = t.at(0), t.f != nil
	}
	for range total {
		c.append(v, floats)
	}
	c.ensure(floats)
	return []value{{dims: c.dims, data: c}}, nil
}

// joined concatenates constants of one axis.
func (b *builder) joined(n *operator, in []*constant) ([]value, error) {
	out := &constant{}
	floats := in[0].f != nil
	for _, c := range in {
		if c == nil || len(c.dims) != 1 || (c.f != nil) != floats {
			return nil, n.fail("", "joins constants of several axes or types, which is not supported")
		}
		out.f, out.i = append(out.f, c.f...), append(out.i, c.i...)
	}
	out.ensure(floats)
	if out.size() > maxFolded {
		return nil, n.fail("", "makes a constant of more than %d numbers", maxFolded)
	}
	out.dims = []int{out.size()}
	return []value{{dims: out.dims, data: out}}, nil
}

// slicedConstant is Slice of a constant, with steps of 1.
func (b *builder) slicedConstant(n *operator, x *constant) ([]value, error) {
	if x.size() > maxFolded {
		return nil, n.fail("", "of a constant of more than %d numbers is not supported", maxFolded)
	}
	starts, ok, err := b.ints(n, "starts", 1)
	if err != nil {
		return nil, err
	}
	ends, ok2, err := b.ints(n, "ends", 2)
	if err != nil {
		return nil, err
	}
	axes, given, err := b.ints(n, "axes", 3)
	if err != nil {
		return nil, err
	}
	steps, _, err := b.ints(n, "steps", 4)
	if err != nil {
		return nil, err
	}
	if !given {
		axes = identity(len(starts))
	}
	if !ok || !ok2 || len(starts) != len(ends) || len(axes) != len(starts) {
		return nil, n.fail("axes", "are %d, with %d starts and %d ends", len(axes), len(starts), len(ends))
	}
	for _, s := range steps {
		if s != 1 {
			return nil, n.fail("steps", "are %v; of constants only 1 is supported", steps)
		}
	}
	at, dims := make([]int, len(x.dims)), slices.Clone(x.dims)
	for k, a := range axes {
		axis, err := n.axis(a, len(x.dims))
		if err != nil {
			return nil, err
		}
		from, to, size := starts[k], ends[k], x.dims[axis]
		if from < 0 {
			from += size
		}
		if to < 0 {
			to += size
		}
		at[axis] = min(max(from, 0), size)
		dims[axis] = min(max(to, at[axis]), size) - at[axis]
	}
	total, err := elements(dims)
	if err != nil {
		return nil, n.fail("", "%v", err)
	}
	list := make([]int, total)
	for i := range list {
		rest, stride := i, 1
		for k := len(dims) - 1; k >= 0; k-- {
			list[i] += (at[k] + rest%dims[k]) * stride
			rest, stride = rest/dims[k], stride*x.dims[k]
		}
	}
	c := x.picked(list)
	c.dims = dims
	return []value{{dims: c.dims, data: c}}, nil
}

// transposed is Transpose of a constant matrix.
func (b *builder) transposed(n *operator, x *constant) ([]value, error) {
	perm, ok, err := b.ints(n, "perm", -1)
	if err != nil {
		return nil, err
	}
	if len(x.dims) != 2 || ok && !slices.Equal(perm, []int{1, 0}) || x.size() > maxElements {
		return nil, n.fail("attribute perm", "is %v; of constants only matrices are supported", perm)
	}
	rows, columns := x.dims[0], x.dims[1]
	list := make([]int, 0, x.size())
	for j := range columns {
		for i := range rows {
			list = append(list, i*columns+j)
		}
	}
	c := x.picked(list)
	c.dims = []int{columns, rows}
	return []value{{dims: c.dims, data: c}}, nil
}

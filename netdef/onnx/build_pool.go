package onnx

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// ones is a tensor of ones of the shape of v's node.
func (b *builder) ones(v value) *netdef.Node {
	s := v.node.Shape
	s[0] = 1
	return b.g.BroadcastTo(b.g.Const("one", netdef.Scalar, []float32{1}), s)
}

// buildPool builds MaxPool and AveragePool.
func buildPool(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	w, err := n.windowOf(x, nil)
	if err != nil {
		return nil, err
	}
	if n.integer("ceil_mode", 0) != 0 {
		for a := range 2 { // the last window may leave the input; it then begins inside of it
			in, reach, s := x.side(2+a), (w.kernel[a]-1)*w.dilations[a]+1, w.strides[a]
			free := in + w.before[a] + w.after[a] - reach
			if out := (free+s-1)/s + 1; (out-1)*s < in+w.before[a] {
				w.out[a] = out
			}
		}
	}
	if n.integer("storage_order", 0) != 0 {
		return nil, n.fail("attribute storage_order", "is not supported")
	}
	if w.kernel[0]*w.kernel[1] > maxTaps/4 {
		return nil, n.fail("attribute kernel_shape", "%v is too large", w.kernel)
	}
	dims := []int{x.dims[0], x.dims[1], w.out[0], w.out[1]}
	if n.op == "MaxPool" {
		return b.maxPool(n, x, w, dims)
	}
	average := func(name string, x value) (value, error) {
		part := float32(1 / float64(w.kernel[0]*w.kernel[1]))
		c := &convolution{
			name: name, x: x, taps: w.taps(), stride: w.strides[0], h: w.out[0], w: w.out[1],
			cout: x.channels(), each: true, weight: func(_, _, _, _ int) float32 { return part },
		}
		return c.value(b, dims)
	}
	y, err := average(n.out[0], x)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	padded := w.before != [2]int{} || n.integer("ceil_mode", 0) != 0
	for a := range 2 {
		padded = padded || (w.out[a]-1)*w.strides[a]+(w.kernel[a]-1)*w.dilations[a] >= x.side(2+a)+w.before[a]
	}
	if padded && n.integer("count_include_pad", 0) == 0 {
		// Divide by the share of the window that lies in the input.
		share, err := average(n.out[0]+" share", value{dims: x.dims, node: b.ones(x), at: x.at, clean: true})
		if err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
		y.node = b.g.Div(y.node, b.withoutPoles(share).node)
	} else if padded && n.integer("ceil_mode", 0) != 0 {
		return nil, n.fail("attribute ceil_mode", "is not supported with count_include_pad")
	}
	return []value{y}, nil
}

// maxPool takes the largest of the values that the window shows: of shifted copies of the input.
func (b *builder) maxPool(n *operator, x value, w window, dims []int) ([]value, error) {
	h, v := x.dims[2], x.dims[3]
	s := w.strides[0]
	reach := func(a int) int { return (w.out[a]-1)*s + (w.kernel[a]-1)*w.dilations[a] + 1 }
	ph, pw := max(reach(0), h+w.before[0]), max(reach(1), v+w.before[1])
	ph, pw = (ph+s-1)/s*s, (pw+s-1)/s*s
	phys := x.node.Shape[3]
	if phys*s*s > 8*maxChannels || size(netdef.Shape{dims[0], ph, pw, phys}) > maxTensor {
		return nil, n.fail("", "its result of shape %v is too large", dims)
	}
	in := x.node
	if ph > h || pw > v {
		in = b.g.Pad2D(in, w.before[0], w.before[1], ph, pw)
		if w.before != [2]int{} || reach(0) > h || reach(1) > v { // the padding must not win
			inside := b.g.Pad2D(b.ones(x), w.before[0], w.before[1], ph, pw)
			in = b.g.Add(in, b.g.Scale(b.g.Offset(inside, -1), math.MaxFloat32/2))
		}
	}
	if s > 1 {
		in = b.g.SpaceToDepth(in, s)
	}
	var most *netdef.Node
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			y, z := i*w.dilations[0], j*w.dilations[1]
			part := b.g.Crop2D(in, y/s, z/s, w.out[0], w.out[1])
			if s > 1 {
				phase := y%s*s + z%s
				part = b.g.Slice(part, 3, phase*phys, (phase+1)*phys)
			}
			if most == nil {
				most = part
			} else {
				most = b.g.Max(most, part)
			}
		}
	}
	return []value{{dims: dims, node: most, at: x.at, clean: x.clean}}, nil
}

func buildGlobalPool(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	out := x.with(b.g.Mean(x.node, netdef.AxHW), x.clean)
	out.dims = []int{x.dims[0], x.dims[1], 1, 1}
	return []value{out}, nil
}

// buildReduce builds ReduceMean and ReduceSum over channels, sites, or both.
func buildReduce(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	axes, ok, err := b.ints(n, "axes", 1)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, n.fail("axes", "are missing; over all of a batch it is not supported")
	}
	var over [4]bool
	for _, a := range axes {
		if a, err = n.axis(a, len(x.dims)); err != nil {
			return nil, err
		}
		over[a] = true
	}
	if over[0] || len(x.dims) == 4 && over[2] != over[3] || len(axes) == 0 {
		return nil, n.fail("axes", "are %v; only channels, sites or both are supported", axes)
	}
	mean := n.op == "ReduceMean"
	out := x
	out.dims, out.conv = append([]int{}, x.dims...), nil
	if over[2] {
		out.node = b.g.Sum(x.node, netdef.AxHW)
		if mean {
			out.node = b.g.Scale(out.node, 1/float64(x.dims[2]*x.dims[3]))
		}
		out.dims[2], out.dims[3] = 1, 1
	}
	if over[1] {
		part := float32(1)
		if mean {
			part = 1 / float32(x.dims[1])
		}
		shape := netdef.Shape{1, 1, x.node.Shape[3], 8}
		if err := b.spend(shape); err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
		w := make([]float32, shape.Size())
		for _, i := range x.at {
			w[8*i] += part
		}
		out.node = b.g.Conv2D(out.node, b.g.Const("sum", shape, w), 1)
		out.dims[1], out.at, out.clean = 1, []int{0}, true
	}
	if n.integer("keepdims", 1) == 0 {
		if len(x.dims) != 4 || !over[2] || over[1] {
			return nil, n.fail("attribute keepdims", "is 0, which is supported for sums over sites only")
		}
		out.dims = out.dims[:2]
	}
	return []value{out}, nil
}

// buildResize builds Resize and Upsample by whole factors.
func buildResize(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	scalesAt, sizesAt := 2, 3
	if n.op == "Upsample" || b.m.Opset < 11 {
		scalesAt, sizesAt = 1, -1
	}
	var scales [4]float64
	if a, ok := n.attrs["scales"]; ok && len(a.floats) == 4 {
		for i, v := range a.floats {
			scales[i] = float64(v)
		}
	} else if v, ok := b.opt(n, scalesAt); ok && (v.data == nil || v.data.size() > 0) {
		c, err := b.known(n, scalesAt)
		if err != nil {
			return nil, err
		}
		if c.size() != 4 {
			return nil, n.fail("scales", "are %d numbers instead of 4", c.size())
		}
		for i := range scales {
			scales[i] = c.at(i)
		}
	} else if sizesAt > 0 {
		c, err := b.known(n, sizesAt)
		if err != nil {
			return nil, err
		}
		if c.size() != 4 {
			return nil, n.fail("sizes", "are %d numbers instead of 4", c.size())
		}
		for i := range scales {
			scales[i] = c.at(i) / float64(x.dims[i])
		}
	}
	r := int(min(max(scales[2], 0), 64))
	if scales != [4]float64{1, 1, float64(r), float64(r)} || r < 1 {
		return nil, n.fail("scales", "are %v; only the same whole factor for height and width is supported", scales)
	}
	switch mode := n.text("mode", "nearest"); mode {
	case "nearest":
	case "linear", "cubic":
		return b.interpolated(n, x, r, mode == "cubic")
	default:
		return nil, n.fail("attribute mode", "is %q; nearest, linear and cubic are supported", mode)
	}
	if b.m.Opset >= 10 && n.op == "Resize" {
		if err := n.checkNearest(b.m.Opset, r); err != nil {
			return nil, err
		}
	}
	if r == 1 {
		return []value{x}, nil
	}
	phys := x.node.Shape[3]
	if phys*r*r > 8*maxChannels {
		return nil, n.fail("scales", "are %v, which is too large for %d channels", scales, x.channels())
	}
	copies := make([]*netdef.Node, r*r)
	for i := range copies {
		copies[i] = x.node
	}
	out := x.with(b.g.DepthToSpace(b.g.Concat(3, copies...), r), x.clean)
	out.dims = []int{x.dims[0], x.dims[1], x.dims[2] * r, x.dims[3] * r}
	return []value{out}, nil
}

// checkNearest refuses rules of rounding by which site u of the result would not be site u/r,
// rounded down, of the input.
func (n *operator) checkNearest(opset int64, r int) error {
	where, round := n.text("coordinate_transformation_mode", "half_pixel"), n.text("nearest_mode", "round_prefer_floor")
	if opset < 11 {
		where, round = "asymmetric", "floor"
	}
	for u := range r {
		at := float64(u) / float64(r)
		switch where {
		case "asymmetric":
		case "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric":
			at = (float64(u)+0.5)/float64(r) - 0.5
		default:
			return n.fail("attribute coordinate_transformation_mode", "is %q, which is not supported", where)
		}
		switch round {
		case "floor":
			at = math.Floor(at)
		case "ceil":
			at = math.Ceil(at)
		case "round_prefer_floor":
			at = math.Ceil(at - 0.5)
		case "round_prefer_ceil":
			at = math.Floor(at + 0.5)
		default:
			return n.fail("attribute nearest_mode", "is %q, which is not supported", round)
		}
		if at != 0 {
			return n.fail("attribute nearest_mode", "is %q with %q, which does not repeat every site %d times", round, where, r)
		}
	}
	return nil
}

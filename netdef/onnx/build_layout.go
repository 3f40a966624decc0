package onnx

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

func buildConcat(b *builder, n *operator) ([]value, error) {
	if len(n.in) == 0 {
		return nil, n.fail("", "has no inputs")
	}
	var list []value
	for i := range n.in {
		v, err := b.computed(n, i, 2, 4)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	first := list[0]
	axis, err := n.axis(n.integer("axis", 1), len(first.dims))
	if err != nil {
		return nil, err
	}
	out := value{dims: slices.Clone(first.dims), clean: true}
	out.dims[axis] = 0
	for i, v := range list {
		if len(v.dims) != len(first.dims) {
			return nil, n.fail("", "has inputs with %d and %d axes", len(first.dims), len(v.dims))
		}
		for k := range v.dims {
			if k != axis && v.dims[k] != first.dims[k] {
				return nil, n.fail("", "has inputs of shapes %v and %v, which do not fit", first.dims, v.dims)
			}
		}
		out.dims[axis] += v.dims[axis]
		if axis != 1 {
			if list[i], err = b.normal(v); err != nil {
				return nil, n.fail("", "cannot be built: %v", err)
			}
		}
	}
	if out.dims[axis] > maxChannels {
		return nil, n.fail("", "its result of shape %v is too large", out.dims)
	}
	var nodes []*netdef.Node
	channels := 0
	switch axis {
	case 1:
		for _, v := range list {
			for _, i := range v.at {
				out.at = append(out.at, channels+i)
			}
			channels += v.node.Shape[3]
			out.clean = out.clean && v.clean
			nodes = append(nodes, v.node)
		}
		if channels > 8*maxChannels {
			return nil, n.fail("", "its result of shape %v is too large", out.dims)
		}
		out.node = b.g.Concat(3, nodes...)
	case 0:
		for _, v := range list {
			nodes = append(nodes, v.node)
		}
		out.at, out.node = list[0].at, b.g.Concat(0, nodes...)
	default: // a sum of the parts, each with zeros where the others are
		at := [2]int{}
		out.at = list[0].at
		for _, v := range list {
			part := b.g.Pad2D(v.node, at[0], at[1], out.dims[2], out.dims[3])
			if out.node == nil {
				out.node = part
			} else {
				out.node = b.g.Add(out.node, part)
			}
			at[axis-2] += v.dims[axis]
		}
	}
	return []value{out}, nil
}

// picked returns the channels of v at the positions of a list.
func (v value) picked(list []int) value {
	w := v
	w.dims, w.at, w.conv, w.clean = slices.Clone(v.dims), nil, nil, false
	for _, c := range list {
		w.at = append(w.at, v.at[c])
	}
	w.dims[1] = len(list)
	if len(w.at) == len(v.at) && w.distinct() {
		w.clean = v.clean
	}
	return w
}

func buildSlice(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	var lists [4][]int // starts, ends, axes, steps
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		var ok bool
		if lists[i], ok, err = b.ints(n, name, 1+i); err != nil {
			return nil, err
		}
		switch {
		case !ok && i < 2:
			return nil, n.fail(name, "are missing")
		case !ok && i == 2:
			lists[i] = identity(len(lists[0]))
		case !ok:
			for range lists[0] {
				lists[i] = append(lists[i], 1)
			}
		}
		if len(lists[i]) != len(lists[0]) {
			return nil, n.fail(name, "are %d numbers instead of %d", len(lists[i]), len(lists[0]))
		}
	}
	for k, a := range lists[2] {
		axis, err := n.axis(a, len(x.dims))
		if err != nil {
			return nil, err
		}
		from, to, step := lists[0][k], lists[1][k], lists[3][k]
		if x, err = b.sliced(n, x, axis, from, to, step); err != nil {
			return nil, err
		}
	}
	return []value{x}, nil
}

// sliced returns every step-th element of an axis, by ONNX's rules for the bounds.
func (b *builder) sliced(n *operator, x value, axis, from, to, step int) (value, error) {
	size := x.dims[axis]
	if step == 0 {
		return x, n.fail("steps", "are 0")
	}
	if from < 0 {
		from += size
	}
	if to < 0 {
		to += size
	}
	if step > 0 {
		from, to = min(max(from, 0), size), min(max(to, 0), size)
	} else {
		from, to = min(max(from, 0), size-1), min(max(to, -1), size-1)
	}
	var list []int
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		list = append(list, i)
	}
	switch {
	case len(list) == 0:
		return x, n.fail("", "selects nothing of an input of shape %v", x.dims)
	case axis == 1:
		return x.picked(list), nil
	case len(list) == size && step == 1:
		return x, nil
	case step != 1:
		return x, n.fail("steps", "are %d; along pictures and sides only 1 is supported", step)
	}
	out := x
	out.dims, out.conv = slices.Clone(x.dims), nil
	out.dims[axis] = len(list)
	switch s := x.node.Shape; axis {
	case 0:
		out.node = b.g.Slice(x.node, 0, from, to)
	case 2:
		out.node = b.g.Crop2D(x.node, from, 0, to-from, s[2])
	case 3:
		out.node = b.g.Crop2D(x.node, 0, from, s[1], to-from)
	}
	return out, nil
}

func buildSplit(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(n.integer("axis", 0), len(x.dims))
	if err != nil {
		return nil, err
	}
	sizes, ok, err := b.ints(n, "split", 1)
	if err != nil {
		return nil, err
	}
	parts := n.integer("num_outputs", len(n.out))
	if parts < 1 || parts != len(n.out) {
		return nil, n.fail("attribute num_outputs", "is %d, but there are %d outputs", parts, len(n.out))
	}
	if !ok {
		each := (x.dims[axis] + parts - 1) / parts
		for left := x.dims[axis]; left > 0; left -= each {
			sizes = append(sizes, min(each, left))
		}
	}
	if len(sizes) != parts {
		return nil, n.fail("split", "has %d sizes for %d outputs", len(sizes), parts)
	}
	var outs []value
	from := 0
	for _, size := range sizes {
		if size < 1 || from+size > x.dims[axis] {
			return nil, n.fail("split", "is %v, which does not fit an input of shape %v", sizes, x.dims)
		}
		v, err := b.sliced(n, x, axis, from, from+size, 1)
		if err != nil {
			return nil, err
		}
		outs = append(outs, v)
		from += size
	}
	if from != x.dims[axis] {
		return nil, n.fail("split", "is %v, which does not fit an input of shape %v", sizes, x.dims)
	}
	return outs, nil
}

func buildGather(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(n.integer("axis", 0), len(x.dims))
	if err != nil {
		return nil, err
	}
	c, err := b.known(n, 1)
	if err != nil {
		return nil, err
	}
	if axis != 1 || len(c.dims) != 1 || c.i == nil || c.size() == 0 || c.size() > maxChannels {
		return nil, n.fail("", "is supported for lists of channels only")
	}
	list := toInts(c.i)
	for k, i := range list {
		if i < 0 {
			list[k] = i + x.channels()
		}
		if list[k] < 0 || list[k] >= x.channels() {
			return nil, n.fail("input 2", "names channel %d of %d", i, x.channels())
		}
	}
	out := x.picked(list)
	if !out.distinct() { // every channel needs a place of its own
		order := make([]int, roundUp(len(list)))
		for i := range order {
			if order[i] = -1; i < len(list) {
				order[i] = list[i]
			}
		}
		if out.node, err = b.arranged(x, order); err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
		out.at, out.clean = identity(len(list)), true
	}
	return []value{out}, nil
}

func buildDepthToSpace(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	r, mode := n.integer("blocksize", 0), n.text("mode", "DCR")
	if r < 1 || r > 64 || x.channels()%(r*r) != 0 {
		return nil, n.fail("attribute blocksize", "is %d, which does not fit an input of shape %v", r, x.dims)
	}
	if mode != "DCR" && mode != "CRD" {
		return nil, n.fail("attribute mode", "is %q, must be DCR or CRD", mode)
	}
	out, err := b.spaced(x, r, mode)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	return []value{out}, nil
}

// spaced is DepthToSpace of r×r sites.
func (b *builder) spaced(x value, r int, mode string) (value, error) {
	c := x.channels() / (r * r)
	p := roundUp(c)
	order := make([]int, r*r*p)
	for i := range order {
		d, k := i/p, i%p
		switch {
		case k >= c:
			order[i] = -1
		case mode == "DCR":
			order[i] = d*c + k
		default:
			order[i] = k*r*r + d
		}
	}
	node, err := b.arranged(x, order)
	if err == nil && r > 1 {
		node = b.g.DepthToSpace(node, r)
	}
	dims := []int{x.dims[0], c, x.dims[2] * r, x.dims[3] * r}
	return value{dims: dims, node: node, at: identity(c), clean: true}, err
}

func buildSpaceToDepth(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	r, c, phys := n.integer("blocksize", 0), x.channels(), x.node.Shape[3]
	if r < 1 || r > 64 || x.dims[2]%r != 0 || x.dims[3]%r != 0 || phys*r*r > 8*maxChannels || c*r*r > maxChannels {
		return nil, n.fail("attribute blocksize", "is %d, which does not fit an input of shape %v", r, x.dims)
	}
	if r == 1 {
		return []value{x}, nil
	}
	out := value{dims: []int{x.dims[0], c * r * r, x.dims[2] / r, x.dims[3] / r}, node: b.g.SpaceToDepth(x.node, r), clean: x.clean}
	for d := range r * r {
		for _, i := range x.at {
			out.at = append(out.at, d*phys+i)
		}
	}
	return []value{out}, nil
}

// buildReshape builds Reshape, Flatten, Squeeze and Unsqueeze where they keep the sites, or put all
// numbers of a picture in one row.
func buildReshape(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	to, err := b.newShape(n, x)
	if err != nil {
		return nil, err
	}
	if slices.Equal(to, x.dims) {
		return []value{x}, nil
	}
	if s := x.shuffle; s != nil {
		v, ok, err := b.shuffled(s, to)
		if err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
		if !ok {
			return nil, n.fail("", "ends a rearrangement of %v by %v and %v to %v, which is not supported", s.x.dims, s.to, s.perm, to)
		}
		return []value{v}, nil
	}
	if len(x.dims) == 4 && len(to) > 4 && len(to) <= 6 {
		return []value{{dims: to, node: x.node, at: x.at, shuffle: &shuffle{x: x, to: to}}}, nil
	}
	total := x.channels() * x.side(2) * x.side(3)
	if len(to) == 2 && to[0] == x.dims[0] && to[1] == total && total <= maxChannels {
		out := x
		out.dims, out.conv = to, nil
		if h, w := x.side(2), x.side(3); h*w > 1 { // row by row, and in the model channel by channel
			p := x.node.Shape[3]
			out.node = b.g.Reshape(x.node, netdef.Shape{to[0], 1, 1, h * w * p})
			out.at = nil
			for _, i := range x.at {
				for site := range h * w {
					out.at = append(out.at, site*p+i)
				}
			}
		}
		return []value{out}, nil
	}
	if len(to) == 4 && len(x.dims) == 2 && to[0] == x.dims[0] && to[2]*to[3] == 1 {
		x.dims, x.conv = to, nil
		return []value{x}, nil
	}
	return nil, n.fail("", "changes the shape from %v to %v; only [N,C,H,W] to [N,C·H·W] and [N,C] to [N,C,1,1] are supported", x.dims, to)
}

// newShape is the shape that a reshaping operator asks for.
func (b *builder) newShape(n *operator, x value) ([]int, error) {
	rank := len(x.dims)
	all := 1
	for _, d := range x.dims {
		all *= d
	}
	switch n.op {
	case "Flatten":
		axis := n.integer("axis", 1)
		if axis < 0 {
			axis += rank
		}
		if axis < 0 || axis > rank {
			return nil, n.fail("attribute axis", "is %d", axis)
		}
		to := []int{1, 1}
		for i, d := range x.dims {
			if i < axis {
				to[0] *= d
			} else {
				to[1] *= d
			}
		}
		return to, nil
	case "Squeeze", "Unsqueeze":
		axes, ok, err := b.ints(n, "axes", 1)
		if err != nil {
			return nil, err
		}
		if n.op == "Unsqueeze" {
			rank += len(axes)
		}
		if rank > maxRank {
			return nil, n.fail("axes", "are %v", axes)
		}
		for k := range axes {
			if axes[k], err = n.axis(axes[k], rank); err != nil {
				return nil, err
			}
		}
		var to []int
		next := 0
		for i := range rank {
			chosen := slices.Contains(axes, i)
			switch {
			case n.op == "Unsqueeze" && chosen:
				to = append(to, 1)
			case n.op == "Unsqueeze":
				if next == len(x.dims) {
					return nil, n.fail("axes", "are %v", axes)
				}
				to, next = append(to, x.dims[next]), next+1
			case !chosen && ok, !ok && x.dims[i] != 1:
				to = append(to, x.dims[i])
			case x.dims[i] != 1:
				return nil, n.fail("axes", "name an axis of size %d", x.dims[i])
			}
		}
		return to, nil
	}
	list, ok, err := b.ints(n, "shape", 1)
	if err != nil {
		return nil, err
	}
	if !ok || len(list) > maxRank {
		return nil, n.fail("shape", "is missing or has more than %d axes", maxRank)
	}
	to, free, rest := slices.Clone(list), -1, 1
	for i, d := range to {
		switch {
		case d == 0 && n.integer("allowzero", 0) == 0 && i < rank:
			to[i] = x.dims[i]
		case d == -1 && free < 0:
			free = i
			continue
		}
		if to[i] < 1 || to[i] > maxElements/rest {
			return nil, n.fail("shape", "is %v for an input of shape %v", list, x.dims)
		}
		rest *= to[i]
	}
	if free >= 0 {
		to[free] = all / rest
		rest *= to[free]
	}
	if rest != all {
		return nil, n.fail("shape", "is %v, which does not fit an input of shape %v", list, x.dims)
	}
	return to, nil
}

func buildTranspose(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	perm, ok, err := b.ints(n, "perm", -1)
	if err != nil {
		return nil, err
	}
	if ok && slices.Equal(perm, identity(len(x.dims))) {
		return []value{x}, nil
	}
	if s := x.shuffle; s != nil && s.perm == nil && len(perm) == len(s.to) {
		for _, p := range perm {
			if p < 0 || p >= len(s.to) {
				return nil, n.fail("attribute perm", "is %v", perm)
			}
		}
		next, dims := s.transposed(perm)
		return []value{{dims: dims, node: x.node, at: x.at, shuffle: next}}, nil
	}
	return nil, n.fail("attribute perm", "is %v; computed tensors cannot be transposed", perm)
}

func buildExpand(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	list, ok, err := b.ints(n, "shape", 1)
	if err != nil {
		return nil, err
	}
	dims, fits := broadcast(x.dims, list)
	if !ok || !fits || len(dims) != len(x.dims) || slices.Min(dims) < 1 {
		return nil, n.fail("shape", "is %v, which does not fit an input of shape %v", list, x.dims)
	}
	if dims[1] > maxChannels {
		return nil, n.fail("shape", "is %v, which is too large", list)
	}
	if dims[1] != x.dims[1] {
		if x, err = b.spread(x, dims[1]); err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
	}
	to := netdef.Shape{dims[0], 1, 1, x.node.Shape[3]}
	if len(dims) == 4 {
		to[1], to[2] = dims[2], dims[3]
	}
	if size(to) > maxTensor {
		return nil, n.fail("shape", "is %v, which is too large", list)
	}
	return []value{{dims: dims, node: b.g.BroadcastTo(x.node, to), at: x.at, clean: x.clean}}, nil
}

func buildPad(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 4)
	if err != nil {
		return nil, err
	}
	pads, ok, err := b.ints(n, "pads", 1)
	if err != nil {
		return nil, err
	}
	if axes, given := b.opt(n, 3); given && axes.data != nil {
		return nil, n.fail("input 4", "(axes) is not supported")
	}
	if !ok || len(pads) != 8 || pads[0]|pads[1]|pads[4]|pads[5] != 0 || slices.Min(pads) < 0 || slices.Max(pads) > 1<<12 {
		return nil, n.fail("pads", "are %v; only up to 4096 on the sides of pictures are supported", pads)
	}
	fill := n.float("value", 0)
	if fill, err = b.number(n, 2, "constant_value", fill); err != nil {
		return nil, err
	}
	mode := n.text("mode", "constant")
	h, w := x.dims[2], x.dims[3]
	top, left, bottom, right := pads[2], pads[3], pads[6], pads[7]
	out := x
	out.dims = []int{x.dims[0], x.dims[1], top + h + bottom, left + w + right}
	out.conv = nil
	if size(netdef.Shape{out.dims[0], out.dims[2], out.dims[3], x.node.Shape[3]}) > maxTensor {
		return nil, n.fail("pads", "are too large")
	}
	switch {
	case mode == "constant" && fill == 0:
		out.node = b.g.Pad2D(x.node, top, left, out.dims[2], out.dims[3])
	case mode == "reflect" && max(top, bottom) < h && max(left, right) < w && max(top, left, bottom, right) <= maxMirror,
		mode == "edge" && max(top, left, bottom, right) <= maxMirror:
		from := func(k, size int) int { // which row lies k rows beyond the first one
			if mode == "edge" {
				return 0
			}
			return k
		}
		out.node = b.mirrored(x.node, top, bottom, h, from, true)
		out.node = b.mirrored(out.node, left, right, w, from, false)
	default:
		return nil, n.fail("attribute mode", "is %q with %v and %g, which is not supported", mode, pads, fill)
	}
	return []value{out}, nil
}

// maxMirror bounds how far a picture is continued by reflection: every row of it is an operation.
const maxMirror = 16

// mirrored continues x beyond both ends of one axis, row by row: a sum of x and its rows, each with
// zeros elsewhere.
func (b *builder) mirrored(x *netdef.Node, before, after, size int, from func(k, size int) int, vertical bool) *netdef.Node {
	if before+after == 0 {
		return x
	}
	s := x.Shape
	h, w := s[1], s[2]
	place := func(part *netdef.Node, at int) *netdef.Node {
		if vertical {
			return b.g.Pad2D(part, at, 0, before+h+after, w)
		}
		return b.g.Pad2D(part, 0, at, h, before+w+after)
	}
	row := func(i int) *netdef.Node {
		if vertical {
			return b.g.Crop2D(x, i, 0, 1, w)
		}
		return b.g.Crop2D(x, 0, i, h, 1)
	}
	out := place(x, before)
	for k := 1; k <= before; k++ {
		out = b.g.Add(out, place(row(from(k, size)), before-k))
	}
	for k := 1; k <= after; k++ {
		out = b.g.Add(out, place(row(size-1-from(k, size)), before+size-1+k))
	}
	return out
}

package onnx

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// A convolution is a sum over taps: the weights that multiply the input at one offset from the
// output's site. netdef has convolutions of 1×1 and 3×3 taps. Larger ones are sums of these, each
// shifted. One with a stride s is one of stride 1 over blocks of s×s sites (space to depth).

// tap is where a convolution reads: at an offset y, x from stride times the output's site. i, j
// says which of the kernel's weights multiply it.
type tap struct{ y, x, i, j int }

// convolution is a convolution that can be built with its outputs in any order.
type convolution struct {
	name   string
	x      value
	taps   []tap
	stride int
	h, w   int                            // of the output
	cout   int                            // channels
	weight func(i, j, ci, co int) float32 // 0 where groups are not connected
	inputs func(co int) (from, to int)    // the channels that output co reads
	bias   func(co int) float32           // nil: none
	each   bool                           // one kernel per channel (depthwise)
}

// block is a group of taps that one kernel of netdef computes: those at most 1 from y, x, in blocks
// of sites.
type block struct {
	y, x int
	size int // 1 or 3
	taps []tap
}

// value builds the convolution with its outputs in normal order.
func (c *convolution) value(b *builder, dims []int) (value, error) {
	if c.each {
		return c.depthwise(b, dims)
	}
	order := make([]int, roundUp(c.cout))
	for i := range order {
		if order[i] = i; i >= c.cout {
			order[i] = -1
		}
	}
	node, err := c.node(b, order)
	return value{dims: dims, node: node, at: identity(c.cout), clean: true, conv: c}, err
}

// floorDiv is a/s, rounded down.
func floorDiv(a, s int) int {
	q := a / s
	if a%s < 0 {
		q--
	}
	return q
}

// blocks groups taps whose offsets count in strides s.
func blocks(taps []tap, s int) []block {
	offsets := func(at func(t tap) int) []int {
		low, high := at(taps[0]), at(taps[0])
		for _, t := range taps {
			low, high = min(low, at(t)), max(high, at(t))
		}
		if low >= -1 && high <= 1 {
			return []int{0}
		}
		var list []int
		for k := low; k <= high; k += 3 {
			list = append(list, min(k+1, max(high-1, low))) // reads nothing beyond high
		}
		return list
	}
	ys := offsets(func(t tap) int { return floorDiv(t.y, s) })
	xs := offsets(func(t tap) int { return floorDiv(t.x, s) })
	groups := map[[2]int][]tap{}
	for _, t := range taps {
		near := func(list []int, at int) int {
			for _, o := range list {
				if at >= o-1 && at <= o+1 {
					return o
				}
			}
			return 0 // never: the list covers all offsets
		}
		k := [2]int{near(ys, floorDiv(t.y, s)), near(xs, floorDiv(t.x, s))}
		groups[k] = append(groups[k], t)
	}
	var list []block
	for _, y := range ys {
		for _, x := range xs {
			g := groups[[2]int{y, x}]
			if len(g) == 0 {
				continue
			}
			one := block{floorDiv(g[0].y, s), floorDiv(g[0].x, s), 1, g}
			if slices.ContainsFunc(g, func(t tap) bool { return floorDiv(t.y, s) != one.y || floorDiv(t.x, s) != one.x }) {
				one = block{y, x, 3, g}
			}
			list = append(list, one)
		}
	}
	return list
}

// name is that of the block's weights. It tells apart weights that are arranged in another way for
// another size of the picture.
func (k block) name(c *convolution) string {
	return fmt.Sprintf("%s weights %d×%d at %d,%d from %d,%d", c.name, k.size, k.size, k.y, k.x, c.taps[0].y, c.taps[0].x)
}

// shifted adds up the blocks' results. input is what the kernels read, of h×w sites or more;
// compute computes a block from it. The result has outH×outW sites.
func shifted(g *netdef.Graph, input *netdef.Node, list []block, outH, outW int, compute func(x *netdef.Node, k block) (*netdef.Node, error)) (*netdef.Node, error) {
	h, w := input.Shape[1], input.Shape[2]
	var top, left, bottom, right int
	for _, k := range list {
		top, left = max(top, -k.y), max(left, -k.x)
		bottom, right = max(bottom, k.y+outH-h), max(right, k.x+outW-w)
	}
	x := input
	if top+left+bottom+right > 0 { // beyond its edges the input is 0
		x = g.Pad2D(x, top, left, top+h+bottom, left+w+right)
	}
	var sum *netdef.Node
	for _, k := range list {
		y, err := compute(x, k)
		if err != nil {
			return nil, err
		}
		y = g.Crop2D(y, top+k.y, left+k.x, outH, outW)
		if sum == nil {
			sum = y
		} else {
			sum = g.Add(sum, y)
		}
	}
	return sum, nil
}

// strided returns the input of the kernels: blocks of stride×stride sites.
func (c *convolution) strided(g *netdef.Graph) *netdef.Node {
	x, s := c.x.node, c.stride
	if s == 1 {
		return x
	}
	h, w := (x.Shape[1]+s-1)/s*s, (x.Shape[2]+s-1)/s*s
	return g.SpaceToDepth(g.Pad2D(x, 0, 0, h, w), s)
}

// node builds the convolution. Channel i of the result is output order[i], or 0 where that is
// negative.
func (c *convolution) node(b *builder, order []int) (*netdef.Node, error) {
	s, phys := c.stride, c.x.node.Shape[3]
	if int64(phys)*int64(s)*int64(s) > 8*maxChannels {
		return nil, fmt.Errorf("a stride of %d over %d channels is too large", s, phys)
	}
	x := c.strided(b.g)
	compute := func(x *netdef.Node, k block) (*netdef.Node, error) {
		shape := netdef.Shape{k.size, k.size, x.Shape[3], len(order)}
		w, err := b.param(k.name(c), shape, func(v []float32) {
			for _, t := range k.taps {
				y, z := floorDiv(t.y, s), floorDiv(t.x, s)
				phase := (t.y-y*s)*s + t.x - z*s
				row := 0
				if k.size == 3 {
					row = (y-k.y+1)*3 + z - k.x + 1
				}
				for p, co := range order {
					if co < 0 {
						continue
					}
					from, to := c.inputs(co)
					for ci := from; ci < to; ci++ {
						v[(row*shape[2]+phase*phys+c.x.at[ci])*shape[3]+p] += c.weight(t.i, t.j, ci, co)
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
		return b.g.Conv2D(x, w, 1), nil
	}
	sum, err := shifted(b.g, x, blocks(c.taps, s), c.h, c.w, compute)
	if err != nil || c.bias == nil {
		return sum, err
	}
	bias, err := b.param(c.name+" bias", netdef.Shape{1, 1, 1, len(order)}, func(v []float32) {
		for p, co := range order {
			if co >= 0 {
				v[p] = c.bias(co)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return b.g.Add(sum, bias), nil
}

// depthwise builds a convolution with one kernel per channel. With a stride it computes all sites
// and takes every stride-th.
func (c *convolution) depthwise(b *builder, dims []int) (value, error) {
	x := b.cleaned(c.x)
	phys, s := x.node.Shape[3], c.stride
	if int64(phys)*int64(s)*int64(s) > 8*maxChannels {
		return value{}, fmt.Errorf("a stride of %d over %d channels is too large", s, phys)
	}
	compute := func(z *netdef.Node, k block) (*netdef.Node, error) {
		w, err := b.param(k.name(c), netdef.Shape{3, 3, 1, phys}, func(v []float32) {
			for _, t := range k.taps {
				row := (t.y-k.y+1)*3 + t.x - k.x + 1
				for ch, p := range x.at {
					v[row*phys+p] += c.weight(t.i, t.j, 0, ch)
				}
			}
		})
		if err != nil {
			return nil, err
		}
		return b.g.DepthwiseConv(z, w), nil
	}
	sum, err := shifted(b.g, x.node, blocks(c.taps, 1), c.h*s, c.w*s, compute)
	if err != nil {
		return value{}, err
	}
	if c.bias != nil {
		bias, err := b.channelParam(c.name+" bias", x, 0, func(ch int) float64 { return float64(c.bias(ch)) })
		if err != nil {
			return value{}, err
		}
		sum = b.g.Add(sum, bias)
	}
	out := value{dims: dims, node: sum, at: x.at, clean: true}
	if s > 1 { // the channels of a block's first site come first
		out.node, out.clean = b.g.SpaceToDepth(sum, s), false
	}
	return out, nil
}

// window is the geometry of a convolution or pooling along H and W.
type window struct {
	kernel, strides, dilations [2]int
	before, after              [2]int // padding
	out                        [2]int // size of the output
}

// windowOf reads the attributes of a convolution or pooling of x.
func (n *operator) windowOf(x value, kernel []int) (w window, err error) {
	pair := func(name string, otherwise int, v []int) (p [2]int, err error) {
		if a, ok := n.attrs[name]; ok {
			v = toInts(a.ints)
		}
		if v == nil {
			v = []int{otherwise, otherwise}
		}
		if len(v) != 2 || v[0] < 1 || v[1] < 1 || v[0] > 1<<10 || v[1] > 1<<10 {
			return p, n.fail("attribute "+name, "is %v; two numbers from 1 to 1024 are supported", v)
		}
		return [2]int{v[0], v[1]}, nil
	}
	if w.kernel, err = pair("kernel_shape", 0, kernel); err != nil {
		return w, err
	}
	if kernel != nil && (w.kernel[0] != kernel[0] || w.kernel[1] != kernel[1]) {
		return w, n.fail("attribute kernel_shape", "is %v, but the weights are for %v", w.kernel, kernel)
	}
	if w.strides, err = pair("strides", 1, nil); err != nil {
		return w, err
	}
	if w.dilations, err = pair("dilations", 1, nil); err != nil {
		return w, err
	}
	if w.strides[0] != w.strides[1] || w.strides[0] > 64 {
		return w, n.fail("attribute strides", "is %v; only equal strides up to 64 are supported", w.strides)
	}
	pads := []int{0, 0, 0, 0}
	if a, ok := n.attrs["pads"]; ok {
		if pads = toInts(a.ints); len(pads) != 4 || slices.Min(pads) < 0 || slices.Max(pads) > 1<<12 {
			return w, n.fail("attribute pads", "is %v; four numbers from 0 to 4096 are supported", pads)
		}
	}
	auto := n.text("auto_pad", "NOTSET")
	for a := range 2 {
		w.before[a], w.after[a] = pads[a], pads[2+a]
		in, reach := x.side(2+a), (w.kernel[a]-1)*w.dilations[a]+1
		switch auto {
		case "NOTSET", "":
		case "VALID":
			w.before[a], w.after[a] = 0, 0
		case "SAME_UPPER", "SAME_LOWER":
			s := w.strides[a]
			all := max(0, ((in+s-1)/s-1)*s+reach-in)
			w.before[a], w.after[a] = all/2, all-all/2
			if auto == "SAME_LOWER" {
				w.before[a], w.after[a] = w.after[a], w.before[a]
			}
		default:
			return w, n.fail("attribute auto_pad", "is %q, which is not supported", auto)
		}
		free := in + w.before[a] + w.after[a] - reach
		if free < 0 {
			return w, n.fail("", "its input %v is smaller than its kernel", x.dims)
		}
		w.out[a] = free/w.strides[a] + 1
	}
	return w, nil
}

// taps lists where the window reads.
func (w window) taps() (list []tap) {
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			list = append(list, tap{i*w.dilations[0] - w.before[0], j*w.dilations[1] - w.before[1], i, j})
		}
	}
	return list
}

// maxTaps bounds the size of kernels.
const maxTaps = 1 << 12

// buildConv builds Conv.
func buildConv(b *builder, n *operator) ([]value, error) {
	x, w, bias, err := b.convArgs(n)
	if err != nil {
		return nil, err
	}
	groups, cin, cout := n.integer("group", 1), x.channels(), w.dims[0]
	if groups < 1 || groups > cin || cin%groups != 0 || cout%groups != 0 || w.dims[1] != cin/groups {
		return nil, n.fail("attribute group", "is %d, which does not fit an input %v and weights %v", groups, x.dims, w.dims)
	}
	g, err := n.windowOf(x, w.dims[2:])
	if err != nil {
		return nil, err
	}
	kh, kw, per, outs := w.dims[2], w.dims[3], cin/groups, cout/groups
	c := &convolution{
		name: n.out[0], x: x, taps: g.taps(), stride: g.strides[0], h: g.out[0], w: g.out[1], cout: cout,
		each: groups == cin && cout == cin && groups > 1, bias: bias,
		weight: func(i, j, ci, co int) float32 { return w.f[((co*per+ci%per)*kh+i)*kw+j] },
		inputs: func(co int) (from, to int) { return co / outs * per, (co/outs + 1) * per },
	}
	return b.finishConv(n, c, []int{x.dims[0], cout, g.out[0], g.out[1]})
}

// convArgs returns the input, the weights and the bias of a convolution, with a batch normalisation
// that follows folded into the last two.
func (b *builder) convArgs(n *operator) (x value, w *constant, bias func(co int) float32, err error) {
	if x, err = b.computed(n, 0, 4); err != nil {
		return
	}
	if w, err = b.known(n, 1); err != nil {
		return
	}
	if len(w.dims) != 4 || w.f == nil || w.size() == 0 {
		return x, w, nil, n.fail("input 2", "has the shape %v; weights with four axes are supported", w.dims)
	}
	if w.dims[2]*w.dims[3] > maxTaps || w.dims[0] > maxChannels || w.dims[1] > maxChannels {
		return x, w, nil, n.fail("input 2", "of shape %v is too large", w.dims)
	}
	cout := w.dims[0]
	if n.op == "ConvTranspose" {
		cout = w.dims[1] * max(1, n.integer("group", 1))
	}
	if _, ok := b.opt(n, 2); ok {
		var c *constant
		if c, err = b.known(n, 2); err != nil {
			return
		}
		if c.f == nil || c.size() != cout {
			return x, w, nil, n.fail("input 3", "has %d numbers for %d channels", c.size(), cout)
		}
		bias = func(co int) float32 { return c.f[co] }
	}
	if norm := b.merged[n.out[0]]; norm != nil {
		if len(norm.scale) != cout {
			return x, w, nil, n.fail("", "is followed by a BatchNormalization of %d instead of %d channels", len(norm.scale), cout)
		}
		w, bias = norm.into(n, w, bias)
	}
	return x, w, bias, nil
}

func (b *builder) finishConv(n *operator, c *convolution, dims []int) ([]value, error) {
	if size(netdef.Shape{dims[0], dims[2], dims[3], roundUp(dims[1])}) > maxTensor {
		return nil, n.fail("", "its result of shape %v is too large", dims)
	}
	v, err := c.value(b, dims)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	return []value{v}, nil
}

// buildConvTranspose builds ConvTranspose: a convolution whose outputs are the s×s sites of a block,
// and depth to space.
func buildConvTranspose(b *builder, n *operator) ([]value, error) {
	x, w, bias, err := b.convArgs(n)
	if err != nil {
		return nil, err
	}
	groups, cin := n.integer("group", 1), x.channels()
	per := w.dims[1] // outputs of a group
	if groups < 1 || groups > cin || cin%groups != 0 || w.dims[0] != cin || per*groups > maxChannels {
		return nil, n.fail("attribute group", "is %d, which does not fit an input %v and weights %v", groups, x.dims, w.dims)
	}
	if auto := n.text("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "" {
		return nil, n.fail("attribute auto_pad", "is %q, which is not supported", auto)
	}
	g, err := n.windowOf(value{dims: []int{1, 1, 1 << 20, 1 << 20}}, w.dims[2:])
	if err != nil {
		return nil, err
	}
	extra := []int{0, 0}
	if a, ok := n.attrs["output_padding"]; ok {
		if extra = toInts(a.ints); len(extra) != 2 || slices.Min(extra) < 0 || slices.Max(extra) > 64 {
			return nil, n.fail("attribute output_padding", "is %v, which is not supported", extra)
		}
	}
	s := g.strides[0]
	var out, rows [2]int
	for a := range 2 {
		out[a] = s*(x.side(2+a)-1) + extra[a] + (g.kernel[a]-1)*g.dilations[a] + 1 - g.before[a] - g.after[a]
		if out[a] < 1 || out[a] > 1<<24 {
			return nil, n.fail("", "its result would have a side of %d", out[a])
		}
		rows[a] = (out[a] + s - 1) / s
	}
	// Site s·q+r of the output reads site q+o of the input through weight i, if s·(q+o) + i·d - pad
	// is that site.
	type phase struct{ r, i, o int }
	phases := func(a int) (list []phase) {
		for r := range s {
			for i := range g.kernel[a] {
				if at := r + g.before[a] - i*g.dilations[a]; at-floorDiv(at, s)*s == 0 {
					list = append(list, phase{r, i, floorDiv(at, s)})
				}
			}
		}
		return list
	}
	ys, xs := phases(0), phases(1)
	// A tap's i and j name the phases here: index of the list of phases.
	var taps []tap
	for i, y := range ys {
		for j, z := range xs {
			taps = append(taps, tap{y.o, z.o, i, j})
		}
	}
	cout := per * groups
	if len(taps) == 0 || len(taps) > maxTaps || cout*s*s > maxChannels {
		return nil, n.fail("attribute strides", "is %d, which does not fit a kernel of %v and %d channels", s, g.kernel, cout)
	}
	kh, kw, ins := w.dims[2], w.dims[3], cin/groups
	c := &convolution{
		name: n.out[0], x: x, taps: taps, stride: 1, h: rows[0], w: rows[1], cout: cout * s * s,
		weight: func(i, j, ci, co int) float32 {
			if dy, dx := co/cout/s, co/cout%s; ys[i].r != dy || xs[j].r != dx {
				return 0
			}
			return w.f[((ci*per+co%cout%per)*kh+ys[i].i)*kw+xs[j].i]
		},
		inputs: func(co int) (from, to int) { k := co % cout / per; return k * ins, (k + 1) * ins },
	}
	if bias != nil {
		c.bias = func(co int) float32 { return bias(co % cout) }
	}
	p := roundUp(cout)
	order := make([]int, s*s*p)
	for i := range order {
		if order[i] = -1; i%p < cout {
			order[i] = i/p*cout + i%p
		}
	}
	if size(netdef.Shape{x.dims[0], rows[0], rows[1], len(order)}) > maxTensor {
		return nil, n.fail("", "its result is too large")
	}
	node, err := c.node(b, order)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	if s > 1 {
		node = b.g.Crop2D(b.g.DepthToSpace(node, s), 0, 0, out[0], out[1])
	}
	return []value{{dims: []int{x.dims[0], cout, out[0], out[1]}, node: node, at: identity(cout), clean: true}}, nil
}

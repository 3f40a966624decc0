package netdef

import "fmt"

// CropOp cuts out the box of size Size that begins at At. Slice, Crop2D and CropPlanes use it.
type CropOp struct {
	At   [4]int
	Size Shape
}

// PadOp puts its input at At into a tensor of zeros of size Size. It is the adjoint of CropOp.
// PadSlice, Pad2D and PadPlanes use it.
type PadOp struct {
	At   [4]int
	Size Shape
}

// Name implements Op.
func (*CropOp) Name() string { return "Crop" }

// Name implements Op.
func (*PadOp) Name() string { return "Pad" }

// fits returns an error if a box of size inner at At is not inside of outer.
func fits(at [4]int, inner, outer Shape) error {
	for i := range at {
		if at[i] < 0 || at[i]+inner[i] > outer[i] {
			return fmt.Errorf("a box %v at %v leaves %v on axis %d", inner, at, outer, i)
		}
	}
	return nil
}

// Infer implements Op.
func (o *CropOp) Infer(in []Shape) (Shape, error) { return o.Size, fits(o.At, o.Size, in[0]) }

// Infer implements Op.
func (o *PadOp) Infer(in []Shape) (Shape, error) { return o.Size, fits(o.At, in[0], o.Size) }

// VJP implements Differentiable.
func (o *CropOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.Apply(&PadOp{At: o.At, Size: n.In[0].Shape}, ct)}
}

// VJP implements Differentiable.
func (o *PadOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.Apply(&CropOp{At: o.At, Size: n.In[0].Shape}, ct)}
}

// window calls f with the index of every row (last axis) of the inner box and the index of its
// first element in the outer one.
func window(at [4]int, inner, outer Shape, f func(in, out int)) {
	i := 0
	for b := range inner[0] {
		for h := range inner[1] {
			for w := range inner[2] {
				f(i, (((b+at[0])*outer[1]+h+at[1])*outer[2]+w+at[2])*outer[3]+at[3])
				i += inner[3]
			}
		}
	}
}

// JVP implements ForwardDifferentiable.
func (*CropOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *CropOp) Eval(in []*Tensor, out *Tensor) {
	c := o.Size[3]
	window(o.At, o.Size, in[0].Shape, func(i, j int) { copy(out.Data[i:i+c], in[0].Data[j:j+c]) })
}

// JVP implements ForwardDifferentiable.
func (*PadOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *PadOp) Eval(in []*Tensor, out *Tensor) {
	c := in[0].Shape[3]
	window(o.At, in[0].Shape, o.Size, func(i, j int) { copy(out.Data[j:j+c], in[0].Data[i:i+c]) })
}

func (g *Graph) crop(x *Node, at [4]int, s Shape) *Node {
	if s == x.Shape && at == [4]int{} {
		return x
	}
	return g.Apply(&CropOp{At: at, Size: s}, x)
}

func (g *Graph) pad(x *Node, at [4]int, s Shape) *Node {
	if s == x.Shape && at == [4]int{} {
		return x
	}
	return g.Apply(&PadOp{At: at, Size: s}, x)
}

// sliceAxis returns an error for axes and bounds that Slice, PadSlice and Concat do not support.
// They support axis 0, and axis 3 in multiples of 8.
func sliceAxis(axis int, bounds ...int) error {
	if axis != 0 && axis != 3 {
		return fmt.Errorf("axis %d: only axes 0 and 3 can be sliced or concatenated", axis)
	}
	for _, b := range bounds {
		if axis == 3 && b%8 != 0 {
			return fmt.Errorf("channels can be sliced or concatenated in multiples of 8 only, not at %d", b)
		}
	}
	return nil
}

// Slice returns the elements from ≤ i < to of axis 0 or 3. On axis 3 the bounds must be multiples
// of 8.
func (g *Graph) Slice(x *Node, axis, from, to int) *Node {
	if err := sliceAxis(axis, from, to); err != nil {
		return g.fail(&CropOp{}, []*Node{x}, g.scope+"slice", err)
	}
	at, s := [4]int{}, x.Shape
	at[axis], s[axis] = from, to-from
	return g.crop(x, at, s)
}

// PadSlice is the adjoint of Slice: x at position from of an axis of zeros of size total.
func (g *Graph) PadSlice(x *Node, axis, from, total int) *Node {
	if err := sliceAxis(axis, from, total); err != nil {
		return g.fail(&PadOp{}, []*Node{x}, g.scope+"padslice", err)
	}
	at, s := [4]int{}, x.Shape
	at[axis], s[axis] = from, total
	return g.pad(x, at, s)
}

// Crop2D cuts h×w sites out of x [B,H,W,C], from (top,left) on.
func (g *Graph) Crop2D(x *Node, top, left, h, w int) *Node {
	return g.crop(x, [4]int{0, top, left, 0}, Shape{x.Shape[0], h, w, x.Shape[3]})
}

// Pad2D puts x [B,H,W,C] at (top,left) into h×w sites of zeros.
func (g *Graph) Pad2D(x *Node, top, left, h, w int) *Node {
	return g.pad(x, [4]int{0, top, left, 0}, Shape{x.Shape[0], h, w, x.Shape[3]})
}

// CropPlanes cuts h×w pixels out of planar x [B,P,H,W], from (top,left) on. w must be a multiple of
// 8.
func (g *Graph) CropPlanes(x *Node, top, left, h, w int) *Node {
	return g.crop(x, [4]int{0, 0, top, left}, Shape{x.Shape[0], x.Shape[1], h, w})
}

// PadPlanes puts planar x [B,P,H,W] at (top,left) into h×w pixels of zeros. w must be a multiple of
// 8.
func (g *Graph) PadPlanes(x *Node, top, left, h, w int) *Node {
	return g.pad(x, [4]int{0, 0, top, left}, Shape{x.Shape[0], x.Shape[1], h, w})
}

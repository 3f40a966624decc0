package netdef

import "fmt"

// SpaceToDepthOp packs R×R neighbouring sites into one: [B,H,W,C] becomes
// [B,H/R,W/R,R·R·C] with channels in the order (dy,dx,c).
type SpaceToDepthOp struct{ R int }

// DepthToSpaceOp is the inverse and the adjoint of SpaceToDepthOp.
type DepthToSpaceOp struct{ R int }

// PatchifyOp packs 4×4 pixels of planar pictures [B,P,H,W] into one site:
// [B,H/4,W/4,16·P] with channels in the order (dy·4+dx)·P + plane.
type PatchifyOp struct{}

// UnpatchifyOp is the inverse and the adjoint of PatchifyOp.
type UnpatchifyOp struct{}

// Name implements Op.
func (*SpaceToDepthOp) Name() string { return "SpaceToDepth" }

// Name implements Op.
func (*DepthToSpaceOp) Name() string { return "DepthToSpace" }

// Name implements Op.
func (*PatchifyOp) Name() string { return "Patchify" }

// Name implements Op.
func (*UnpatchifyOp) Name() string { return "Unpatchify" }

// Infer implements Op.
func (o *SpaceToDepthOp) Infer(in []Shape) (Shape, error) {
	s, r := in[0], o.R
	if r < 1 || s[1]%r != 0 || s[2]%r != 0 {
		return Shape{}, fmt.Errorf("H and W of %v are not multiples of %d", s, r)
	}
	return Shape{s[0], s[1] / r, s[2] / r, s[3] * r * r}, nil
}

// Infer implements Op.
func (o *DepthToSpaceOp) Infer(in []Shape) (Shape, error) {
	s, r := in[0], o.R
	if r < 1 || s[3]%(r*r) != 0 {
		return Shape{}, fmt.Errorf("channels of %v are not a multiple of %d", s, r*r)
	}
	return Shape{s[0], s[1] * r, s[2] * r, s[3] / (r * r)}, nil
}

// Infer implements Op.
func (*PatchifyOp) Infer(in []Shape) (Shape, error) {
	s := in[0]
	if s[2]%4 != 0 || s[3]%4 != 0 {
		return Shape{}, fmt.Errorf("planes of %v are not multiples of 4 pixels high and wide", s)
	}
	return Shape{s[0], s[2] / 4, s[3] / 4, 16 * s[1]}, nil
}

// Infer implements Op.
func (*UnpatchifyOp) Infer(in []Shape) (Shape, error) {
	s := in[0]
	if s[3]%16 != 0 {
		return Shape{}, fmt.Errorf("channels of %v are not a multiple of 16", s)
	}
	return Shape{s[0], s[3] / 16, 4 * s[1], 4 * s[2]}, nil
}

// VJP implements Differentiable.
func (o *SpaceToDepthOp) VJP(g *Graph, _, ct *Node) []*Node { return []*Node{g.DepthToSpace(ct, o.R)} }

// VJP implements Differentiable.
func (o *DepthToSpaceOp) VJP(g *Graph, _, ct *Node) []*Node { return []*Node{g.SpaceToDepth(ct, o.R)} }

// VJP implements Differentiable.
func (*PatchifyOp) VJP(g *Graph, _, ct *Node) []*Node { return []*Node{g.Unpatchify(ct)} }

// VJP implements Differentiable.
func (*UnpatchifyOp) VJP(g *Graph, _, ct *Node) []*Node { return []*Node{g.Patchify(ct)} }

// depthPairs calls f with the index of every element of the unpacked tensor, of shape s, and its
// index in the packed one.
func depthPairs(s Shape, r int, f func(wide, packed int)) {
	i, c := 0, s[3]
	for b := range s[0] {
		for h := range s[1] {
			for w := range s[2] {
				site := (b*(s[1]/r)+h/r)*(s[2]/r) + w/r
				to := (site*r*r + h%r*r + w%r) * c
				for k := range c {
					f(i, to+k)
					i++
				}
			}
		}
	}
}

// patchPairs is depthPairs for planar pictures of shape s.
func patchPairs(s Shape, f func(planar, packed int)) {
	i := 0
	for b := range s[0] {
		for p := range s[1] {
			for y := range s[2] {
				for x := range s[3] {
					site := (b*(s[2]/4)+y/4)*(s[3]/4) + x/4
					f(i, (site*16+y%4*4+x%4)*s[1]+p)
					i++
				}
			}
		}
	}
}

// JVP implements ForwardDifferentiable.
func (*SpaceToDepthOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *SpaceToDepthOp) Eval(in []*Tensor, out *Tensor) {
	depthPairs(in[0].Shape, o.R, func(w, p int) { out.Data[p] = in[0].Data[w] })
}

// JVP implements ForwardDifferentiable.
func (*DepthToSpaceOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *DepthToSpaceOp) Eval(in []*Tensor, out *Tensor) {
	depthPairs(out.Shape, o.R, func(w, p int) { out.Data[w] = in[0].Data[p] })
}

// JVP implements ForwardDifferentiable.
func (*PatchifyOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*PatchifyOp) Eval(in []*Tensor, out *Tensor) {
	patchPairs(in[0].Shape, func(w, p int) { out.Data[p] = in[0].Data[w] })
}

// JVP implements ForwardDifferentiable.
func (*UnpatchifyOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*UnpatchifyOp) Eval(in []*Tensor, out *Tensor) {
	patchPairs(out.Shape, func(w, p int) { out.Data[w] = in[0].Data[p] })
}

// SpaceToDepth packs r×r sites into one; see SpaceToDepthOp.
func (g *Graph) SpaceToDepth(x *Node, r int) *Node { return g.Apply(&SpaceToDepthOp{R: r}, x) }

// DepthToSpace unpacks r×r sites from one; see SpaceToDepthOp.
func (g *Graph) DepthToSpace(x *Node, r int) *Node { return g.Apply(&DepthToSpaceOp{R: r}, x) }

// Patchify packs 4×4 pixels of planar pictures into sites; see PatchifyOp.
func (g *Graph) Patchify(x *Node) *Node { return g.Apply(&PatchifyOp{}, x) }

// Unpatchify unpacks sites into planar pictures [B,C/16,4h,4w]. As 4w is a last axis, w must be
// even.
func (g *Graph) Unpatchify(x *Node) *Node { return g.Apply(&UnpatchifyOp{}, x) }

// ReshapeOp changes the shape. The elements and their order stay the same.
type ReshapeOp struct{ To Shape }

// Name implements Op.
func (*ReshapeOp) Name() string { return "Reshape" }

// Infer implements Op.
func (o *ReshapeOp) Infer(in []Shape) (Shape, error) {
	if in[0].Size() != o.To.Size() {
		return Shape{}, fmt.Errorf("cannot reshape %v (%d elements) to %v (%d)", in[0], in[0].Size(), o.To, o.To.Size())
	}
	return o.To, nil
}

// VJP implements Differentiable.
func (*ReshapeOp) VJP(g *Graph, n, ct *Node) []*Node { return []*Node{g.Reshape(ct, n.In[0].Shape)} }

// JVP implements ForwardDifferentiable.
func (*ReshapeOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*ReshapeOp) Eval(in []*Tensor, out *Tensor) { copy(out.Data, in[0].Data) }

// Reshape returns the elements of x, in order, with shape s.
func (g *Graph) Reshape(x *Node, s Shape) *Node {
	if x.Shape == s {
		return x
	}
	if _, ok := x.Op.(*ReshapeOp); ok {
		return g.Reshape(x.In[0], s)
	}
	return g.Apply(&ReshapeOp{To: s}, x)
}

// SwapAxesOp swaps axes 1 and 2, [B,H,W,C] to [B,W,H,C]. It is its own inverse and adjoint. With
// Reshape it splits channels into attention heads: [B,N,heads,d] becomes [B,heads,N,d].
type SwapAxesOp struct{}

// Name implements Op.
func (*SwapAxesOp) Name() string { return "SwapAxes" }

// Infer implements Op.
func (*SwapAxesOp) Infer(in []Shape) (Shape, error) {
	s := in[0]
	return Shape{s[0], s[2], s[1], s[3]}, nil
}

// VJP implements Differentiable.
func (*SwapAxesOp) VJP(g *Graph, _, ct *Node) []*Node { return []*Node{g.SwapAxes(ct)} }

// JVP implements ForwardDifferentiable.
func (*SwapAxesOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*SwapAxesOp) Eval(in []*Tensor, out *Tensor) {
	s := in[0].Shape
	for b := range s[0] {
		for h := range s[1] {
			for w := range s[2] {
				copy(out.at(b, w, h), in[0].at(b, h, w))
			}
		}
	}
}

// SwapAxes swaps axes 1 and 2; see SwapAxesOp.
func (g *Graph) SwapAxes(x *Node) *Node {
	s := x.Shape
	if _, ok := x.Op.(*SwapAxesOp); ok {
		return x.In[0]
	}
	if s[1] == 1 || s[2] == 1 {
		return g.Reshape(x, Shape{s[0], s[2], s[1], s[3]})
	}
	return g.Apply(&SwapAxesOp{}, x)
}

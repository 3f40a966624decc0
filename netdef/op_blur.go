package netdef

import "fmt"

// BlurOp correlates every plane of planar pictures x [B,P,Hp,Wp] with the kernel of its picture, k
// [B,1,kh,kwp]. Only the first Kw columns of the kernel are used (the rest is padding to a multiple
// of 8). Only outputs for which the kernel lies inside of the input are computed:
//
//	out[b,p,y,x] = Σ_{i<kh, j<Kw} in[b,p,y+i,x+j] · k[b,0,i,j]
//
// for y < Hp-kh+1 and x < OutW. Input columns from OutW+Kw-1 on are not read. With Flip the kernel
// is reversed on both axes, which makes it a convolution.
type BlurOp struct {
	Kw, OutW int
	Flip     bool
}

// Name implements Op.
func (*BlurOp) Name() string { return "Blur" }

// Infer implements Op.
func (o *BlurOp) Infer(in []Shape) (Shape, error) {
	x, k := in[0], in[1]
	if k[0] != x[0] || k[1] != 1 {
		return Shape{}, fmt.Errorf("kernels are %v, pictures %v want [%d,1,kh,kw]", k, x, x[0])
	}
	if o.Kw < 1 || o.Kw > k[3] {
		return Shape{}, fmt.Errorf("kernel width %d does not fit kernels %v", o.Kw, k)
	}
	h := x[2] - k[2] + 1
	if h < 1 || o.OutW < 1 || o.OutW+o.Kw-1 > x[3] {
		return Shape{}, fmt.Errorf("pictures %v are too small for %d columns of output by a %dx%d kernel", x, o.OutW, k[2], o.Kw)
	}
	return Shape{x[0], x[1], h, o.OutW}, nil
}

// VJP implements Differentiable. The gradient of the picture is the full correlation of the
// zero-padded cotangent with the reversed kernel. The kernel has no gradient.
func (o *BlurOp) VJP(g *Graph, n, ct *Node) []*Node {
	x, k := n.In[0], n.In[1]
	if g.Wants(k) {
		return nil
	}
	kh := k.Shape[2]
	w := (x.Shape[3] + o.Kw - 1 + 7) / 8 * 8
	p := g.PadPlanes(ct, kh-1, o.Kw-1, x.Shape[2]+kh-1, w)
	return []*Node{g.Blur(p, k, o.Kw, !o.Flip, x.Shape[3]), nil}
}

// JVP implements ForwardDifferentiable.
func (*BlurOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *BlurOp) Eval(in []*Tensor, out *Tensor) {
	x, k, s := in[0], in[1], out.Shape
	kh := k.Shape[2]
	for b := range s[0] {
		for p := range s[1] {
			for h := range s[2] {
				y := out.at(b, p, h)
				for i := range kh {
					row := x.at(b, p, h+i)
					for j := range o.Kw {
						m := k.at(b, 0, i)[j]
						if o.Flip {
							m = k.at(b, 0, kh-1-i)[o.Kw-1-j]
						}
						for c := range y {
							y[c] += row[c+j] * m
						}
					}
				}
			}
		}
	}
}

// Blur correlates planar pictures with their own kernels; see BlurOp. outW is
// the width of the result, a multiple of 8.
func (g *Graph) Blur(x, k *Node, kw int, flip bool, outW int) *Node {
	return g.Apply(&BlurOp{Kw: kw, OutW: outW, Flip: flip}, x, k)
}

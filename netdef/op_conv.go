package netdef

import "fmt"

// Conv2DOp convolves x [B,H,W,Cin] with weights w [k,k,Cin,Cout], as usual in networks
// (correlation: no flip). Kernels may be 1×1 with stride 1, 3×3 with stride 1 (zero padding, same
// size) and 2×2 with stride 2 (H and W even, no padding).
type Conv2DOp struct{ Stride int }

// Name implements Op.
func (*Conv2DOp) Name() string { return "Conv2D" }

// convOut checks a kernel size and stride and returns the size of the output.
func convOut(x Shape, k, stride, cout int) (Shape, error) {
	switch {
	case k == 1 && stride == 1, k == 3 && stride == 1:
		return Shape{x[0], x[1], x[2], cout}, nil
	case k == 2 && stride == 2:
		if x[1]%2 != 0 || x[2]%2 != 0 {
			return Shape{}, fmt.Errorf("2x2 stride 2 needs even H and W, input is %v", x)
		}
		if x[3]%8 != 0 {
			return Shape{}, fmt.Errorf("2x2 stride 2 needs channels in multiples of 8, input is %v", x)
		}
		return Shape{x[0], x[1] / 2, x[2] / 2, cout}, nil
	}
	return Shape{}, fmt.Errorf("kernel %dx%d with stride %d: only 1x1 and 3x3 of stride 1 and 2x2 of stride 2", k, k, stride)
}

// Infer implements Op.
func (o *Conv2DOp) Infer(in []Shape) (Shape, error) {
	x, w := in[0], in[1]
	if w[0] != w[1] {
		return Shape{}, fmt.Errorf("weights %v are not square", w)
	}
	if w[2] != x[3] {
		return Shape{}, fmt.Errorf("weights %v take %d channels, input %v has %d", w, w[2], x, x[3])
	}
	return convOut(x, w[0], o.Stride, w[3])
}

// VJP implements Differentiable.
func (o *Conv2DOp) VJP(g *Graph, n, ct *Node) []*Node {
	x, w := n.In[0], n.In[1]
	out := make([]*Node, 2)
	if g.Wants(x) {
		if o.Stride == 1 {
			out[0] = g.Conv2D(ct, g.FlipTranspose(w), 1)
		} else {
			// Each output site is made from four input sites that no other output site reads. So
			// the adjoint is a 1×1 convolution to 4·Cin channels in the order (dy,dx,ci), which is
			// the order of the rows of the weights, followed by DepthToSpace.
			s := w.Shape
			m := g.FlipTranspose(g.Reshape(w, Shape{1, 1, 4 * s[2], s[3]}))
			out[0] = g.DepthToSpace(g.Conv2D(ct, m, 1), 2)
		}
	}
	if g.Wants(w) {
		out[1] = g.ConvGradW(x, ct, w.Shape[0], o.Stride)
	}
	return out
}

// taps calls f for every pair of an output site and an input site that tap (i,j) of a k×k kernel
// connects. Pairs whose input is in the zero padding are left out.
func taps(x, y Shape, k, stride int, f func(b, h, w, yh, yw, i, j int)) {
	pad := (k - 1) / 2
	for b := range y[0] {
		for yh := range y[1] {
			for yw := range y[2] {
				for i := range k {
					for j := range k {
						h, w := yh*stride+i-pad, yw*stride+j-pad
						if h >= 0 && h < x[1] && w >= 0 && w < x[2] {
							f(b, h, w, yh, yw, i, j)
						}
					}
				}
			}
		}
	}
}

// JVP implements ForwardDifferentiable.
func (*Conv2DOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *Conv2DOp) Eval(in []*Tensor, out *Tensor) {
	x, w := in[0], in[1]
	taps(x.Shape, out.Shape, w.Shape[0], o.Stride, func(b, h, xw, yh, yw, i, j int) {
		y := out.at(b, yh, yw)
		for ci, v := range x.at(b, h, xw) {
			for co, m := range w.at(i, j, ci) {
				y[co] += v * m
			}
		}
	})
}

// Conv2D convolves x with w; see Conv2DOp.
func (g *Graph) Conv2D(x, w *Node, stride int) *Node {
	return g.Apply(&Conv2DOp{Stride: stride}, x, w)
}

// ConvGradWOp is the gradient of Conv2D with respect to its weights, [K,K,Cin,Cout]. Its inputs are
// the convolution's input x [B,H,W,Cin] and the cotangent of its output [B,H/stride,W/stride,Cout].
type ConvGradWOp struct{ K, Stride int }

// Name implements Op.
func (*ConvGradWOp) Name() string { return "ConvGradW" }

// Infer implements Op.
func (o *ConvGradWOp) Infer(in []Shape) (Shape, error) {
	want, err := convOut(in[0], o.K, o.Stride, in[1][3])
	if err != nil {
		return want, err
	}
	if in[1] != want {
		return want, fmt.Errorf("cotangent %v does not fit input %v: want %v", in[1], in[0], want)
	}
	return Shape{o.K, o.K, in[0][3], in[1][3]}, nil
}

// JVP implements ForwardDifferentiable.
func (*ConvGradWOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *ConvGradWOp) Eval(in []*Tensor, out *Tensor) {
	x, ct := in[0], in[1]
	taps(x.Shape, ct.Shape, o.K, o.Stride, func(b, h, w, yh, yw, i, j int) {
		y := ct.at(b, yh, yw)
		for ci, v := range x.at(b, h, w) {
			row := out.at(i, j, ci)
			for co, d := range y {
				row[co] += v * d
			}
		}
	})
}

// ConvGradW returns the gradient of Conv2D's weights; see ConvGradWOp.
func (g *Graph) ConvGradW(x, ct *Node, k, stride int) *Node {
	return g.Apply(&ConvGradWOp{K: k, Stride: stride}, x, ct)
}

// FlipTransposeOp turns weights [kh,kw,Cin,Cout] into those of the adjoint convolution:
// [kh,kw,Cout,Cin] with both tap axes reversed.
type FlipTransposeOp struct{}

// Name implements Op.
func (*FlipTransposeOp) Name() string { return "FlipTranspose" }

// Infer implements Op.
func (*FlipTransposeOp) Infer(in []Shape) (Shape, error) {
	w := in[0]
	return Shape{w[0], w[1], w[3], w[2]}, nil
}

// VJP implements Differentiable.
func (*FlipTransposeOp) VJP(g *Graph, n, ct *Node) []*Node { return []*Node{g.FlipTranspose(ct)} }

// JVP implements ForwardDifferentiable.
func (*FlipTransposeOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*FlipTransposeOp) Eval(in []*Tensor, out *Tensor) {
	w := in[0]
	for i := range w.Shape[0] {
		for j := range w.Shape[1] {
			for ci := range w.Shape[2] {
				for co, v := range w.at(i, j, ci) {
					out.at(w.Shape[0]-1-i, w.Shape[1]-1-j, co)[ci] = v
				}
			}
		}
	}
}

// FlipTranspose returns the weights of the adjoint convolution.
func (g *Graph) FlipTranspose(w *Node) *Node {
	if _, ok := w.Op.(*FlipTransposeOp); ok {
		return w.In[0]
	}
	return g.Apply(&FlipTransposeOp{}, w)
}

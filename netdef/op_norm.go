package netdef

import (
	"fmt"
	"math"
)

// LayerNormOp standardises the channels of every site: (x - mean)/√(var + Eps), with the biased
// variance and without learned scale and shift.
type LayerNormOp struct{ Eps float64 }

// LayerNormGradOp applies the Jacobian of LayerNormOp at x (input 0) to a vector g (input 1). The
// Jacobian is symmetric, so this is both the VJP and the JVP: (g - mean(g) - y·mean(g·y))/√(var +
// Eps), where y is the normalised x.
type LayerNormGradOp struct{ Eps float64 }

// Name implements Op.
func (*LayerNormOp) Name() string { return "LayerNorm" }

// Name implements Op.
func (*LayerNormGradOp) Name() string { return "LayerNormGrad" }

// Infer implements Op.
func (o *LayerNormOp) Infer(in []Shape) (Shape, error) {
	if o.Eps <= 0 {
		return Shape{}, fmt.Errorf("eps is %g, must be positive", o.Eps)
	}
	return in[0], nil
}

// Infer implements Op.
func (o *LayerNormGradOp) Infer(in []Shape) (Shape, error) {
	if in[0] != in[1] {
		return Shape{}, fmt.Errorf("cotangent %v does not fit input %v", in[1], in[0])
	}
	return (&LayerNormOp{o.Eps}).Infer(in)
}

// VJP implements Differentiable.
func (o *LayerNormOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.LayerNormGrad(n.In[0], ct, o.Eps)}
}

// JVP implements ForwardDifferentiable.
func (o *LayerNormOp) JVP(g *Graph, n *Node, t []*Node) *Node {
	return g.LayerNormGrad(n.In[0], t[0], o.Eps)
}

// layerNorm normalises one site into y and returns 1/√(var + eps).
func layerNorm(x, y []float64, eps float64) float64 {
	n, mean, v := float64(len(x)), 0.0, 0.0
	for _, a := range x {
		mean += a / n
	}
	for _, a := range x {
		v += (a - mean) * (a - mean) / n
	}
	r := 1 / math.Sqrt(v+eps)
	for i, a := range x {
		y[i] = (a - mean) * r
	}
	return r
}

// Eval implements Op.
func (o *LayerNormOp) Eval(in []*Tensor, out *Tensor) {
	c := out.Shape[3]
	for i := 0; i < len(out.Data); i += c {
		layerNorm(in[0].Data[i:i+c], out.Data[i:i+c], o.Eps)
	}
}

// Eval implements Op.
func (o *LayerNormGradOp) Eval(in []*Tensor, out *Tensor) {
	c := out.Shape[3]
	y := make([]float64, c)
	for i := 0; i < len(out.Data); i += c {
		g := in[1].Data[i : i+c]
		r := layerNorm(in[0].Data[i:i+c], y, o.Eps)
		mg, mgy := 0.0, 0.0
		for k := range g {
			mg += g[k] / float64(c)
			mgy += g[k] * y[k] / float64(c)
		}
		for k := range g {
			out.Data[i+k] = r * (g[k] - mg - y[k]*mgy)
		}
	}
}

// LayerNorm standardises the channels of every site; see LayerNormOp.
func (g *Graph) LayerNorm(x *Node, eps float64) *Node { return g.Apply(&LayerNormOp{Eps: eps}, x) }

// LayerNormGrad applies LayerNorm's Jacobian at x to v; see LayerNormGradOp.
func (g *Graph) LayerNormGrad(x, v *Node, eps float64) *Node {
	return g.Apply(&LayerNormGradOp{Eps: eps}, x, v)
}

// SoftmaxOp replaces the channels of every site by eˣ/Σeˣ.
type SoftmaxOp struct{}

// Name implements Op.
func (*SoftmaxOp) Name() string { return "Softmax" }

// Infer implements Op.
func (*SoftmaxOp) Infer(in []Shape) (Shape, error) { return in[0], nil }

// VJP implements Differentiable. It is n·(ct - Σ ct·n).
func (*SoftmaxOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.Mul(n, g.Sub(ct, g.Sum(g.Mul(ct, n), AxC)))}
}

// JVP implements ForwardDifferentiable. The Jacobian is symmetric.
func (o *SoftmaxOp) JVP(g *Graph, n *Node, t []*Node) *Node { return o.VJP(g, n, t[0])[0] }

// Eval implements Op.
func (*SoftmaxOp) Eval(in []*Tensor, out *Tensor) {
	c := out.Shape[3]
	for i := 0; i < len(out.Data); i += c {
		x, y, top, sum := in[0].Data[i:i+c], out.Data[i:i+c], math.Inf(-1), 0.0
		for _, v := range x {
			top = math.Max(top, v)
		}
		for k, v := range x {
			y[k] = math.Exp(v - top)
			sum += y[k]
		}
		for k := range y {
			y[k] /= sum
		}
	}
}

// Softmax is the softmax over the channels of every site; see SoftmaxOp.
func (g *Graph) Softmax(x *Node) *Node { return g.Apply(&SoftmaxOp{}, x) }

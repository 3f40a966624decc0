package netdef

import "fmt"

// GroupNormOp standardises groups of neighbouring channels over all sites of a picture, as in Wu
// and He (2018), eq. 1 and 2: (x - mean)/√(var + Eps), with mean and the biased variance of the
// H·W·C/Groups numbers of a group, and without learned scale and shift. C is a multiple of 8 and of
// Groups.
type GroupNormOp struct {
	Groups int
	Eps    float64
}

// GroupNormGradOp applies the Jacobian of GroupNormOp at x (input 0) to a vector g (input 1). The
// Jacobian is symmetric, so this is both the VJP and the JVP: (g - mean(g) - y·mean(g·y))/√(var +
// Eps), where y is the normalised x and the means are those of groups.
type GroupNormGradOp struct {
	Groups int
	Eps    float64
}

// Name implements Op.
func (*GroupNormOp) Name() string { return "GroupNorm" }

// Name implements Op.
func (*GroupNormGradOp) Name() string { return "GroupNormGrad" }

// Infer implements Op.
func (o *GroupNormOp) Infer(in []Shape) (Shape, error) {
	if o.Eps <= 0 {
		return Shape{}, fmt.Errorf("eps is %g, must be positive", o.Eps)
	}
	if c := in[0][3]; c == 1 || o.Groups < 1 || c%o.Groups != 0 {
		return Shape{}, fmt.Errorf("%d groups do not divide the channels of %v, which must be a multiple of 8", o.Groups, in[0])
	}
	return in[0], nil
}

// Infer implements Op.
func (o *GroupNormGradOp) Infer(in []Shape) (Shape, error) {
	if in[0] != in[1] {
		return Shape{}, fmt.Errorf("cotangent %v does not fit input %v", in[1], in[0])
	}
	return (&GroupNormOp{o.Groups, o.Eps}).Infer(in)
}

// VJP implements Differentiable.
func (o *GroupNormOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.GroupNormGrad(n.In[0], ct, o.Groups, o.Eps)}
}

// JVP implements ForwardDifferentiable.
func (o *GroupNormOp) JVP(g *Graph, n *Node, t []*Node) *Node {
	return g.GroupNormGrad(n.In[0], t[0], o.Groups, o.Eps)
}

// groups calls f for every group with the indices of its elements. f must not keep them.
func groups(s Shape, count int, f func(index []int)) {
	c, p := s[3], s[1]*s[2]
	width := c / count
	index := make([]int, 0, p*width)
	for b := range s[0] {
		for first := 0; first < c; first += width {
			index = index[:0]
			for i := range p {
				for k := range width {
					index = append(index, (b*p+i)*c+first+k)
				}
			}
			f(index)
		}
	}
}

// Eval implements Op.
func (o *GroupNormOp) Eval(in []*Tensor, out *Tensor) {
	groups(out.Shape, o.Groups, func(index []int) {
		x := pick(in[0].Data, index)
		y := make([]float64, len(x))
		layerNorm(x, y, o.Eps)
		for k, i := range index {
			out.Data[i] = y[k]
		}
	})
}

// Eval implements Op.
func (o *GroupNormGradOp) Eval(in []*Tensor, out *Tensor) {
	groups(out.Shape, o.Groups, func(index []int) {
		x, g := pick(in[0].Data, index), pick(in[1].Data, index)
		y, n := make([]float64, len(x)), float64(len(x))
		r := layerNorm(x, y, o.Eps)
		mg, mgy := 0.0, 0.0
		for k := range g {
			mg += g[k] / n
			mgy += g[k] * y[k] / n
		}
		for k, i := range index {
			out.Data[i] = r * (g[k] - mg - y[k]*mgy)
		}
	})
}

func pick(data []float64, index []int) []float64 {
	v := make([]float64, len(index))
	for k, i := range index {
		v[k] = data[i]
	}
	return v
}

// GroupNorm standardises groups of channels over all sites; see GroupNormOp.
func (g *Graph) GroupNorm(x *Node, groups int, eps float64) *Node {
	return g.Apply(&GroupNormOp{Groups: groups, Eps: eps}, x)
}

// GroupNormGrad applies GroupNorm's Jacobian at x to v; see GroupNormGradOp.
func (g *Graph) GroupNormGrad(x, v *Node, groups int, eps float64) *Node {
	return g.Apply(&GroupNormGradOp{Groups: groups, Eps: eps}, x, v)
}

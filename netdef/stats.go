package netdef

// Params returns the parameters that outs depend on, in topological order.
func Params(outs ...*Node) []*Node {
	var ps []*Node
	for _, n := range Reachable(outs...) {
		if _, ok := n.Op.(*ParamOp); ok {
			ps = append(ps, n)
		}
	}
	return ps
}

// CountParams returns how many trained numbers outs depend on.
func CountParams(outs ...*Node) int {
	total := 0
	for _, p := range Params(outs...) {
		total += p.Shape.Size()
	}
	return total
}

// FLOPs counts the floating-point operations of the convolutions and matrix products that outs
// depend on: two for each multiply-add, including those on zero padding. Other ops are left out,
// because memory limits them, not arithmetic.
func FLOPs(outs ...*Node) int64 {
	var total int64
	for _, n := range Reachable(outs...) {
		total += nodeFLOPs(n)
	}
	return total
}

func nodeFLOPs(n *Node) int64 {
	size := func(s Shape) int64 { return int64(s[0]) * int64(s[1]) * int64(s[2]) * int64(s[3]) }
	switch o := n.Op.(type) {
	case *Conv2DOp:
		w := n.In[1].Shape
		return 2 * size(n.Shape) * int64(w[0]*w[1]*w[2])
	case *ConvGradWOp:
		return 2 * size(n.In[1].Shape) * int64(o.K*o.K*n.In[0].Shape[3])
	case *DepthwiseConvOp, *DepthwiseGradWOp:
		return 2 * size(n.In[0].Shape) * 9
	case *MatMulOp:
		return 2 * size(n.Shape) * int64(n.In[1].Shape[2])
	case *BlurOp:
		return 2 * size(n.Shape) * int64(n.In[1].Shape[2]*o.Kw)
	}
	return 0
}

package netdef

import "math"

// Attention returns softmax(q·kᵀ/√d)·v for every head (Vaswani et al. 2017, eq. 1). q is
// [B,heads,M,d], k [B,heads,N,d] and v [B,heads,N,e]; the result is [B,heads,M,e]. N, d and e are
// multiples of 8.
//
// It is two products with a softmax between them. The scores, B·heads·M·N numbers, are stored: 3 MB
// for 12 heads of 256 tokens, which is less than the weights of one block of such a network.
func (g *Graph) Attention(q, k, v *Node) *Node {
	// The factor is the epilogue of the first product.
	scores := g.Scale(g.MatMul(q, g.Transpose(k)), 1/math.Sqrt(float64(q.Shape[3])))
	return g.MatMul(g.Softmax(scores), v)
}

// SplitHeads returns the channels of x [B,h,w,C] as heads of tokens, [B,heads,h·w,C/heads].
func (g *Graph) SplitHeads(x *Node, heads int) *Node {
	s := x.Shape
	return g.SwapAxes(g.Reshape(x, Shape{s[0], s[1] * s[2], heads, s[3] / max(heads, 1)}))
}

// MergeHeads is the inverse of SplitHeads, for h × w tokens.
func (g *Graph) MergeHeads(x *Node, h, w int) *Node {
	s := x.Shape
	return g.Reshape(g.SwapAxes(x), Shape{s[0], h, w, s[1] * s[3]})
}

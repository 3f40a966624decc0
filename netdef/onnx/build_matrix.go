package onnx

// buildMatrix builds Gemm and MatMul of a tensor [N,K] and a constant matrix.
func buildMatrix(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2)
	if err != nil {
		return nil, err
	}
	w, err := b.known(n, 1)
	if err != nil {
		return nil, err
	}
	if n.integer("transA", 0) != 0 {
		return nil, n.fail("attribute transA", "is not supported")
	}
	if len(w.dims) != 2 || w.f == nil || w.size() == 0 {
		return nil, n.fail("input 2", "has the shape %v; a matrix is supported", w.dims)
	}
	in, out := w.dims[0], w.dims[1]
	transposed := n.integer("transB", 0) != 0
	if transposed {
		in, out = out, in
	}
	if in != x.channels() || out > maxChannels {
		return nil, n.fail("input 2", "has the shape %v, which does not fit an input of shape %v", w.dims, x.dims)
	}
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	c := &convolution{
		name: n.out[0], x: x, taps: []tap{{}}, stride: 1, h: 1, w: 1, cout: out,
		weight: func(_, _, ci, co int) float32 {
			if transposed {
				return float32(alpha * float64(w.f[co*in+ci]))
			}
			return float32(alpha * float64(w.f[ci*out+co]))
		},
		inputs: func(int) (from, to int) { return 0, in },
	}
	if _, ok := b.opt(n, 2); ok {
		bias, err := b.known(n, 2)
		if err != nil {
			return nil, err
		}
		rows := len(bias.dims) == 2 && bias.dims[0] > 1 || len(bias.dims) > 2
		if bias.f == nil || rows || bias.size() != 1 && bias.size() != out {
			return nil, n.fail("input 3", "has the shape %v, which is not supported", bias.dims)
		}
		c.bias = func(co int) float32 { return float32(beta * bias.at(min(co, bias.size()-1))) }
	}
	return b.finishMatrix(n, c, []int{x.dims[0], out})
}

func (b *builder) finishMatrix(n *operator, c *convolution, dims []int) ([]value, error) {
	v, err := c.value(b, dims)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	return []value{v}, nil
}

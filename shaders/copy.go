package shaders

// Copy rearranges elements: for every index tuple i over Dims and every position p < len(Tab),
// out[OutBase + Σ i·Out + p] = in[InBase + Σ i·In + Tab[p]]. In may be negative (flips), as long as
// all places read are inside of the input. len(Tab) must be a multiple of Lanes. Operands: in, out.
type Copy struct {
	Dims, In, Out   []int
	InBase, OutBase int
	Tab             []int
}

// Signature implements Kernel.
func (s Copy) Signature(Target) Signature {
	// Each item copies the whole table, whose entries are compiled in.
	return Signature{Operands: []Access{Read, Write}, Items: product(s.Dims)}
}

// Body implements Kernel.
func (s Copy) Body(e *E) {
	nj := e.T.NJ(len(s.Tab))
	for nj > 1 && !s.aligned(nj) {
		nj /= 2
	}
	e.copyBody(s, nj)
}

// Pack rearranges weights [taps][k][n] to [taps][n/blk][k][blk], blk = len(Tab), with each block in
// the order of Tab. Copy can do the same, but Pack gets the sizes at run time, so that one kernel
// packs all weights. It runs longer, so it is for what is packed once. Operands: in, out. Scalars:
// 0: k, 1: n/blk. Items: taps·k·n/blk.
type Pack struct{ Tab []int }

// Signature implements Kernel.
func (s Pack) Signature(Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Scalars: 2}
}

// Body implements Kernel.
func (s Pack) Body(e *E) {
	n := len(s.Tab)
	out := e.Item() // [tap][block][row] → [tap][row][block]
	k, blocks := e.Scalar(0), e.Scalar(1)
	q, row := e.DivModUU(out, k)
	tap, block := e.DivModUU(q, blocks)
	in := e.AddU(e.MulUU(e.AddU(e.MulUU(tap, k), row), blocks), block)
	e.rearrange(e.At(0, e.MulU(in, n)), e.MulU(out, n), s.Tab, e.T.NJ(n))
}

// aligned reports whether every place that is written is a multiple of n.
func (s Copy) aligned(n int) bool {
	if s.OutBase%n != 0 {
		return false
	}
	for _, o := range s.Out {
		if o%n != 0 {
			return false
		}
	}
	return true
}

func (e *E) copyBody(s Copy, nj int) {
	dims := s.Dims
	u := []U{e.Item()}
	if len(dims) > 1 {
		u = e.Split(e.Item(), dims[1:]...)
	}
	in, out := e.C(0), e.C(0)
	flip := 0
	for i := range dims {
		x := u[i]
		st := s.In[i]
		if st < 0 {
			// Uniform indices must not go below zero, so count from the far end.
			x = U{id: e.i2(opISub, e.u32(uint32(dims[i]-1)), e.uid(x))}
			flip += st * (dims[i] - 1)
			st = -st
		}
		in = e.AddU(in, e.MulU(x, st))
		out = e.AddU(out, e.MulU(u[i], s.Out[i]))
	}
	in = e.AddU(in, e.C(s.InBase+flip))
	out = e.AddU(out, e.C(s.OutBase))
	e.rearrange(e.At(0, in), out, s.Tab, nj)
}

// rearrange copies the elements that tab lists, relative to from, nj per lane at a time.
func (e *E) rearrange(from Ref, out U, tab []int, nj int) {
	for b := 0; b < len(tab); b += e.T.Lanes * nj {
		v := make([]F, nj)
		for j := range v {
			v[j] = e.Gather(from, e.C(0), func(l int) int { return tab[b+l*nj+j] })
		}
		e.Stores(func() { e.StoreBlock(1, e.AddU(out, e.C(b)), v) })
	}
}

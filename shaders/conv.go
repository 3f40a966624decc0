package shaders

import "cmp"

// ConvShape describes a convolution over channels-last pictures. A matrix product is one with KH =
// 1. In the GPU lowering the weights are [KH·KH][Cin][N]. In the CPU lowering they are
// [KH·KH][N/blk][Cin][blk] with blocks of blk = Lanes·NJ output channels, each block in the order
// of PackIndex. A work item then reads its weights from consecutive addresses, which processors
// prefetch.
type ConvShape struct {
	B, IH, IW, Cin  int
	OH, OW, N       int
	KH, Stride, Pad int
	// TP is how many neighbouring output pixels of a row a work item computes. It divides OW, or
	// B·OH·OW if KH = 1.
	TP int
	NJ int // consecutive output channels per lane
	KC int // input channels per dispatch; divides Cin
	// Batched is 0 if all pictures share the weights. Otherwise (products of two activations) each
	// picture has weights of its own, Batched elements after the last picture's.
	Batched int
	// SharedX: all pictures read the same x.
	SharedX bool
	// Heads: this many pictures of the product are one picture of the epilogue. Matrix products
	// have a picture for every attention head. 0 means 1.
	Heads int
	// NoStart: the sum begins at zero, and there is no operand start (CPU lowering).
	NoStart bool
	// Tile, if set, lets the work items of a workgroup share what they load (GPU lowering, see
	// Target.Tile).
	Tile Tiling
}

// Chunks is the number of dispatches that together sum over all input channels.
func (s ConvShape) Chunks() int { return s.Cin / s.KC }

// epilogueTile returns the geometry of the epilogue.
func (s ConvShape) epilogueTile() Tile {
	return Tile{C: s.N, P: s.OH * s.OW * max(1, s.Heads), NJ: s.NJ, TP: s.TP}
}

// Conv computes y = Σ_k w·x + start over one chunk of KC input channels. Operands: x, w, start
// (unless NoStart), epilogue inputs…, y. Scalar 0 is the first channel of the chunk. Scalar 1 is
// the distance between the pixels of start: N, or 0 if all pixels share a bias or zeros. Post, if
// there is one, is applied to the finished sum (its first operand) and the further operands.
type Conv struct {
	ConvShape
	Post Expr
}

// inputs returns the number of operands before the epilogue's.
func (s ConvShape) inputs() int {
	if s.NoStart {
		return 2
	}
	return 3
}

// Signature implements Kernel.
func (c Conv) Signature(t Target) Signature {
	sig := Signature{
		Operands: append(reads(c.inputs()+c.Post.more()), Write),
		Scalars:  2,
		Items:    c.B * c.OH * c.OW / c.TP * (c.N / (t.Lanes * c.NJ)),
		Zero:     c.Pad > 0,
	}
	if c.Tile.PM > 0 {
		sig.Items = c.Groups(t) * c.Tile.PM * c.Tile.PN
	}
	if c.Tile.SM > 0 {
		sig.Subgroup = t.Matrix.Subgroup
	}
	return sig
}

// Body implements Kernel.
func (c Conv) Body(e *E) {
	switch {
	case c.Tile.SM > 0:
		e.convMatrix(c)
	case c.Tile.PM > 0:
		e.convTiled(c)
	default:
		e.conv(c)
	}
}

// conv is Conv without tiles.
func (e *E) conv(k Conv) {
	out, p, cb := e.convSums(k.ConvShape, e.convSizes(k.ConvShape))
	s, post := k.ConvShape, k.Post
	in, extra := s.inputs(), post.more()
	if !post.IsNone() {
		tl := s.epilogueTile()
		args := [][][]F{out}
		for i, pat := range post.In[1:] {
			args = append(args, e.loadOperand(pat, in+i, tl, p, cb))
		}
		out = apply(e, post, args, tl)
	}
	base := e.AddU(e.MulU(p, s.N), cb)
	e.Stores(func() {
		for i := range out {
			e.StoreBlock(in+extra, e.AddU(base, e.C(i*s.N)), out[i])
		}
	})
}

// convSizes are the sizes of a convolution that its code may get as scalars.
type convSizes struct {
	tiles       Size // work items for each block of output channels
	ih, iw      U
	oh, ow      Size
	picture     Size // pixels of a picture of the result
	cin, n      U
	batched     U    // as in ConvShape
	manyWeights bool // pictures may have weights of their own
	one         bool // there is one picture, if KH > 1
	run         int  // channels that are summed tap by tap; 0: all of a chunk
}

// convSizes returns the sizes of a convolution that is compiled for them.
func (e *E) convSizes(s ConvShape) convSizes {
	return convSizes{
		tiles: e.Fixed(s.B * s.OH * s.OW / s.TP), ih: e.C(s.IH), iw: e.C(s.IW), oh: e.Fixed(s.OH), ow: e.Fixed(s.OW),
		picture: e.Fixed(s.OH * s.OW), cin: e.C(s.Cin), n: e.C(s.N), batched: e.C(s.Batched), manyWeights: s.Batched > 0,
	}
}

// convSums returns the sums of a chunk, [TP][NJ], and their first pixel and channel. Of s it reads
// what convSizes lacks.
func (e *E) convSums(s ConvShape, z convSizes) (out [][]F, p, cb U) {
	t := e.T
	block, tile := e.SplitSize(e.Item(), z.tiles)
	cb, p = e.MulU(block, t.Lanes*s.NJ), e.MulU(tile, s.TP)
	k0 := e.Scalar(0)
	acc := e.accumulators(s, p, cb)
	w0, row := e.AddU(e.MulUU(k0, z.n), cb), z.n
	if t.Mode == CPU {
		row = e.C(t.Lanes * s.NJ)
		w0 = e.AddU(e.MulUU(k0, row), e.MulUU(cb, z.cin))
	}
	if z.manyWeights {
		w0 = e.AddU(w0, e.MulUU(e.DivSize(p, z.picture), z.batched))
	}
	w := e.At(1, w0)
	taps := e.taps(s, z, p, k0)
	add := func(tap, first, channels int) {
		xs, ofTap := taps[tap], e.MulU(e.MulUU(z.cin, z.n), tap)
		e.Loop(channels/4, func(i U) {
			i = e.AddU(i, e.C(first/4))
			xv := make([][4]F, s.TP)
			for j := range xv {
				xv[j] = e.Broadcast4(xs[j], e.MulU(i, 4))
			}
			for kk := 0; kk < 4; kk++ {
				wv := e.Packed(w, e.SumU(e.MulUU(e.MulU(i, 4), row), ofTap, e.MulU(row, kk)), s.NJ)
				for j := range xv {
					for c, wc := range wv {
						if a := &acc[j][c]; *a == nil {
							*a = e.NewVar(e.Mul(wc, xv[j][kk]))
						} else {
							(*a).Set(e.Mad(wc, xv[j][kk], (*a).Get()))
						}
					}
				}
			}
		})
	}
	run := cmp.Or(z.run, s.KC)
	for first := 0; first < s.KC; first += run {
		for tap := range taps {
			add(tap, first, run)
		}
	}
	out = make([][]F, s.TP)
	for i := range out {
		for _, v := range acc[i] {
			out[i] = append(out[i], v.Get())
		}
	}
	return out, p, cb
}

// accumulators returns the sums of NJ channels of the TP pixels from p on, initialised from start.
// Without start they are nil, to be initialised by the first product.
func (e *E) accumulators(s ConvShape, p, cb U) [][]*Var {
	acc := make([][]*Var, s.TP)
	if s.NoStart {
		for i := range acc {
			acc[i] = make([]*Var, s.NJ)
		}
		return acc
	}
	start := e.AddU(e.MulUU(p, e.Scalar(1)), cb)
	for i := range acc {
		for _, x := range e.Block(e.At(2, start), e.C(0), s.NJ) {
			acc[i] = append(acc[i], e.NewVar(x))
		}
		start = e.AddU(start, e.Scalar(1))
	}
	return acc
}

// taps returns, for each kernel tap, references to the TP input pixels at channel k0.
func (e *E) taps(s ConvShape, z convSizes, p, k0 U) [][]Ref {
	var out [][]Ref
	if s.KH == 1 {
		if s.SharedX {
			_, p = e.SplitSize(p, z.picture)
		}
		xs := make([]Ref, s.TP)
		base := e.AddU(e.MulUU(p, z.cin), k0)
		for j := range xs {
			xs[j] = e.At(0, e.AddU(base, e.MulU(z.cin, j)))
		}
		return append(out, xs)
	}
	y, x := e.SplitSize(p, z.ow)
	picture := e.C(0)
	if !z.one {
		picture, y = e.SplitSize(y, z.oh)
	}
	for dy := 0; dy < s.KH; dy++ {
		yy := e.AddU(e.MulU(y, s.Stride), e.C(dy-s.Pad))
		row := e.AddU(e.MulUU(picture, z.ih), yy)
		var in B
		if s.Pad > 0 {
			in = e.LtU(yy, z.ih)
		}
		refs := map[int]Ref{} // by input column, relative to the column of the tile's first pixel
		for dx := 0; dx < s.KH; dx++ {
			xs := make([]Ref, s.TP)
			for j := range xs {
				col := j*s.Stride + dx - s.Pad
				r, ok := refs[col]
				if !ok {
					xx := e.AddU(e.MulU(x, s.Stride), e.C(col))
					i := e.AddU(e.MulUU(e.AddU(e.MulUU(row, z.iw), xx), z.cin), k0)
					if s.Pad > 0 {
						r = e.AtIf(0, i, e.And(in, e.LtU(xx, z.iw)))
					} else {
						r = e.At(0, i)
					}
					refs[col] = r
				}
				xs[j] = r
			}
			out = append(out, xs)
		}
	}
	return out
}

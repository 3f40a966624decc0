package shaders

// Kernels that get their sizes as scalars. A driver that takes long to build a kernel builds one of
// them for all layers of a network, where kernels for fixed sizes would be one for each size. They
// are for the CPU lowering.

// AnyConv is a chunk of a Conv for shapes of any size, without an epilogue. Operands: x, w, start,
// y. Fields are as in ConvShape. If KH > 1 there is one picture. The scalars are those of Scalars.
type AnyConv struct {
	KH, Stride, Pad int
	TP, NJ, KC      int
	// Run is how many of the KC channels are summed for one tap after the other, before the next
	// ones. It decides the order of the sum, whatever KC is. It divides KC.
	Run   int
	Whole bool // as in Signature
}

// Any returns the kernel for a shape, and whether there is one. run is AnyConv.Run.
func (s ConvShape) Any(t Target, run int) (k AnyConv, ok bool) {
	k = AnyConv{KH: s.KH, Stride: s.Stride, Pad: s.Pad, TP: s.TP, NJ: s.NJ, KC: s.KC, Run: run}
	if s.KH == 1 {
		k.Run = s.KC // it makes no difference
	}
	items := s.anyItems(t)
	k.Whole = items%(t.Group/t.Lanes) == 0
	return k, t.Mode == CPU && !s.SharedX && (s.KH == 1 || s.B == 1) && s.B*s.OH*s.OW < MaxDividend && items < maxAnyItems(t)
}

// anyItems is the number of work items.
func (s ConvShape) anyItems(t Target) int { return s.B * s.OH * s.OW / s.TP * (s.N / (t.Lanes * s.NJ)) }

// maxAnyItems is the most work items that fit in one row of workgroups and may be divided.
func maxAnyItems(t Target) int { return min(MaxDividend, 65535*(t.Group/t.Lanes)) }

// Scalars returns the scalars of the chunk that begins at input channel k0, and the number of work
// items. stride is as in Conv.
func (k AnyConv) Scalars(t Target, s ConvShape, k0 int, stride uint32) (scalars []uint32, items int) {
	scalars = append(scalars, uint32(k0), stride, uint32(s.N), uint32(s.Cin))
	scalars = AppendDivisor(scalars, s.B*s.OH*s.OW/s.TP)
	if k.KH == 1 {
		scalars = append(AppendDivisor(scalars, s.OH*s.OW), uint32(s.Batched))
	} else {
		scalars = append(AppendDivisor(scalars, s.OW), uint32(s.IW), uint32(s.IH))
	}
	return scalars, s.anyItems(t)
}

// Signature implements Kernel.
func (k AnyConv) Signature(t Target) Signature {
	scalars, _ := k.Scalars(t, ConvShape{TP: 1, NJ: 1}, 0, 0)
	return Signature{
		Operands: append(reads(3), Write), Scalars: len(scalars), Zero: k.Pad > 0, Most: maxAnyItems(t), Whole: k.Whole,
	}
}

// Body implements Kernel.
func (k AnyConv) Body(e *E) {
	s := ConvShape{KH: k.KH, Stride: k.Stride, Pad: k.Pad, TP: k.TP, NJ: k.NJ, KC: k.KC}
	z := convSizes{n: e.Scalar(2), cin: e.Scalar(3), tiles: e.DivisorOf(4), one: true, run: k.Run}
	if k.KH == 1 {
		z.manyWeights, z.picture, z.batched = true, e.DivisorOf(6), e.Scalar(8)
	} else {
		z.ow, z.iw, z.ih = e.DivisorOf(6), e.Scalar(8), e.Scalar(9)
	}
	out, p, cb := e.convSums(s, z)
	to := e.AddU(e.MulUU(p, z.n), cb)
	e.Stores(func() {
		for i := range out {
			e.StoreBlock(3, e.AddU(to, e.MulU(z.n, i)), out[i])
		}
	})
}

// AnyPointwise is Pointwise on one picture of any size. Fields are as in Tile; C is 0 for any
// number of channels, which the pattern Normed does not allow.
type AnyPointwise struct {
	Of        Expr
	C, NJ, TP int
	Whole     bool // as in Signature
}

// Any returns the kernel for this computation, and whether there is one.
func (k Pointwise) Any(t Target) (a AnyPointwise, ok bool) {
	a = AnyPointwise{Of: k.Of, NJ: k.NJ, TP: k.TP}
	a.Of.In = make([]Pattern, len(k.Of.In))
	for i, pat := range k.Of.In {
		a.Of.In[i] = pat.ofPicture()
		switch pat {
		case Depth2:
			return a, false
		case Normed:
			a.C = k.C
		}
	}
	items := k.Signature(t).Items
	a.Whole = items%(t.Group/t.Lanes) == 0
	return a, t.Mode == CPU && k.B == 1 && k.P < MaxDividend && items < maxAnyItems(t)
}

// Scalars returns the scalars for a computation.
func (k AnyPointwise) Scalars(t Target, of Pointwise) []uint32 {
	return AppendDivisor([]uint32{uint32(of.C)}, of.C/(t.Lanes*k.NJ))
}

// Signature implements Kernel.
func (k AnyPointwise) Signature(t Target) Signature {
	return Signature{
		Operands: append(reads(len(k.Of.In)), Write), Scalars: 3, Most: maxAnyItems(t), Whole: k.Whole,
	}
}

// Body implements Kernel.
func (k AnyPointwise) Body(e *E) {
	tl, c := Tile{C: k.C, NJ: k.NJ, TP: k.TP}, e.Scalar(0)
	if k.C > 0 {
		c = e.C(k.C)
	}
	tile, block := e.SplitSize(e.Item(), e.DivisorOf(1))
	p, cb := e.MulU(tile, k.TP), e.MulU(block, e.T.Lanes*k.NJ)
	in := make([][][]F, len(k.Of.In))
	for i, pat := range k.Of.In {
		in[i] = e.loadPattern(pat, i, tl, c, p, cb)
	}
	out := apply(e, k.Of, in, tl)
	to := e.AddU(e.MulUU(p, c), cb)
	e.Stores(func() {
		for i := range out {
			e.StoreBlock(len(in), e.AddU(to, e.MulU(c, i)), out[i])
		}
	})
}

// AnyWinogradInput is WinogradInput for one picture of any size. Fields are as in WinogradShape.
type AnyWinogradInput struct{ AnyWinograd }

// AnyWinogradOutput is WinogradOutput without an epilogue for one picture of any size. Fields are as
// in WinogradShape.
type AnyWinogradOutput struct{ AnyWinograd }

// AnyWinograd is what a kernel of Winograd's method for any size is compiled for.
type AnyWinograd struct {
	M, NJ          int
	WholeH, WholeW bool // M divides H, and W
	Whole          bool // as in Signature
}

// Any returns what kernels for the shape are compiled for, and whether there are any.
func (s WinogradShape) Any(t Target) (k AnyWinograd, ok bool) {
	items := s.Tiles() * s.blocks(t)
	k = AnyWinograd{M: s.M, NJ: s.NJ, WholeH: s.H%s.M == 0, WholeW: s.W%s.M == 0, Whole: items%(t.Group/t.Lanes) == 0}
	return k, t.Mode == CPU && s.B == 1 && items < maxAnyItems(t)
}

// Scalars returns the scalars for a band that begins at tile first, and the number of work items.
func (k AnyWinograd) Scalars(t Target, s WinogradShape, first int) (scalars []uint32, items int) {
	scalars = append(scalars, uint32(first), uint32(s.H), uint32(s.W), uint32(s.C), uint32(s.Tiles()*s.C))
	return AppendDivisor(AppendDivisor(scalars, s.blocks(t)), s.Cols()), s.Tiles() * s.blocks(t)
}

// sizes are the scalars.
func (k AnyWinograd) sizes(e *E) winogradSizes {
	return winogradSizes{
		h: e.Scalar(1), w: e.Scalar(2), c: e.Scalar(3), plane: e.Scalar(4), blocks: e.DivisorOf(5), cols: e.DivisorOf(7),
		wholeH: k.WholeH, wholeW: k.WholeW, one: true,
	}
}

// Signature implements Kernel.
func (k AnyWinograd) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Scalars: 9, Most: maxAnyItems(t), Whole: k.Whole}
}

// Signature implements Kernel.
func (k AnyWinogradInput) Signature(t Target) Signature {
	s := k.AnyWinograd.Signature(t)
	s.Zero = true
	return s
}

// Body implements Kernel.
func (k AnyWinogradInput) Body(e *E) { e.winogradInput(k.M, k.NJ, k.sizes(e)) }

// Body implements Kernel.
func (k AnyWinogradOutput) Body(e *E) {
	e.winogradOutput(k.M, k.NJ, 1, k.sizes(e), func(row [][]F, _, _ U) [][]F { return row })
}

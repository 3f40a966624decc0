package shaders

// Tiling cuts a convolution or matrix product into the tiles of workgroups (GPU lowering). The zero
// value is no tiling: every work item loads what it needs.
type Tiling struct {
	// PM and PN are the work items of a workgroup along pixels and along blocks of channels. The
	// tile is PM·TP pixels by PN·Lanes·NJ channels.
	PM, PN int
	// BK is how many input channels of one tap are in shared memory at a time; it divides Cin.
	BK int
	// SM and SN are the workgroup's subgroups along pixels and channels, for cooperative matrices.
	// 0: none (see matrix.go).
	SM, SN int
}

// minGroups is the least number of workgroups that a dispatch should have, so that devices with
// many cores can use all of them. Smaller tiles load more, but idle cores cost more. Most edge
// devices have fewer cores; Vulkan does not tell how many a device has.
const minGroups = 64

// Tile chooses the tiling and the pixels per item for a convolution whose NJ is set. It returns s
// unchanged if tiles gain nothing (a handful of pixels, weights that differ per picture) or do not
// fit.
func (t Target) Tile(s ConvShape) ConvShape {
	per := t.Group / t.Lanes
	rows := s.B * s.OH * s.OW
	if t.Mode != GPU || t.Shared == 0 || per < 4 || s.NJ == 0 || s.Batched > 0 || s.SharedX || rows < 16 || s.KC != s.Cin {
		return s
	}
	if m, ok := t.choose(s, t.assignMatrices); ok {
		return m
	}
	best, _ := t.choose(s, func(*ConvShape) bool { return true })
	return best
}

// choose returns the largest tiles that give enough workgroups, or else those that give the most.
// fits completes a tiling, or reports that it is not possible.
func (t Target) choose(s ConvShape, fits func(*ConvShape) bool) (best ConvShape, found bool) {
	best = s
	for _, tp := range []int{8, 4, 2} {
		for _, pn := range []int{2, 1} {
			c := s
			c.TP, c.Tile = tp, Tiling{PM: t.Group / t.Lanes / pn, PN: pn, BK: Divisor(s.Cin, 16, 8, 4)}
			if (s.OH*s.OW)%tp != 0 {
				c.TP = s.TP
			}
			if s.N%(pn*t.Lanes*s.NJ) != 0 || !fits(&c) || c.SharedBytes(t) > t.Shared {
				continue
			}
			if !found || c.Groups(t) > best.Groups(t) && best.Groups(t) < minGroups {
				best, found = c, true
			}
		}
	}
	return best, found
}

// Groups is the number of workgroups of a tiled convolution.
func (s ConvShape) Groups(t Target) int {
	bm := s.Tile.PM * s.TP
	return (s.B*s.OH*s.OW + bm - 1) / bm * (s.N / (t.Lanes * s.NJ * s.Tile.PN))
}

// SharedBytes is the shared memory in bytes that each workgroup takes: two stages of tiles and,
// with matrices, the sums.
func (s ConvShape) SharedBytes(t Target) int {
	bm, bn := s.Tile.PM*s.TP, s.Tile.PN*t.Lanes*s.NJ
	if s.Tile.SM > 0 {
		return stageBytes(8, bm, s.Tile.BK, bn, matrixPad) + 16*bm*(bn/4+1)
	}
	return stageBytes(16, bm, s.Tile.BK, bn, tilePad)
}

// tilePad is how many quads of padding each row of a float32 tile has, so that rows begin in
// different banks of shared memory.
const tilePad = 1

// stageBytes returns the shared memory in bytes of two stages of tiles of bm pixels and bn channels
// with bk input channels. quad is the size of a quad in bytes, pad the padding of each row in
// quads.
func stageBytes(quad, bm, bk, bn, pad int) int {
	return 2 * quad * (bm*(bk/4+pad) + bk*(bn/4+pad))
}

// tileLoader copies the tiles of one step of a product to shared memory.
type tileLoader struct {
	e      *E
	s      ConvShape
	rowLen int  // quads between rows of pixels in shared memory
	cb     U    // first channel of the tile
	px     []px // for each quad that this invocation loads: its pixel,
	slotA  []U  // its row in shared memory
	partA  []U  // and its place among the quads of the BK channels
	a, b   quads
	sizeA  int // quads of one stage
	sizeB  int
}

type px struct{ base, y, x U }

// stage holds the values of one step in registers, between loading and writing to shared memory.
type stage struct{ a, b [][4]F }

// newTileLoader prepares the loads of the tile whose first pixel has the flat output index p0 and
// whose first channel is cb. Row r of the tile is written to row order(r) of shared memory. half:
// shared memory holds float16.
func (e *E) newTileLoader(s ConvShape, p0, cb U, pad int, order func(r U) U, half bool) *tileLoader {
	bm, bn := s.Tile.PM*s.TP, s.Tile.PN*e.T.Lanes*s.NJ
	bk := s.Tile.BK / 4
	l := &tileLoader{e: e, s: s, rowLen: bk + pad, cb: cb}
	l.sizeA, l.sizeB = bm*l.rowLen, s.Tile.BK*(bn/4+pad)
	l.a, l.b = e.sharedQuads(2*l.sizeA, half), e.sharedQuads(2*l.sizeB, half)
	rows := s.B * s.OH * s.OW
	local := U{id: e.local}
	for i := 0; i < (bm*bk+e.T.Group-1)/e.T.Group; i++ {
		q := e.Split(e.AddU(local, e.C(i*e.T.Group)), bk)
		row := q[0]
		l.slotA = append(l.slotA, order(row))
		l.partA = append(l.partA, q[1])
		p := e.AddU(p0, row)
		if rows%bm != 0 {
			p = e.MinU(p, e.C(rows-1))
		}
		if s.KH == 1 && s.Stride == 1 {
			l.px = append(l.px, px{base: e.MulU(p, s.Cin)})
			continue
		}
		at := e.Split(p, s.OH, s.OW)
		l.px = append(l.px, px{e.MulU(at[0], s.IH), e.MulU(at[1], s.Stride), e.MulU(at[2], s.Stride)})
	}
	return l
}

// steps returns the number of steps of the product.
func (l *tileLoader) steps() int { return l.s.KH * l.s.KH * (l.s.Cin / l.s.Tile.BK) }

// load reads the values of step i into registers.
func (l *tileLoader) load(i U) (st stage) {
	e, s := l.e, l.s
	at := e.Split(i, s.Cin/s.Tile.BK)
	tap, k := at[0], e.MulU(at[1], s.Tile.BK)
	dy, dx := e.DivU(tap, s.KH), e.ModU(tap, s.KH)
	for j, p := range l.px {
		c := e.AddU(k, e.MulU(l.partA[j], 4))
		if s.KH == 1 && s.Stride == 1 {
			st.a = append(st.a, e.Broadcast4(e.At(0, e.AddU(p.base, c)), e.C(0)))
			continue
		}
		yy, xx := e.SumU(p.y, dy, e.C(-s.Pad)), e.SumU(p.x, dx, e.C(-s.Pad))
		row := U{id: e.uid(e.AddU(p.base, yy))}
		in := e.AddU(e.MulU(U{id: e.uid(e.AddU(e.MulU(row, s.IW), xx))}, s.Cin), c)
		ref := e.At(0, in)
		if s.Pad > 0 {
			ref = e.AtIf(0, in, e.And(e.LtU(yy, e.C(s.IH)), e.LtU(xx, e.C(s.IW))))
		}
		st.a = append(st.a, e.Broadcast4(ref, e.C(0)))
	}
	bn := s.Tile.PN * e.T.Lanes * s.NJ / 4
	for j := 0; j < l.quadsB(); j++ {
		q := e.Split(l.indexB(j), bn)
		w := e.SumU(e.MulU(e.SumU(e.MulU(tap, s.Cin), k, e.MinU(q[0], e.C(s.Tile.BK-1))), s.N), l.cb, e.MulU(q[1], 4))
		st.b = append(st.b, e.Broadcast4(e.At(1, w), e.C(0)))
	}
	return st
}

// quadsB returns how many quads of weights each invocation loads.
func (l *tileLoader) quadsB() int {
	return (l.s.Tile.BK*l.s.Tile.PN*l.e.T.Lanes*l.s.NJ/4 + l.e.T.Group - 1) / l.e.T.Group
}

func (l *tileLoader) indexB(j int) U { return l.e.AddU(U{id: l.e.local}, l.e.C(j*l.e.T.Group)) }

// put writes a stage to half buf (0 or 1) of the shared memory.
func (l *tileLoader) put(st stage, buf U) {
	e, s := l.e, l.s
	bm, bk := s.Tile.PM*s.TP, s.Tile.BK/4
	for j, v := range st.a {
		l.guard(j, bm*bk, func() {
			e.setQuad(l.a, e.SumU(e.MulU(buf, l.sizeA), e.MulU(l.slotA[j], l.rowLen), l.partA[j]), v)
		})
	}
	bn := s.Tile.PN * e.T.Lanes * s.NJ / 4
	pad := l.rowLen - bk
	for j, v := range st.b {
		l.guard(j, s.Tile.BK*bn, func() {
			q := e.Split(l.indexB(j), bn)
			e.setQuad(l.b, e.SumU(e.MulU(buf, l.sizeB), e.MulU(q[0], bn+pad), q[1]), v)
		})
	}
}

// guard runs body for the invocations whose j-th quad is one of the n of a tile.
func (l *tileLoader) guard(j, n int, body func()) {
	if (j+1)*l.e.T.Group <= n {
		body()
		return
	}
	l.e.If(l.e.LtU(l.indexB(j), l.e.C(n)), body)
}

// run does all steps. It calls compute for each step, with the half of shared memory that holds its
// tiles, while the next step's values are being loaded.
func (l *tileLoader) run(compute func(buf U)) {
	e, n := l.e, l.steps()
	l.put(l.load(e.C(0)), e.C(0))
	e.barrier()
	e.Loop(n, func(i U) {
		var next stage
		if n > 1 {
			next = l.load(e.MinU(e.AddU(i, e.C(1)), e.C(n-1)))
		}
		compute(e.ModU(i, 2))
		if n > 1 {
			l.put(next, e.ModU(e.AddU(i, e.C(1)), 2))
			e.barrier()
		}
	})
}

// convTiled is Conv with workgroups that share tiles of pixels and weights.
func (e *E) convTiled(k Conv) {
	t, s := e.T, k.ConvShape
	w := e.workTile(s)
	// Item m of the tile computes the pixels m·TP…, which are PM rows apart in shared memory.
	// Neighbouring items then read neighbouring rows, which are in different banks.
	l := e.newTileLoader(s, w.p0, w.c0, tilePad, func(r U) U {
		return e.AddU(e.MulU(e.ModU(r, s.TP), s.Tile.PM), e.DivU(r, s.TP))
	}, false)
	acc := e.startSums(s, w)
	bk, bn := s.Tile.BK/4, s.Tile.PN*t.Lanes*s.NJ/4
	l.run(func(buf U) {
		a0, b0 := e.AddU(e.MulU(buf, l.sizeA), e.MulU(w.m, l.rowLen)), e.MulU(buf, l.sizeB)
		e.Loop(bk, func(k U) {
			xs := make([][4]F, s.TP)
			for j := range xs {
				xs[j] = e.getQuad(l.a, e.SumU(a0, e.C(j*s.Tile.PM*l.rowLen), k))
			}
			for kk := range 4 {
				ws := e.channelsOf(l.b, s.NJ, w.n, e.SumU(b0, e.MulU(k, 4*(bn+tilePad)), e.C(kk*(bn+tilePad))))
				for j := range xs {
					for c, wc := range ws {
						acc[j][c].Set(e.Mad(wc, xs[j][kk], acc[j][c].Get()))
					}
				}
			}
		})
	})
	out := make([][]F, s.TP)
	for j := range out {
		for _, v := range acc[j] {
			out[j] = append(out[j], v.Get())
		}
	}
	e.finishTile(s, w, k.Post, out)
}

// channelsOf reads this lane's nj channels of block n from the row that begins at quad row.
func (e *E) channelsOf(from quads, nj int, n, row U) []F {
	first := e.MulU(e.AddU(e.MulU(n, e.T.Lanes), U{id: e.lane}), nj)
	if nj == 4 {
		q := e.getQuad(from, e.AddU(row, e.DivU(first, 4)))
		return q[:]
	}
	out := make([]F, nj)
	for c := range out {
		at := e.AddU(first, e.C(c))
		out[c] = e.getOne(from, e.AddU(row, e.DivU(at, 4)), e.ModU(at, 4))
	}
	return out
}

// workTile is the part of the output that a workgroup and one of its work items compute.
type workTile struct {
	p0, c0 U // first pixel and channel of the workgroup
	m, n   U // position of the item in the tile
	p, cb  U // the item's first pixel (clamped into the output) and channel
	in     B // whether the item's pixels are in the output; 0: they are
}

// workTile returns the part of the output for this item.
func (e *E) workTile(s ConvShape) (w workTile) {
	per := s.Tile.PM * s.Tile.PN
	bn := e.T.Lanes * s.NJ
	u := e.Split(e.Item(), per)
	g := e.Split(u[0], s.N/(bn*s.Tile.PN))
	at := e.Split(u[1], s.Tile.PN)
	w.p0, w.c0 = e.MulU(g[0], s.Tile.PM*s.TP), e.MulU(g[1], bn*s.Tile.PN)
	w.m, w.n = at[0], at[1]
	w.p, w.cb = e.AddU(w.p0, e.MulU(w.m, s.TP)), e.AddU(w.c0, e.MulU(w.n, bn))
	if rows := s.B * s.OH * s.OW; rows%(s.Tile.PM*s.TP) != 0 {
		w.in = e.LtU(w.p, e.C(rows))
		w.p = e.SelU(w.in, w.p, e.C(0))
	}
	return w
}

// startSums returns the sums of an item, [TP][NJ], initialised from start.
func (e *E) startSums(s ConvShape, w workTile) [][]*Var {
	start := e.AddU(e.MulUU(w.p, e.Scalar(1)), w.cb)
	acc := make([][]*Var, s.TP)
	for i := range acc {
		for _, x := range e.Block(e.At(2, start), e.C(0), s.NJ) {
			acc[i] = append(acc[i], e.NewVar(x))
		}
		start = e.AddU(start, e.Scalar(1))
	}
	return acc
}

// finishTile applies the epilogue to the sums of an item and stores them.
func (e *E) finishTile(s ConvShape, w workTile, post Expr, out [][]F) {
	last := 3
	if !post.IsNone() {
		tl := s.epilogueTile()
		in := [][][]F{out}
		for i, pat := range post.In[1:] {
			in = append(in, e.loadOperand(pat, 3+i, tl, w.p, w.cb))
		}
		last += post.more()
		out = apply(e, post, in, tl)
	}
	base := e.AddU(e.MulU(w.p, s.N), w.cb)
	store := func() {
		for i := range out {
			e.StoreBlock(last, e.AddU(base, e.C(i*s.N)), out[i])
		}
	}
	e.Stores(func() {
		if w.in == 0 {
			store()
			return
		}
		e.If(w.in, store)
	})
}

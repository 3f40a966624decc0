package shaders

// WinogradShape describes a 3×3 convolution of stride 1 with zero padding, computed by Winograd's
// F(M×M, 3×3). Tiles of (M+2)×(M+2) input pixels, M apart, give M×M output pixels each:
//
//	Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// This takes (M+2)² multiplications per channel pair instead of 9·M²: 16 instead of 36 for M = 2,
// 36 instead of 144 for M = 4. WinogradInput computes Bᵀ d B. The products over the channels are
// (M+2)² matrix products [tiles × C]·[C × N] (Conv with Batched). WinogradOutput computes Y. If M
// does not divide H or W, the last tiles reach beyond the picture.
type WinogradShape struct {
	M       int // 2 or 4
	B, H, W int
	C       int // channels of the kernel's input or output
	NJ      int // consecutive channels per lane
	Band    int // rows of tiles per dispatch; divides B·Rows()
}

// Rows is the number of rows of tiles in a picture.
func (s WinogradShape) Rows() int { return (s.H + s.M - 1) / s.M }

// Cols is the number of columns of tiles in a picture.
func (s WinogradShape) Cols() int { return (s.W + s.M - 1) / s.M }

// Tiles is the number of tiles of a band.
func (s WinogradShape) Tiles() int { return s.Band * s.Cols() }

// Products is the number of matrix products.
func (s WinogradShape) Products() int { return (s.M + 2) * (s.M + 2) }

// blocks returns the number of blocks of channels.
func (s WinogradShape) blocks(t Target) int { return s.C / (t.Lanes * s.NJ) }

// WinogradInput computes Bᵀ d B. Operands: x [B][H][W][C], result [products][tiles][C]. Scalar 0 is
// the index of the band's first tile among all tiles.
type WinogradInput struct{ WinogradShape }

// Signature implements Kernel.
func (s WinogradInput) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Scalars: 1, Items: s.Tiles() * s.blocks(t), Zero: true}
}

// Body implements Kernel.
func (s WinogradInput) Body(e *E) { e.winogradInput(s.M, s.NJ, e.winogradSizes(s.WinogradShape)) }

// winogradSizes are the sizes of a WinogradShape that its code may get as scalars.
type winogradSizes struct {
	h, w, c            U
	blocks, rows, cols Size
	plane              U    // elements of a product of the band
	wholeH, wholeW     bool // M divides H, and W
	one                bool // there is one picture
}

func (e *E) winogradSizes(s WinogradShape) winogradSizes {
	return winogradSizes{
		h: e.C(s.H), w: e.C(s.W), c: e.C(s.C), blocks: e.Fixed(s.blocks(e.T)), rows: e.Fixed(s.Rows()), cols: e.Fixed(s.Cols()),
		plane: e.C(s.Tiles() * s.C), wholeH: s.H%s.M == 0, wholeW: s.W%s.M == 0,
	}
}

// winogradTile returns the item's tile in the band, its first channel, its picture, and its row and
// column of tiles.
func (e *E) winogradTile(nj int, z winogradSizes) (tile, cb, picture, row, col U) {
	tile, block := e.SplitSize(e.Item(), z.blocks)
	cb = e.MulU(block, e.T.Lanes*nj)
	row, col = e.SplitSize(e.AddU(tile, e.Scalar(0)), z.cols)
	if !z.one {
		picture, row = e.SplitSize(row, z.rows)
	}
	return tile, cb, picture, row, col
}

// winogradInput is the body of WinogradInput.
func (e *E) winogradInput(m, nj int, z winogradSizes) {
	tile, cb, picture, tileRow, tileCol := e.winogradTile(nj, z)
	y0, x0 := e.MulU(tileRow, m), e.MulU(tileCol, m)
	side := m + 2
	d := square(side) // [column][row]
	for dy := range side {
		yy := e.AddU(y0, e.C(dy-1))
		in := e.LtU(yy, z.h)
		row := e.MulUU(e.AddU(e.MulUU(picture, z.h), yy), z.w)
		for dx := range side {
			xx := e.AddU(x0, e.C(dx-1))
			at := e.AddU(e.MulUU(e.AddU(row, xx), z.c), cb)
			ok := in
			if inside := dx > 0 && (dx <= m && z.wholeW); !inside {
				ok = e.And(in, e.LtU(xx, z.w))
			}
			d[dx][dy] = e.Block(e.AtIf(0, at, ok), e.C(0), nj)
		}
	}
	base := e.AddU(e.MulUU(tile, z.c), cb)
	e.Stores(func() {
		h := square(side) // rows transformed
		for dx, col := range d {
			for i, v := range e.winogradB(col) {
				h[i][dx] = v
			}
		}
		for i := range h {
			for j, v := range e.winogradB(h[i]) {
				e.StoreBlock(1, e.AddU(base, e.MulU(z.plane, side*i+j)), v)
			}
		}
	})
}

// square returns an empty n×n array, whose entries will hold some channels each.
func square(n int) [][][]F {
	m := make([][][]F, n)
	for i := range m {
		m[i] = make([][]F, n)
	}
	return m
}

// channelwise applies f, which maps len(v) values to n values, to every channel.
func channelwise(v [][]F, n int, f func(x []F) []F) [][]F {
	out := make([][]F, n)
	x := make([]F, len(v))
	for c := range v[0] {
		for i := range v {
			x[i] = v[i][c]
		}
		for i, y := range f(x) {
			out[i] = append(out[i], y)
		}
	}
	return out
}

// winogradB multiplies Bᵀ with the M+2 values of every channel.
func (e *E) winogradB(d [][]F) [][]F {
	four, five := e.Float(4), e.Float(5)
	return channelwise(d, len(d), func(d []F) []F {
		if len(d) == 4 {
			return []F{e.Sub(d[0], d[2]), e.Add(d[1], d[2]), e.Sub(d[2], d[1]), e.Sub(d[1], d[3])}
		}
		even, odd := e.Sub(d[4], e.Mul(four, d[2])), e.Sub(d[3], e.Mul(four, d[1]))
		near, far := e.Sub(d[4], d[2]), e.Mul(e.Float(2), e.Sub(d[3], d[1]))
		ends := func(a, b, c F) F { return e.Add(e.Sub(e.Mul(four, a), e.Mul(five, b)), c) }
		return []F{ends(d[0], d[2], d[4]), e.Add(even, odd), e.Sub(even, odd), e.Add(near, far), e.Sub(near, far), ends(d[1], d[3], d[5])}
	})
}

// winogradA multiplies Aᵀ with the M+2 values of every channel, which gives M values.
func (e *E) winogradA(m [][]F) [][]F {
	return channelwise(m, len(m)-2, func(m []F) []F {
		if len(m) == 4 {
			return []F{e.Add(e.Add(m[0], m[1]), m[2]), e.Sub(e.Sub(m[1], m[2]), m[3])}
		}
		s1, s2, t1, t2 := e.Add(m[1], m[2]), e.Add(m[3], m[4]), e.Sub(m[1], m[2]), e.Sub(m[3], m[4])
		return []F{
			e.Add(e.Add(m[0], s1), s2), e.Mad(e.Float(2), t2, t1), e.Mad(e.Float(4), s2, s1), e.Add(e.Mad(e.Float(8), t2, t1), m[5]),
		}
	})
}

// WinogradGrad computes A dY Aᵀ, the gradient with respect to the products. Operands: dy
// [B][H][W][C], result [products][tiles][C]. Scalar 0 is as in WinogradInput.
type WinogradGrad struct{ WinogradShape }

// Signature implements Kernel.
func (s WinogradGrad) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Write},
		Scalars:  1,
		Items:    s.Tiles() * s.blocks(t),
		Zero:     s.H%s.M != 0 || s.W%s.M != 0,
	}
}

// Body implements Kernel.
func (s WinogradGrad) Body(e *E) {
	t := e.T
	u := e.Split(e.Item(), s.blocks(t))
	tile, cb := u[0], e.MulU(u[1], t.Lanes*s.NJ)
	q := e.Split(e.AddU(tile, e.Scalar(0)), s.Rows(), s.Cols())
	y0, x0 := e.MulU(q[1], s.M), e.MulU(q[2], s.M)
	side := s.M + 2
	h := square(side) // [row transformed][column]
	for dx := range s.M {
		col := make([][]F, s.M)
		for dy := range s.M {
			y, x := e.AddU(y0, e.C(dy)), e.AddU(x0, e.C(dx))
			var ok B // the pixel is in the picture
			if dy > 0 && s.H%s.M != 0 {
				ok = e.LtU(y, e.C(s.H))
			}
			if dx > 0 && s.W%s.M != 0 {
				ok = e.And(ok, e.LtU(x, e.C(s.W)))
			}
			at := e.AddU(e.MulU(e.SumU(e.MulU(e.AddU(e.MulU(q[0], s.H), y), s.W), x), s.C), cb)
			col[dy] = e.Block(e.AtIf(0, at, ok), e.C(0), s.NJ)
		}
		for i, v := range e.winogradAT(col) {
			h[i][dx] = v
		}
	}
	base := e.AddU(e.MulU(tile, s.C), cb)
	plane := s.Tiles() * s.C
	e.Stores(func() {
		for i := range h {
			for j, v := range e.winogradAT(h[i][:s.M]) {
				e.StoreBlock(1, e.AddU(base, e.C((side*i+j)*plane)), v)
			}
		}
	})
}

// winogradAT multiplies A with the M values of every channel, which gives M+2 values.
func (e *E) winogradAT(y [][]F) [][]F {
	return channelwise(y, len(y)+2, func(y []F) []F {
		if len(y) == 2 {
			return []F{y[0], e.Add(y[0], y[1]), e.Sub(y[0], y[1]), e.Sub(e.Float(0), y[1])}
		}
		four := e.Float(4)
		even, odd := e.Add(y[0], y[2]), e.Add(y[1], y[3])
		even2, odd2 := e.Mad(four, y[2], y[0]), e.Mul(e.Float(2), e.Mad(four, y[3], y[1]))
		return []F{y[0], e.Add(even, odd), e.Sub(even, odd), e.Add(even2, odd2), e.Sub(even2, odd2), y[3]}
	})
}

// WinogradFilters describes the filters of a convolution by F(M×M, 3×3) from C to N channels. A
// lane takes NJ consecutive channels.
type WinogradFilters struct{ M, C, N, NJ int }

// WinogradGradW computes Gᵀ U G. Operands: u [products][C][N], result dw [3·3][C][N].
type WinogradGradW struct{ WinogradFilters }

// Signature implements Kernel.
func (s WinogradGradW) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Items: s.C * (s.N / (t.Lanes * s.NJ))}
}

// Body implements Kernel.
func (s WinogradGradW) Body(e *E) {
	t, m, c, n, nj := e.T, s.M, s.C, s.N, s.NJ
	at := e.MulU(e.Item(), t.Lanes*nj)
	side := m + 2
	h := square(side) // [tap row][column]
	for j := range side {
		col := make([][]F, side)
		for i := range side {
			col[i] = e.Block(e.At(0, at), e.C((side*i+j)*c*n), nj)
		}
		for i, v := range e.winogradGT(col) {
			h[i][j] = v
		}
	}
	e.Stores(func() {
		for dy := range 3 {
			for dx, v := range e.winogradGT(h[dy]) {
				e.StoreBlock(1, e.AddU(at, e.C((3*dy+dx)*c*n)), v)
			}
		}
	})
}

// winogradGT multiplies Gᵀ with the M+2 values of every channel, which gives three values.
func (e *E) winogradGT(u [][]F) [][]F {
	return channelwise(u, 3, func(u []F) []F {
		sum, diff := e.Add(u[1], u[2]), e.Sub(u[1], u[2])
		if len(u) == 4 {
			half := e.Float(0.5)
			return []F{e.Mad(half, sum, u[0]), e.Mul(half, diff), e.Mad(half, sum, u[3])}
		}
		far, near := e.Add(u[3], u[4]), e.Sub(u[3], u[4])
		sixth := e.Float(1.0 / 6)
		return []F{
			e.Sub(e.Mad(e.Float(1.0/24), far, e.Mul(e.Float(0.25), u[0])), e.Mul(sixth, sum)),
			e.Sub(e.Mul(e.Float(1.0/12), near), e.Mul(sixth, diff)),
			e.Mad(sixth, e.Sub(far, sum), u[5]),
		}
	})
}

// WinogradOutput computes Aᵀ M A and applies an epilogue as Conv does. Operands: M
// [products][tiles][C], epilogue inputs…, y [B][H][W][C]. Scalar 0 is as in WinogradInput.
type WinogradOutput struct {
	WinogradShape
	Post Expr
}

// Signature implements Kernel.
func (k WinogradOutput) Signature(t Target) Signature {
	return Signature{Operands: append(reads(1+k.Post.more()), Write), Scalars: 1, Items: k.Tiles() * k.blocks(t)}
}

// Body implements Kernel.
func (k WinogradOutput) Body(e *E) {
	e.winogradOutput(k.M, k.NJ, 1+k.Post.more(), e.winogradSizes(k.WinogradShape), func(row [][]F, p, cb U) [][]F {
		if k.Post.IsNone() {
			return row
		}
		return e.winogradPost(k.WinogradShape, k.Post, row, p, cb)
	})
}

// winogradOutput is the body of WinogradOutput. The result is operand out. post applies the
// epilogue to a row of M pixels from pixel p on, with the channels from cb on.
func (e *E) winogradOutput(m, nj, out int, z winogradSizes, post func(row [][]F, p, cb U) [][]F) {
	tile, cb, picture, tileRow, tileCol := e.winogradTile(nj, z)
	base := e.AddU(e.MulUU(tile, z.c), cb)
	side := m + 2
	h := square(side)
	for j := range side {
		col := make([][]F, side)
		for i := range side {
			col[i] = e.Block(e.At(0, base), e.MulU(z.plane, side*i+j), nj)
		}
		for i, v := range e.winogradA(col) {
			h[i][j] = v
		}
	}
	x0 := e.MulU(tileCol, m)
	for i := range m {
		row := e.winogradA(h[i])
		y := e.AddU(e.MulU(tileRow, m), e.C(i))
		var below B // the row is in the picture
		if i > 0 && !z.wholeH {
			below = e.LtU(y, z.h)
			y = e.MinU(y, e.AddU(z.h, e.C(-1)))
		}
		p := e.AddU(e.MulUU(e.AddU(e.MulUU(picture, z.h), y), z.w), x0)
		row = post(row, p, cb)
		to := e.AddU(e.MulUU(p, z.c), cb)
		e.Stores(func() {
			for x, v := range row {
				ok := below
				if x > 0 && !z.wholeW {
					ok = e.And(ok, e.LtU(e.AddU(x0, e.C(x)), z.w))
				}
				store := func() { e.StoreBlock(out, e.AddU(to, e.MulU(z.c, x)), v) }
				if ok == 0 {
					store()
				} else {
					e.If(ok, store)
				}
			}
		})
	}
}

// winogradPost applies the epilogue to the M values of a row that begins at pixel p.
func (e *E) winogradPost(s WinogradShape, post Expr, row [][]F, p, cb U) [][]F {
	tl := Tile{C: s.C, P: s.H * s.W, NJ: s.NJ, TP: s.M}
	in := [][][]F{row}
	for k, pat := range post.In[1:] {
		if s.W%s.M == 0 {
			in = append(in, e.loadOperand(pat, 1+k, tl, p, cb))
			continue
		}
		// The tile may reach beyond the row. Pixels beyond the last one read the last one's values;
		// they are not stored.
		one, all := tl, make([][]F, s.M)
		one.TP = 1
		for x := range all {
			at := e.MinU(e.AddU(p, e.C(x)), e.C(s.B*s.H*s.W-1))
			all[x] = e.loadOperand(pat, 1+k, one, at, cb)[0]
		}
		in = append(in, all)
	}
	return apply(e, post, in, tl)
}

// WinogradWeights computes G g Gᵀ, packed for Conv. Operands: w [3·3][C][N], result
// [products][C][N] in the order of ConvShape's weights. In the CPU lowering a work item computes
// only one vector, of every NJ-th channel of a block: with more than one, the 36 results of each
// would make the kernel slow to build.
type WinogradWeights struct{ WinogradFilters }

// Signature implements Kernel.
func (s WinogradWeights) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Items: s.C * (s.N / (t.Lanes * s.NJ)) * s.NJ}
}

// Body implements Kernel.
func (s WinogradWeights) Body(e *E) {
	t, m, c, n, nj := e.T, s.M, s.C, s.N, s.NJ
	blk := t.Lanes * nj
	blocks := n / blk
	u := e.Split(e.Item(), blocks, nj)
	row, first := e.AddU(e.MulU(u[0], n), e.MulU(u[1], blk)), e.MulU(u[2], t.Lanes)
	from, stride, to := e.AddU(row, first), 1, e.AddU(row, first)
	if t.Mode == CPU { // see PackIndex and ConvShape
		from, stride = e.AddU(row, u[2]), nj
		to = e.SumU(e.MulU(u[0], blk), e.MulU(u[1], c*blk), first)
	}
	side := m + 2
	h := square(side)
	for dx := range 3 {
		col := make([][]F, 3)
		for dy := range 3 {
			col[dy] = []F{e.Gather(e.At(0, from), e.C((3*dy+dx)*c*n), func(l int) int { return stride * l })}
		}
		for i, v := range e.winogradG(m, col) {
			h[i][dx] = v
		}
	}
	e.Stores(func() {
		for i := range side {
			for j, v := range e.winogradG(m, h[i][:3]) {
				e.StoreBlock(1, e.AddU(to, e.C((side*i+j)*c*n)), v)
			}
		}
	})
}

// winogradG multiplies G with three values of every channel, which gives M+2 values.
func (e *E) winogradG(m int, g [][]F) [][]F {
	return channelwise(g, m+2, func(g []F) []F {
		ends := e.Add(g[0], g[2])
		if m == 2 {
			half := e.Float(0.5)
			return []F{g[0], e.Mul(half, e.Add(ends, g[1])), e.Mul(half, e.Sub(ends, g[1])), g[2]}
		}
		sixth := e.Float(-1.0 / 6)
		far := e.Mad(e.Float(1.0/6), g[2], e.Mul(e.Float(1.0/24), g[0]))
		mid := e.Mul(e.Float(1.0/12), g[1])
		return []F{
			e.Mul(e.Float(0.25), g[0]), e.Mul(sixth, e.Add(ends, g[1])), e.Mul(sixth, e.Sub(ends, g[1])), e.Add(far, mid), e.Sub(far, mid), g[2],
		}
	})
}

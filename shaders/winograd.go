package shaders

import "fmt"

// WinogradShape describes a 3×3 convolution of stride 1 with a border of zeros, done by Winograd's F(2×2, 3×3): tiles of 4×4 input pixels, two apart, give 2×2
// output pixels each,
//
//	Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A,
//
// with 16 multiplications per channel pair instead of 36. The products over the channels are 16 matrix products [tiles × C]·[C × N] (Conv with Batched), between
// WinogradInput, which makes Bᵀ d B, and WinogradOutput. H and W are even.
type WinogradShape struct {
	B, H, W int
	C       int // channels of the input or the output, as the kernel has it
	NJ      int // consecutive channels per lane
}

func (s WinogradShape) tiles() int { return s.B * s.H / 2 * (s.W / 2) }

// WinogradInput is Bᵀ d B. Operands: x [B][H][W][C], result [16][tiles][C].
func WinogradInput(t Target, s WinogradShape) Kernel {
	blocks := s.C / (t.Lanes * s.NJ)
	return Kernel{
		Name:     fmt.Sprintf("winograd in %+v", s),
		Operands: []Access{Read, Write},
		Items:    s.tiles() * blocks,
		Zero:     true,
		Body: func(e *E) {
			u := e.Split(e.Item(), blocks)
			tile, cb := u[0], e.MulU(u[1], t.Lanes*s.NJ)
			q := e.Split(tile, s.H/2, s.W/2)
			y0, x0 := e.MulU(q[1], 2), e.MulU(q[2], 2)
			var d [4][4][]F // [column][row][channel]
			for dy := range 4 {
				yy := e.AddU(y0, e.C(dy-1))
				in := e.LtU(yy, e.C(s.H))
				row := e.MulU(e.AddU(e.MulU(q[0], s.H), yy), s.W)
				for dx := range 4 {
					xx := e.AddU(x0, e.C(dx-1))
					at := e.AddU(e.MulU(e.AddU(row, xx), s.C), cb)
					ok := in
					if dx == 0 || dx == 3 { // those between lie inside
						ok = e.And(in, e.LtU(xx, e.C(s.W)))
					}
					d[dx][dy] = e.Block(e.AtIf(0, at, ok), e.C(0), s.NJ)
				}
			}
			base := e.AddU(e.MulU(tile, s.C), cb)
			plane := s.tiles() * s.C
			e.Stores(func() {
				var h [4][4][]F // rows transformed
				for dx, col := range d {
					for i, v := range e.winogradB(col) {
						h[i][dx] = v
					}
				}
				for i := range 4 {
					for j, v := range e.winogradB(h[i]) {
						e.StoreBlock(1, e.AddU(base, e.C((4*i+j)*plane)), v)
					}
				}
			})
		},
	}
}

// winogradB is Bᵀ times four values of every channel.
func (e *E) winogradB(d [4][]F) (out [4][]F) {
	for c := range d[0] {
		out[0] = append(out[0], e.Sub(d[0][c], d[2][c]))
		out[1] = append(out[1], e.Add(d[1][c], d[2][c]))
		out[2] = append(out[2], e.Sub(d[2][c], d[1][c]))
		out[3] = append(out[3], e.Sub(d[1][c], d[3][c]))
	}
	return out
}

// winogradA is Aᵀ times four values of every channel.
func (e *E) winogradA(m [4][]F) (out [2][]F) {
	for c := range m[0] {
		out[0] = append(out[0], e.Add(e.Add(m[0][c], m[1][c]), m[2][c]))
		out[1] = append(out[1], e.Sub(e.Sub(m[1][c], m[2][c]), m[3][c]))
	}
	return out
}

// WinogradOutput is Aᵀ M A with an epilogue as Conv's. Operands: M [16][tiles][C], epilogue inputs…, y [B][H][W][C].
func WinogradOutput(t Target, s WinogradShape, post Expr) Kernel {
	blocks := s.C / (t.Lanes * s.NJ)
	extra := 0
	if post.Fn != nil {
		extra = len(post.In) - 1
	}
	return Kernel{
		Name:     fmt.Sprintf("winograd out %+v post %s %v", s, post.Key, post.In),
		Operands: append(reads(1+extra), Write),
		Items:    s.tiles() * blocks,
		Body: func(e *E) {
			u := e.Split(e.Item(), blocks)
			tile, cb := u[0], e.MulU(u[1], t.Lanes*s.NJ)
			q := e.Split(tile, s.H/2, s.W/2)
			base := e.AddU(e.MulU(tile, s.C), cb)
			plane := s.tiles() * s.C
			var h [2][4][]F
			for j := range 4 {
				var col [4][]F
				for i := range 4 {
					col[i] = e.Block(e.At(0, base), e.C((4*i+j)*plane), s.NJ)
				}
				for i, v := range e.winogradA(col) {
					h[i][j] = v
				}
			}
			for i := range h {
				pair := e.winogradA(h[i])
				row := pair[:]
				p := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(q[0], s.H/2), q[1]), 2), e.C(i)), s.W), e.MulU(q[2], 2))
				if post.Fn != nil {
					tl := Tile{C: s.C, P: s.H * s.W, NJ: s.NJ, TP: 2}
					in := [][][]F{row}
					for k, pat := range post.In[1:] {
						in = append(in, e.spread(pat, 1+k, tl, p, cb))
					}
					row = apply(e, post, in, tl)
				}
				to := e.AddU(e.MulU(p, s.C), cb)
				e.Stores(func() {
					for x, v := range row {
						e.StoreBlock(1+extra, e.AddU(to, e.C(x*s.C)), v)
					}
				})
			}
		},
	}
}

// WinogradWeights is G g Gᵀ, packed for Conv. Operands: w [3·3][C][n], result [16][C][n] in the order of PackIndex.
func WinogradWeights(t Target, c, n, nj int) Kernel {
	blocks := n / (t.Lanes * nj)
	return Kernel{
		Name:     fmt.Sprintf("winograd weights %d %d %d", c, n, nj),
		Operands: []Access{Read, Write},
		Items:    c * blocks,
		Body: func(e *E) {
			u := e.Split(e.Item(), blocks)
			base := e.AddU(e.MulU(u[0], n), e.MulU(u[1], t.Lanes*nj))
			var h [4][3][]F
			for dx := range 3 {
				var col [3][]F
				for dy := range 3 {
					col[dy] = e.Block(e.At(0, base), e.C((3*dy+dx)*c*n), nj)
				}
				for i, v := range e.winogradG(col) {
					h[i][dx] = v
				}
			}
			e.Stores(func() {
				for i := range 4 {
					for j, v := range e.winogradG(h[i]) {
						e.storePacked(1, e.AddU(base, e.C((4*i+j)*c*n)), v)
					}
				}
			})
		},
	}
}

// winogradG is G times three values of every channel.
func (e *E) winogradG(g [3][]F) (out [4][]F) {
	half := e.Float(0.5)
	for c := range g[0] {
		ends := e.Add(g[0][c], g[2][c])
		out[0] = append(out[0], g[0][c])
		out[1] = append(out[1], e.Mul(half, e.Add(ends, g[1][c])))
		out[2] = append(out[2], e.Mul(half, e.Sub(ends, g[1][c])))
		out[3] = append(out[3], g[2][c])
	}
	return out
}

// storePacked writes values in Block's order in that of PackIndex.
func (e *E) storePacked(op int, i U, v []F) {
	if e.T.Mode == GPU {
		e.StoreBlock(op, i, v)
		return
	}
	for j, x := range v {
		e.StoreBlock(op, e.AddU(i, e.C(j*e.T.Lanes)), []F{x})
	}
}

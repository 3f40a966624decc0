package shaders

// Pattern says how an operand of a pointwise computation is broadcast to the output [B, P, C] (P =
// H·W pixels, channels last).
type Pattern int

// Broadcast patterns.
const (
	Same      Pattern = iota // [B,P,C]
	Chan                     // [1,1,C]
	BatchChan                // [B,1,C]
	Pixel                    // [B,P,1]
	Batch                    // [B,1,1]
	One                      // [1,1,1]
	PixelChan                // [1,P,C]
	PixelOnly                // [1,P,1]
	Depth2                   // [B,P/4,4·C], of which each pixel's channels are 2×2 output pixels
	Normed                   // [B,P,C], normalised like LayerNorm on reading (CPU lowering)
)

// NormedEps is what Normed, and LayerNorm, add to the variance.
const NormedEps = 1e-5

// Tile is the geometry of a pointwise computation: C channels in blocks of Lanes·NJ, TP pixels per
// work item, P pixels per picture. W is the number of pixels in a row; only Depth2 needs it. TP is
// then even and divides W.
type Tile struct {
	C, P, NJ, TP, W int
}

// NJ returns how many consecutive channels a lane takes (4, 2 or 1) if there are C channels, or 0
// if C is not a multiple of Lanes.
func (t Target) NJ(c int) int {
	for _, nj := range []int{4, 2, 1} {
		if c%(t.Lanes*nj) == 0 {
			return nj
		}
	}
	return 0
}

// Divisor returns the first of the candidates that divides n, or 1 if none does.
func Divisor(n int, candidates ...int) int {
	for _, c := range candidates {
		if c > 0 && n%c == 0 {
			return c
		}
	}
	return 1
}

// ofPicture returns the pattern that reads the same if there is only one picture, and serves most
// shapes.
func (p Pattern) ofPicture() Pattern {
	switch p {
	case BatchChan:
		return Chan
	case Batch:
		return One
	case PixelChan:
		return Same
	case PixelOnly:
		return Pixel
	}
	return p
}

// loadOperand loads operand op for the TP pixels from flat index p on and the channel block at cb.
// Result: [TP][NJ].
func (e *E) loadOperand(pat Pattern, op int, t Tile, p, cb U) [][]F {
	return e.loadPattern(pat, op, t, e.C(t.C), p, cb)
}

// loadPattern is loadOperand for c channels, which may be a scalar. Patterns that ofPicture
// replaces, Depth2 and Normed read the sizes in t.
func (e *E) loadPattern(pat Pattern, op int, t Tile, c, p, cb U) [][]F {
	out := make([][]F, t.TP)
	same := func(v []F) {
		for i := range out {
			out[i] = v
		}
	}
	splat := func(f F) []F {
		v := make([]F, t.NJ)
		for j := range v {
			v[j] = f
		}
		return v
	}
	switch pat {
	case Same, PixelChan:
		if pat == PixelChan {
			p = e.ModU(p, t.P)
		}
		base := e.AddU(e.MulUU(p, c), cb)
		for i := range out {
			out[i] = e.Block(e.At(op, base), e.MulU(c, i), t.NJ)
		}
	case Depth2:
		q := e.Split(p, t.W)
		half := e.Split(q[0], 2)
		site := e.AddU(e.MulU(half[0], t.W/2), e.DivU(q[1], 2))
		base := e.SumU(e.MulU(site, 4*t.C), e.MulU(half[1], 2*t.C), cb)
		for i := range out {
			out[i] = e.Block(e.At(op, base), e.C(i/2*4*t.C+i%2*t.C), t.NJ)
		}
	case Normed:
		base := e.MulU(p, t.C)
		own := e.At(op, e.AddU(base, cb))
		for i := range out {
			var all []F
			for c := 0; c < t.C; c += e.T.Lanes * t.NJ {
				all = append(all, e.Block(e.At(op, base), e.C(i*t.C+c), t.NJ)...)
			}
			mean, r := e.moments(all, t.C, NormedEps)
			for _, x := range e.Block(own, e.C(i*t.C), t.NJ) {
				out[i] = append(out[i], e.Mul(e.Sub(x, mean), r))
			}
		}
	case Pixel, PixelOnly:
		if pat == PixelOnly {
			p = e.ModU(p, t.P)
		}
		for i := range out {
			out[i] = splat(e.Broadcast(e.At(op, p), e.C(i)))
		}
	case Chan:
		same(e.Block(e.At(op, cb), e.C(0), t.NJ))
	case BatchChan:
		same(e.Block(e.At(op, e.AddU(e.MulU(e.DivU(p, t.P), t.C), cb)), e.C(0), t.NJ))
	case Batch:
		same(splat(e.Broadcast(e.At(op, e.DivU(p, t.P)), e.C(0))))
	case One:
		same(splat(e.Broadcast(e.At(op, e.C(0)), e.C(0))))
	}
	return out
}

func reads(n int) []Access {
	a := make([]Access, n)
	for i := range a {
		a[i] = Read
	}
	return a
}

// Pointwise evaluates Of over an output of B pictures [P, C]. Operands: Of.In…, output.
type Pointwise struct {
	Of Expr
	B  int
	Tile
}

// Signature implements Kernel.
func (k Pointwise) Signature(t Target) Signature {
	return Signature{
		Operands: append(reads(len(k.Of.In)), Write),
		Items:    k.B * k.P / k.TP * (k.C / (t.Lanes * k.NJ)),
	}
}

// Body implements Kernel.
func (k Pointwise) Body(e *E) {
	t, x, tl, n := e.T, k.Of, k.Tile, len(k.Of.In)
	cbs := tl.C / (t.Lanes * tl.NJ)
	s := e.Split(e.Item(), cbs)
	p, cb := e.MulU(s[0], tl.TP), e.MulU(s[1], t.Lanes*tl.NJ)
	in := make([][][]F, n)
	for i, pat := range x.In {
		in[i] = e.loadOperand(pat, i, tl, p, cb)
	}
	out := apply(e, x, in, tl)
	base := e.AddU(e.MulU(p, tl.C), cb)
	e.Stores(func() {
		for i := range out {
			e.StoreBlock(n, e.AddU(base, e.C(i*tl.C)), out[i])
		}
	})
}

// apply evaluates an expression on values [operand][pixel][channel].
func apply(e *E, x Expr, in [][][]F, tl Tile) [][]F {
	out := make([][]F, tl.TP)
	for i := range out {
		for j := 0; j < tl.NJ; j++ {
			args := make([]F, len(in))
			for a := range in {
				args[a] = in[a][i][j]
			}
			out[i] = append(out[i], x.emit(e, args))
		}
	}
	return out
}

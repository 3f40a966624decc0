package compile

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// winogradFrom is the number of channels from which on Winograd's convolution is faster on software
// drivers. At the sizes of the edge network it saves 7 % of the forward pass with 32 channels
// (measured).
const winogradFrom = 32

// winogradTiles is the number of tiles from which on it pays off to transform weights that are used
// once or, for Programs that run only a few times, to build five kernels instead of one or two.
const winogradTiles = 64

// bandSize is how many transformed values, in elements, a band may have. The transformed values
// then stay in the processor's cache until they are multiplied, and they take little memory however
// large the tensors are.
const bandSize = 1 << 20

// trainBandSize is bandSize in training. There the transformed input, if it is one band, is kept
// for the gradient of the weights.
const trainBandSize = 1 << 21

// productFMA returns the limit of multiply-adds for the kernels of the products. It is a third
// higher than for others, but at least 512: the products have 2¼ partial sums per pixel, and
// storing these costs more than larger kernels. It is at most 800, because beyond that nothing is
// gained. With FastBuild it is 256.
func (t Tuning) productFMA() int {
	if t.fastBuild() {
		return 256
	}
	return min(max(t.maxFMA()*4/3, 512), 800)
}

// transformed returns how many of nj channels per lane a transform takes at a time.
func transformed(nj int) int { return min(2, nj) }

// takesWinograd reports whether a convolution is computed by Winograd's method.
func (l *lowering) takesWinograd(t shaders.Target, n *netdef.Node, s shaders.ConvShape) bool {
	if t.Mode != shaders.CPU || s.KH != 3 || s.Stride != 1 || s.Pad != 1 || s.Cin < winogradFrom || s.N < winogradFrom || t.NJ(s.Cin) == 0 {
		return false
	}
	o := l.winogradSize(s)
	many := s.B*o.Rows()*o.Cols() >= winogradTiles
	return many || l.phases[n.In[1]] == once && !l.store.train && l.tune.maxFMA() > ShortRun
}

// winogradSize chooses the tile size that needs fewer products, including those that the last tiles
// waste, and the size of the bands.
func (l *lowering) winogradSize(s shaders.ConvShape) (o shaders.WinogradShape) {
	for _, m := range []int{2, 4} {
		c := shaders.WinogradShape{M: m, B: s.B, H: s.OH, W: s.OW, C: s.N, NJ: s.NJ}
		c.Band = c.B * c.Rows()
		if m == 2 || c.Products()*c.Tiles() < o.Products()*o.Tiles() {
			o = c
		}
	}
	most := bandSize
	if l.store.train {
		most = trainBandSize
	}
	o.Band = largestDivisor(o.Band, max(1, most/(o.Products()*o.Cols()*max(s.Cin, s.N))))
	return o
}

// winograd emits a 3×3 convolution as matrix products between transforms, band by band.
func (l *lowering) winograd(t shaders.Target, n *netdef.Node, s shaders.ConvShape, post epilogue, out *value) error {
	o := l.winogradSize(s)
	w, err := l.winogradWeights(t, n.In[1], s, o)
	if err != nil {
		return err
	}
	m := l.temp(n.Name+" products", o.Products()*o.Tiles()*s.N)
	mul := product{t: t, n: n, most: l.tune.productFMA(), w: w, out: m, s: shaders.ConvShape{
		B: o.Products(), IH: o.Tiles(), IW: 1, Cin: s.Cin, OH: o.Tiles(), OW: 1, N: s.N, NJ: s.NJ, KH: 1, Stride: 1, Batched: s.Cin * s.N,
	}}
	for row := 0; row < o.B*o.Rows(); row += o.Band {
		first := []uint32{uint32(row * o.Cols())}
		if mul.x, err = l.winogradInput(t, n, s, o, first); err != nil {
			return err
		}
		if err := l.chunks(mul); err != nil {
			return err
		}
		o.NJ = transformed(o.NJ)
		if err := l.winogradOutput(t, o, post, first, m, out); err != nil {
			return err
		}
	}
	return nil
}

// winogradInput returns the transformed input of a band. If the band is the whole tensor, all
// convolutions of this tensor share it.
func (l *lowering) winogradInput(t shaders.Target, n *netdef.Node, s shaders.ConvShape, o shaders.WinogradShape, first []uint32) (*value, error) {
	whole := o.Band == o.B*o.Rows()
	if d := l.winogradIn[n.In[0]]; d != nil && whole {
		return d, nil
	}
	o.C, o.NJ = s.Cin, transformed(t.NJ(s.Cin))
	d := l.temp(n.Name+" tiles", o.Products()*o.Tiles()*s.Cin)
	if whole {
		l.winogradIn[n.In[0]] = d
	}
	// Neighbouring tiles share input pixels, but kernels for several tiles gain nothing and take
	// longer to build (measured).
	if k, ok := o.Any(t); ok && t.FastBuild {
		scalars, items := k.Scalars(t, o, int(first[0]))
		return d, l.emitItems(t, shaders.AnyWinogradInput{AnyWinograd: k}, items, scalars, 0, l.val(n.In[0]), d)
	}
	return d, l.emit(t, shaders.WinogradInput{WinogradShape: o}, first, 0, l.val(n.In[0]), d)
}

// winogradOutput emits the last step of a band: from the products m to its part of out.
func (l *lowering) winogradOutput(t shaders.Target, o shaders.WinogradShape, post epilogue, first []uint32, m, out *value) error {
	if k, ok := o.Any(t); ok && t.FastBuild && post.IsNone() {
		scalars, items := k.Scalars(t, o, int(first[0]))
		return l.emitItems(t, shaders.AnyWinogradOutput{AnyWinograd: k}, items, scalars, 0, m, out)
	}
	return l.emit(t, shaders.WinogradOutput{WinogradShape: o, Post: post.Expr}, first, 0, slices.Concat([]*value{m}, post.more, []*value{out})...)
}

// winogradWeights returns the transformed weights, packed for the products.
func (l *lowering) winogradWeights(t shaders.Target, w *netdef.Node, s shaders.ConvShape, o shaders.WinogradShape) (*value, error) {
	return l.pack(fmt.Sprint(w.ID, " winograd ", o.M), w, w.Name+" transformed", o.Products()*s.Cin*s.N, func(v *value) error {
		return l.emit(t, shaders.WinogradWeights{WinogradFilters: shaders.WinogradFilters{M: o.M, C: s.Cin, N: s.N, NJ: s.NJ}}, nil, 0, l.val(w), v)
	})
}

// gradTakesWinograd reports whether a weight gradient is computed by Winograd's method.
func (l *lowering) gradTakesWinograd(t shaders.Target, s shaders.GradW) bool {
	if t.Mode != shaders.CPU || s.KH != 3 || s.Stride != 1 || s.Pad != 1 || s.Cin < winogradFrom || s.N < winogradFrom || t.NJ(s.Cin) == 0 || l.tune.maxFMA() <= ShortRun {
		return false
	}
	o := l.winogradSize(s.ConvShape)
	return o.M == 4 && s.B*o.Rows()*o.Cols() >= winogradTiles
}

// winogradGradW emits a weight gradient between transforms, band by band. From Y = Aᵀ [(G w Gᵀ) ⊙
// V] A, where V is the transformed input, follows
//
//	dw = Gᵀ [ Σ_tiles V ⊙ (A dY Aᵀ) ] G
//
// and the sum is (M+2)² matrix products [C × tiles]·[tiles × N].
func (l *lowering) winogradGradW(t shaders.Target, n *netdef.Node, s shaders.GradW, out *value) error {
	o := l.winogradSize(s.ConvShape)
	size := o.Products() * s.Cin * s.N
	bands := o.B * o.Rows() / o.Band
	sums := l.temp(n.Name+" products", bands*size)
	product := shaders.GradW{ConvShape: shaders.ConvShape{
		B: o.Products(), IH: 1, IW: o.Tiles(), Cin: s.Cin, OH: 1, OW: o.Tiles(), N: s.N, NJ: s.NJ, KH: 1, Stride: 1}}
	for band := range bands {
		first := []uint32{uint32(band * o.Tiles())}
		v, err := l.winogradInput(t, n, s.ConvShape, o, first)
		if err != nil {
			return err
		}
		og := o
		og.NJ = transformed(s.NJ)
		m := l.temp(n.Name+" gradient tiles", o.Products()*o.Tiles()*s.N)
		if err := l.emit(t, shaders.WinogradGrad{WinogradShape: og}, first, 0, l.val(n.In[1]), m); err != nil {
			return err
		}
		to := &value{name: sums.name, size: size, base: sums, off: band * size}
		if err := l.gradWValues(t, n, product, o.Products(), v, m, to); err != nil {
			return err
		}
	}
	total := sums
	if bands > 1 {
		total = l.temp(n.Name+" product", size)
		if err := l.colSum(t, sums, total, shaders.ColSum{Groups: 1, Rows: bands, X: size}); err != nil {
			return err
		}
	}
	k := shaders.WinogradGradW{WinogradFilters: shaders.WinogradFilters{M: o.M, C: s.Cin, N: s.N, NJ: transformed(s.NJ)}}
	return l.emit(t, k, nil, 0, total, out)
}

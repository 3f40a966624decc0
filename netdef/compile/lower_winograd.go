package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// winogradFrom is the number of channels from which on Winograd's convolution is faster on software drivers (measured at the edge network's sizes: at 32 channels
// the transforms cost what the products save). Where the weights change at every step, their transform costs too much.
const winogradFrom = 64

// productFMA is the least bound of multiply-adds for the products: partial sums of theirs, four for every pixel, cost more than larger kernels.
const productFMA = 1600

// takesWinograd tells whether a convolution goes that way.
func (l *lowering) takesWinograd(t shaders.Target, n *netdef.Node, s shaders.ConvShape) bool {
	return t.Mode == shaders.CPU && s.KH == 3 && s.Stride == 1 && s.Pad == 1 && s.OH%2 == 0 && s.OW%2 == 0 && s.Cin >= winogradFrom && s.N >= winogradFrom &&
		t.NJ(s.Cin) > 0 && !l.store.train && l.hoisted[n.In[1]] && !l.flipsWhilePacking(n.In[1])
}

// winograd emits a 3×3 convolution as 16 matrix products between transforms.
func (l *lowering) winograd(t shaders.Target, n *netdef.Node, s shaders.ConvShape, post shaders.Expr, extra []*value, out *value) error {
	w, err := l.winogradWeights(t, n.In[1], s)
	if err != nil {
		return err
	}
	tiles := s.B * s.OH / 2 * (s.OW / 2)
	d, m := l.temp(n.Name+" tiles", 16*tiles*s.Cin), l.temp(n.Name+" products", 16*tiles*s.N)
	// Neighbouring tiles share input pixels, but kernels of several tiles gain nothing and take longer to build (measured).
	in := shaders.WinogradShape{B: s.B, H: s.IH, W: s.IW, C: s.Cin, NJ: t.NJ(s.Cin)}
	if err := l.emit(t, shaders.WinogradInput(t, in), nil, 0, l.val(n.In[0]), d); err != nil {
		return err
	}
	product := shaders.ConvShape{B: 16, IH: tiles, IW: 1, Cin: s.Cin, OH: tiles, OW: 1, N: s.N, NJ: s.NJ, KH: 1, Stride: 1, Batched: s.Cin * s.N}
	if err := l.chunks(t, n, product, max(l.tune.maxFMA(), productFMA), d, w, shaders.Expr{}, nil, m); err != nil {
		return err
	}
	o := shaders.WinogradShape{B: s.B, H: s.OH, W: s.OW, C: s.N, NJ: s.NJ}
	return l.emit(t, shaders.WinogradOutput(t, o, post), nil, 0, append(append([]*value{m}, extra...), out)...)
}

// winogradWeights gives the transformed weights, packed for the products.
func (l *lowering) winogradWeights(t shaders.Target, w *netdef.Node, s shaders.ConvShape) (*value, error) {
	return l.pack(fmt.Sprint(w.ID, " winograd"), w, w.Name+" transformed", 16*s.Cin*s.N, func(v *value) error {
		return l.emit(t, shaders.WinogradWeights(t, s.Cin, s.N, s.NJ), nil, 0, l.val(w), v)
	})
}

package trainhost

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/task"
)

// operators are the six forward operators of METHOD §4 as graph nodes, each for the pictures of its
// class. Separable operators are products with dense matrices; motion blur is a correlation with
// the picture's own kernel.
type operators struct {
	g            *netdef.Graph
	per          Counts
	side         int
	kernelSide   int
	mask, kernel *netdef.Node
	noisy        *netdef.Node // y of denoising if it is made on the host; nil: observe makes it
	blurred      *netdef.Node // y of motion blur, likewise
}

func newOperators(g *netdef.Graph, per Counts, side, kernelSide int) *operators {
	o := &operators{g: g, per: per, side: side, kernelSide: kernelSide}
	if n := per[clsRandom] + per[clsBox]; n > 0 {
		o.mask = g.Input(inMask, netdef.Shape{n, 1, side, side})
	}
	if n := per[clsMotion]; n > 0 {
		o.kernel = g.Input(inKernel, netdef.Shape{n, 1, kernelSide, (kernelSide + 7) / 8 * 8})
	}
	return o
}

func (o *operators) class(x *netdef.Node, c int) *netdef.Node {
	at := o.per.Start(c)
	return o.g.Slice(x, 0, at, at+o.per[c])
}

func (o *operators) matrix(name string, m task.Matrix) *netdef.Node {
	return o.g.Const(name, netdef.Shape{1, 1, m.Rows, m.Cols}, m.Data)
}

// separable is Fᵀ·X·F on every plane.
func (o *operators) separable(name string, x *netdef.Node, f task.Matrix) *netdef.Node {
	left := o.matrix(name+" left", f.Transpose())
	return o.g.MatMul(left, o.g.MatMul(x, o.matrix(name+" right", f)))
}

// times multiplies the planes of x by one plane per picture.
func (o *operators) times(x, plane *netdef.Node) *netdef.Node {
	s := x.Shape
	flat := o.g.Reshape(x, netdef.Shape{s[0], s[1], 1, s[2] * s[3]})
	p := o.g.Reshape(plane, netdef.Shape{s[0], 1, 1, s[2] * s[3]})
	return o.g.Reshape(o.g.Mul(flat, p), s)
}

func (o *operators) maskOf(c int) *netdef.Node {
	at := o.per.Start(c) - o.per.Start(clsRandom)
	return o.g.Slice(o.mask, 0, at, at+o.per[c])
}

// apply is A of class c on x [per,3,side,side]. Super-resolution gives [per,3,side/4,side/4], all
// others keep the shape of x.
func (o *operators) apply(c int, x *netdef.Node) *netdef.Node {
	d := classTask[c].Descriptor()
	switch {
	case d.Axis != nil:
		return o.separable(d.Name, x, d.Axis(o.side))
	case d.Needs == task.NeedsMask:
		return o.times(x, o.maskOf(c))
	case d.Needs == task.NeedsKernel:
		pad := task.ReflectPadMatrix(o.side, o.kernelSide/2, false)
		wide := task.ReflectPadMatrix(o.side, o.kernelSide/2, true)
		p := o.g.MatMul(o.matrix("pad left", pad.Transpose()), o.g.MatMul(x, o.matrix("pad right", wide)))
		return o.g.Blur(p, o.kernel, o.kernelSide, false, o.side)
	}
	return x
}

// join concatenates the pictures of all classes; nil means that a class has none.
func (o *operators) join(of []*netdef.Node) *netdef.Node {
	return o.g.Concat(0, slices.DeleteFunc(slices.Clone(of), func(n *netdef.Node) bool { return n == nil })...)
}

// observe gives y = A x + σ ε for every class, nil for classes without pictures. Missing pixels
// have no noise. noise is [B,3,side,side].
func (o *operators) observe(x, noise, sigma *netdef.Node) []*netdef.Node {
	g := o.g
	scaled := g.Mul(noise, sigma)
	ys := make([]*netdef.Node, Classes)
	for _, c := range o.per.present() {
		n := o.class(scaled, c)
		d := classTask[c].Descriptor()
		switch {
		case d.Needs == task.NeedsMask:
			ys[c] = o.times(g.Add(o.class(x, c), n), o.maskOf(c))
			continue
		case c == clsMotion && o.blurred != nil:
			ys[c] = o.blurred
			continue
		case c == clsDenoise && o.noisy != nil:
			ys[c] = o.noisy
			continue
		case d.Scale > 1:
			n = g.CropPlanes(n, 0, 0, o.side/d.Scale, o.side/d.Scale)
		}
		ys[c] = g.Add(o.apply(c, o.class(x, c)), n)
	}
	return ys
}

// views gives the adapter's view of each y, [per,3,side,side].
func (o *operators) views(ys []*netdef.Node) []*netdef.Node {
	vs := make([]*netdef.Node, Classes)
	for _, c := range o.per.present() {
		y := ys[c]
		switch classTask[c].Descriptor().View {
		case task.ViewFilled:
			vs[c] = o.pushPull(y, o.maskOf(c), o.side)
		case task.ViewEnlarged:
			vs[c] = o.separable("up", y, task.UpMatrix(o.side/task.Factor))
		default:
			vs[c] = y
		}
	}
	return vs
}

// masks gives the plane of known pixels for each class, [per,1,side,side].
func (o *operators) masks() []*netdef.Node {
	one := o.g.Const("known", netdef.Scalar, []float32{1})
	ms := make([]*netdef.Node, Classes)
	for _, c := range o.per.present() {
		if classTask[c].Masked() {
			ms[c] = o.maskOf(c)
		} else {
			ms[c] = o.g.BroadcastTo(one, netdef.Shape{o.per[c], 1, o.side, o.side})
		}
	}
	return ms
}

// pushPull is task.PushPull for a square with a side n that is a power of two. The planes are at
// least 8 wide; values beyond n have weight 0.
func (o *operators) pushPull(x, w *netdef.Node, n int) *netdef.Node {
	if n == 1 {
		return x
	}
	g := o.g
	have := x.Shape[3]
	next := max(8, n/2)
	pool := task.PoolMatrix(n).Grow(have, next)
	share := o.separable("pool", w, pool)
	sum := o.separable("pool", o.times(x, w), pool)
	weight := g.Recip(g.Max(share, g.Const("floor", netdef.Scalar, []float32{task.PullFloor})))
	coarse := o.times(sum, weight)
	known := g.Clamp(g.Scale(share, task.PullGain), 0, 1)
	coarse = o.pushPull(coarse, known, n/2)
	up := o.separable("spread", coarse, task.UpPool2Matrix(n).Grow(next, have))
	missing := g.Offset(g.Neg(w), 1)
	return g.Add(o.times(x, w), o.times(up, missing))
}

// misfit is ‖y − A f‖² per picture, [B,1,1,1], for restorations f [B,3,side,side].
// It is a mean over the dimensions of a picture, not of y, so that super-resolution's few pixels
// count for a sixteenth.
func (o *operators) misfit(f *netdef.Node, ys []*netdef.Node) *netdef.Node {
	g := o.g
	var parts []*netdef.Node
	for _, c := range o.per.present() {
		r := g.Square(g.Sub(ys[c], o.apply(c, o.class(f, c))))
		s := r.Shape
		// Eight partial sums per picture: rows short enough to join by copying.
		r = g.Reshape(r, netdef.Shape{s[0], s[1] * s[2] * s[3] / 8, 1, 8})
		parts = append(parts, g.Sum(r, netdef.AxHW))
	}
	return g.Scale(g.Sum(g.Concat(0, parts...), netdef.AxC), 1/float64(3*o.side*o.side))
}

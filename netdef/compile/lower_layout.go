package compile

import (
	"errors"
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// lowerLayout lowers the ops that only move data.
func (l *lowering) lowerLayout(n *netdef.Node) error {
	s := n.Shape
	var in netdef.Shape
	if len(n.In) > 0 {
		in = n.In[0].Shape
	}
	switch op := n.Op.(type) {
	case *netdef.SpaceToDepthOp:
		// out[b,h,w,(dy,dx,c)] = in[b, h·r+dy, w·r+dx, c]
		r, c := op.R, in[3]
		if r*c%8 != 0 {
			return l.generalLayout(n)
		}
		return l.copy(n, shaders.Copy{
			Dims: []int{s[0] * s[1], s[2], r},
			In:   []int{r * in[2] * c, r * c, in[2] * c},
			Out:  []int{s[2] * s[3], s[3], r * c},
			Tab:  ramp(r*c, 1),
		})
	case *netdef.DepthToSpaceOp:
		r, c := op.R, s[3]
		if r*c%8 != 0 {
			return l.generalLayout(n)
		}
		return l.copy(n, shaders.Copy{
			Dims: []int{in[0] * in[1], in[2], r},
			In:   []int{in[2] * in[3], in[3], r * c},
			Out:  []int{r * s[2] * c, r * c, s[2] * c},
			Tab:  ramp(r*c, 1),
		})
	case *netdef.PatchifyOp:
		// out[b,h,w,(dy·4+dx)·P+p] = in[b,p,4h+dy,4w+dx]
		planes, hh, ww := in[1], in[2], in[3]
		tab := make([]int, 16*planes)
		for i := range tab {
			d, p := i/planes, i%planes
			tab[i] = p*hh*ww + d/4*ww + d%4
		}
		return l.copy(n, shaders.Copy{
			Dims: []int{s[0], s[1], s[2]},
			In:   []int{planes * hh * ww, 4 * ww, 4},
			Out:  []int{s[1] * s[2] * s[3], s[2] * s[3], s[3]},
			Tab:  tab,
		})
	case *netdef.UnpatchifyOp:
		// out[b,p,4h+dy,x] = in[b,h,x/4,(dy·4+x%4)·P+p]
		planes, ww := s[1], s[3]
		w := blockOf(ww)
		tab := make([]int, w)
		for x := range tab {
			tab[x] = x/4*in[3] + x%4*planes
		}
		return l.copy(n, shaders.Copy{
			Dims: []int{s[0], planes, s[2] / 4, 4, ww / w},
			In:   []int{in[1] * in[2] * in[3], 1, in[2] * in[3], 4 * planes, w / 4 * in[3]},
			Out:  []int{planes * s[2] * ww, s[2] * ww, 4 * ww, ww, w},
			Tab:  tab,
		})
	case *netdef.FlipTransposeOp:
		if l.flipsWhilePacking(n) {
			return nil
		}
		taps, cin, cout := in[0]*in[1], in[2], in[3]
		if cin == 1 && cout == 1 {
			return l.generalLayout(n)
		}
		if cin == 1 { // only the taps are reversed
			c := blockOf(cout)
			return l.copy(n, shaders.Copy{Dims: []int{taps, cout / c}, In: []int{-cout, c}, Out: []int{cout, c}, InBase: (taps - 1) * cout, Tab: ramp(c, 1)})
		}
		c := blockOf(cin)
		return l.copy(n, shaders.Copy{
			Dims:   []int{taps, cout, cin / c},
			In:     []int{-cin * cout, 1, c * cout},
			Out:    []int{cin * cout, cin, c},
			InBase: (taps - 1) * cin * cout,
			Tab:    ramp(c, cout),
		})
	case *netdef.TransposeOp:
		m, k := in[2], in[3]
		if m == 1 || k == 1 {
			return l.view(n, 0)
		}
		c := blockOf(m)
		return l.copy(n, shaders.Copy{
			Dims: []int{in[0] * in[1], k, m / c},
			In:   []int{m * k, 1, c * k},
			Out:  []int{m * k, m, c},
			Tab:  ramp(c, k),
		})
	case *netdef.ConcatOp:
		out := l.out(n)
		to := corner{v: out, shape: s}
		for _, m := range n.In {
			if err := l.window(corner{v: l.val(m), shape: m.Shape}, to, m.Shape); err != nil {
				return err
			}
			to.at[op.Axis] += m.Shape[op.Axis]
		}
		return nil
	case *netdef.CropOp:
		if off, ok := contiguous(in, op.At, s); ok && (off%64 == 0 || off%4 == 0 && l.best.Mode == shaders.CPU && l.best.NJ(s[3]) > 0) {
			// Offsets of bindings must be multiples of 64 elements; addresses need not be.
			return l.view(n, off)
		}
		return l.window(corner{l.val(n.In[0]), in, op.At}, corner{v: l.out(n), shape: s}, s)
	case *netdef.PadOp:
		out := l.out(n)
		l.steps = append(l.steps, &step{name: "Fill " + n.Name, fill: out, phase: l.phase})
		return l.window(corner{v: l.val(n.In[0]), shape: in}, corner{out, s, op.At}, in)
	}
	return fmt.Errorf("no kernel for op %s", n.Op.Name())
}

// contiguous reports whether a box is contiguous in a tensor, and at which element it begins.
func contiguous(in netdef.Shape, at [4]int, box netdef.Shape) (off int, ok bool) {
	whole := true // the axes so far have size 1 in the box
	for i, n := range box {
		off = off*in[i] + at[i]
		if n > 1 || !whole {
			if !whole && n != in[i] {
				return 0, false
			}
			whole = false
		}
	}
	return off, true
}

func (l *lowering) copy(n *netdef.Node, s shaders.Copy) error {
	return l.copyStep(s, l.val(n.In[0]), l.out(n))
}

func (l *lowering) copyStep(s shaders.Copy, in, out *value) error {
	t := l.target(len(s.Tab))
	if t.NJ(len(s.Tab)) == 0 {
		return errors.New("rows must be a multiple of 8 elements")
	}
	return l.emit(t, s, nil, 0, in, out)
}

// corner is where a box begins in a tensor.
type corner struct {
	v     *value
	shape netdef.Shape // of the tensor
	at    [4]int
}

// window copies a box of the given size.
func (l *lowering) window(from, to corner, size netdef.Shape) error {
	si, a, so, b := from.shape, from.at, to.shape, to.at
	ib := ((a[0]*si[1]+a[1])*si[2]+a[2])*si[3] + a[3]
	ob := ((b[0]*so[1]+b[1])*so[2]+b[2])*so[3] + b[3]
	dims, run := []int{size[0], size[1], size[2]}, size[3]
	is := []int{si[1] * si[2] * si[3], si[2] * si[3], si[3]}
	os := []int{so[1] * so[2] * so[3], so[2] * so[3], so[3]}
	// Merge inner axes as long as both sides are contiguous.
	for i := 2; i >= 0 && is[i] == run && os[i] == run; i-- {
		run *= dims[i]
		dims[i] = 1
	}
	if run%8 != 0 {
		return l.generalWindow(from, to, size)
	}
	c := blockOf(run)
	return l.copyStep(shaders.Copy{
		Dims: append(dims, run/c), In: append(is, c), Out: append(os, c), InBase: ib, OutBase: ob, Tab: ramp(c, 1),
	}, from.v, to.v)
}

// blockOf returns the size of the blocks of a row that a work item copies.
func blockOf(n int) int {
	for _, b := range []int{64, 32, 16, 8} {
		if n%b == 0 {
			return b
		}
	}
	return n
}

func ramp(n, step int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i * step
	}
	return v
}

package netdef

import "fmt"

// Shape is the size of a tensor along its four axes [B,H,W,C].
type Shape [4]int

// Size returns the number of elements.
func (s Shape) Size() int { return s[0] * s[1] * s[2] * s[3] }

// String formats the shape as "[1,2,3,8]".
func (s Shape) String() string { return fmt.Sprintf("[%d,%d,%d,%d]", s[0], s[1], s[2], s[3]) }

// check returns an error for sizes that tensors cannot have.
func (s Shape) check() error {
	for _, v := range s {
		if v < 1 {
			return fmt.Errorf("shape %v has an axis smaller than 1", s)
		}
	}
	if s[3] != 1 && s[3]%8 != 0 {
		return fmt.Errorf("shape %v: the last axis must be 1 or a multiple of 8", s)
	}
	return nil
}

// Scalar is the shape of a single number, such as a loss.
var Scalar = Shape{1, 1, 1, 1}

// Axes is a set of axes, one bit per axis in the order B, H, W, C.
type Axes uint8

// The sets of axes that Sum, Mean and broadcasting support.
const (
	AxB   Axes = 1                // sum over the batch
	AxC   Axes = 8                // sum over channels: one value per site
	AxHW  Axes = 2 | 4            // sum over sites: one vector per picture
	AxBHW      = AxB | AxHW       // one vector in all, as for a bias
	AxHWC      = AxHW | AxC       // one value per picture
	AxAll      = AxB | AxHW | AxC // one value
)

// axesKnown lists the supported sets from small to large. The first that fits is taken.
var axesKnown = [...]Axes{0, AxB, AxC, AxHW, AxBHW, AxHWC, AxAll}

// Has reports whether axis i (0..3) is in the set.
func (a Axes) Has(i int) bool { return a>>uint(i)&1 == 1 }

// String names the axes, e.g. "BHW".
func (a Axes) String() string {
	s := ""
	for i, c := range "BHWC" {
		if a.Has(i) {
			s += string(c)
		}
	}
	if s == "" {
		return "none"
	}
	return s
}

// Reduce returns the shape after summing over the axes, which keep size 1.
func (a Axes) Reduce(s Shape) Shape {
	for i := range s {
		if a.Has(i) {
			s[i] = 1
		}
	}
	return s
}

// BroadcastAxes returns the set of axes along which a tensor of shape from is repeated to fill
// shape to: 0, AxB, AxC, AxHW, AxBHW, AxHWC or AxAll. If several sets would do, because to has axes
// of size 1, the smallest is returned. ok is false if the shapes do not match or the set is none of
// these.
func BroadcastAxes(from, to Shape) (a Axes, ok bool) {
	var repeated, wide Axes
	for i := range from {
		if to[i] > 1 {
			wide |= 1 << uint(i)
		}
		if from[i] == to[i] {
			continue
		}
		if from[i] != 1 {
			return 0, false
		}
		repeated |= 1 << uint(i)
	}
	for _, p := range axesKnown {
		if p&wide == repeated {
			return p, true
		}
	}
	return 0, false
}

// broadcastShape returns the common shape of two operands of a pointwise op.
func broadcastShape(a, b Shape) (Shape, error) {
	out := a
	for i := range a {
		if a[i] == 1 {
			out[i] = b[i]
		} else if b[i] != 1 && b[i] != a[i] {
			return out, fmt.Errorf("operands %v and %v differ on axis %d", a, b, i)
		}
	}
	for _, s := range [...]Shape{a, b} {
		if _, ok := BroadcastAxes(s, out); !ok {
			return out, fmt.Errorf("operand %v cannot be broadcast to %v: only over B, C, HW, BHW, HWC or all axes", s, out)
		}
	}
	return out, nil
}

// strides returns the strides, in elements, with which indices over shape to walk through a tensor
// of shape s. They are 0 on the axes along which s is broadcast.
func (s Shape) strides(to Shape) [4]int {
	st, n := [4]int{}, 1
	for i := 3; i >= 0; i-- {
		if s[i] == to[i] {
			st[i] = n
		}
		n *= s[i]
	}
	return st
}

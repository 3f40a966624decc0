package onnx

import "slices"

// Some exporters write shuffles of pixels and of channels as Reshape to more axes, Transpose, and
// Reshape back. The tensors in between are not computed: they only say what was asked for.

// shuffle is a tensor of five or six axes that a Reshape made of x.
type shuffle struct {
	x    value
	to   []int // its dimensions
	perm []int // of the Transpose after it; nil: none yet
}

// transposed applies a Transpose.
func (s *shuffle) transposed(perm []int) (*shuffle, []int) {
	dims := make([]int, len(perm))
	for i, p := range perm {
		dims[i] = s.to[p]
	}
	return &shuffle{s.x, s.to, perm}, dims
}

// shuffled finishes a shuffle with a Reshape. ok is false if it is none that is known.
func (b *builder) shuffled(s *shuffle, to []int) (v value, ok bool, err error) {
	x, d := s.x, s.to
	n, c, h, w := x.dims[0], x.dims[1], x.dims[2], x.dims[3]
	is := func(perm ...int) bool { return slices.Equal(s.perm, perm) }
	phys := x.node.Shape[3]
	switch {
	case is(0, 2, 1, 3, 4) && slices.Equal(d, []int{n, d[1], d[2], h, w}) && slices.Equal(to, x.dims):
		var list []int
		for j := range d[2] {
			for i := range d[1] {
				list = append(list, i*d[2]+j)
			}
		}
		return x.picked(list), true, nil
	case is(0, 1, 3, 5, 2, 4) && d[3] == d[5] && slices.Equal(d, []int{n, c, h / d[3], d[3], w / d[3], d[3]}) &&
		slices.Equal(to, []int{n, c * d[3] * d[3], h / d[3], w / d[3]}) && d[3] > 1 && d[3] <= 64 && phys*d[3]*d[3] <= 8*maxChannels:
		v = value{dims: to, node: b.g.SpaceToDepth(x.node, d[3]), clean: x.clean}
		for _, i := range x.at {
			for k := range d[3] * d[3] {
				v.at = append(v.at, k*phys+i)
			}
		}
		return v, true, nil
	case is(0, 1, 4, 2, 5, 3) && d[2] == d[3] && slices.Equal(d, []int{n, c / (d[2] * d[2]), d[2], d[2], h, w}) &&
		slices.Equal(to, []int{n, d[1], h * d[2], w * d[2]}) && d[2] <= 64:
		v, err = b.spaced(x, d[2], "CRD")
		return v, true, err
	}
	return v, false, nil
}

package onnx

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// interpolated enlarges x by the factor r: a convolution whose outputs are the r×r sites of a block,
// over x continued by its edges, and depth to space.
func (b *builder) interpolated(n *operator, x value, r int, cubic bool) ([]value, error) {
	where := n.text("coordinate_transformation_mode", "half_pixel")
	if b.m.Opset < 11 || n.op == "Upsample" {
		where = "asymmetric"
	}
	switch where {
	case "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "asymmetric":
	default:
		return nil, n.fail("attribute coordinate_transformation_mode", "is %q, which is not supported", where)
	}
	for _, name := range []string{"antialias", "exclude_outside"} {
		if n.integer(name, 0) != 0 {
			return nil, n.fail("attribute "+name, "is not supported")
		}
	}
	a := n.float("cubic_coeff_a", -0.75)
	if err := finite(n, "cubic_coeff_a", a); err != nil {
		return nil, err
	}
	if r == 1 {
		return []value{x}, nil
	}
	const reach = 2 // no site reads farther
	const taps = 2*reach + 1
	weights := make([][]float64, r) // of the sites from -reach to reach, for each site of a block
	for u := range weights {
		at := float64(u) / float64(r)
		if where != "asymmetric" {
			at = (float64(u)+0.5)/float64(r) - 0.5
		}
		weights[u] = make([]float64, taps)
		for i := range taps {
			d := math.Abs(at - float64(i-reach))
			switch {
			case !cubic:
				weights[u][i] = max(0, 1-d)
			case d <= 1: // Keys, Cubic convolution interpolation, 1981
				weights[u][i] = ((a+2)*d-(a+3))*d*d + 1
			case d < 2:
				weights[u][i] = ((a*d-5*a)*d+8*a)*d - 4*a
			}
		}
	}
	used := func(i int) bool {
		for u := range weights {
			if weights[u][i] != 0 {
				return true
			}
		}
		return false
	}
	h, w, c := x.dims[2], x.dims[3], x.channels()
	if c*r*r > maxChannels {
		return nil, n.fail("scales", "are too large for %d channels", c)
	}
	edge := func(int, int) int { return 0 }
	wide := x
	wide.conv = nil
	wide.node = b.mirrored(b.mirrored(x.node, reach, reach, h, edge, true), reach, reach, w, edge, false)
	conv := &convolution{
		name: n.out[0], x: wide, stride: 1, h: h, w: w, cout: c * r * r,
		weight: func(i, j, _, co int) float32 {
			d := co / c
			return float32(weights[d/r][i] * weights[d%r][j])
		},
		inputs: func(co int) (from, to int) { return co % c, co%c + 1 },
	}
	for i := range taps {
		for j := range taps {
			if used(i) && used(j) {
				conv.taps = append(conv.taps, tap{i, j, i, j})
			}
		}
	}
	p := roundUp(c)
	order := make([]int, r*r*p)
	for i := range order {
		if order[i] = -1; i%p < c {
			order[i] = i/p*c + i%p
		}
	}
	if shape := (netdef.Shape{x.dims[0], h, w, len(order)}); size(shape) > maxTensor {
		return nil, n.fail("", "its result is too large")
	}
	node, err := conv.node(b, order)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	dims := []int{x.dims[0], c, h * r, w * r}
	return []value{{dims: dims, node: b.g.DepthToSpace(node, r), at: identity(c), clean: true}}, nil
}

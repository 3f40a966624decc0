package netdef

import "fmt"

// Field says which sites of an input a network's output reads: its receptive field.
type Field struct {
	// Num/Den is the number of sites of the output per site of the input, along H and along W.
	Num, Den int
	// Align is the distance, in sites of the input, by which the input can be shifted so that all
	// values of the network are shifted by whole sites.
	Align int
	// Halo is how many sites of its surroundings, on every side, a part of the input needs so that
	// the output of the part is exactly as in the whole. It holds for parts that begin and end at
	// multiples of Align, with and without their surroundings. It is the smallest such number
	// unless the weights at the rim of the field are 0.
	Halo int
}

// GlobalError says that a value depends on all sites of an input, or on where they are.
type GlobalError struct{ Op, Node string }

func (e *GlobalError) Error() string {
	return fmt.Sprintf("netdef: %s at %q depends on the whole of the input, or on the position in it", e.Op, e.Node)
}

// interval is a range of sites along H and W: low ≤ i ≤ high.
type interval struct{ low, high [2]int }

// ReceptiveField returns the receptive field of out in the input in; both have the shape [B,H,W,C],
// with H and W of in above 1. If there is none, it returns a *GlobalError, and the Field without
// Halo: Num is then 0 for a value that has no sites, such as a mean over the input.
func ReceptiveField(out, in *Node) (Field, error) {
	nodes := Reachable(out)
	scale := map[*Node][2]int{} // of the nodes that depend on in: Num, Den
	uniform := map[*Node]bool{}
	align := 1
	var global error
	for _, n := range nodes {
		if n == in {
			scale[n] = [2]int{1, 1}
			continue
		}
		depends := false
		for _, m := range n.In {
			if _, ok := scale[m]; ok {
				depends = true
			}
		}
		if !depends {
			uniform[n] = isUniform(n, uniform)
			continue
		}
		s, err := scaleOf(n, scale, uniform)
		if global == nil {
			global = err
		}
		scale[n] = s
		align = align / gcd(align, s[1]) * s[1]
	}
	s, ok := scale[out]
	if !ok {
		return Field{}, fmt.Errorf("netdef: %q does not depend on %q", out.Name, in.Name)
	}
	if global != nil {
		return Field{Num: s[0], Den: s[1], Align: align}, global
	}
	need := map[*Node]interval{out: {high: [2]int{align*s[0]/s[1] - 1, align*s[0]/s[1] - 1}}}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		own, wanted := need[n]
		if _, depends := scale[n]; !depends || !wanted || n == in {
			continue
		}
		for _, m := range n.In {
			if _, depends := scale[m]; !depends {
				continue
			}
			r := reads(n, own)
			if other, ok := need[m]; ok {
				for a := range 2 {
					r.low[a], r.high[a] = min(r.low[a], other.low[a]), max(r.high[a], other.high[a])
				}
			}
			need[m] = r
		}
	}
	halo, r := 0, need[in]
	for a := range 2 {
		halo = max(halo, -r.low[a], r.high[a]-align+1)
	}
	return Field{Num: s[0], Den: s[1], Align: align, Halo: halo}, nil
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// isUniform reports whether a node that does not depend on the input is the same at all sites,
// apart from those near the edges.
func isUniform(n *Node, uniform map[*Node]bool) bool {
	switch n.Op.(type) {
	case *InputOp, *ParamOp, *ConstOp:
		return n.Shape[1] == 1 && n.Shape[2] == 1
	case *Conv2DOp, *DepthwiseConvOp:
		return uniform[n.In[0]]
	}
	for _, m := range n.In {
		if !uniform[m] {
			return false
		}
	}
	return true
}

// scaleOf returns how many sites a node has per site of the input, 0/1 if none, and an error if it
// reads more than a neighbourhood of each.
func scaleOf(n *Node, scale map[*Node][2]int, uniform map[*Node]bool) (s [2]int, err error) {
	s[1] = 1
	for i, m := range n.In {
		_, depends := scale[m]
		spread := m.Shape[1] < n.Shape[1] || m.Shape[2] < n.Shape[2]
		weights, global := false, false
		switch op := n.Op.(type) {
		case *Conv2DOp, *DepthwiseConvOp:
			weights = i == 1
		case *PointwiseOp, *BroadcastToOp:
			global = depends && spread
		case *SumOp:
			global = op.Axes&AxHW != 0 && m.Shape[1]*m.Shape[2] > 1
		case *ReshapeOp:
			global = m.Shape[1] != n.Shape[1] || m.Shape[2] != n.Shape[2]
		case *LayerNormOp, *LayerNormGradOp, *SoftmaxOp, *ConcatOp, *CropOp, *PadOp, *SpaceToDepthOp, *DepthToSpaceOp:
		default:
			global = true
		}
		position := !depends && !weights && m.Shape[1]*m.Shape[2] > 1 && !uniform[m]
		if global || position || depends && weights {
			err = &GlobalError{n.Op.Name(), n.Name}
		} else if depends && (s[0] == 0 || scale[m][0] != 0) {
			s = scale[m]
		}
	}
	switch op := n.Op.(type) {
	case *Conv2DOp:
		s[1] *= op.Stride
	case *SpaceToDepthOp:
		s[1] *= op.R
	case *DepthToSpaceOp:
		s[0] *= op.R
	}
	d := gcd(s[0], s[1])
	return [2]int{s[0] / d, s[1] / d}, err
}

// reads returns the sites of its inputs that a node's sites r are computed from.
func reads(n *Node, r interval) interval {
	for a := range 2 {
		low, high := &r.low[a], &r.high[a]
		switch op := n.Op.(type) {
		case *Conv2DOp:
			if k := n.In[1].Shape[0]; op.Stride == 1 {
				*low, *high = *low-k/2, *high+k/2
			} else {
				*low, *high = *low*op.Stride, *high*op.Stride+k-1
			}
		case *DepthwiseConvOp:
			*low, *high = *low-1, *high+1
		case *SpaceToDepthOp:
			*low, *high = *low*op.R, *high*op.R+op.R-1
		case *DepthToSpaceOp:
			*low, *high = floorDiv(*low, op.R), floorDiv(*high, op.R)
		case *CropOp:
			*low, *high = *low+op.At[1+a], *high+op.At[1+a]
		case *PadOp:
			*low, *high = *low-op.At[1+a], *high-op.At[1+a]
		}
	}
	return r
}

// floorDiv is a/b rounded down, for b above 0.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

package netdef

import "fmt"

// RandomOp draws a tensor of shape To from Philox: standard normal numbers, or uniform ones in
// (0,1). Its input is a key [1,1,1,8]; see Key for the counters. Streams are below 65536 and
// independent of each other.
type RandomOp struct {
	Gaussian bool
	To       Shape
	Stream   uint32
}

// Name implements Op.
func (o *RandomOp) Name() string {
	if o.Gaussian {
		return "Normal"
	}
	return "Uniform"
}

// Infer implements Op.
func (o *RandomOp) Infer(in []Shape) (Shape, error) {
	if in[0] != KeyShape {
		return Shape{}, fmt.Errorf("the key has shape %v, want %v", in[0], KeyShape)
	}
	if o.Stream >= 1<<16 || o.To[3] > 4<<16 {
		return Shape{}, fmt.Errorf("stream %d or channel count %d is too large", o.Stream, o.To[3])
	}
	return o.To, nil
}

// Eval implements Op.
func (o *RandomOp) Eval(in []*Tensor, out *Tensor) {
	key, s := keyFrom(in[0]), out.Shape
	for b := range s[0] {
		for h := range s[1] {
			for w := range s[2] {
				row := out.at(b, h, w)
				for c := 0; c < len(row); c += 4 {
					u := key.block(b, h, w, c/4, o.Stream)
					v := [4]float64{UniformFrom(u[0]), UniformFrom(u[1]), UniformFrom(u[2]), UniformFrom(u[3])}
					if o.Gaussian {
						v = BoxMuller(u)
					}
					copy(row[c:], v[:])
				}
			}
		}
	}
}

// Normal draws standard normal numbers; see RandomOp. They have no gradient.
func (g *Graph) Normal(s Shape, key *Node, stream uint32) *Node {
	return g.Apply(&RandomOp{Gaussian: true, To: s, Stream: stream}, key)
}

// Uniform draws uniform numbers in (0,1); see RandomOp. They have no gradient.
func (g *Graph) Uniform(s Shape, key *Node, stream uint32) *Node {
	return g.Apply(&RandomOp{To: s, Stream: stream}, key)
}

package netdef

import (
	"hash/fnv"
	"math"
)

// Init says how the initial values of a parameter are drawn. It is Zeros, Ones, Fill, Normal,
// HeNormal or Data.
type Init interface {
	// values fills dst, a tensor of shape s. normal returns independent standard normal numbers.
	values(dst []float32, s Shape, normal func(i int) float64)
}

// Fill sets every element to Value.
type Fill struct{ Value float32 }

// Constant initialisations.
var (
	Zeros Init = Fill{0}
	Ones  Init = Fill{1}
)

// Normal draws from a normal distribution of mean 0 and the given standard
// deviation.
type Normal struct{ Std float64 }

// HeNormal draws convolution or matrix weights [kh,kw,Cin,Cout] from a normal distribution of mean
// 0 and standard deviation Gain·√(2/(kh·kw·Cin)). With Gain 1 this keeps the variance through a
// ReLU-like activation.
type HeNormal struct{ Gain float64 }

// Data holds the values themselves.
type Data struct{ Values []float32 }

func (f Fill) values(dst []float32, _ Shape, _ func(int) float64) {
	for i := range dst {
		dst[i] = f.Value
	}
}

func (n Normal) values(dst []float32, _ Shape, normal func(int) float64) {
	for i := range dst {
		dst[i] = float32(n.Std * normal(i))
	}
}

func (h HeNormal) values(dst []float32, s Shape, normal func(int) float64) {
	Normal{h.Gain * math.Sqrt(2/float64(s[0]*s[1]*s[2]))}.values(dst, s, normal)
}

func (d Data) values(dst []float32, _ Shape, _ func(int) float64) { copy(dst, d.Values) }

// InitialValues draws the initial values of parameter p. They depend only on the seed and on the
// parameter's name and shape, not on the rest of the graph. It returns nil if p is not a parameter.
func InitialValues(p *Node, seed uint64) []float32 {
	op, ok := p.Op.(*ParamOp)
	if !ok {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	id := h.Sum64()
	v := make([]float32, p.Shape.Size())
	op.Init.values(v, p.Shape, func(i int) float64 {
		u := Philox([4]uint32{uint32(i / 4), 0, uint32(id), uint32(id >> 32)}, [2]uint32{uint32(seed), uint32(seed >> 32)})
		return BoxMuller(u)[i%4]
	})
	return v
}

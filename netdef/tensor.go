package netdef

import (
	"fmt"
	"math"
)

// Tensor is a float64 tensor of the reference interpreter.
type Tensor struct {
	Shape Shape
	Data  []float64 // row-major
	// Words holds the 32-bit words of a generator key (see Key), which float64 cannot hold: some
	// words are the bits of signalling NaNs. It is nil for every other tensor.
	Words []uint32
}

// NewTensor returns a tensor of zeros.
func NewTensor(s Shape) *Tensor { return &Tensor{Shape: s, Data: make([]float64, s.Size())} }

// FromFloat32 converts device data. A tensor of the shape of a generator key, [1,1,1,8], also gets
// Words, so that it can be used as a key.
func FromFloat32(s Shape, v []float32) (*Tensor, error) {
	if len(v) != s.Size() {
		return nil, fmt.Errorf("netdef: %d values for a tensor of shape %v (%d elements)", len(v), s, s.Size())
	}
	t := NewTensor(s)
	for i, x := range v {
		t.Data[i] = float64(x)
	}
	if s == KeyShape {
		t.Words = make([]uint32, len(v))
		for i, x := range v {
			t.Words[i] = math.Float32bits(x)
		}
	}
	return t, nil
}

// Float32 rounds the tensor to float32.
func (t *Tensor) Float32() []float32 {
	v := make([]float32, len(t.Data))
	for i, x := range t.Data {
		v[i] = float32(x)
	}
	return v
}

// at returns the channels at (b,h,w), as a slice of the tensor's data.
func (t *Tensor) at(b, h, w int) []float64 {
	c := t.Shape[3]
	i := ((b*t.Shape[1]+h)*t.Shape[2] + w) * c
	return t.Data[i : i+c]
}

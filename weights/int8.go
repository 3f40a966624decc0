package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// An I8 tensor is stored as whole numbers from −127 to 127, and beside it, as a tensor of its own, the F32 scale of each index of its last
// axis (the output channels of matrices and filters): value = number · scale. Any safetensors reader sees both.

// scaleSuffix ends the name of the scales of an I8 tensor.
const scaleSuffix = ":scale"

// channels is the length of the last axis; a scalar has one channel.
func channels(shape []int) int {
	if len(shape) == 0 {
		return 1
	}
	return shape[len(shape)-1]
}

// scalesOf gives the scale of each channel: its largest magnitude over 127, rounded up to 17 significant bits, or 1 for a channel of zeros.
// With 17 bits every number times its scale is exact, so that values once rounded are stored and read again without change.
func scalesOf(t *Tensor) *Tensor {
	c := channels(t.Shape)
	s := make([]float32, c)
	for i, x := range t.Data {
		s[i%c] = max(s[i%c], float32(math.Abs(float64(x))))
	}
	for i := range s {
		b := math.Float32bits(s[i] / 127)
		if b&0x7f != 0 {
			b = (b | 0x7f) + 1
		}
		// Values near the smallest floats would lose digits; they are zeros beside any other weight.
		if s[i] = math.Float32frombits(b); s[i] < 1e-30 {
			s[i] = 1
		}
	}
	return &Tensor{Name: t.Name + scaleSuffix, Shape: []int{c}, DType: F32, Data: s}
}

// quantise appends the whole numbers of t.
func quantise(data []byte, t *Tensor, scales []float32) []byte {
	for i, x := range t.Data {
		q := math.RoundToEven(float64(x) / float64(scales[i%len(scales)]))
		data = append(data, byte(int8(min(max(q, -127), 127))))
	}
	return data
}

// withScales joins the I8 tensors of a decoded file with their scales, which disappear from the list.
func withScales(all []Tensor, data map[string][]byte) ([]Tensor, error) {
	scales := map[string]*Tensor{}
	for i := range all {
		if t := &all[i]; len(t.Name) > len(scaleSuffix) && t.Name[len(t.Name)-len(scaleSuffix):] == scaleSuffix {
			scales[t.Name] = t
		}
	}
	used := map[string]bool{}
	var out []Tensor
	for i := range all {
		t := &all[i]
		if t.DType != I8 {
			continue
		}
		where, c := tensorPlace(t.Name), channels(t.Shape)
		s := scales[t.Name+scaleSuffix]
		if s == nil || s.DType != F32 || len(s.Shape) != 1 || s.Shape[0] != c {
			return nil, bad(where, "it is I8 and needs %d scales, a tensor %q of F32", c, t.Name+scaleSuffix)
		}
		used[s.Name] = true
		t.Data = make([]float32, len(data[t.Name]))
		for k, b := range data[t.Name] {
			if int8(b) == -128 {
				return nil, bad(where, "value at index %d is −128, which I8 weights do not have", k)
			}
			t.Data[k] = float32(int8(b)) * s.Data[k%c]
		}
		if k := finite(t.Data); k >= 0 {
			return nil, bad(where, "value at index %d is %v, not a finite number", k, t.Data[k])
		}
	}
	for _, t := range all {
		if !used[t.Name] {
			out = append(out, t)
		}
	}
	return out, nil
}

// Error says how far storing t as d would move its values: the root mean square of the differences over that of the values.
func (t *Tensor) Error(d DType) (float64, error) {
	var stored []float32
	switch d {
	case F32:
		return 0, nil
	case F16:
		b, err := appendTensor(nil, &Tensor{Name: t.Name, DType: F16, Data: t.Data})
		if err != nil {
			return 0, err
		}
		for i := 0; i < len(b); i += 2 {
			stored = append(stored, halfValue(binary.LittleEndian.Uint16(b[i:])))
		}
	case I8:
		s := scalesOf(t).Data
		for i, b := range quantise(nil, t, s) {
			stored = append(stored, float32(int8(b))*s[i%len(s)])
		}
	default:
		return 0, fmt.Errorf("unknown type %v", d)
	}
	var e, n float64
	for i, x := range t.Data {
		e += math.Pow(float64(stored[i]-x), 2)
		n += float64(x) * float64(x)
	}
	return math.Sqrt(e / max(n, 1e-300)), nil
}

package weights

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/internal/finite"
)

// An I8 tensor is stored as integers from −127 to 127. Another tensor holds, as F32, a scale for
// each index of the last axis (the output channels of matrices and filters): value = integer ·
// scale. Other safetensors readers see both tensors.

// scaleSuffix is the end of the name of the tensor with the scales of an I8 tensor.
const scaleSuffix = ":scale"

// channels returns the length of the last axis. A scalar has one channel.
func channels(shape []int) int {
	if len(shape) == 0 {
		return 1
	}
	return shape[len(shape)-1]
}

// scalesOf returns the scale of each channel: the largest magnitude divided by 127, rounded up to
// 17 significant bits, or 1 for a channel of zeros. With 17 bits every integer times its scale is
// exact, so values that were rounded once do not change when they are stored and read again.
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
		// Very small scales would lose significant bits. Such values are negligible compared with
		// any other weight, so they become zeros.
		if s[i] = math.Float32frombits(b); s[i] < 1e-30 {
			s[i] = 1
		}
	}
	return &Tensor{Name: t.Name + scaleSuffix, Shape: []int{c}, DType: F32, Data: s}
}

// quantise appends the integers of t.
func quantise(data []byte, t *Tensor, scales []float32) []byte {
	for i, x := range t.Data {
		q := math.RoundToEven(float64(x) / float64(scales[i%len(scales)]))
		data = append(data, byte(int8(min(max(q, -127), 127))))
	}
	return data
}

// withScales applies the scales to the I8 tensors of a decoded file and removes the scale tensors
// from the list.
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
		if k := finite.FirstNot(t.Data); k >= 0 {
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

// Error returns how far storing t as d would move its values: the root mean square of the
// differences divided by that of the values.
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

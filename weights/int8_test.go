package weights

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// Rounding to I8 changes a value by at most half the scale of its channel, whatever the other
// channels hold.
func TestInt8Rounding(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	x := Tensor{Name: "w", Shape: []int{3, 50, 4}, DType: I8}
	size := []float64{1, 1e-4, 3e5, 0}
	for i := range 600 {
		x.Data = append(x.Data, float32(size[i%4]*r.NormFloat64()))
	}
	f := &File{Meta: map[string]string{KeyNetwork: "n"}, Tensors: []Tensor{x}}
	got, err := Decode(pack(t, f), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Tensors) != 1 || got.Tensors[0].DType != I8 {
		t.Fatalf("%d tensors came back", len(got.Tensors))
	}
	top := make([]float64, 4)
	for i, v := range x.Data {
		top[i%4] = max(top[i%4], math.Abs(float64(v)))
	}
	var d, n float64
	for i, v := range got.Tensors[0].Data {
		e := math.Abs(float64(v - x.Data[i]))
		if e > top[i%4]/254*(1+1e-4) {
			t.Fatalf("value %d: %g became %g, the largest of its channel is %g", i, x.Data[i], v, top[i%4])
		}
		d += e * e
		n += float64(x.Data[i]) * float64(x.Data[i])
	}
	if e, err := x.Error(I8); err != nil || math.Abs(e/math.Sqrt(d/n)-1) > 1e-6 {
		t.Errorf("Error says %g, %v; it is %g", e, err, math.Sqrt(d/n))
	}
	if e, err := x.Error(F16); err == nil {
		t.Errorf("values of 3e5 fit F16 with an error of %g", e)
	}
	if e, err := x.Error(F32); e != 0 || err != nil {
		t.Errorf("F32: %g, %v", e, err)
	}
}

func TestInt8Hostile(t *testing.T) {
	scale := func(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
	data := append(scale(0.5), 1, 255, 127, 129)
	const s = `"a:scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	good := `{$META,` + s + `,"a":{"dtype":"I8","shape":[4,1],"data_offsets":[4,8]}}`
	f, err := Decode(build(t, good, data), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0.5, -0.5, 63.5, -63.5} {
		if got := f.Find("a").Data[i]; got != want {
			t.Errorf("value %d is %g, want %g", i, got, want)
		}
	}
	for _, c := range []struct {
		header, want string
		data         []byte
	}{
		{`{$META,"b:scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[4,1],"data_offsets":[4,8]}}`, "needs 1 scales", data},
		{`{$META,` + s + `,"a":{"dtype":"I8","shape":[1,4],"data_offsets":[4,8]}}`, "needs 4 scales", data},
		{`{$META,"a:scale":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[2,2],"data_offsets":[4,8]}}`, "needs 2 scales", data},
		{`{$META,"a:scale":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[4,1],"data_offsets":[4,8]}}`, "needs 1 scales", data},
		{good, "−128", append(scale(1), 1, 128, 0, 0)},
		{good, "not a finite", append(scale(float32(math.Inf(1))), 1, 1, 1, 1)},
		{good, "not a finite", append(scale(3e38), 127, 1, 1, 1)},
	} {
		_, err := Decode(build(t, c.header, c.data), Limits{})
		wantFormatError(t, err, c.want)
	}
	clash := &File{Meta: map[string]string{KeyNetwork: "n"}, Tensors: []Tensor{
		{Name: "a", Shape: []int{2}, DType: I8, Data: []float32{1, 2}}, {Name: "a:scale", Shape: []int{1}, Data: []float32{1}},
	}}
	if _, err := safetensors(clash); err == nil {
		t.Error("a tensor that takes the place of another's scales was accepted")
	}
}

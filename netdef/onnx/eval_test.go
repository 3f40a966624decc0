package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// A small interpreter of ONNX models, written from the definitions of the operators. The tests of
// this package compare with it.

// array is a tensor of any rank.
type array struct {
	dims []int
	v    []float64
}

func (a array) at(idx []int) float64 { // with broadcasting, aligned at the last axis
	o, off := 0, len(idx)-len(a.dims)
	for k, d := range a.dims {
		i := idx[off+k]
		if d == 1 {
			i = 0
		}
		o = o*d + i
	}
	return a.v[o]
}

func generate(dims []int, f func(idx []int) float64) array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	out := array{dims, make([]float64, n)}
	idx := make([]int, len(dims))
	for i := range out.v {
		out.v[i] = f(idx)
		for k := len(idx) - 1; k >= 0; k-- {
			if idx[k]++; idx[k] < dims[k] {
				break
			}
			idx[k] = 0
		}
	}
	return out
}

// fields splits a message: varints and fixed32 values into numbers, other fields into bytes.
func fields(t *testing.T, b []byte) (nums map[protowire.Number][]uint64, subs map[protowire.Number][][]byte) {
	t.Helper()
	nums, subs = map[protowire.Number][]uint64{}, map[protowire.Number][][]byte{}
	for len(b) > 0 {
		f, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal("bad tag")
		}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			nums[f], b = append(nums[f], v), b[n:]
		case protowire.Fixed32Type:
			v, n := protowire.ConsumeFixed32(b)
			nums[f], b = append(nums[f], uint64(v)), b[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				t.Fatal("bad bytes")
			}
			subs[f], b = append(subs[f], v), b[n:]
		default:
			t.Fatalf("wire type %v", kind)
		}
	}
	return nums, subs
}

func run(t *testing.T, model []byte, inputs map[string]array) map[string]array {
	t.Helper()
	_, m := fields(t, model)
	_, g := fields(t, m[7][0])
	vals := map[string]array{}
	for _, b := range g[5] {
		n, s := fields(t, b)
		a := array{}
		for _, d := range n[1] {
			a.dims = append(a.dims, int(d))
		}
		raw := s[9][0]
		for len(raw) > 0 {
			if n[2][0] == elemFloat {
				a.v = append(a.v, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
				raw = raw[4:]
			} else {
				a.v = append(a.v, float64(int64(binary.LittleEndian.Uint64(raw))))
				raw = raw[8:]
			}
		}
		vals[string(s[8][0])] = a
	}
	for _, b := range g[11] {
		_, s := fields(t, b)
		name := string(s[1][0])
		a, ok := inputs[name]
		if !ok {
			t.Fatalf("the model wants an input %q", name)
		}
		_, typ := fields(t, s[2][0])
		_, tt := fields(t, typ[1][0])
		_, sh := fields(t, tt[2][0])
		for i, d := range sh[1] {
			if n, _ := fields(t, d); int(n[1][0]) != a.dims[i] {
				t.Fatalf("input %q: axis %d is %d, want %d", name, i, n[1][0], a.dims[i])
			}
		}
		vals[name] = a
	}
	for _, b := range g[1] {
		_, s := fields(t, b)
		var in []array
		for _, name := range s[1] {
			a, ok := vals[string(name)]
			if !ok {
				t.Fatalf("%s reads %q before it is there", s[4][0], name)
			}
			in = append(in, a)
		}
		ints, text := map[string][]int{}, map[string]string{}
		for _, a := range s[5] {
			n, as := fields(t, a)
			name := string(as[1][0])
			for _, v := range append(n[3], n[8]...) {
				ints[name] = append(ints[name], int(v))
			}
			if as[4] != nil {
				text[name] = string(as[4][0])
			}
		}
		out := string(s[2][0])
		if _, twice := vals[out]; twice {
			t.Fatalf("%q is written twice: %s", out, s[4][0])
		}
		vals[out] = evaluate(t, string(s[4][0]), in, ints, text)
	}
	res := map[string]array{}
	for _, b := range g[12] {
		_, s := fields(t, b)
		res[string(s[1][0])] = vals[string(s[1][0])]
	}
	return res
}

func same(x float64) float64 { return x }

var unary = map[string]func(float64) float64{
	"Neg": func(x float64) float64 { return -x }, "Exp": math.Exp, "Log": math.Log, "Sqrt": math.Sqrt, "Tanh": math.Tanh, "Abs": math.Abs,
	"Sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, "Sin": math.Sin, "Cos": math.Cos,
	"Reciprocal": func(x float64) float64 { return 1 / x },
	"Identity":   same, "Cast": same,
	"Sign": func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	},
}

var binaryOps = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Max": math.Max, "Min": math.Min,
	"Greater": func(a, b float64) float64 {
		if a > b {
			return 1
		}
		return 0
	},
}

func evaluate(t *testing.T, op string, in []array, ints map[string][]int, text map[string]string) array {
	t.Helper()
	x := in[0]
	if f := unary[op]; f != nil {
		return generate(x.dims, func(i []int) float64 { return f(x.at(i)) })
	}
	if f := binaryOps[op]; f != nil {
		y := in[1]
		dims := append([]int{}, x.dims...)
		if len(y.dims) > len(dims) {
			dims = append([]int{}, y.dims...)
		}
		for _, a := range in {
			for k := range a.dims {
				j := len(dims) - len(a.dims) + k
				dims[j] = max(dims[j], a.dims[k])
			}
		}
		return generate(dims, func(i []int) float64 { return f(x.at(i), y.at(i)) })
	}
	switch op {
	case "Clip":
		return generate(x.dims, func(i []int) float64 { return min(max(x.at(i), in[1].v[0]), in[2].v[0]) })
	case "Conv":
		w, s, p := in[1], ints["strides"][0], ints["pads"][0]
		k := w.dims[2]
		oh, ow := (x.dims[2]+2*p-k)/s+1, (x.dims[3]+2*p-k)/s+1
		return generate([]int{x.dims[0], w.dims[0], oh, ow}, func(i []int) float64 {
			sum := 0.0
			for c := range w.dims[1] {
				for a := range k {
					for b := range k {
						y, z := i[2]*s+a-p, i[3]*s+b-p
						if y >= 0 && y < x.dims[2] && z >= 0 && z < x.dims[3] {
							sum += x.at([]int{i[0], c, y, z}) * w.at([]int{i[1], c, a, b})
						}
					}
				}
			}
			return sum
		})
	case "ReduceMean", "Softmax":
		n := float64(x.dims[1])
		at := func(i []int, c int) float64 { return x.at([]int{i[0], c, i[2], i[3]}) }
		if op == "ReduceMean" {
			return generate([]int{x.dims[0], 1, x.dims[2], x.dims[3]}, func(i []int) (s float64) {
				for c := range x.dims[1] {
					s += at(i, c) / n
				}
				return s
			})
		}
		return generate(x.dims, func(i []int) float64 {
			s := 0.0
			for c := range x.dims[1] {
				s += math.Exp(at(i, c))
			}
			return math.Exp(x.at(i)) / s
		})
	case "Concat":
		axis := ints["axis"][0]
		dims := append([]int{}, x.dims...)
		for _, a := range in[1:] {
			dims[axis] += a.dims[axis]
		}
		return generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			for _, a := range in {
				if j[axis] < a.dims[axis] {
					return a.at(j)
				}
				j[axis] -= a.dims[axis]
			}
			panic("concat")
		})
	case "Slice":
		dims, from := append([]int{}, x.dims...), make([]int, len(x.dims))
		for k, axis := range in[3].v {
			from[int(axis)] = int(in[1].v[k])
			dims[int(axis)] = int(in[2].v[k] - in[1].v[k])
		}
		return generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			for k := range j {
				j[k] += from[k]
			}
			return x.at(j)
		})
	case "Expand":
		var dims []int
		for _, d := range in[1].v {
			dims = append(dims, int(d))
		}
		return generate(dims, x.at)
	case "SpaceToDepth": // output channel (dy, dx, c)
		r, c := ints["blocksize"][0], x.dims[1]
		return generate([]int{x.dims[0], c * r * r, x.dims[2] / r, x.dims[3] / r}, func(i []int) float64 {
			d := i[1] / c
			return x.at([]int{i[0], i[1] % c, i[2]*r + d/r, i[3]*r + d%r})
		})
	case "DepthToSpace":
		r := ints["blocksize"][0]
		c := x.dims[1] / (r * r)
		if text["mode"] != "DCR" {
			t.Fatalf("DepthToSpace mode %q", text["mode"])
		}
		return generate([]int{x.dims[0], c, x.dims[2] * r, x.dims[3] * r}, func(i []int) float64 {
			return x.at([]int{i[0], (i[2]%r*r+i[3]%r)*c + i[1], i[2] / r, i[3] / r})
		})
	}
	t.Fatal(fmt.Sprintf("the oracle does not know %s", op))
	return array{}
}

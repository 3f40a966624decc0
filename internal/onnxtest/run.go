package onnxtest

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// Array is a tensor of any rank.
type Array struct {
	Dims []int
	V    []float64
}

// At returns an element, with broadcasting, aligned at the last axis.
func (a Array) At(idx []int) float64 {
	o, off := 0, len(idx)-len(a.Dims)
	for k, d := range a.Dims {
		i := idx[off+k]
		if d == 1 {
			i = 0
		}
		o = o*d + i
	}
	return a.V[o]
}

// Generate returns the tensor with the elements f(index).
func Generate(dims []int, f func(idx []int) float64) Array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	out := Array{dims, make([]float64, n)}
	idx := make([]int, len(dims))
	for i := range out.V {
		out.V[i] = f(idx)
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
func fields(t testing.TB, b []byte) (nums map[protowire.Number][]uint64, subs map[protowire.Number][][]byte) {
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

// Run computes a model in float64. Sizes that the model gives for its inputs must be those of
// inputs.
func Run(t testing.TB, model []byte, inputs map[string]Array) map[string]Array {
	t.Helper()
	_, m := fields(t, model)
	_, g := fields(t, m[7][0])
	vals := map[string]Array{}
	for _, b := range g[5] {
		n, s := fields(t, b)
		a := Array{}
		for _, d := range n[1] {
			a.Dims = append(a.Dims, int(d))
		}
		raw := s[9][0]
		for len(raw) > 0 {
			if n[2][0] == 1 {
				a.V = append(a.V, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
				raw = raw[4:]
			} else {
				a.V = append(a.V, float64(int64(binary.LittleEndian.Uint64(raw))))
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
			if n, _ := fields(t, d); n[1] != nil && int(n[1][0]) != a.Dims[i] {
				t.Fatalf("input %q: axis %d is %d, want %d", name, i, n[1][0], a.Dims[i])
			}
		}
		vals[name] = a
	}
	for _, b := range g[1] {
		_, s := fields(t, b)
		o := operation{t: t, op: string(s[4][0]), ints: map[string][]int{}, text: map[string]string{}, number: map[string]float64{}}
		for _, name := range s[1] {
			a, ok := vals[string(name)]
			if !ok && len(name) > 0 {
				t.Fatalf("%s reads %q before it is there", o.op, name)
			}
			o.in = append(o.in, a)
		}
		for _, a := range s[5] {
			n, as := fields(t, a)
			name := string(as[1][0])
			for _, v := range append(n[3], n[8]...) {
				o.ints[name] = append(o.ints[name], int(int64(v)))
			}
			if as[4] != nil {
				o.text[name] = string(as[4][0])
			}
			if n[2] != nil {
				o.number[name] = float64(math.Float32frombits(uint32(n[2][0])))
			}
		}
		for i, a := range o.results(len(s[2])) {
			out := string(s[2][i])
			if _, twice := vals[out]; twice {
				t.Fatalf("%q is written twice: %s", out, o.op)
			}
			vals[out] = a
		}
	}
	res := map[string]Array{}
	for _, b := range g[12] {
		_, s := fields(t, b)
		res[string(s[1][0])] = vals[string(s[1][0])]
	}
	return res
}

func same(x float64) float64 { return x }

func step(a, b float64) float64 {
	if a > b {
		return 1
	}
	return 0
}

var unary = map[string]func(float64) float64{
	"Neg": func(x float64) float64 { return -x }, "Exp": math.Exp, "Log": math.Log, "Sqrt": math.Sqrt, "Tanh": math.Tanh, "Abs": math.Abs,
	"Sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, "Sin": math.Sin, "Cos": math.Cos,
	"Reciprocal": func(x float64) float64 { return 1 / x },
	"Identity":   same, "Cast": same, "Dropout": same,
	"Sign":     func(x float64) float64 { return step(x, 0) - step(0, x) },
	"Relu":     func(x float64) float64 { return math.Max(x, 0) },
	"Softplus": func(x float64) float64 { return math.Log1p(math.Exp(x)) },
	"HardSwish": func(x float64) float64 {
		return x * math.Max(0, math.Min(1, x/6+0.5))
	},
	"Gelu": func(x float64) float64 { return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) },
}

var binaryOps = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Max": math.Max, "Min": math.Min, "Pow": math.Pow, "Greater": step,
	"PRelu": func(a, b float64) float64 { return math.Max(a, 0) + b*math.Min(a, 0) },
}

// operation is an operator and its inputs.
type operation struct {
	t      testing.TB
	op     string
	in     []Array
	ints   map[string][]int
	text   map[string]string
	number map[string]float64
}

// integer returns an attribute, or its default value.
func (o *operation) integer(name string, otherwise int) int {
	if v := o.ints[name]; v != nil {
		return v[0]
	}
	return otherwise
}

func (o *operation) float(name string, otherwise float64) float64 {
	if v, ok := o.number[name]; ok {
		return v
	}
	return otherwise
}

// list returns an attribute of several numbers, or its default value.
func (o *operation) list(name string, otherwise ...int) []int {
	if v := o.ints[name]; v != nil {
		return v
	}
	return otherwise
}

// window calls f with the input sites that an output site reads, and the indices of the weights.
func (o *operation) window(x Array, kernel []int, y, z int, f func(i, j, h, w int, inside bool)) {
	s, d, p := o.list("strides", 1, 1), o.list("dilations", 1, 1), o.list("pads", 0, 0, 0, 0)
	for i := range kernel[0] {
		for j := range kernel[1] {
			h, w := y*s[0]+i*d[0]-p[0], z*s[1]+j*d[1]-p[1]
			f(i, j, h, w, h >= 0 && h < x.Dims[2] && w >= 0 && w < x.Dims[3])
		}
	}
}

func (o *operation) windowSize(x Array, kernel []int) (h, w int) {
	s, d, p := o.list("strides", 1, 1), o.list("dilations", 1, 1), o.list("pads", 0, 0, 0, 0)
	side := func(a int) int {
		free := x.Dims[2+a] + p[a] + p[2+a] - (kernel[a]-1)*d[a] - 1
		if o.integer("ceil_mode", 0) == 1 {
			out := (free+s[a]-1)/s[a] + 1
			if (out-1)*s[a] < x.Dims[2+a]+p[a] {
				return out
			}
		}
		return free/s[a] + 1
	}
	return side(0), side(1)
}

func (o *operation) results(count int) []Array {
	if o.op != "Split" {
		return []Array{o.result()}
	}
	axis, from := o.integer("axis", 0), 0
	sizes := make([]int, count)
	for i := range sizes {
		sizes[i] = o.in[0].Dims[axis] / count
		if len(o.in) > 1 {
			sizes[i] = int(o.in[1].V[i])
		}
	}
	var list []Array
	for _, size := range sizes {
		dims := append([]int{}, o.in[0].Dims...)
		dims[axis] = size
		list = append(list, Generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			j[axis] += from
			return o.in[0].At(j)
		}))
		from += size
	}
	return list
}

func (o *operation) result() Array {
	t, x := o.t, o.in[0]
	t.Helper()
	each := func(f func(v float64) float64) Array {
		return Generate(x.Dims, func(i []int) float64 { return f(x.At(i)) })
	}
	if f := unary[o.op]; f != nil {
		return each(f)
	}
	if f := binaryOps[o.op]; f != nil {
		y := o.in[1]
		dims := append([]int{}, x.Dims...)
		if len(y.Dims) > len(dims) {
			dims = append([]int{}, y.Dims...)
		}
		for _, a := range o.in {
			for k := range a.Dims {
				j := len(dims) - len(a.Dims) + k
				dims[j] = max(dims[j], a.Dims[k])
			}
		}
		return Generate(dims, func(i []int) float64 { return f(x.At(i), y.At(i)) })
	}
	switch o.op {
	case "LeakyRelu":
		a := o.float("alpha", 0.01)
		return each(func(v float64) float64 { return math.Max(v, 0) + a*math.Min(v, 0) })
	case "Elu":
		a := o.float("alpha", 1)
		return each(func(v float64) float64 { return math.Max(v, 0) + a*math.Expm1(math.Min(v, 0)) })
	case "HardSigmoid":
		a, b := o.float("alpha", 0.2), o.float("beta", 0.5)
		return each(func(v float64) float64 { return math.Max(0, math.Min(1, a*v+b)) })
	case "Clip":
		return each(func(v float64) float64 { return min(max(v, o.in[1].V[0]), o.in[2].V[0]) })
	case "Conv":
		w := o.in[1]
		h, v := o.windowSize(x, w.Dims[2:])
		groups := o.integer("group", 1)
		outs := w.Dims[0] / groups
		return Generate([]int{x.Dims[0], w.Dims[0], h, v}, func(i []int) float64 {
			sum := 0.0
			if len(o.in) > 2 {
				sum = o.in[2].V[i[1]]
			}
			for c := range w.Dims[1] {
				o.window(x, w.Dims[2:], i[2], i[3], func(a, b, y, z int, inside bool) {
					if inside {
						sum += x.At([]int{i[0], i[1]/outs*w.Dims[1] + c, y, z}) * w.At([]int{i[1], c, a, b})
					}
				})
			}
			return sum
		})
	case "ConvTranspose":
		return o.convTranspose()
	case "MaxPool", "AveragePool":
		k := o.ints["kernel_shape"]
		h, v := o.windowSize(x, k)
		return Generate([]int{x.Dims[0], x.Dims[1], h, v}, func(i []int) float64 {
			sum, most, n := 0.0, math.Inf(-1), 0.0
			o.window(x, k, i[2], i[3], func(_, _, y, z int, inside bool) {
				if inside {
					u := x.At([]int{i[0], i[1], y, z})
					sum, most = sum+u, math.Max(most, u)
				}
				if inside || o.integer("count_include_pad", 0) == 1 {
					n++
				}
			})
			if o.op == "MaxPool" {
				return most
			}
			return sum / n
		})
	case "GlobalAveragePool":
		return o.reduce([]int{2, 3}, true, true)
	case "ReduceMean", "ReduceSum":
		axes := o.ints["axes"]
		if len(o.in) > 1 {
			for _, v := range o.in[1].V {
				axes = append(axes, int(v))
			}
		}
		return o.reduce(axes, o.op == "ReduceMean", o.integer("keepdims", 1) == 1)
	case "BatchNormalization":
		eps := o.float("epsilon", 1e-5)
		return Generate(x.Dims, func(i []int) float64 {
			c := i[1]
			return (x.At(i)-o.in[3].V[c])/math.Sqrt(o.in[4].V[c]+eps)*o.in[1].V[c] + o.in[2].V[c]
		})
	case "InstanceNormalization":
		mean := o.reduce([]int{2, 3}, true, true)
		centred := Generate(x.Dims, func(i []int) float64 { return x.At(i) - mean.At(i) })
		squares := operation{t: t, op: "ReduceMean", in: []Array{Generate(x.Dims, func(i []int) float64 { return centred.At(i) * centred.At(i) })}}
		v := squares.reduce([]int{2, 3}, true, true)
		return Generate(x.Dims, func(i []int) float64 {
			return centred.At(i)/math.Sqrt(v.At(i)+o.float("epsilon", 1e-5))*o.in[1].V[i[1]] + o.in[2].V[i[1]]
		})
	case "Softmax":
		return Generate(x.Dims, func(i []int) float64 {
			s, j := 0.0, append([]int{}, i...)
			for j[1] = range x.Dims[1] {
				s += math.Exp(x.At(j))
			}
			return math.Exp(x.At(i)) / s
		})
	case "Gemm", "MatMul":
		w := o.in[1]
		in, out := w.Dims[0], w.Dims[1]
		at := func(k, c int) float64 { return w.At([]int{k, c}) }
		if o.integer("transB", 0) == 1 {
			in, out = out, in
			at = func(k, c int) float64 { return w.At([]int{c, k}) }
		}
		return Generate([]int{x.Dims[0], out}, func(i []int) float64 {
			s := 0.0
			for k := range in {
				s += x.At([]int{i[0], k}) * at(k, i[1])
			}
			s *= o.float("alpha", 1)
			if len(o.in) > 2 {
				s += o.float("beta", 1) * o.in[2].At(i[1:])
			}
			return s
		})
	case "Flatten":
		return Array{[]int{x.Dims[0], len(x.V) / x.Dims[0]}, x.V}
	case "Reshape":
		dims := []int{}
		for _, d := range o.in[1].V {
			dims = append(dims, int(d))
		}
		for k, d := range dims {
			if d == 0 {
				dims[k] = x.Dims[k]
			}
		}
		for k, d := range dims {
			if d == -1 {
				dims[k] = -len(x.V)
				for _, e := range dims {
					if e > 0 {
						dims[k] /= e
					}
				}
				dims[k] = -dims[k]
			}
		}
		return Array{dims, x.V}
	case "Concat":
		axis := o.ints["axis"][0]
		dims := append([]int{}, x.Dims...)
		for _, a := range o.in[1:] {
			dims[axis] += a.Dims[axis]
		}
		return Generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			for _, a := range o.in {
				if j[axis] < a.Dims[axis] {
					return a.At(j)
				}
				j[axis] -= a.Dims[axis]
			}
			panic("concat")
		})
	case "Slice":
		dims, from := append([]int{}, x.Dims...), make([]int, len(x.Dims))
		steps := make([]int, len(x.Dims))
		for k := range steps {
			steps[k] = 1
		}
		for k, axis := range o.in[3].V {
			a := int(axis)
			from[a] = int(o.in[1].V[k])
			if len(o.in) > 4 {
				steps[a] = int(o.in[4].V[k])
			}
			dims[a] = (int(o.in[2].V[k]) - from[a] + steps[a] - 1) / steps[a]
		}
		return Generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			for k := range j {
				j[k] = j[k]*steps[k] + from[k]
			}
			return x.At(j)
		})
	case "Gather":
		axis := o.integer("axis", 0)
		dims := append([]int{}, x.Dims...)
		dims[axis] = len(o.in[1].V)
		return Generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			j[axis] = int(o.in[1].V[i[axis]])
			return x.At(j)
		})
	case "Expand":
		var dims []int
		for k, d := range o.in[1].V {
			dims = append(dims, max(int(d), x.Dims[k]))
		}
		return Generate(dims, x.At)
	case "Pad":
		p := o.in[1].V
		dims := append([]int{}, x.Dims...)
		for k := range dims {
			dims[k] += int(p[k] + p[len(dims)+k])
		}
		return Generate(dims, func(i []int) float64 {
			j := append([]int{}, i...)
			for k := range j {
				j[k] -= int(p[k])
				n := x.Dims[k]
				if j[k] >= 0 && j[k] < n {
					continue
				}
				switch o.text["mode"] {
				case "reflect":
					j[k] = max(j[k], -j[k])
					j[k] = min(j[k], 2*(n-1)-j[k])
				case "edge":
					j[k] = min(max(j[k], 0), n-1)
				default:
					return 0
				}
			}
			return x.At(j)
		})
	case "Resize":
		r := int(o.in[2].V[2])
		if mode := o.text["mode"]; mode == "linear" || mode == "cubic" {
			return o.interpolate(r, mode)
		}
		return Generate([]int{x.Dims[0], x.Dims[1], x.Dims[2] * r, x.Dims[3] * r}, func(i []int) float64 {
			return x.At([]int{i[0], i[1], i[2] / r, i[3] / r})
		})
	case "Transpose":
		perm, dims := o.ints["perm"], []int{}
		for _, p := range perm {
			dims = append(dims, x.Dims[p])
		}
		return Generate(dims, func(i []int) float64 {
			j := make([]int, len(i))
			for k, p := range perm {
				j[p] = i[k]
			}
			return x.At(j)
		})
	case "SpaceToDepth": // output channel (dy, dx, c)
		r, c := o.ints["blocksize"][0], x.Dims[1]
		return Generate([]int{x.Dims[0], c * r * r, x.Dims[2] / r, x.Dims[3] / r}, func(i []int) float64 {
			d := i[1] / c
			return x.At([]int{i[0], i[1] % c, i[2]*r + d/r, i[3]*r + d%r})
		})
	case "DepthToSpace":
		r := o.ints["blocksize"][0]
		c := x.Dims[1] / (r * r)
		return Generate([]int{x.Dims[0], c, x.Dims[2] * r, x.Dims[3] * r}, func(i []int) float64 {
			d := i[2]%r*r + i[3]%r
			k := d*c + i[1]
			if o.text["mode"] == "CRD" {
				k = i[1]*r*r + d
			}
			return x.At([]int{i[0], k, i[2] / r, i[3] / r})
		})
	}
	t.Fatal(fmt.Sprintf("the oracle does not know %s", o.op))
	return Array{}
}

// interpolate enlarges the last two axes by the factor r. Beyond its edges the input goes on with
// the value at the edge.
func (o *operation) interpolate(r int, mode string) Array {
	x := o.in[0]
	// weights returns the first site that is read, and the weights from there on.
	weights := func(u int) (first int, w []float64) {
		at := float64(u) / float64(r)
		if o.text["coordinate_transformation_mode"] != "asymmetric" {
			at = (float64(u)+0.5)/float64(r) - 0.5
		}
		f := math.Floor(at)
		t := at - f
		if mode == "linear" {
			return int(f), []float64{1 - t, t}
		}
		a := o.float("cubic_coeff_a", -0.75)
		near := func(d float64) float64 { return ((a+2)*d-(a+3))*d*d + 1 }
		far := func(d float64) float64 { return ((a*d-5*a)*d+8*a)*d - 4*a }
		return int(f) - 1, []float64{far(1 + t), near(t), near(1 - t), far(2 - t)}
	}
	return Generate([]int{x.Dims[0], x.Dims[1], x.Dims[2] * r, x.Dims[3] * r}, func(i []int) float64 {
		h, wh := weights(i[2])
		v, wv := weights(i[3])
		s := 0.0
		for a := range wh {
			for b := range wv {
				y, z := min(max(h+a, 0), x.Dims[2]-1), min(max(v+b, 0), x.Dims[3]-1)
				s += wh[a] * wv[b] * x.At([]int{i[0], i[1], y, z})
			}
		}
		return s
	})
}

// convTranspose adds every input site, times the weights, to the sites that it reaches.
func (o *operation) convTranspose() Array {
	x, w := o.in[0], o.in[1]
	s, d, p := o.list("strides", 1, 1), o.list("dilations", 1, 1), o.list("pads", 0, 0, 0, 0)
	extra, groups := o.list("output_padding", 0, 0), o.integer("group", 1)
	side := func(a int) int {
		return s[a]*(x.Dims[2+a]-1) + extra[a] + (w.Dims[2+a]-1)*d[a] + 1 - p[a] - p[2+a]
	}
	outs, ins := w.Dims[1], x.Dims[1]/groups
	out := Generate([]int{x.Dims[0], outs * groups, side(0), side(1)}, func(i []int) float64 {
		if len(o.in) > 2 {
			return o.in[2].V[i[1]]
		}
		return 0
	})
	Generate(x.Dims, func(i []int) float64 {
		for c := range outs {
			for a := range w.Dims[2] {
				for b := range w.Dims[3] {
					y, z := i[2]*s[0]+a*d[0]-p[0], i[3]*s[1]+b*d[1]-p[1]
					if y < 0 || z < 0 || y >= out.Dims[2] || z >= out.Dims[3] {
						continue
					}
					at := ((i[0]*out.Dims[1]+i[1]/ins*outs+c)*out.Dims[2]+y)*out.Dims[3] + z
					out.V[at] += x.At(i) * w.At([]int{i[1], c, a, b})
				}
			}
		}
		return 0
	})
	return out
}

// reduce sums over axes, or takes the mean.
func (o *operation) reduce(axes []int, mean, keep bool) Array {
	x := o.in[0]
	dims := append([]int{}, x.Dims...)
	for _, a := range axes {
		dims[a] = 1
	}
	out := Generate(dims, func([]int) float64 { return 0 })
	Generate(x.Dims, func(i []int) float64 {
		at := 0
		for k, d := range dims {
			at = at*d + min(i[k], d-1)
		}
		out.V[at] += x.At(i)
		return 0
	})
	if mean {
		for i := range out.V {
			out.V[i] *= float64(len(out.V)) / float64(len(x.V))
		}
	}
	if !keep {
		out.Dims = nil
		for k, d := range dims {
			gone := false
			for _, a := range axes {
				gone = gone || a == k
			}
			if !gone {
				out.Dims = append(out.Dims, d)
			}
		}
	}
	return out
}

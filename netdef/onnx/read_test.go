package onnx

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/onnxtest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// random fills a tensor with numbers of about 1.
func random(dims ...int) onnxtest.Array {
	return onnxtest.Generate(dims, func([]int) float64 { return float64(float32(rand.NormFloat64())) })
}

func random32(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(0.5 * rand.NormFloat64())
	}
	return v
}

// compute builds a model and runs its graph in float64. It fails the test if channels that are not
// used are not 0.
func compute(t *testing.T, file []byte, inputs map[string]onnxtest.Array) map[string]onnxtest.Array {
	t.Helper()
	m, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string][]int{}
	for name, a := range inputs {
		sizes[name] = a.Dims
	}
	g := netdef.NewGraph()
	b, err := m.Build(g, sizes)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]*netdef.Tensor{}
	for _, in := range b.Inputs {
		x := netdef.NewTensor(in.Node.Shape)
		each4(in.Dims, func(i []int, site int) { x.Data[site*in.Node.Shape[3]+i[1]] = inputs[in.Name].At(i[:len(in.Dims)]) })
		values[in.Name] = x
	}
	var nodes []*netdef.Node
	for _, o := range b.Outputs {
		nodes = append(nodes, o.Node)
	}
	out, err := reference.Run(nodes, values, reference.InitialParams(0, nodes...))
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]onnxtest.Array{}
	for k, o := range b.Outputs {
		a := onnxtest.Generate(o.Dims, func([]int) float64 { return 0 })
		p := o.Node.Shape[3]
		rest := 0.0
		for i, v := range out[k].Data {
			if i%p >= o.Dims[1] {
				rest += math.Abs(v)
			}
		}
		if rest != 0 {
			t.Errorf("%s: unused channels are not 0", o.Name)
		}
		n := 0
		each4(o.Dims, func(i []int, site int) { a.V[n] = out[k].Data[site*p+i[1]]; n++ })
		results[o.Name] = a
	}
	return results
}

// each4 calls f with every index of a tensor [N,C,H,W] or [N,C], and with its site in [N,H,W,P].
func each4(dims []int, f func(i []int, site int)) {
	d := [4]int{1, 1, 1, 1}
	copy(d[:], dims)
	for n := range d[0] {
		for c := range d[1] {
			for h := range d[2] {
				for w := range d[3] {
					f([]int{n, c, h, w}, (n*d[2]+h)*d[3]+w)
				}
			}
		}
	}
}

// matches compares the outputs of a model with those of the interpreter.
func matches(t *testing.T, m *onnxtest.Model, inputs map[string]onnxtest.Array) {
	t.Helper()
	file := m.Bytes()
	got, want := compute(t, file, inputs), onnxtest.Run(t, file, inputs)
	for name, w := range want {
		g := got[name]
		if fmt.Sprint(g.Dims) != fmt.Sprint(w.Dims) {
			t.Fatalf("%s is %v, want %v", name, g.Dims, w.Dims)
		}
		worst, scale := 0.0, 0.0
		for i := range w.V {
			worst, scale = math.Max(worst, math.Abs(g.V[i]-w.V[i])), math.Max(scale, math.Abs(w.V[i]))
		}
		if !(worst <= 2e-6*scale) {
			t.Errorf("%s: error %.3g of %.3g", name, worst, scale)
		}
	}
}

type attrs = onnxtest.Attrs

// TestConvolutions reads convolutions with all kinds of kernels, strides, paddings, dilations and
// groups.
func TestConvolutions(t *testing.T) {
	for i, c := range []struct {
		cin, cout, group, kh, kw int
		a                        attrs
	}{
		{3, 5, 1, 1, 1, nil},
		{3, 8, 1, 3, 3, attrs{"pads": []int{1, 1, 1, 1}}},
		{5, 3, 1, 3, 3, nil},
		{8, 4, 1, 5, 5, attrs{"pads": []int{2, 2, 2, 2}}},
		{3, 4, 1, 9, 9, attrs{"pads": []int{4, 4, 4, 4}}},
		{3, 4, 1, 7, 5, attrs{"pads": []int{3, 2, 1, 0}}},
		{3, 4, 1, 1, 7, attrs{"pads": []int{0, 3, 0, 3}}},
		{3, 4, 1, 3, 3, attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}}},
		{8, 9, 1, 4, 4, attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}}},
		{3, 4, 1, 4, 4, attrs{"strides": []int{4, 4}}},
		{3, 4, 1, 2, 2, attrs{"strides": []int{2, 2}}},
		{3, 4, 1, 1, 1, attrs{"strides": []int{2, 2}}},
		{3, 4, 1, 7, 7, attrs{"pads": []int{3, 3, 3, 3}, "strides": []int{2, 2}}},
		{3, 4, 1, 5, 5, attrs{"pads": []int{2, 2, 2, 2}, "strides": []int{3, 3}}},
		{3, 4, 1, 3, 3, attrs{"pads": []int{2, 2, 2, 2}, "dilations": []int{2, 2}}},
		{3, 4, 1, 3, 3, attrs{"pads": []int{4, 1, 4, 1}, "dilations": []int{4, 1}}},
		{3, 4, 1, 3, 3, attrs{"pads": []int{0, 2, 1, 0}}},
		{3, 4, 1, 3, 3, attrs{"pads": []int{4, 4, 5, 5}}},
		{6, 4, 2, 3, 3, attrs{"pads": []int{1, 1, 1, 1}}},
		{16, 16, 16, 3, 3, attrs{"pads": []int{1, 1, 1, 1}}},
		{5, 5, 5, 3, 3, attrs{"pads": []int{1, 1, 1, 1}}},
		{5, 5, 5, 7, 7, attrs{"pads": []int{3, 3, 3, 3}}},
		{5, 5, 5, 3, 3, attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}}},
		{8, 8, 8, 4, 4, attrs{"strides": []int{3, 3}}},
		{4, 8, 4, 3, 3, attrs{"pads": []int{1, 1, 1, 1}}},
	} {
		for _, size := range [][2]int{{12, 9}, {13, 16}} {
			m := onnxtest.New()
			m.Input("x", 2, c.cin, 0, 0)
			if c.a == nil {
				c.a = attrs{}
			}
			if c.group > 1 {
				c.a["group"] = c.group
			}
			m.Floats("w", []int{c.cout, c.cin / c.group, c.kh, c.kw}, random32(c.cout*c.cin/c.group*c.kh*c.kw)...)
			in := []string{"x", "w"}
			if i%2 == 0 {
				m.Floats("b", []int{c.cout}, random32(c.cout)...)
				in = append(in, "b")
			}
			m.Node("Conv", "y", in, c.a)
			m.Output("y")
			if matches(t, m, map[string]onnxtest.Array{"x": random(2, c.cin, size[0], size[1])}); t.Failed() {
				t.Fatalf("%+v at %v", c, size)
			}
		}
	}
}

// TestTransposedConvolutions is TestConvolutions for ConvTranspose.
func TestTransposedConvolutions(t *testing.T) {
	for _, c := range []struct {
		cin, cout, group, k int
		a                   attrs
	}{
		{3, 5, 1, 2, attrs{"strides": []int{2, 2}}},
		{3, 8, 1, 4, attrs{"strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}}},
		{8, 3, 1, 3, attrs{"strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}, "output_padding": []int{1, 1}}},
		{3, 4, 1, 9, attrs{"strides": []int{4, 4}, "pads": []int{4, 3, 3, 4}}},
		{3, 4, 1, 3, attrs{"pads": []int{1, 1, 1, 1}}},
		{3, 4, 1, 2, attrs{"strides": []int{3, 3}}},
		{4, 6, 2, 3, attrs{"strides": []int{2, 2}, "dilations": []int{2, 2}}},
	} {
		m := onnxtest.New()
		m.Input("x", 1, c.cin, 0, 0)
		c.a["group"] = c.group
		m.Floats("w", []int{c.cin, c.cout / c.group, c.k, c.k}, random32(c.cin*c.cout/c.group*c.k*c.k)...)
		m.Floats("b", []int{c.cout}, random32(c.cout)...)
		m.Node("ConvTranspose", "y", []string{"x", "w", "b"}, c.a)
		m.Output("y")
		if matches(t, m, map[string]onnxtest.Array{"x": random(1, c.cin, 5, 7)}); t.Failed() {
			t.Fatalf("%+v", c)
		}
	}
}

// TestPooling reads pooling of all kinds.
func TestPooling(t *testing.T) {
	for _, op := range []string{"MaxPool", "AveragePool"} {
		for _, a := range []attrs{
			{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}},
			{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}},
			{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}},
			{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}},
			{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}, "count_include_pad": 1},
			{"kernel_shape": []int{3, 2}, "strides": []int{2, 2}, "ceil_mode": 1},
			{"kernel_shape": []int{5, 5}, "strides": []int{3, 3}, "pads": []int{0, 2, 1, 0}},
		} {
			if op == "MaxPool" {
				a = maps.Clone(a)
				delete(a, "count_include_pad")
			}
			for _, channels := range []int{3, 8} {
				m := onnxtest.New()
				m.Input("x", 1, channels, 0, 0)
				m.Node(op, "y", []string{"x"}, a)
				m.Output("y")
				x := random(1, channels, 10, 13)
				for i := range x.V {
					x.V[i] -= 3 // so that zeros of the padding would be the largest
				}
				if matches(t, m, map[string]onnxtest.Array{"x": x}); t.Failed() {
					t.Fatalf("%s %v of %d channels", op, a, channels)
				}
			}
		}
	}
}

// chain makes a model of one input x and nodes, each from the one before, and tests it.
func chain(t *testing.T, channels int, build func(m *onnxtest.Model)) {
	t.Helper()
	m := onnxtest.New()
	m.Input("x", 2, channels, 0, 0)
	m.Input("other", 2, channels, 0, 0)
	m.Input("plane", 2, 1, 0, 0)
	m.Input("vector", 2, channels, 1, 1)
	build(m)
	m.Output("y")
	matches(t, m, map[string]onnxtest.Array{
		"x": random(2, channels, 6, 4), "other": random(2, channels, 6, 4), "plane": random(2, 1, 6, 4), "vector": random(2, channels, 1, 1),
	})
}

// TestReadOps reads every operator, on channels in multiples of 8 and not.
func TestReadOps(t *testing.T) {
	x := []string{"x"}
	cases := map[string]func(m *onnxtest.Model){
		"Clip": func(m *onnxtest.Model) {
			m.Floats("a", nil, 0.2)
			m.Floats("b", nil, 1.5)
			m.Node("Clip", "y", []string{"x", "a", "b"}, nil)
		},
		"LeakyRelu": func(m *onnxtest.Model) { m.Node("LeakyRelu", "y", x, attrs{"alpha": 0.2}) },
		"LeakyRelu of a large slope": func(m *onnxtest.Model) {
			m.Node("LeakyRelu", "y", x, attrs{"alpha": -1.5})
		},
		"Elu":         func(m *onnxtest.Model) { m.Node("Elu", "y", x, attrs{"alpha": 0.7}) },
		"HardSigmoid": func(m *onnxtest.Model) { m.Node("HardSigmoid", "y", x, attrs{"alpha": 0.3}) },
		"Gelu":        func(m *onnxtest.Model) { m.Node("Gelu", "y", x, attrs{"approximate": "tanh"}) },
		"one minus x": func(m *onnxtest.Model) {
			m.Floats("a", nil, 1)
			m.Node("Sub", "y", []string{"a", "x"}, nil)
		},
		"one over the exponential": func(m *onnxtest.Model) {
			m.Floats("a", nil, 1)
			m.Node("Exp", "e", x, nil)
			m.Node("Div", "y", []string{"a", "e"}, nil)
		},
		"plane": func(m *onnxtest.Model) { m.Node("Mul", "y", []string{"x", "plane"}, nil) },
		"vector": func(m *onnxtest.Model) {
			m.Node("Add", "s", []string{"vector", "x"}, nil)
			m.Node("Exp", "e", []string{"vector"}, nil)
			m.Node("Div", "y", []string{"s", "e"}, nil)
		},
		"plane and vector": func(m *onnxtest.Model) { m.Node("Add", "y", []string{"plane", "vector"}, nil) },
		"Concat": func(m *onnxtest.Model) {
			m.Node("Concat", "c", []string{"x", "plane", "other", "x"}, attrs{"axis": 1})
			m.Node("Sigmoid", "s", []string{"c"}, nil)
			m.Ints("starts", 1)
			m.Ints("ends", 6)
			m.Ints("axes", 1)
			m.Node("Slice", "y", []string{"s", "starts", "ends", "axes"}, nil)
		},
		"Concat of rows": func(m *onnxtest.Model) { m.Node("Concat", "y", []string{"x", "other"}, attrs{"axis": 2}) },
		"Concat of pictures": func(m *onnxtest.Model) {
			m.Node("Concat", "y", []string{"x", "other"}, attrs{"axis": 0})
		},
		"Slice of sites": func(m *onnxtest.Model) {
			m.Ints("starts", 1, 2, 0)
			m.Ints("ends", 5, 3, 2)
			m.Ints("axes", 2, 3, 1)
			m.Node("Slice", "y", []string{"x", "starts", "ends", "axes"}, nil)
		},
		"Slice of every other channel": func(m *onnxtest.Model) {
			m.Ints("starts", 0)
			m.Ints("ends", 3)
			m.Ints("axes", 1)
			m.Ints("steps", 2)
			m.Node("Slice", "y", []string{"x", "starts", "ends", "axes", "steps"}, nil)
		},
		"Gather": func(m *onnxtest.Model) {
			m.Ints("list", 2, 0, 2)
			m.Node("Gather", "s", []string{"x", "list"}, attrs{"axis": 1})
			m.Floats("slope", []int{3, 1, 1}, 1, 2, 3)
			m.Node("PRelu", "y", []string{"s", "slope"}, nil)
		},
		"GlobalAveragePool": func(m *onnxtest.Model) {
			m.Node("GlobalAveragePool", "g", x, nil)
			m.Node("Flatten", "f", []string{"g"}, attrs{"axis": 1})
			m.Ints("shape", 0, -1, 1, 1)
			m.Node("Reshape", "r", []string{"f", "shape"}, nil)
			m.Node("Mul", "y", []string{"x", "r"}, nil)
		},
		"layer normalisation": func(m *onnxtest.Model) {
			m.Floats("eps", nil, 1e-6)
			m.Floats("two", nil, 2)
			m.Node("ReduceMean", "m", x, attrs{"axes": []int{1}})
			m.Node("Sub", "d", []string{"x", "m"}, nil)
			m.Node("Pow", "q", []string{"d", "two"}, nil)
			m.Node("ReduceMean", "v", []string{"q"}, attrs{"axes": []int{1}})
			m.Node("Add", "e", []string{"v", "eps"}, nil)
			m.Node("Sqrt", "s", []string{"e"}, nil)
			m.Node("Div", "y", []string{"d", "s"}, nil)
		},
		"ReduceMean of sites": func(m *onnxtest.Model) {
			m.Node("ReduceMean", "y", x, attrs{"axes": []int{2, 3}, "keepdims": 0})
		},
		"ReduceSum of all": func(m *onnxtest.Model) {
			m.Ints("axes", 1, 2, 3)
			m.Node("ReduceSum", "y", []string{"x", "axes"}, nil)
		},
		"InstanceNormalization": func(m *onnxtest.Model) {
			m.Node("Concat", "c", x, attrs{"axis": 1})
			m.Node("InstanceNormalization", "y", []string{"c", "s", "t"}, attrs{"epsilon": 1e-3})
		},
		"Softmax": func(m *onnxtest.Model) { m.Node("Softmax", "y", x, attrs{"axis": 1}) },
		"Resize": func(m *onnxtest.Model) {
			m.Floats("scales", []int{4}, 1, 1, 2, 2)
			m.Node("Resize", "y", []string{"x", "", "scales"}, attrs{"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})
		},
		"Resize by 4": func(m *onnxtest.Model) {
			m.Floats("scales", []int{4}, 1, 1, 4, 4)
			m.Node("Resize", "y", []string{"x", "", "scales"}, attrs{"mode": "nearest"})
		},
		"Resize by interpolation": func(m *onnxtest.Model) {
			m.Floats("scales", []int{4}, 1, 1, 2, 2)
			m.Node("Resize", "a", []string{"x", "", "scales"}, attrs{"mode": "linear"})
			m.Node("Resize", "b", []string{"x", "", "scales"}, attrs{"mode": "cubic", "cubic_coeff_a": -0.5})
			m.Node("Resize", "c", []string{"x", "", "scales"}, attrs{"mode": "cubic", "coordinate_transformation_mode": "asymmetric"})
			m.Node("Resize", "d", []string{"x", "", "scales"}, attrs{"mode": "linear", "coordinate_transformation_mode": "asymmetric"})
			m.Node("Concat", "y", []string{"a", "b", "c", "d"}, attrs{"axis": 1})
		},
		"Resize by interpolation, by 4": func(m *onnxtest.Model) {
			m.Floats("scales", []int{4}, 1, 1, 4, 4)
			m.Node("Resize", "a", []string{"x", "", "scales"}, attrs{"mode": "linear"})
			m.Node("Resize", "b", []string{"x", "", "scales"}, attrs{"mode": "cubic"})
			m.Node("Concat", "y", []string{"a", "b"}, attrs{"axis": 1})
		},
		"pixels to channels by Reshape": func(m *onnxtest.Model) {
			m.Ints("more", 0, 0, 3, 2, 2, 2)
			m.Ints("less", 2, -1, 3, 2)
			m.Node("Reshape", "r", []string{"x", "more"}, nil)
			m.Node("Transpose", "t", []string{"r"}, attrs{"perm": []int{0, 1, 3, 5, 2, 4}})
			m.Node("Reshape", "y", []string{"t", "less"}, nil)
		},
		"channels to pixels by Reshape": func(m *onnxtest.Model) {
			m.Node("Concat", "c", []string{"x", "x", "other", "x"}, attrs{"axis": 1})
			m.Ints("more", 2, -1, 2, 2, 6, 4)
			m.Ints("less", 2, -1, 12, 8)
			m.Node("Reshape", "r", []string{"c", "more"}, nil)
			m.Node("Transpose", "t", []string{"r"}, attrs{"perm": []int{0, 1, 4, 2, 5, 3}})
			m.Node("Reshape", "y", []string{"t", "less"}, nil)
		},
		"shuffle of channels": func(m *onnxtest.Model) {
			m.Node("Concat", "c", []string{"x", "other", "x"}, attrs{"axis": 1})
			m.Ints("more", 2, 3, -1, 6, 4)
			m.Ints("less", 2, -1, 6, 4)
			m.Node("Reshape", "r", []string{"c", "more"}, nil)
			m.Node("Transpose", "t", []string{"r"}, attrs{"perm": []int{0, 2, 1, 3, 4}})
			m.Node("Reshape", "y", []string{"t", "less"}, nil)
		},
		"SpaceToDepth": func(m *onnxtest.Model) { m.Node("SpaceToDepth", "y", x, attrs{"blocksize": 2}) },
		"there and back": func(m *onnxtest.Model) {
			m.Node("SpaceToDepth", "s", x, attrs{"blocksize": 2})
			m.Node("DepthToSpace", "y", []string{"s"}, attrs{"blocksize": 2, "mode": "DCR"})
		},
		"DepthToSpace": func(m *onnxtest.Model) {
			m.Node("SpaceToDepth", "s", x, attrs{"blocksize": 2})
			m.Node("Relu", "r", []string{"s"}, nil)
			m.Node("DepthToSpace", "y", []string{"r"}, attrs{"blocksize": 2, "mode": "CRD"})
		},
		"Flatten": func(m *onnxtest.Model) { m.Node("Flatten", "y", x, attrs{"axis": 1}) },
		"Split": func(m *onnxtest.Model) {
			m.Node("Concat", "c", []string{"x", "other"}, attrs{"axis": 1})
			m.Nodes("Split", []string{"a", "b"}, []string{"c"}, attrs{"axis": 1})
			m.Node("Mul", "y", []string{"a", "b"}, nil)
		},
		"Pad": func(m *onnxtest.Model) {
			m.Ints("pads", 0, 0, 1, 2, 0, 0, 3, 0)
			m.Node("Pad", "y", []string{"x", "pads"}, attrs{"mode": "constant"})
		},
		"Pad by reflection": func(m *onnxtest.Model) {
			m.Ints("pads", 0, 0, 2, 1, 0, 0, 3, 2)
			m.Node("Pad", "y", []string{"x", "pads"}, attrs{"mode": "reflect"})
		},
		"Pad with the edge": func(m *onnxtest.Model) {
			m.Ints("pads", 0, 0, 2, 1, 0, 0, 3, 2)
			m.Node("Pad", "y", []string{"x", "pads"}, attrs{"mode": "edge"})
		},
		"Expand": func(m *onnxtest.Model) {
			m.Ints("shape", 1, 3, 6, 4)
			m.Node("ReduceMean", "r", x, attrs{"axes": []int{1, 2, 3}})
			m.Node("Expand", "y", []string{"r", "shape"}, nil)
		},
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			for _, channels := range []int{3, 5, 8, 16} {
				chain(t, channels, func(m *onnxtest.Model) {
					if strings.Contains(name, "InstanceNorm") {
						m.Floats("s", []int{channels}, random32(channels)...)
						m.Floats("t", []int{channels}, random32(channels)...)
					}
					build(m)
				})
			}
		})
	}
	for name := range functions {
		if name == "Log" || name == "Sqrt" || name == "Gelu" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, channels := range []int{3, 8} {
				chain(t, channels, func(m *onnxtest.Model) { m.Node(name, "y", x, nil) })
			}
		})
	}
	for _, name := range []string{"Log", "Sqrt"} {
		chain(t, 3, func(m *onnxtest.Model) {
			m.Node("Exp", "e", x, nil)
			m.Node(name, "y", []string{"e"}, nil)
		})
	}
	for name := range binaries {
		if name == "Sum" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, channels := range []int{3, 8} {
				chain(t, channels, func(m *onnxtest.Model) {
					v := random32(channels)
					m.Floats("c", []int{channels, 1, 1}, v...)
					m.Floats("d", []int{1, channels, 6, 4}, random32(channels*24)...)
					m.Floats("e", []int{4}, random32(4)...)
					m.Node(name, "a", []string{"x", "other"}, nil)
					m.Node(name, "b", []string{"c", "x"}, nil)
					m.Node(name, "f", []string{"x", "d"}, nil)
					m.Node(name, "g", []string{"x", "e"}, nil)
					m.Node(name, "h", []string{"plane", "d"}, nil)
					m.Node("Concat", "y", []string{"a", "b", "f", "g", "h"}, attrs{"axis": 1})
				})
			}
		})
	}
}

// TestBatchNorm folds a BatchNormalization into a convolution, depthwise or transposed, and reads
// one alone.
func TestBatchNorm(t *testing.T) {
	for _, op := range []string{"Conv", "depthwise", "ConvTranspose", "Relu"} {
		m := onnxtest.New()
		m.Input("x", 1, 6, 0, 0)
		switch op {
		case "Conv":
			m.Floats("w", []int{6, 6, 3, 3}, random32(6*6*9)...)
			m.Node(op, "c", []string{"x", "w"}, nil)
		case "depthwise":
			m.Floats("w", []int{6, 1, 3, 3}, random32(6*9)...)
			m.Floats("b", []int{6}, random32(6)...)
			m.Node("Conv", "c", []string{"x", "w", "b"}, attrs{"group": 6})
		case "ConvTranspose":
			m.Floats("w", []int{6, 2, 2, 2}, random32(6*2*4)...)
			m.Node(op, "c", []string{"x", "w"}, attrs{"group": 3, "strides": []int{2, 2}})
		default:
			m.Node(op, "c", []string{"x"}, nil)
		}
		for _, name := range []string{"s", "t", "mean"} {
			m.Floats(name, []int{6}, random32(6)...)
		}
		m.Floats("var", []int{6}, 1, 2, 0.5, 0.25, 3, 1)
		m.Node("BatchNormalization", "n", []string{"c", "s", "t", "mean", "var"}, attrs{"epsilon": 1e-3})
		m.Node("Tanh", "y", []string{"n"}, nil)
		m.Output("y")
		matches(t, m, map[string]onnxtest.Array{"x": random(1, 6, 5, 7)})
		parsed, err := Parse(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		g := netdef.NewGraph()
		if _, err := parsed.Build(g, map[string][]int{"x": {1, 6, 5, 7}}); err != nil {
			t.Fatal(err)
		}
		muls := 0
		for _, n := range g.Nodes() {
			if strings.HasPrefix(n.Op.Name(), "Mul") {
				muls++
			}
		}
		if folded := muls == 0; folded != (op != "Relu") {
			t.Errorf("%s: %d multiplications are left", op, muls)
		}
	}
}

// TestHead reads a classifier: pooling, a matrix, and sizes that are computed from the picture's.
func TestHead(t *testing.T) {
	m := onnxtest.New()
	m.Input("x", 1, 3, 0, 0)
	m.Floats("w", []int{12, 3, 3, 3}, random32(12*27)...)
	m.Node("Conv", "c", []string{"x", "w"}, attrs{"strides": []int{2, 2}})
	m.Node("Relu", "r", []string{"c"}, nil)
	m.Node("MaxPool", "p", []string{"r"}, attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}})
	m.Node("Flatten", "f", []string{"p"}, attrs{"axis": 1})
	m.Floats("v", []int{7, 12 * 2 * 3}, random32(7*72)...)
	m.Floats("b", []int{7}, random32(7)...)
	m.Node("Gemm", "g", []string{"f", "v", "b"}, attrs{"transB": 1, "alpha": 0.5, "beta": 2.})
	m.Floats("u", []int{7, 9}, random32(63)...)
	m.Node("MatMul", "y", []string{"g", "u"}, nil)
	m.Output("y")
	matches(t, m, map[string]onnxtest.Array{"x": random(1, 3, 9, 13)})
}

// TestSuperResolution reads a network of the usual kind: residual blocks and a shuffle of pixels.
func TestSuperResolution(t *testing.T) {
	m := onnxtest.New()
	m.Input("x", 1, 3, 0, 0)
	conv := func(out, in string, cin, cout int) {
		m.Floats(out+" w", []int{cout, cin, 3, 3}, random32(cout*cin*9)...)
		m.Floats(out+" b", []int{cout}, random32(cout)...)
		m.Node("Conv", out, []string{in, out + " w", out + " b"}, attrs{"pads": []int{1, 1, 1, 1}})
	}
	conv("a", "x", 3, 12)
	m.Floats("slope", []int{12, 1, 1}, random32(12)...)
	m.Node("PRelu", "p", []string{"a", "slope"}, nil)
	conv("b", "p", 12, 12)
	m.Node("Add", "s", []string{"p", "b"}, nil)
	conv("c", "s", 12, 27)
	m.Node("DepthToSpace", "d", []string{"c"}, attrs{"blocksize": 3, "mode": "CRD"})
	m.Floats("scales", []int{4}, 1, 1, 3, 3)
	m.Node("Resize", "u", []string{"x", "", "scales"}, attrs{"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})
	m.Node("Add", "y", []string{"d", "u"}, nil)
	m.Output("y")
	matches(t, m, map[string]onnxtest.Array{"x": random(1, 3, 7, 10)})
}

// TestNodeErrors checks that errors name the node, the operator and the attribute.
func TestNodeErrors(t *testing.T) {
	for _, c := range []struct {
		op, attribute string
		in            []string
		a             attrs
	}{
		{"Erf", "", []string{"x"}, nil},
		{"Relu", "attribute alpha", []string{"x"}, attrs{"alpha": 1.}},
		{"Conv", "attribute strides", []string{"x", "w"}, attrs{"strides": []int{1, 2}}},
		{"Conv", "attribute group", []string{"x", "w"}, attrs{"group": 2}},
		{"Conv", "attribute dilations", []string{"x", "w"}, attrs{"dilations": []int{0, 1}}},
		{"Conv", "attribute auto_pad", []string{"x", "w"}, attrs{"auto_pad": "OTHER"}},
		{"Conv", "input 2", []string{"x", "x"}, nil},
		{"Resize", "attribute mode", []string{"x", "", "scales"}, attrs{"mode": "other"}},
		{"Resize", "attribute coordinate_transformation_mode", []string{"x", "", "scales"}, attrs{"mode": "cubic", "coordinate_transformation_mode": "align_corners"}},
		{"Resize", "attribute nearest_mode", []string{"x", "", "scales"}, attrs{"nearest_mode": "ceil"}},
		{"DepthToSpace", "attribute blocksize", []string{"x"}, attrs{"blocksize": 2}},
		{"Slice", "steps", []string{"x", "one", "two", "two", "two"}, nil},
		{"Pow", "exponent", []string{"x", "e"}, nil},
		{"PRelu", "input 2", []string{"x", "slopes"}, nil},
		{"Transpose", "attribute perm", []string{"x"}, attrs{"perm": []int{0, 2, 3, 1}}},
		{"Cast", "attribute to", []string{"x"}, attrs{"to": 7}},
		{"Softmax", "attribute axis", []string{"x"}, attrs{"axis": 3}},
	} {
		m := onnxtest.New()
		m.Input("x", 1, 3, 8, 8)
		m.Floats("w", []int{4, 3, 3, 3}, random32(108)...)
		m.Floats("scales", []int{4}, 1, 1, 2, 2)
		m.Floats("e", nil, 3)
		m.Floats("slopes", []int{3}, 1, 2, 3) // along the width
		m.Ints("one", 1)
		m.Ints("two", 2)
		m.Node(c.op, "culprit", c.in, c.a)
		m.Output("culprit")
		parsed, err := Parse(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		_, err = parsed.Build(netdef.NewGraph(), nil)
		var bad *NodeError
		if !errors.As(err, &bad) || bad.Node != "culprit" || bad.Op != c.op || bad.Attribute != c.attribute {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestFormatErrors checks that damaged files are refused.
func TestFormatErrors(t *testing.T) {
	good := someModel()
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	var bad *FormatError
	for n := range good {
		if _, err := Parse(good[:n]); err != nil && !errors.As(err, &bad) {
			t.Errorf("cut off after %d bytes: %v", n, err)
		}
	}
	for name, change := range map[string]func(m *onnxtest.Model){
		"an old opset":         func(m *onnxtest.Model) { m.Opset = 6; m.Output("x") },
		"no output":            func(m *onnxtest.Model) {},
		"an unknown output":    func(m *onnxtest.Model) { m.Output("z") },
		"an unknown input":     func(m *onnxtest.Model) { m.Node("Relu", "y", []string{"z"}, nil); m.Output("y") },
		"a value twice":        func(m *onnxtest.Model) { m.Node("Relu", "x", []string{"x"}, nil); m.Output("x") },
		"too few values":       func(m *onnxtest.Model) { m.Floats("w", []int{3}, 1, 2); m.Output("x") },
		"a shape that is huge": func(m *onnxtest.Model) { m.Floats("w", []int{1 << 29, 1 << 29}, 1, 2); m.Output("x") },
		"an infinite value": func(m *onnxtest.Model) {
			m.Floats("w", []int{1}, float32(math.Inf(1)))
			m.Output("x")
		},
	} {
		m := onnxtest.New()
		m.Input("x", 1, 3, 4, 4)
		change(m)
		if _, err := Parse(m.Bytes()); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func someModel() []byte {
	m := onnxtest.New()
	m.Input("x", 1, 3, 0, 0)
	m.Floats("w", []int{4, 3, 3, 3}, make([]float32, 108)...)
	m.Node("Conv", "c", []string{"x", "w"}, attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}})
	m.Node("DepthToSpace", "y", []string{"c"}, attrs{"blocksize": 2, "mode": "CRD"})
	m.Output("y", 1, 1, 0, 0)
	return m.Bytes()
}

// FuzzRead parses and builds models. Whatever the bytes are, it returns.
func FuzzRead(f *testing.F) {
	f.Add(someModel())
	for _, build := range []func(m *onnxtest.Model){
		func(m *onnxtest.Model) {
			m.Node("Shape", "s", []string{"x"}, nil)
			m.Ints("i", 2, 3)
			m.Node("Gather", "g", []string{"s", "i"}, nil)
			m.Ints("n", 1, 3)
			m.Node("Concat", "h", []string{"n", "g"}, attrs{"axis": 0})
			m.Node("Expand", "y", []string{"x", "h"}, nil)
		},
		func(m *onnxtest.Model) {
			m.Floats("scales", []int{4}, 1, 1, 2, 2)
			m.Node("Resize", "r", []string{"x", "", "scales"}, nil)
			m.Node("MaxPool", "p", []string{"r"}, attrs{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}})
			m.Nodes("Split", []string{"a", "b", "c"}, []string{"p"}, attrs{"axis": 1})
			m.Node("Concat", "d", []string{"c", "b", "a"}, attrs{"axis": 1})
			m.Ints("pads", 0, 0, 1, 1, 0, 0, 1, 1)
			m.Node("Pad", "e", []string{"d", "pads"}, attrs{"mode": "reflect"})
			m.Floats("slope", []int{3, 1, 1}, 1, 2, 3)
			m.Node("PRelu", "y", []string{"e", "slope"}, nil)
		},
		func(m *onnxtest.Model) {
			m.Ints("more", 0, 0, 8, 2, 8, 2)
			m.Ints("less", 1, -1, 8, 8)
			m.Node("Reshape", "r", []string{"x", "more"}, nil)
			m.Node("Transpose", "t", []string{"r"}, attrs{"perm": []int{0, 1, 3, 5, 2, 4}})
			m.Node("Reshape", "s", []string{"t", "less"}, nil)
			m.Floats("scales", []int{4}, 1, 1, 2, 2)
			m.Node("Resize", "y", []string{"s", "", "scales"}, attrs{"mode": "cubic"})
		},
		func(m *onnxtest.Model) {
			m.Floats("w", []int{3, 2, 2, 2}, make([]float32, 24)...)
			m.Node("ConvTranspose", "c", []string{"x", "w"}, attrs{"strides": []int{2, 2}})
			m.Floats("v", []int{2}, 1, 2)
			m.Node("BatchNormalization", "n", []string{"c", "v", "v", "v", "v"}, nil)
			m.Node("GlobalAveragePool", "g", []string{"n"}, nil)
			m.Node("Flatten", "f", []string{"g"}, attrs{"axis": 1})
			m.Floats("u", []int{2, 5}, make([]float32, 10)...)
			m.Node("Gemm", "y", []string{"f", "u"}, nil)
		},
	} {
		m := onnxtest.New()
		m.Input("x", 1, 3, 0, 0)
		build(m)
		m.Output("y")
		f.Add(m.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		sizes := map[string][]int{}
		for _, p := range m.Inputs {
			if len(p.Dims) == 4 {
				sizes[p.Name] = []int{1, max(p.Dims[1], 1), 16, 16}
			}
		}
		g := netdef.NewGraph()
		built, err := m.Build(g, sizes)
		if err != nil {
			return
		}
		for _, o := range built.Outputs {
			if o.Node.Shape[3] < o.Dims[1] {
				t.Errorf("output %v has the shape %v", o.Dims, o.Node.Shape)
			}
		}
	})
}

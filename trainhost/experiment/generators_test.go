package experiment

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

// evaluate computes outs in float64 like reference.Run, but with the values of frozen for
// StopGradient nodes, as far as it has them; otherwise it keeps theirs there. That is what a
// gradient sees as constant.
func evaluate(t *testing.T, outs []*netdef.Node, leaves map[string]*netdef.Tensor, frozen map[*netdef.Node]*netdef.Tensor) []*netdef.Tensor {
	t.Helper()
	values := map[*netdef.Node]*netdef.Tensor{}
	for _, n := range netdef.Reachable(outs...) {
		switch op := n.Op.(type) {
		case *netdef.InputOp, *netdef.ParamOp:
			if values[n] = leaves[n.Name]; values[n] == nil || values[n].Shape != n.Shape {
				t.Fatalf("no value for %s %v", n.Name, n.Shape)
			}
			continue
		case *netdef.PointwiseOp:
			if op.Kind == netdef.StopGradient && frozen[n] != nil {
				values[n] = frozen[n]
				continue
			}
		}
		var in []*netdef.Tensor
		for _, m := range n.In {
			in = append(in, values[m])
		}
		values[n] = netdef.NewTensor(n.Shape)
		n.Op.Eval(in, values[n])
		if op, ok := n.Op.(*netdef.PointwiseOp); ok && op.Kind == netdef.StopGradient && frozen != nil {
			frozen[n] = values[n]
		}
	}
	var res []*netdef.Tensor
	for _, n := range outs {
		res = append(res, values[n])
	}
	return res
}

// leavesOf gives a graph's inputs a batch of a generator's own draws, with points of data from
// point.
func leavesOf(t *testing.T, rng *rand.Rand, loss *netdef.Node, gen Generator, n int, progress float64, point func() (float64, float64)) map[string]*netdef.Tensor {
	t.Helper()
	in := gen.draw(rng, n, progress)
	in["x"] = make([]float32, 8*n)
	for i := range n {
		a, b := point()
		in["x"][8*i], in["x"][8*i+1] = float32(a), float32(b)
	}
	leaves := map[string]*netdef.Tensor{}
	for _, node := range netdef.Reachable(loss) {
		if _, ok := node.Op.(*netdef.InputOp); !ok {
			continue
		}
		if node.Name == "key" {
			leaves["key"] = netdef.Key{Seed: rng.Uint64()}.Tensor()
			continue
		}
		v, err := netdef.FromFloat32(node.Shape, in[node.Name])
		if err != nil {
			t.Fatalf("%s: %v", node.Name, err)
		}
		leaves[node.Name] = v
	}
	return leaves
}

// trained lists the parameters that a loss trains.
func trained(loss *netdef.Node, name string) (list []*netdef.Node) {
	for _, p := range netdef.Params(loss) {
		if strings.HasPrefix(p.Name, name) {
			list = append(list, p)
		}
	}
	return list
}

// Every generator's gradient, on random networks, against central differences in float64.
func TestGeneratorGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	c := TinyGenerators().Checker
	c.Flow, c.Adapter = nets.MLPConfig{Layers: 3, Width: 8, Dim: 2}, nets.MLPConfig{Layers: 2, Width: 8, Dim: 2}
	for _, gen := range Generators() {
		t.Run(gen.Name, func(t *testing.T) {
			c := c
			if gen.decoupled {
				c.network = decoupledMap(c.Flow)
			}
			g, loss := gen.graph(c)
			var wrt []*netdef.Node
			for _, p := range netdef.Params(loss) {
				if !strings.HasPrefix(p.Name, compile.EMAPrefix) {
					wrt = append(wrt, p)
				}
			}
			grads, err := g.Gradient(loss, wrt)
			if err != nil {
				t.Fatal(err)
			}
			leaves := leavesOf(t, rng, loss, gen, c.Batch, rng.Float64(), func() (float64, float64) {
				p := drawCheckerboard(rng, 1)[0]
				return p[0], p[1]
			})
			for _, p := range netdef.Params(loss) {
				v := netdef.NewTensor(p.Shape)
				for i, a := range netdef.InitialValues(p, 3) {
					v.Data[i] = float64(a) + 0.1*rng.NormFloat64()
				}
				leaves[p.Name] = v
			}
			frozen := map[*netdef.Node]*netdef.Tensor{}
			got := evaluate(t, append([]*netdef.Node{loss}, grads...), leaves, frozen)[1:]
			for range 3 {
				direction, along, norm := map[string][]float64{}, 0.0, 0.0
				for i, p := range wrt {
					d := make([]float64, len(got[i].Data))
					for k := range d {
						d[k] = rng.NormFloat64()
						along, norm = along+d[k]*got[i].Data[k], norm+got[i].Data[k]*got[i].Data[k]
					}
					direction[p.Name] = d
				}
				// Neighbours in time are so near that the kernel of moment matching bends within
				// 10⁻⁶.
				const h = 1e-9
				at := func(step float64) float64 {
					moved := map[string]*netdef.Tensor{}
					for name, v := range leaves {
						moved[name] = v
						if d := direction[name]; d != nil {
							moved[name] = netdef.NewTensor(v.Shape)
							for k := range d {
								moved[name].Data[k] = v.Data[k] + step*d[k]
							}
						}
					}
					return evaluate(t, []*netdef.Node{loss}, moved, frozen)[0].Data[0]
				}
				if want := (at(h) - at(-h)) / (2 * h); !(math.Abs(along-want) < 1e-4*math.Sqrt(norm)) || norm == 0 {
					t.Errorf("gradient along a direction %.9g, differences %.9g, gradient's norm %.3g", along, want, math.Sqrt(norm))
				}
			}
		})
	}
}

// gaussianMap is the exact average velocity where data are N(mean, std²) in both coordinates, with
// three parameters, 0 in the exact one: gain·u, shift, and slope·(t − r)·x are added. With σ_t² =
// ((1 − t)·std)² + t², the flow takes x_t − (1 − t)·mean by the factor σ_r/σ_t.
func gaussianMap(mean, std float64) velocity {
	return func(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node {
		defer g.Scope("flow")()
		v := std * std
		only := make([]float32, 8)
		only[0], only[1] = 1, 1
		use := func(n *netdef.Node) *netdef.Node {
			return g.Mul(n, g.Const("", netdef.Shape{1, 1, 1, 8}, only))
		}
		param := func(name string) *netdef.Node { return g.Param(name, netdef.Scalar, netdef.Zeros) }
		sigma := func(t *netdef.Node) *netdef.Node {
			return g.Sqrt(g.Add(g.Scale(g.Square(g.Offset(g.Neg(t), 1)), v), g.Square(t)))
		}
		st, sr := sigma(t), sigma(r)
		// (1 − σ_r/σ_t)/(t − r), without the division by t − r, which may be 0.
		factor := g.Div(g.Offset(g.Scale(g.Add(t, r), 1+v), -2*v), g.Mul(st, g.Add(st, sr)))
		centred := use(g.Sub(x, g.Scale(g.Offset(g.Neg(t), 1), mean)))
		u := use(g.Offset(g.Mul(centred, factor), -mean))
		u = g.Add(u, g.Mul(u, param("gain")))
		u = g.Add(u, use(g.Mul(x, g.Mul(g.Sub(t, r), param("slope")))))
		return g.Add(u, use(g.BroadcastTo(param("shift"), u.Shape)))
	}
}

// On Gaussian data, where the exact map is known, its gradient vanishes up to the noise of sampling
// and, for losses with finite steps, a small bias; a wrong map is pushed back.
func TestGeneratorFixedPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	const std, wrong = 0.8, 0.2
	names := []string{"flow/gain", "flow/shift", "flow/slope"}
	for _, gen := range Generators() {
		t.Run(gen.Name, func(t *testing.T) {
			c := TinyGenerators().Checker
			c.Batch, c.network = 1024, gaussianMap(mean0, std)
			g, loss := gen.graph(c)
			wrt := trained(loss, "flow/")
			grads, err := g.Gradient(loss, wrt)
			if err != nil || len(wrt) != len(names) {
				t.Fatal(err, wrt)
			}
			// Gradients at the exact map, and half the difference of those where one parameter is
			// off by wrong on either side. The same draws serve all, so that their noise hardly
			// shows in the difference.
			exact, push := map[string]*moments{}, map[string]*moments{}
			for _, name := range names {
				exact[name], push[name] = &moments{}, &moments{}
			}
			for batch := range 30 {
				leaves := leavesOf(t, rng, loss, gen, c.Batch, 0.999, func() (float64, float64) { return mean0 + std*rng.NormFloat64(), mean0 + std*rng.NormFloat64() })
				at := func(off string, by float64) map[string]float64 {
					for _, p := range netdef.Params(loss) {
						// Zero parameters of an adapter propose N(0, I), whatever the observation.
						leaves[p.Name] = netdef.NewTensor(p.Shape)
						if strings.TrimPrefix(p.Name, compile.EMAPrefix) == off {
							leaves[p.Name].Data[0] = by
						}
					}
					g := map[string]float64{}
					for i, v := range evaluate(t, grads, leaves, nil) {
						g[wrt[i].Name] = v.Data[0]
					}
					return g
				}
				for name, v := range at("", 0) {
					exact[name].add(v)
				}
				if batch < 12 {
					for _, name := range names {
						push[name].add((at(name, wrong)[name] - at(name, -wrong)[name]) / 2)
					}
				}
			}
			for _, name := range names {
				e, p := exact[name], push[name]
				t.Logf("%s: %+.4f ± %.4f; off by ±%g: ±%.4f ± %.4f", name, e.mean(), e.deviation(), wrong, p.mean(), p.deviation())
				if !(p.mean() > 0) {
					t.Errorf("%s: a wrong map is not pushed back: %g ± %g", name, p.mean(), p.deviation())
				}
				if !(math.Abs(e.mean()) < 7*e.deviation()+0.1*p.mean()) {
					t.Errorf("%s: the exact map has gradient %g ± %g; off by ±%g it is ±%g", name, e.mean(), e.deviation(), wrong, p.mean())
				}
			}
		})
	}
}

// moments are those of a mean.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(v float64) { m.n, m.sum, m.squares = m.n+1, m.sum+v, m.squares+v*v }
func (m *moments) mean() float64 { return m.sum / m.n }
func (m *moments) deviation() float64 {
	return math.Sqrt(max(0, m.squares/m.n-m.mean()*m.mean()) / (m.n - 1))
}

// mean0 is the mean of the Gaussian data.
const mean0 = 0.3

// The tiny preset trains every generator, but for those that differ from others by times or weights
// only.
func TestCompareGenerators(t *testing.T) {
	dir, c := t.TempDir(), TinyGenerators()
	gens := slices.DeleteFunc(Generators(), func(g Generator) bool { return strings.HasSuffix(g.Name, "-uniform") || g.Name == "dmf-plain" })
	var w strings.Builder
	if err := CompareGenerators(t.Context(), testDev, &w, dir, c, gens, 5); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "generators.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if want := len(gens)*len(generatorSteps) + 3; err != nil || len(rows) != want {
		t.Fatalf("%d rows (%v), want %d", len(rows), err, want)
	}
	exact, square := rows[len(rows)-2], rows[len(rows)-1]
	if v, err := strconv.ParseFloat(square[7], 64); err != nil || exact[0] != "exact draws" || exact[7] != "1" || square[0] != "the whole square" || !(math.Abs(v-0.5) < 0.2) {
		t.Errorf("references %v, %v (%v)", exact, square, err)
	}
	for _, row := range rows[1 : len(rows)-2] {
		// Whole steps of an arithmetic that is the same for all.
		if v, err := strconv.ParseFloat(row[5], 64); err != nil || !(v <= c.TFLOP && v > 0.85*c.TFLOP) {
			t.Errorf("%v spends %v TFLOP of %v (%v)", row, v, c.TFLOP, err)
		}
		if v, err := strconv.ParseFloat(row[7], 64); err != nil || !(v > 0 && v < 1) {
			t.Errorf("%v: support %v (%v)", row, v, err)
		}
	}
	for _, gen := range gens {
		if !strings.Contains(w.String(), "| "+gen.Name+" | 5 |") {
			t.Errorf("no row of %s in %s", gen.Name, w.String())
		}
		if _, err := os.Stat(filepath.Join(dir, gen.Name+".png")); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []func(*GeneratorsConfig){
		func(c *GeneratorsConfig) { c.Seeds = 0 }, func(c *GeneratorsConfig) { c.TFLOP = math.NaN() },
		func(c *GeneratorsConfig) { c.Checker.Batch = 8 }, func(c *GeneratorsConfig) { c.Checker.Flow.Layers = 1 },
	} {
		c := TinyGenerators()
		bad(&c)
		if c.Validate() == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

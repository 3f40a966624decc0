package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
)

// randomGraphs is the number of graphs that the test compiles.
const randomGraphs = 1000

// Both lowerings compile every graph, and it computes the same as the reference, whatever chains
// are fused and however odd the shapes are.
func TestRandomGraphs(t *testing.T) {
	first := uint64(0)
	if gputest.Long() {
		first = rand.Uint64() >> 1 // graphs that are new
	}
	graphs := uint64(randomGraphs)
	if testing.Short() { // the kernels were compared already; what is tested is another driver
		graphs /= 10
	}
	vague, ops := uint64(0), map[string]int{}
	for seed := first; seed < first+graphs && !t.Failed(); seed++ {
		r := newRandomGraph(seed)
		if err := r.g.Err(); err != nil {
			t.Fatal(err)
		}
		outs := r.outs()
		for _, n := range netdef.Reachable(outs...) {
			ops[opName(n.Op)]++
		}
		c := newComparison(outs, seed)
		if c == nil {
			vague++
			continue
		}
		for name, opt := range randomOptions(r, outs) {
			if err := c.run(outs, opt); err != nil {
				small := shrink(outs, func(outs []*netdef.Node) bool {
					c := newComparison(outs, seed)
					return c != nil && c.run(outs, opt) != nil
				})
				t.Errorf("graph %d, %s: %v\n%s\nsmaller:\n%s\n%v", seed, name, err, listing(outs), listing(small), newComparison(small, seed).run(small, opt))
			}
		}
	}
	for _, name := range allOps(t) {
		if ops[name] == 0 && !testing.Short() {
			t.Errorf("no graph has a %s", name)
		}
	}
	if vague > graphs/20 {
		t.Errorf("%d of %d graphs are of no use: their values are not finite, or rounding alone changes them", vague, graphs)
	}
}

// opName returns the type of an op, and for pointwise ops their function.
func opName(op netdef.Op) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", op), "*netdef.")
	if p, ok := op.(*netdef.PointwiseOp); ok {
		name += " " + p.Kind.String()
	}
	return name
}

// allOps returns the names of the ops in the source of netdef.
func allOps(t *testing.T) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^type (\w+Op) struct`).FindAllStringSubmatch(source(t, "../op_*.go"), -1) {
		if m[1] != "PointwiseOp" {
			names = append(names, m[1])
		}
	}
	for _, k := range netdef.PointwiseKinds() {
		names = append(names, "PointwiseOp "+k.String())
	}
	if len(names) < 40 {
		t.Errorf("only %d ops are known", len(names))
	}
	return names
}

// source returns the text of Go files.
func source(t *testing.T, pattern string) string {
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	return text.String()
}

// randomOptions returns options for both lowerings. Some have a setting, a third has small kernels.
func randomOptions(r *randomGraph, outs []*netdef.Node) map[string]Options {
	opt := Options{}
	for _, n := range netdef.Reachable(outs...) {
		if _, ok := n.Op.(*netdef.InputOp); ok && r.IntN(4) == 0 {
			opt.Settings = append(opt.Settings, n.Name)
		}
	}
	portable := opt
	portable.Portable = true
	if r.IntN(3) == 0 {
		opt.Tuning.MaxFMA = SingleRun(1)
	}
	if onlyPortable() {
		return map[string]Options{"portable": portable}
	}
	return map[string]Options{fmt.Sprintf("best %+v", opt): opt, "portable": portable}
}

// comparison holds the inputs of a graph, the results of the reference, and how far rounding may
// change these.
type comparison struct {
	inputs, params map[string][]float32
	want           []*netdef.Tensor
	allowed        []float64 // root of the sum of squares
}

// rounding is the relative error that is given to every value that an op of the reference reads, to
// find out how it propagates. The relative error of float32 is 6e-8.
const rounding = 5e-7

// newComparison draws inputs. It returns nil if a result of the reference is not finite, or if
// rounding changes it by more than a hundredth.
func newComparison(outs []*netdef.Node, seed uint64) *comparison {
	rng := rand.New(rand.NewPCG(seed, 7))
	c := &comparison{inputs: map[string][]float32{}, params: map[string][]float32{}}
	for _, n := range netdef.Reachable(outs...) {
		v := make([]float32, n.Shape.Size())
		for i := range v {
			v[i] = float32(rng.NormFloat64())
			if n.Name == "key" {
				v[i] = math.Float32frombits(rng.Uint32() >> 8)
			}
		}
		switch n.Op.(type) {
		case *netdef.InputOp:
			c.inputs[n.Name] = v
		case *netdef.ParamOp:
			c.params[n.Name] = v
		}
	}
	c.want = c.reference(outs, nil)
	c.allowed = make([]float64, len(outs))
	for i, w := range c.want {
		c.allowed[i] = 1e-5*norm(w, nil) + 1e-20
	}
	for range 2 {
		for i, moved := range c.reference(outs, rng) {
			size := norm(c.want[i], nil)
			by := norm(moved, c.want[i])
			if !(by <= 1e-2*size+1e-3) || math.IsInf(size, 0) || size > 1e12 {
				return nil
			}
			c.allowed[i] = max(c.allowed[i], 10*by)
		}
	}
	return c
}

// norm returns the root of the sum of the squares of a - b.
func norm(a, b *netdef.Tensor) float64 {
	sum := 0.0
	for i, x := range a.Data {
		if b != nil {
			x -= b.Data[i]
		}
		sum += x * x
	}
	return math.Sqrt(sum)
}

// reference computes the outputs in float64. If rng is not nil, every value gets a random error.
func (c *comparison) reference(outs []*netdef.Node, rng *rand.Rand) []*netdef.Tensor {
	vals := map[*netdef.Node]*netdef.Tensor{}
	for _, n := range netdef.Reachable(outs...) {
		v := netdef.NewTensor(n.Shape)
		switch n.Op.(type) {
		case *netdef.InputOp:
			v, _ = netdef.FromFloat32(n.Shape, c.inputs[n.Name])
		case *netdef.ParamOp:
			v, _ = netdef.FromFloat32(n.Shape, c.params[n.Name])
		default:
			in := make([]*netdef.Tensor, len(n.In))
			for i, m := range n.In {
				if in[i] = vals[m]; rng != nil && !exact(n) {
					in[i] = rounded(in[i], rng)
				}
			}
			n.Op.Eval(in, v)
		}
		vals[n] = v
	}
	out := make([]*netdef.Tensor, len(outs))
	for i, n := range outs {
		out[i] = vals[n]
	}
	return out
}

// rounded returns a tensor with a small random error in every value.
func rounded(t *netdef.Tensor, rng *rand.Rand) *netdef.Tensor {
	v := netdef.NewTensor(t.Shape)
	for i, x := range t.Data {
		v.Data[i] = x * (1 + rounding*rng.NormFloat64())
	}
	return v
}

// exact reports whether the inputs of an op must have no rounding errors: those of random
// generators (keys) and of discontinuous ops.
func exact(n *netdef.Node) bool {
	_, random := n.Op.(*netdef.RandomOp)
	return random || discontinuous(n.Op)
}

func discontinuous(op netdef.Op) bool {
	p, ok := op.(*netdef.PointwiseOp)
	return ok && p.Kind.Steps
}

// run compiles the graph, runs it on poisoned memory and compares the results.
func (c *comparison) run(outs []*netdef.Node, opt Options) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	store, err := EmptyStore(testDev, netdef.Reachable(outs...), false)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Set(c.params); err != nil {
		return err
	}
	// Compile uses only the error of the graph.
	p, err := Compile(testDev, store, netdef.NewGraph(), outs, opt)
	if err != nil {
		return err
	}
	defer p.Close()
	for name, v := range c.inputs {
		if err := p.SetInput(name, v); err != nil {
			return err
		}
	}
	if err := p.Poison(); err != nil {
		return err
	}
	if err := p.Run(); err != nil {
		return err
	}
	for i, w := range c.want {
		got, err := p.Output(i)
		if err != nil {
			return err
		}
		v, err := netdef.FromFloat32(w.Shape, got)
		if err != nil {
			return err
		}
		if e := norm(v, w); !(e <= c.allowed[i]) {
			return fmt.Errorf("output %d: error %.3g of %.3g, allowed %.3g", i, e, norm(w, nil), c.allowed[i])
		}
	}
	return nil
}

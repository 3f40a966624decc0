// Package compile compiles netdef graphs to Programs, which are recorded lists of compute
// dispatches. The stages are: dead code removal, fusion of pointwise chains (fuse.go), lowering of
// every node to kernels (lower*.go), placement of the values in one arena by lifetime (plan.go),
// and recording with the barriers that the data needs (record.go).
package compile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// Options says what a Program does besides computing its outputs.
type Options struct {
	// Grads maps names of parameters to their gradients. These are written to the gradient array of
	// the store (training stores only).
	Grads map[string]*netdef.Node
	// AdamW appends an optimiser step: gradient clipping, AdamW, weight averaging. It changes the
	// parameters that have a gradient in Grads. Its numbers are the input HyperInput.
	AdamW bool
	// Portable uses the gpu lowering on every device.
	Portable bool
	// Half stores weights, and tensors that have a value per site, as float16, if the device has
	// 16-bit storage and the gpu lowering is used. Inputs and outputs stay float32, and so does
	// arithmetic, except for the factors of products on cooperative matrices, which are used if the
	// device has them. Half is for inference.
	Half   bool
	Tuning Tuning
	// Settings names inputs that stay the same for many runs, such as the task for the pictures of
	// a stream. What depends only on them, on parameters and on constants is computed when they
	// change, not in every run.
	Settings []string
	// HeldInputs and HeldOutputs name inputs, and count outputs, that stay on the device: a run
	// neither brings them there nor takes them from there. Program.StartWith copies between them
	// and other memory of the device. They have one place for all turns, as runs follow each other.
	HeldInputs  []string
	HeldOutputs []int
	// maxBinding, if not 0, replaces the device's limit for the bytes of one binding, for tests.
	maxBinding int64
	// Arena provides the working memory. If it is nil, the Program has memory of its own.
	Arena *Arena
}

// Compile builds the Program that computes outs from the graph's inputs and the store's parameters.
// If a node has no kernel for its shape, it fails with an error that names the node.
func Compile(dev *gpu.Device, store *Store, g *netdef.Graph, outs []*netdef.Node, opt Options) (*Program, error) {
	if err := g.Err(); err != nil {
		return nil, err
	}
	caps := dev.Info().Caps
	best, portable := Targets(caps)
	if opt.Portable {
		best = portable
	}
	half := opt.Half && CanHalf(caps, opt.Portable) && !store.train
	if half && caps.Matrix[0] > 0 {
		best.Matrix = shaders.Matrix{M: caps.Matrix[0], N: caps.Matrix[1], K: caps.Matrix[2], Subgroup: caps.SubgroupSize}
	}
	best.FastBuild = best.Mode == shaders.CPU && opt.Tuning.fastBuild()
	l := &lowering{
		best: best, portable: portable, tune: opt.Tuning, store: store, half: half, maxBinding: cmp.Or(opt.maxBinding, caps.MaxStorageRange),
		modules: map[string]*shaders.Module{}, vals: map[*netdef.Node]*value{}, packed: map[string]*value{},
		pinned: map[*netdef.Node]*value{}, inputs: map[string]*value{}, phases: map[*netdef.Node]phase{}, winogradIn: map[*netdef.Node]*value{},
		repeats: map[repeatKey]*netdef.Node{}, moments: map[momentsKey]moments{}, held: opt.HeldInputs,
	}
	l.zeros = l.addConst("zeros", make([]float32, shaders.ZeroFloats))
	gradNames := slices.Sorted(maps.Keys(opt.Grads))
	roots := slices.Clone(outs)
	for _, name := range gradNames {
		roots = append(roots, opt.Grads[name])
	}
	nodes := netdef.Reachable(roots...)
	keep := map[*netdef.Node]bool{}
	for _, n := range roots {
		keep[n] = true
	}
	var err error
	l.findPhases(nodes, !store.train, opt.Settings)
	if l.fusion, err = fuse(nodes, keep, l.phases, best, caps.MaxStorageBindings); err != nil {
		return nil, err
	}
	outVals := make([]*value, len(outs))
	for i, n := range outs {
		if k := slices.Index(outs[:i], n); k >= 0 {
			outVals[i] = outVals[k]
			continue
		}
		reg := regOut
		if slices.Contains(opt.HeldOutputs, i) {
			reg = regHeld
		}
		v := l.place(n.Name, reg, n.Shape.Size())
		outVals[i] = v
		switch {
		case isLeaf(n):
		case l.phases[n] == always:
			l.pinned[n] = v
		default: // computed rarely, and copied in every run
			l.pinned[n] = l.place(n.Name, regKeep, n.Shape.Size())
		}
	}
	gradVals := map[string]*value{}
	for _, name := range gradNames {
		n := opt.Grads[name]
		sl, ok := store.slots[name]
		if !ok || !store.train {
			return nil, fmt.Errorf("compile: gradient for %q: no such parameter in a training store", name)
		}
		v := &value{name: "grad " + name, size: sl.shape.Size(), reg: regGrad, off: sl.off}
		gradVals[name] = v
		if l.pinned[n] == nil && writesExactly(n) {
			l.pinned[n] = v
		}
	}
	if err := l.run(nodes); err != nil {
		return nil, err
	}
	l.cur, l.phase = nil, always
	for i, n := range outs {
		if l.vals[n] != outVals[i] {
			if err := l.copyFlat(l.val(n), 0, outVals[i], n.Shape.Size()); err != nil {
				return nil, nodeError(n, err)
			}
		}
	}
	for _, name := range gradNames {
		n := opt.Grads[name]
		if v := gradVals[name]; l.vals[n] != v {
			if err := l.copyExact(l.val(n), v, v.size); err != nil {
				return nil, nodeError(n, err)
			}
		}
	}
	if opt.AdamW {
		if err := l.adamW(opt.Grads); err != nil {
			return nil, err
		}
	}
	return build(dev, store, l, outVals, opt.Settings, opt.Arena)
}

func isLeaf(n *netdef.Node) bool { return len(n.In) == 0 }

// writesExactly reports whether n's kernel writes only the elements of n and nothing behind them.
// Gradients need this, because the padding between them must stay zero.
func writesExactly(n *netdef.Node) bool {
	switch n.Op.(type) {
	case *netdef.ConvGradWOp, *netdef.DepthwiseGradWOp, *netdef.FlipTransposeOp, *netdef.TransposeOp:
		return true
	case *netdef.SumOp:
		return n.In[0].Shape[3] > 1 && n.Op.(*netdef.SumOp).Axes != 0
	case *netdef.MatMulOp:
		return n.Op.(*netdef.MatMulOp).TA
	}
	return false
}

// copyExact copies size elements and writes nothing behind them.
func (l *lowering) copyExact(in, out *value, size int) error {
	if size%8 != 0 {
		row := []int{size}
		return l.generalStep(shaders.General{Out: row, In: []shaders.View{inOrder(row)}, To: inOrder(row)}, 0, []*value{in}, out)
	}
	c := blockOf(size)
	return l.copyStep(shaders.Copy{Dims: []int{size / c}, In: []int{c}, Out: []int{c}, Tab: ramp(c, 1)}, in, out)
}

// HyperInput is the input that holds AdamW's numbers, in the order of the constants shaders.Hyper….
const HyperInput = "adamw/hyper"

func (l *lowering) adamW(grads map[string]*netdef.Node) error {
	if !l.store.train {
		return fmt.Errorf("compile: AdamW needs a training store")
	}
	n := l.store.size
	all := func(reg region, off, size int) *value {
		return &value{name: "all", size: size, reg: reg, off: off}
	}
	sq := l.temp("squared gradient", n)
	square := shaders.NewRecorder(shaders.Same)
	if err := l.flat(square.Expr(square.Mul(0, 0)), n, []*value{all(regGrad, 0, n)}, sq); err != nil {
		return err
	}
	norm := l.temp("squared gradient norm", 1)
	if err := l.rowSum(sq, norm, 1, n); err != nil {
		return err
	}
	hyper := l.place(HyperInput, regInput, shaders.HyperLen)
	l.inputs[HyperInput] = hyper
	for _, part := range l.store.trained(grads) {
		size := part.to - part.from
		at := func(reg region) *value { return all(reg, part.from, size) }
		k := shaders.AdamW{N: size, Decay: part.decay}
		if err := l.emit(l.best, k, nil, 0, at(regGrad), norm, hyper, at(regParam), at(regM), at(regV), at(regEMA)); err != nil {
			return err
		}
	}
	return nil
}

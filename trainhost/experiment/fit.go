package experiment

import (
	"fmt"
	"math"
	"strings"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/shaders"
)

// optimiser holds AdamW's numbers.
type optimiser struct {
	lr, decay, ema float64
	warmup, steps  int
	cosine         bool // the rate falls to 0 over the steps; else it stays
}

// fit minimises a loss whose randomness comes from the Philox input "key".
type fit struct {
	store *compile.Store
	prog  *compile.Program
	opt   optimiser
	seed  uint64
	step  int
}

// newFit compiles a training step: AdamW on the parameters among wrt's names that the predicate takes. start, if not nil, overrides
// initial values. outs are read with value.
func newFit(dev *gpu.Device, g *netdef.Graph, loss *netdef.Node, outs []*netdef.Node, train func(name string) bool, start map[string][]float32, opt optimiser, seed uint64) (*fit, error) {
	var wrt []*netdef.Node
	for _, p := range netdef.Params(loss) {
		if !strings.HasPrefix(p.Name, compile.EMAPrefix) && train(p.Name) {
			wrt = append(wrt, p)
		}
	}
	grads, err := g.Gradient(loss, wrt)
	if err != nil {
		return nil, err
	}
	byName := map[string]*netdef.Node{}
	for i, p := range wrt {
		byName[p.Name] = grads[i]
	}
	f := &fit{opt: opt, seed: seed}
	if f.store, err = compile.NewStore(dev, netdef.Reachable(append(outs, loss)...), true, seed); err != nil {
		return nil, err
	}
	if start != nil {
		have := map[string][]float32{}
		for _, name := range f.store.Names() {
			if v := start[name]; v != nil {
				have[name] = v
			}
		}
		if err = f.store.Set(have); err != nil {
			f.close()
			return nil, err
		}
	}
	tuning := compile.Tuning{}
	if opt.steps >= 1000 {
		tuning.MaxFMA = compile.LongRun
	}
	f.prog, err = compile.Compile(dev, f.store, g, append([]*netdef.Node{loss}, outs...), compile.Options{Grads: byName, AdamW: true, Tuning: tuning})
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *fit) close() {
	if f.prog != nil {
		f.prog.Close()
	}
	f.store.Close()
}

// next does one step on the inputs given beside the key.
func (f *fit) next(inputs map[string][]float32) error {
	if err := f.prog.SetInput("key", netdef.Key{Seed: f.seed, Sample: uint32(f.step)}.Float32()); err != nil {
		return err
	}
	for name, v := range inputs {
		if f.prog.HasInput(name) {
			if err := f.prog.SetInput(name, v); err != nil {
				return err
			}
		}
	}
	if err := f.prog.SetInput(compile.HyperInput, f.hyper()); err != nil {
		return err
	}
	if err := f.prog.Run(); err != nil {
		return err
	}
	f.step++
	if f.step%200 == 0 || f.step == f.opt.steps {
		if v, err := f.value(0); err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("experiment: the loss is %v at step %d (%v)", v, f.step, err)
		}
	}
	return nil
}

// value reads a scalar output: 0 is the loss, the others follow.
func (f *fit) value(i int) (float64, error) {
	v, err := f.prog.Output(i)
	if err != nil {
		return 0, err
	}
	return float64(v[0]), nil
}

func (f *fit) hyper() []float32 {
	o, n := f.opt, float64(f.step+1)
	lr := o.lr * min(1, n/float64(max(1, o.warmup)))
	if o.cosine {
		lr *= 0.5 * (1 + math.Cos(math.Pi*float64(f.step)/float64(o.steps)))
	}
	const b1, b2 = 0.9, 0.999
	h := make([]float32, shaders.HyperLen)
	h[shaders.HyperLR], h[shaders.HyperBeta1], h[shaders.HyperBeta2], h[shaders.HyperEps] = float32(lr), b1, b2, 1e-8
	h[shaders.HyperCorr1] = float32(1 / (1 - math.Pow(b1, n)))
	h[shaders.HyperCorr2] = float32(1 / (1 - math.Pow(b2, n)))
	h[shaders.HyperEMA] = float32(min(o.ema, n/(n+10)))
	h[shaders.HyperMaxNorm], h[shaders.HyperDecay] = 1e9, float32(o.decay)
	return h
}

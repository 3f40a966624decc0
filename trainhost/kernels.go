package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// KernelConfig is one training run of the network that reads motion blur's kernels
// (nets.KernelMaps).
type KernelConfig struct {
	Batch  int     `json:"batch"`
	Fresh  int     `json:"fresh"` // pictures that are blurred anew per step
	Pool   int     `json:"pool"`  // of which so many are drawn from, each in any of eight orientations
	Steps  uint64  `json:"steps"` // length of the run, which the learning rate's cosine covers
	Warmup uint64  `json:"warmup"`
	LR     float64 `json:"lr"`
	EMA    float64 `json:"ema"` // decay per step of the averaged weights
	Seed   uint64  `json:"seed"`
}

// DefaultKernelConfig is the recipe for a CPU: about an hour on two cores.
func DefaultKernelConfig() KernelConfig {
	return KernelConfig{Batch: 16, Fresh: 3, Pool: 2048, Steps: 8000, Warmup: 100, LR: 1e-3, EMA: 0.995, Seed: 1}
}

// Validate reports what is out of range.
func (c KernelConfig) Validate() error {
	if c.Batch < 1 || c.Fresh < 1 || c.Pool < c.Fresh || c.Steps < 1 || !(c.LR > 0) || !(c.EMA >= 0 && c.EMA < 1) {
		return fmt.Errorf("batch %d, fresh %d, pool %d, steps %d, lr %g, EMA %g: a value is out of range", c.Batch, c.Fresh, c.Pool, c.Steps, c.LR, c.EMA)
	}
	return nil
}

// KernelState is what a checkpoint of such a run holds beside the arrays.
type KernelState struct {
	Config  KernelConfig  `json:"config"`
	Step    uint64        `json:"step"`
	History []KernelStage `json:"history"`
	Origin  *Origin       `json:"origin,omitempty"` // as in State
}

// runs are those before the current one and the current one.
func (s KernelState) runs() []KernelStage {
	return append(append([]KernelStage{}, s.History...), KernelStage{s.Config, s.Step, s.Origin})
}

// KernelStage is a run that is over.
type KernelStage struct {
	Config KernelConfig `json:"config"`
	Steps  uint64       `json:"steps"`
	Origin *Origin      `json:"origin,omitempty"`
}

// KernelTrainer runs one KernelConfig.
type KernelTrainer struct {
	State KernelState
	compiled
	pics *Pictures
	eye  *motionblur.Estimator
	pool []blurred // the i-th picture at i modulo its length
	made int       // pictures so far
}

// KernelSides are the sides of the pictures that the network is trained on, the last with the
// largest share; a training set must hold crops of it.
var KernelSides = [...]int{128, 192, 256}

// NewKernelTrainer compiles the step; from and resume are as for NewTrainer.
func NewKernelTrainer(dev *gpu.Device, pics *Pictures, cfg KernelConfig, from *KernelCheckpoint, resume bool) (*KernelTrainer, error) {
	t := &KernelTrainer{State: KernelState{Config: cfg}, pics: pics}
	if from != nil {
		if resume {
			t.State = from.State
			cfg = t.State.Config
		} else {
			t.State.History = from.State.runs()
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	t.pool = make([]blurred, cfg.Pool)
	if err := t.compile(dev, cfg, from, resume); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *KernelTrainer) compile(dev *gpu.Device, cfg KernelConfig, from *KernelCheckpoint, resume bool) (err error) {
	g := netdef.NewGraph()
	loss := KernelLoss(g, cfg.Batch)
	params := netdef.Params(loss)
	if t.store, err = compile.NewStore(dev, params, true, cfg.Seed); err != nil {
		return err
	}
	if from != nil {
		if resume {
			err = from.arrays.restore(t.store)
		} else {
			err = t.store.Set(from.arrays["ema"])
		}
		if err != nil {
			return err
		}
	}
	grads, err := g.Gradient(loss, params)
	if err != nil {
		return err
	}
	byName := map[string]*netdef.Node{}
	for i, p := range params {
		byName[p.Name] = grads[i]
	}
	opt := compile.Options{Grads: byName, AdamW: true, Tuning: Config{Steps: cfg.Steps}.tuning()}
	if t.prog, err = compile.Compile(dev, t.store, g, []*netdef.Node{loss}, opt); err != nil {
		return err
	}
	if t.looks, err = motionblur.NewPrograms(dev, compile.Options{}); err != nil {
		return err
	}
	t.eye = motionblur.NewDeviceEstimator(t.looks.Run)
	return nil
}

// blurred is a picture's views with its kernel, both maps of displacements, and its noise.
type blurred struct {
	views, kernel []float32
	variance      float32
}

// observation is what a blurred picture is made of.
type observation struct {
	picture *planar.Image
	kernel  *task.Kernel
	sigma   float64
	err     error
}

// observe makes the i-th picture of a run. It depends on the seed and on i only.
func (t *KernelTrainer) observe(i int) (o observation) {
	rng := rand.New(rand.NewPCG(t.State.Config.Seed+uint64(len(t.State.History))<<32, uint64(i)))
	side := KernelSides[len(KernelSides)-1]
	if rng.IntN(4) == 0 {
		side = KernelSides[rng.IntN(len(KernelSides)-1)]
	}
	o.sigma = 0.05
	if rng.IntN(2) == 0 {
		o.sigma = 0.01 * math.Pow(20, rng.Float64())
	}
	draw := task.Draw
	if rng.IntN(3) == 0 {
		draw = task.DrawTraining
	}
	x := planar.New(side, side)
	t.pics.Crop(rng, side, x.Pix)
	p, err := draw(rng, task.MotionDeblur, side, side, kernelScale(side))
	if err != nil {
		o.err = err
		return o
	}
	op, err := task.NewOperator(task.MotionDeblur, side, side, p)
	if err == nil {
		o.picture, err = op.Observe(rng, x, o.sigma)
	}
	o.kernel, o.err = p.Kernel, err
	return o
}

// Run trains as Trainer.Run does; report is called with the mean loss since the last time, in
// decibel: of the loss in the mean spectrum of photographs, less is better.
func (t *KernelTrainer) Run(ctx context.Context, deadline time.Time, every uint64, report func(step uint64, loss, seconds float64), save func() error, interval time.Duration) (bool, error) {
	cfg := t.State.Config
	// Pictures are blurred ahead, in order, while the device works.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan observation, 8)
	first := cfg.Fresh * int(t.State.Step)
	go func() {
		for i := first; ctx.Err() == nil; i++ {
			select {
			case next <- t.observe(i):
			case <-ctx.Done():
			}
		}
	}()
	t.made = first
	sum, n, mark, saved := 0.0, 0, time.Now(), time.Now()
	views, kernels, variances := t.inputs()
	for t.State.Step < cfg.Steps {
		for t.made < cfg.Pool+cfg.Fresh*int(t.State.Step) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if err := t.add(ctx, <-next); err != nil {
				return false, err
			}
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			return false, nil
		}
		t.fill(rand.New(rand.NewPCG(cfg.Seed, ^t.State.Step)), views, kernels, variances)
		for name, v := range map[string][]float32{inViews: views, inTruth: kernels, inVariance: variances, compile.HyperInput: t.hyper()} {
			if err := t.prog.SetInput(name, v); err != nil {
				return false, err
			}
		}
		if err := t.prog.Run(); err != nil {
			return false, err
		}
		t.State.Step++
		loss, err := t.prog.Output(0)
		if err != nil {
			return false, err
		}
		if v := float64(loss[0]); math.IsNaN(v) || math.IsInf(v, 0) {
			return false, &ErrDiverged{t.State.Step}
		}
		sum += float64(loss[0])
		n++
		if report != nil && (t.State.Step%max(1, every) == 0 || t.State.Step == cfg.Steps) {
			report(t.State.Step, 10/math.Ln10*sum/float64(n), time.Since(mark).Seconds()/float64(n))
			sum, n, mark = 0, 0, time.Now()
		}
		if save != nil && interval > 0 && time.Since(saved) > interval {
			if err := save(); err != nil { // the next one may succeed, and the run goes on in memory
				fmt.Fprintln(os.Stderr, "trainhost: checkpoint not saved:", err)
			}
			saved = time.Now()
		}
	}
	return true, nil
}

// add looks at a picture and puts it into the pool.
func (t *KernelTrainer) add(ctx context.Context, o observation) error {
	if o.err != nil {
		return o.err
	}
	b := &t.pool[t.made%len(t.pool)]
	if b.views == nil {
		b.views, b.kernel = make([]float32, kernelMap*kernelViews), make([]float32, kernelMap)
	}
	if err := t.eye.Views(ctx, b.views, o.picture, o.sigma); err != nil {
		return err
	}
	b.variance = float32(o.sigma * o.sigma)
	clear(b.kernel)
	for i, w := range o.kernel.W {
		y, x := i/o.kernel.Size-o.kernel.Size/2, i%o.kernel.Size-o.kernel.Size/2
		b.kernel[(y+kernelSide/2)*kernelSide+x+kernelSide/2] = w
	}
	t.made++
	return nil
}

// inputs is memory for those of a step.
func (t *KernelTrainer) inputs() (views, kernels, variances []float32) {
	n := t.State.Config.Batch
	return make([]float32, n*kernelMap*kernelViews), make([]float32, n*kernelMap), make([]float32, n)
}

// fill draws pictures of the pool, each turned or mirrored at random. What lies 32 pixels back has
// no mirror image and stays.
func (t *KernelTrainer) fill(rng *rand.Rand, views, kernels, variances []float32) {
	for j := range variances {
		b := &t.pool[rng.IntN(len(t.pool))]
		o := rng.IntN(8)
		variances[j] = b.variance
		for y := range kernelSide {
			for x := range kernelSide {
				u, v := x, y
				if o&1 != 0 {
					u = (kernelSide - u) % kernelSide
				}
				if o&2 != 0 {
					v = (kernelSide - v) % kernelSide
				}
				if o&4 != 0 {
					u, v = v, u
				}
				to, from := j*kernelMap+y*kernelSide+x, v*kernelSide+u
				copy(views[to*kernelViews:(to+1)*kernelViews], b.views[from*kernelViews:])
				kernels[to] = b.kernel[from]
			}
		}
	}
}

func (t *KernelTrainer) hyper() []float32 {
	c := t.State.Config
	return Config{Steps: c.Steps, Warmup: c.Warmup, LR: c.LR, Beta1: 0.9, Beta2: 0.99, Decay: 1e-4, MaxNorm: 1, EMA: c.EMA}.hyper(t.State.Step)
}

package trainhost

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// KernelConfig is one training run of the network that estimates the kernels of motion blur
// (nets.KernelMaps).
type KernelConfig struct {
	Batch  int     `json:"batch"`
	Fresh  int     `json:"fresh"` // new blurred pictures per step
	Pool   int     `json:"pool"`  // blurred pictures in memory, from which batches are drawn in any of eight orientations
	Steps  uint64  `json:"steps"` // length of the run, which the learning rate's cosine covers
	Warmup uint64  `json:"warmup"`
	LR     float64 `json:"lr"`
	EMA    float64 `json:"ema"` // decay per step of the averaged weights
	Seed   uint64  `json:"seed"`
}

// adamw returns the optimiser's settings.
func (c KernelConfig) adamw() optim.AdamW {
	return optim.AdamW{LR: c.LR, Beta1: 0.9, Beta2: 0.99, WeightDecay: 1e-4, MaxNorm: 1, EMA: c.EMA, Warmup: c.Warmup, Steps: c.Steps}
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

// KernelState is what a checkpoint of such a run holds in addition to the arrays.
type KernelState struct {
	Config  KernelConfig  `json:"config"`
	Step    uint64        `json:"step"`
	History []KernelStage `json:"history"`
	Origin  *Origin       `json:"origin,omitempty"` // see State
}

// runs returns the earlier runs and the current one.
func (s KernelState) runs() []KernelStage {
	return append(append([]KernelStage{}, s.History...), KernelStage{s.Config, s.Step, s.Origin})
}

// KernelStage records a run.
type KernelStage struct {
	Config KernelConfig `json:"config"`
	Steps  uint64       `json:"steps"`
	Origin *Origin      `json:"origin,omitempty"`
}

// KernelTrainer runs one KernelConfig.
type KernelTrainer struct {
	State KernelState
	deviceStep
	pictures *Pictures
	pool     []blurred // the i-th picture is at i modulo the length
	made     int       // pictures so far
}

// KernelSides are the sides of the pictures that the network is trained on. The last has the
// largest share. Pictures of the training set must have at least that side.
var KernelSides = [...]int{128, 192, 256}

// NewKernelTrainer compiles the step; from and resume are as for NewTrainer.
func NewKernelTrainer(dev *gpu.Device, pics *Pictures, cfg KernelConfig, from *KernelCheckpoint, resume bool) (*KernelTrainer, error) {
	t := &KernelTrainer{State: KernelState{Config: cfg}, pictures: pics}
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
	g := netdef.NewGraph()
	loss := kernelLoss(g, cfg.Batch)
	spec := optim.Spec{Graph: g, Loss: loss, Params: netdef.Params(loss), AdamW: cfg.adamw(), Seed: cfg.Seed, LongRun: longRun(cfg.Steps)}
	if from != nil {
		spec.Init = from.arrays.init(resume)
	}
	var err error
	if t.step, err = optim.NewStep(dev, spec); err != nil {
		return nil, err
	}
	if err := t.addEstimator(dev); err != nil {
		return nil, err
	}
	return t, nil
}

// observation is a blurred picture.
type observation struct {
	picture *planar.Image
	kernel  *task.Kernel
	sigma   float64 // of the noise
}

// observe makes the i-th blurred picture of a run. It depends on the seed and on i only.
func (t *KernelTrainer) observe(i int) (o observation, err error) {
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
	t.pictures.Crop(rng, side, x.Pix)
	p, err := draw(rng, task.MotionDeblur, side, side, kernelScale(side))
	if err != nil {
		return o, err
	}
	op, err := task.NewOperator(task.MotionDeblur, side, side, p)
	if err != nil {
		return o, err
	}
	o.kernel = p.Kernel
	o.picture, err = op.Observe(rng, x, o.sigma)
	return o, err
}

// KernelReport is a log entry: means over the steps since the last one.
type KernelReport struct {
	optim.Progress
	// Risk is the mean of 10·log₁₀ R, in dB (see kernelLoss). Less is better.
	Risk     float64
	Pictures int // per step
}

// Log writes the report as one line.
func (r KernelReport) Log(w io.Writer) {
	fmt.Fprintf(w, "step %6d of %d  error left %.3f dB  %.2f s/step  %.3g pictures/s  %s to go\n",
		r.Step, r.Steps, r.Risk, r.Seconds, perSecond(r.Pictures, r.Seconds), clock(r.Left))
}

// Run trains as Trainer.Run does. Before the first step it fills the pool.
func (t *KernelTrainer) Run(ctx context.Context, schedule optim.Schedule, report func(KernelReport)) (complete bool, err error) {
	cfg, first := t.State.Config, t.State.Step
	if first >= cfg.Steps {
		return true, nil
	}
	t.made = cfg.Fresh * int(first)
	if err := t.fillPool(ctx); err != nil {
		return false, err
	}
	in := t.newInputs()
	sum, n := 0.0, 0
	loop := optim.Loop[[]observation]{Schedule: schedule}
	loop.Batch = func(step uint64) (fresh []observation, err error) {
		if step == first { // the pool is full
			return nil, nil
		}
		for i := range cfg.Fresh {
			o, err := t.observe(cfg.Pool + cfg.Fresh*int(step-1) + i)
			if err != nil {
				return nil, err
			}
			fresh = append(fresh, o)
		}
		return fresh, nil
	}
	loop.Train = func(step uint64, fresh []observation) error {
		for _, o := range fresh {
			if err := t.add(ctx, o); err != nil {
				return err
			}
		}
		in.draw(rand.New(rand.NewPCG(cfg.Seed, ^step)), t.pool)
		if err := t.step.Set(step, map[string][]float32{inViews: in.views, inTruth: in.kernels, inVariance: in.variances}); err != nil {
			return err
		}
		if err := t.step.Run(); err != nil {
			return err
		}
		t.State.Step++
		loss, err := t.step.Loss(t.State.Step)
		sum, n = sum+loss, n+1
		return err
	}
	if report != nil {
		loop.Report = func(p optim.Progress) {
			report(KernelReport{Progress: p, Risk: 10 / math.Ln10 * sum / float64(n), Pictures: cfg.Batch})
			sum, n = 0, 0
		}
	}
	return loop.Run(ctx, first, cfg.Steps)
}

// fillPool makes the first pictures of the pool. They are blurred on the host while the device
// examines those before.
func (t *KernelTrainer) fillPool(ctx context.Context) error {
	start := t.made
	fill := optim.Loop[observation]{
		Batch: func(i uint64) (observation, error) { return t.observe(start + int(i)) },
		Train: func(_ uint64, o observation) error { return t.add(ctx, o) },
	}
	_, err := fill.Run(ctx, 0, uint64(len(t.pool)))
	return err
}

// blurred is what the network sees of a blurred picture, and the truth.
type blurred struct {
	views    []float32 // motionblur.Estimator.Views, [64,64,8]
	kernel   []float32 // [64,64], by displacement
	variance float32   // of the noise
}

// add puts a picture into the pool.
func (t *KernelTrainer) add(ctx context.Context, o observation) error {
	b := &t.pool[t.made%len(t.pool)]
	if b.views == nil {
		b.views, b.kernel = make([]float32, kernelMap*kernelViews), make([]float32, kernelMap)
	}
	if err := t.estimator.Views(ctx, b.views, o.picture, o.sigma); err != nil {
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

// kernelInputs holds the inputs of a step.
type kernelInputs struct{ views, kernels, variances []float32 }

func (t *KernelTrainer) newInputs() kernelInputs {
	n := t.State.Config.Batch
	return kernelInputs{make([]float32, n*kernelMap*kernelViews), make([]float32, n*kernelMap), make([]float32, n)}
}

// draw draws pictures of the pool, each in a random orientation. The displacement −32 has no mirror
// image and stays.
func (in kernelInputs) draw(rng *rand.Rand, pool []blurred) {
	for j := range in.variances {
		b := &pool[rng.IntN(len(pool))]
		o := drawOrientation(rng)
		in.variances[j] = b.variance
		views, kernel := in.views[j*kernelMap*kernelViews:], in.kernels[j*kernelMap:]
		o.each(kernelSide, kernelSide, func(to, x, y int) {
			from := y*kernelSide + x
			copy(views[to*kernelViews:(to+1)*kernelViews], b.views[from*kernelViews:])
			kernel[to] = b.kernel[from]
		})
	}
}

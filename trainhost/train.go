package trainhost

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// Trainer runs one Config.
type Trainer struct {
	State State
	// MotionPairs are pairs for motion-deblur, or nil. They must be set before the first step.
	// Their side must be at least that of the crops, and the objective must have no observation
	// term.
	MotionPairs *MotionPairs
	// Movement makes the pictures of denoising if Config.Movement is set. It must be set before the
	// first step. The network must be told the shape of the noise (nets.EdgeConfig.Noise).
	Movement *Movement
	deviceStep
	pictures *Pictures
	terms    []Term // outputs of the step, from outTerms on
}

// makesLogVariance reports whether a parameter belongs to the layer that makes the log-variance, or
// is its offset.
func makesLogVariance(name string) bool {
	return strings.HasPrefix(name, "adapter/out/") || name == logvarParam
}

// Outputs of the step.
const (
	outMSE   = 1 // [B,1,1,1]
	outTerms = 2 // and following: the means of Trainer.terms
)

// NewTrainer compiles the step and fills the parameters: from a checkpoint, or with fresh weights
// if from is nil. With resume the checkpoint's own run continues, and cfg is ignored. Otherwise a
// new run of cfg starts from the checkpoint's averaged weights. net is for fresh weights only: a
// checkpoint brings its own, see Checkpoint.AddGates.
func NewTrainer(dev *gpu.Device, pics *Pictures, net nets.EdgeConfig, cfg Config, from *Checkpoint, resume bool) (*Trainer, error) {
	st := State{Network: net, Config: cfg}
	if from != nil {
		net = from.State.Network
		if resume {
			st = from.State
			cfg = st.Config
		} else {
			st = State{Network: net, Config: cfg, History: from.State.runs()}
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	graph, err := buildStep(net, cfg.Objective, cfg.Per, cfg.Crop, task.MotionSide(kernelScale(cfg.Crop)))
	if err != nil {
		return nil, err
	}
	t := &Trainer{State: st, pictures: pics}
	spec := optim.Spec{
		Graph: graph.g, Loss: graph.loss, Outputs: []*netdef.Node{graph.mse},
		Params: netdef.Reachable(append([]*netdef.Node{graph.loss}, graph.network...)...),
		AdamW:  cfg.adamw(), Seed: cfg.Seed, LongRun: longRun(cfg.Steps),
	}
	if cfg.Objective.Spread {
		spec.Trains = makesLogVariance
	} else if cfg.Objective.Frozen {
		spec.Trains = func(name string) bool { return !strings.HasPrefix(name, "flow/") }
	}
	for _, term := range allTerms {
		if n := graph.terms[term]; n != nil {
			spec.Outputs = append(spec.Outputs, graph.g.Mean(n, netdef.AxAll))
			t.terms = append(t.terms, term)
		}
	}
	if from != nil {
		spec.Init = from.arrays.init(resume)
	}
	if t.step, err = optim.NewStep(dev, spec); errors.Is(err, optim.ErrNothingToTrain) {
		return nil, errors.New("objective: nothing to train: the flow map is frozen and no term depends on the adapter")
	} else if err != nil {
		return nil, err
	}
	if p := t.step.Program(); p.HasInput(inGuess) || p.HasInput(inBlurred) {
		if err := t.addEstimator(dev); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// deviceStep is what trainers have on the device.
type deviceStep struct {
	step      *optim.Step
	estimator *motionblur.Estimator // nil if the step needs none
	programs  *motionblur.Programs  // of the estimator
}

// addEstimator makes the estimator of motion blur. On an error it closes the step.
func (d *deviceStep) addEstimator(dev *gpu.Device) (err error) {
	if d.programs, err = motionblur.NewPrograms(dev, compile.Options{}); err != nil {
		d.step.Close()
		return err
	}
	d.estimator = motionblur.NewDeviceEstimator(d.programs.Run)
	return nil
}

// Close frees the device memory.
func (d *deviceStep) Close() {
	d.step.Close()
	if d.programs != nil {
		d.programs.Close()
	}
}

// Program returns the compiled step, for benchmarks.
func (d *deviceStep) Program() *compile.Program { return d.step.Program() }

// Store returns the parameters.
func (d *deviceStep) Store() *compile.Store { return d.step.Store() }

// setSteps changes the length of the run. It does not build other kernels.
func (t *Trainer) setSteps(steps uint64) {
	t.State.Config.Steps = steps
	t.step.AdamW = t.State.Config.adamw()
}

// degradation returns what denoising trains on.
func (t *Trainer) degradation() degradation {
	switch {
	case t.State.Config.Movement:
		return func(rng *rand.Rand, _ *Pictures, side int) (degraded, error) { return t.Movement.draw(rng, side) }
	case t.State.Config.Compressed:
		return drawCompressed
	}
	return drawNoisy
}

// batch makes the inputs of a step of this run.
func (t *Trainer) batch(step uint64) (batch, error) {
	c := t.State.Config
	if c.Movement && t.Movement == nil {
		return nil, errors.New("this run is trained on movement, but it was given no video frames")
	}
	seed := c.Seed + uint64(len(t.State.History))<<32
	src := batchSource{
		pictures: t.pictures, pairs: t.MotionPairs, degrade: t.degradation(), seed: seed, counts: c.Per, side: c.Crop,
		blurOnHost: t.estimator != nil, noiseOnHost: t.State.Network.Noise,
	}
	b, err := src.batch(step)
	if err == nil && c.Objective.MeanFlow.Weight > 0 {
		c.Objective.MeanFlow.draw(b, rand.New(rand.NewPCG(seed, ^step)), c.Per.Total())
	}
	return b, err
}

// Prepare sets the inputs of the next step without computing it, so that Program may be run and
// timed.
func (t *Trainer) Prepare() error {
	b, err := t.batch(t.State.Step)
	if err != nil {
		return err
	}
	return t.set(b)
}

// set gives the step its inputs. Guesses for motion blur are made here and not together with the
// batch: they need the device, which computes the step before while the batch is made.
func (t *Trainer) set(b batch) error {
	if t.estimator != nil && b[inBlurred] != nil {
		if err := b.guess(t.estimator, t.State.Config.Per, t.State.Config.Crop); err != nil {
			return err
		}
	}
	return t.step.Set(t.State.Step, b)
}

// train does one training step.
func (t *Trainer) train(b batch) error {
	if err := t.set(b); err != nil {
		return err
	}
	if err := t.step.Run(); err != nil {
		return err
	}
	t.State.Step++
	return nil
}

// Run trains until the run's steps are done, ctx is done or the schedule's deadline has passed. It
// returns whether the run is complete. report gets the means since the last report; it may be nil.
func (t *Trainer) Run(ctx context.Context, schedule optim.Schedule, report func(Report)) (complete bool, err error) {
	cfg := t.State.Config
	mean := t.newAverage()
	loop := optim.Loop[batch]{Schedule: schedule, Batch: t.batch}
	loop.Train = func(_ uint64, b batch) error {
		if err := t.train(b); err != nil {
			return err
		}
		return mean.add(t)
	}
	if report != nil {
		loop.Report = func(p optim.Progress) {
			r := mean.report()
			r.Step, r.Steps, r.Seconds, r.Left = p.Step, p.Steps, p.Seconds, p.Left
			r.Rate, r.Pictures, r.Unscaled = cfg.adamw().Rate(p.Step-1), cfg.Per.Total(), cfg.Objective.unscaled(r.Terms)
			report(r)
			mean = t.newAverage()
		}
	}
	return loop.Run(ctx, t.State.Step, cfg.Steps)
}

package trainhost

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/shaders"
)

// Config is one training run: a fixed objective on crops of one size.
type Config struct {
	Objective Objective `json:"objective"`
	Per       Counts    `json:"per_class"`
	Movement  bool      `json:"movement,omitempty"` // denoising's pictures are those of Trainer.Movement
	// Compressed says that denoising's pictures went through JPEG, most of them without noise.
	Compressed bool    `json:"compressed,omitempty"`
	Crop       int     `json:"crop"`  // side of the crops, a power of two from 32 on
	Steps      uint64  `json:"steps"` // length of the run, which the learning rate's cosine covers
	Warmup     uint64  `json:"warmup"`
	LR         float64 `json:"lr"`
	Beta1      float64 `json:"beta1"`
	Beta2      float64 `json:"beta2"`
	Decay      float64 `json:"weight_decay"`
	MaxNorm    float64 `json:"max_norm"` // gradient norm above which gradients are scaled down
	EMA        float64 `json:"ema"`      // decay per step of the averaged weights
	Seed       uint64  `json:"seed"`
}

// DefaultConfig is the recipe for a CPU: see docs/TRAINING.md.
func DefaultConfig() Config {
	return Config{Objective: EnergyScore(), Per: PerClass(4), Crop: 64, Steps: 700, Warmup: 50, LR: 2e-3, Beta1: 0.9, Beta2: 0.99, Decay: 1e-4, MaxNorm: 1, EMA: 0.995}
}

// Validate reports the first field that is out of range.
func (c Config) Validate() error {
	if err := c.Objective.Validate(); err != nil {
		return err
	}
	if err := c.Per.validate(); err != nil {
		return err
	}
	switch {
	case c.Movement && c.Compressed:
		return errors.New("movement and compression both take the place of noise: choose one")
	case c.Compressed && c.Per.Total() != c.Per[clsDenoise]:
		return errors.New("compression takes the place of noise: no other task than denoise can be trained with it")
	case c.Movement && c.Per.Total() != c.Per[clsDenoise]:
		return errors.New("movement takes the place of noise: no other task than denoise can be trained with it")
	case c.Crop < 32 || c.Crop > 1024 || c.Crop&(c.Crop-1) != 0:
		return fmt.Errorf("crop %d: must be a power of two, 32 to 1024", c.Crop)
	case c.Steps < 1:
		return fmt.Errorf("steps: %d, must be at least 1", c.Steps)
	case !(c.LR > 0) || !(c.EMA >= 0 && c.EMA < 1) || !(c.MaxNorm > 0) || !(c.Beta1 >= 0 && c.Beta1 < 1) || !(c.Beta2 >= 0 && c.Beta2 < 1) || !(c.Decay >= 0):
		return fmt.Errorf("optimiser: lr %g, betas %g %g, weight decay %g, max norm %g and EMA %g: a value is out of range", c.LR, c.Beta1, c.Beta2, c.Decay, c.MaxNorm, c.EMA)
	}
	return nil
}

// rate is the learning rate at a step: linear warm-up, then a cosine to 0.
func (c Config) rate(step uint64) float64 {
	lr := c.LR
	if step < c.Warmup {
		lr *= float64(step+1) / float64(c.Warmup)
	}
	return lr * 0.5 * (1 + math.Cos(math.Pi*min(1, float64(step)/float64(c.Steps))))
}

// tuning chooses the size of the kernels: large ones make a step about a third faster, and building
// them pays off in runs of minutes. It depends on the run alone, so that a resumed run computes the
// same numbers.
func (c Config) tuning() compile.Tuning {
	if c.Steps < 200 {
		return compile.Tuning{}
	}
	return compile.Tuning{MaxFMA: compile.LongRun}
}

// Trainer runs one Config.
type Trainer struct {
	State State
	// Shakes are pairs for motion-deblur, if there are any; they must be set before the first step, be of at least the crops' side, and
	// need an objective without the observation term.
	Shakes *Shakes
	// Movement takes the place of noise in denoising's pictures, for networks that are told the
	// shape of noise, where Config.Movement says so; it must be set before the first step.
	Movement *Movement
	compiled
	dev   *gpu.Device
	pics  *Pictures
	step  *Graph
	terms []string
	guess *motionblur.Estimator // nil without
}

// compiled is what trainers have on the device.
type compiled struct {
	store *compile.Store
	prog  *compile.Program     // the step
	looks *motionblur.Programs // of an Estimator; nil without
}

// NewTrainer compiles the step and fills the store: from a checkpoint (nil: fresh
// weights). With resume the checkpoint's own run goes on; otherwise a new run of
// cfg starts from its weights, averaged ones if it was finished. net is for fresh
// weights only: a checkpoint brings its own, see Checkpoint.AddGates.
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
	step, err := BuildStep(net, cfg.Objective, cfg.Per, cfg.Crop, task.MotionSide(kernelScale(cfg.Crop)))
	if err != nil {
		return nil, err
	}
	t := &Trainer{State: st, dev: dev, pics: pics, step: step}
	nodes := netdef.Reachable(append([]*netdef.Node{step.Loss}, step.Network...)...)
	if t.store, err = compile.NewStore(dev, nodes, true, cfg.Seed); err != nil {
		return nil, err
	}
	if from != nil {
		if resume {
			err = from.arrays.restore(t.store)
		} else {
			err = t.store.Set(from.Averaged())
		}
		if err != nil {
			t.Close()
			return nil, err
		}
	}
	params := netdef.Params(step.Loss)
	var live []*netdef.Node
	for _, p := range params {
		if !strings.HasPrefix(p.Name, compile.EMAPrefix) && !(cfg.Objective.Frozen && strings.HasPrefix(p.Name, "flow/")) {
			live = append(live, p)
		}
	}
	if len(live) == 0 {
		t.Close()
		return nil, errors.New("objective: nothing to train: the flow map is frozen and no term depends on the adapter")
	}
	grads, err := step.G.Gradient(step.Loss, live)
	if err != nil {
		t.Close()
		return nil, err
	}
	byName := map[string]*netdef.Node{}
	for i, p := range live {
		byName[p.Name] = grads[i]
	}
	outs := []*netdef.Node{step.Loss, step.MSE}
	for _, name := range termNames {
		if n := step.Terms[name]; n != nil {
			outs = append(outs, step.G.Mean(n, netdef.AxAll))
			t.terms = append(t.terms, name)
		}
	}
	if t.prog, err = compile.Compile(dev, t.store, step.G, outs, compile.Options{Grads: byName, AdamW: true, Tuning: cfg.tuning()}); err != nil {
		t.Close()
		return nil, err
	}
	if t.prog.HasInput(inGuess) || t.prog.HasInput(inShaken) {
		if t.looks, err = motionblur.NewPrograms(dev, compile.Options{}); err != nil {
			t.Close()
			return nil, err
		}
		t.guess = motionblur.NewDeviceEstimator(t.looks.Run)
	}
	return t, nil
}

// Close frees the device memory.
func (t *compiled) Close() {
	if t.prog != nil {
		t.prog.Close()
	}
	if t.looks != nil {
		t.looks.Close()
	}
	if t.store != nil {
		t.store.Close()
	}
}

// Program gives the compiled step, for benchmarks.
func (t *compiled) Program() *compile.Program { return t.prog }

// Store gives the parameters.
func (t *compiled) Store() *compile.Store { return t.store }

// hyper gives AdamW's numbers for the next step after so many.
func (c Config) hyper(step uint64) []float32 {
	n := float64(step + 1)
	h := make([]float32, shaders.HyperLen)
	h[shaders.HyperLR] = float32(c.rate(step))
	h[shaders.HyperBeta1], h[shaders.HyperBeta2] = float32(c.Beta1), float32(c.Beta2)
	h[shaders.HyperEps] = 1e-8
	h[shaders.HyperCorr1] = float32(1 / (1 - math.Pow(c.Beta1, n)))
	h[shaders.HyperCorr2] = float32(1 / (1 - math.Pow(c.Beta2, n)))
	// The average follows closely at first: it must not remember the random start.
	h[shaders.HyperEMA] = float32(min(c.EMA, n/(n+10)))
	h[shaders.HyperMaxNorm], h[shaders.HyperDecay] = float32(c.MaxNorm), float32(c.Decay)
	return h
}

// shoot gives the law of denoising's pictures.
func (t *Trainer) shoot() shooting {
	switch {
	case t.State.Config.Movement:
		return func(rng *rand.Rand, _ *Pictures, side int) (observed, error) { return t.Movement.shoot(rng, side) }
	case t.State.Config.Compressed:
		return shootCompressed
	}
	return shootNoisy
}

// batch makes the inputs of a step of this run.
func (t *Trainer) batch(step uint64) (batch, error) {
	c := t.State.Config
	if c.Movement && t.Movement == nil {
		return nil, errors.New("this run is trained on movement, of which no frames were given")
	}
	seed := c.Seed + uint64(len(t.State.History))<<32
	b, err := makeBatch(t.pics, t.Shakes, t.shoot(), seed, step, c.Per, c.Crop, t.guess != nil, t.State.Network.Noise)
	if err == nil && c.Objective.MeanFlow.Weight > 0 {
		c.Objective.MeanFlow.draw(b, rand.New(rand.NewPCG(seed, ^step)), c.Per.Total())
	}
	return b, err
}

// Prepare sets the inputs of the next step without doing it, so that Program may
// be run and timed.
func (t *Trainer) Prepare() error {
	b, err := t.batch(t.State.Step)
	if err != nil {
		return err
	}
	return t.set(b)
}

// set gives the Program the inputs of the next step. Guesses are made now and not while the step
// before runs: the device does one after the other.
func (t *Trainer) set(b batch) error {
	if t.guess != nil && b[inShaken] != nil {
		if err := b.guess(t.guess, t.State.Config.Per, t.State.Config.Crop); err != nil {
			return err
		}
	}
	for name, v := range b {
		if !t.prog.HasInput(name) {
			continue // a term that needs it is switched off
		}
		if err := t.prog.SetInput(name, v); err != nil {
			return err
		}
	}
	return t.prog.SetInput(compile.HyperInput, t.State.Config.hyper(t.State.Step))
}

// runBatch does one training step.
func (t *Trainer) runBatch(b batch) error {
	if err := t.set(b); err != nil {
		return err
	}
	if err := t.prog.Run(); err != nil {
		return err
	}
	t.State.Step++
	return nil
}

// ErrDiverged says that the loss is no longer a number.
type ErrDiverged struct{ Step uint64 }

func (e *ErrDiverged) Error() string {
	return fmt.Sprintf("training diverged at step %d: the loss is not a number; lower -lr or resume from an earlier checkpoint", e.Step)
}

// Hooks are called while Run goes on; any may be nil.
type Hooks struct {
	Report     func(Report)
	Every      uint64                  // steps between reports
	Step       func(step uint64) error // after each step; its error ends the run
	Checkpoint func() error
	Interval   time.Duration // between checkpoints
}

// Run trains until the run's steps are done, ctx is cancelled or deadline
// (if not zero) is reached. It returns whether the run is complete.
func (t *Trainer) Run(ctx context.Context, deadline time.Time, h Hooks) (bool, error) {
	type made struct {
		b   batch
		err error
	}
	next := make(chan made, 1)
	cfg := t.State.Config
	prepare := func(step uint64) {
		go func() {
			b, err := t.batch(step)
			next <- made{b, err}
		}()
	}
	if t.State.Step >= cfg.Steps {
		return true, nil
	}
	prepare(t.State.Step)
	mean := newAverager(t.terms)
	saved, mark := time.Now(), time.Now()
	for t.State.Step < cfg.Steps {
		m := <-next
		if m.err != nil {
			return false, m.err
		}
		stop := ctx.Err() != nil || (!deadline.IsZero() && time.Now().After(deadline))
		if stop {
			return false, ctx.Err()
		}
		if t.State.Step+1 < cfg.Steps {
			prepare(t.State.Step + 1)
		}
		rate := cfg.rate(t.State.Step)
		if err := t.runBatch(m.b); err != nil {
			return false, err
		}
		if err := mean.add(t); err != nil {
			return false, err
		}
		if h.Report != nil && (t.State.Step%max(1, h.Every) == 0 || t.State.Step == cfg.Steps) {
			r := mean.report()
			r.Step, r.Rate = t.State.Step, rate
			r.Seconds = time.Since(mark).Seconds() / float64(mean.n)
			r.Steps, r.Pictures, r.Unscaled = cfg.Steps, cfg.Per.Total(), cfg.Objective.unscaled(r.Terms)
			r.Left = Left(cfg.Steps-t.State.Step, r.Seconds, deadline)
			h.Report(r)
			mean, mark = newAverager(t.terms), time.Now()
		}
		if h.Step != nil {
			if err := h.Step(t.State.Step); err != nil {
				return false, err
			}
		}
		if h.Checkpoint != nil && h.Interval > 0 && time.Since(saved) > h.Interval {
			if err := h.Checkpoint(); err != nil { // the next one may succeed, and the run goes on in memory
				fmt.Fprintln(os.Stderr, "trainhost: checkpoint not saved:", err)
			}
			saved = time.Now()
		}
	}
	return true, nil
}

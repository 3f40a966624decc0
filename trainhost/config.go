package trainhost

import (
	"errors"
	"fmt"

	"github.com/vfmrestore/restore/trainhost/optim"
)

// Config is one training run: a fixed objective on crops of one size.
type Config struct {
	Objective Objective `json:"objective"`
	Per       Counts    `json:"per_class"` // pictures of each class in a batch
	// Movement says that denoising trains on the pictures of Trainer.Movement instead of noisy
	// ones.
	Movement bool `json:"movement,omitempty"`
	// Compressed says that denoising trains on JPEG pictures, most of them without noise.
	Compressed bool    `json:"compressed,omitempty"`
	Crop       int     `json:"crop"`  // side of the crops in pixels, a power of two from 32 to 1024
	Steps      uint64  `json:"steps"` // length of the run, which the learning rate's cosine covers
	Warmup     uint64  `json:"warmup"`
	LR         float64 `json:"lr"` // learning rate at its peak
	Beta1      float64 `json:"beta1"`
	Beta2      float64 `json:"beta2"`
	Decay      float64 `json:"weight_decay"`
	MaxNorm    float64 `json:"max_norm"` // gradient norm above which the gradient is scaled down
	EMA        float64 `json:"ema"`      // decay per step of the averaged weights
	Seed       uint64  `json:"seed"`
}

// DefaultConfig is the recipe for a CPU; see docs/TRAINING.md.
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
		return errors.New("movement and compression both replace the noise of denoise: choose one")
	case c.Compressed && c.Per.Total() != c.Per[clsDenoise]:
		return errors.New("compression replaces the noise of denoise: no other task can be trained with it")
	case c.Movement && c.Per.Total() != c.Per[clsDenoise]:
		return errors.New("movement replaces the noise of denoise: no other task can be trained with it")
	case c.Crop < 32 || c.Crop > 1024 || c.Crop&(c.Crop-1) != 0:
		return fmt.Errorf("crop %d: must be a power of two, 32 to 1024", c.Crop)
	case c.Steps < 1:
		return fmt.Errorf("steps: %d, must be at least 1", c.Steps)
	case !(c.LR > 0) || !(c.EMA >= 0 && c.EMA < 1) || !(c.MaxNorm > 0) || !(c.Beta1 >= 0 && c.Beta1 < 1) || !(c.Beta2 >= 0 && c.Beta2 < 1) || !(c.Decay >= 0):
		return fmt.Errorf("optimiser: lr %g, betas %g %g, weight decay %g, max norm %g and EMA %g: a value is out of range", c.LR, c.Beta1, c.Beta2, c.Decay, c.MaxNorm, c.EMA)
	}
	return nil
}

// adamw returns the optimiser's settings.
func (c Config) adamw() optim.AdamW {
	a := optim.AdamW{LR: c.LR, Beta1: c.Beta1, Beta2: c.Beta2, WeightDecay: c.Decay, MaxNorm: c.MaxNorm, EMA: c.EMA, Warmup: c.Warmup, Steps: c.Steps}
	if c.Objective.Spread {
		a.WeightDecay = 0 // else μ, whose weights have no gradient, would decay
	}
	return a
}

// longRun reports whether a run of so many steps is worth building large kernels for: they make a
// step about a third faster, which pays off in runs of minutes. The choice depends on the run
// alone, so that a resumed run computes the same numbers.
func longRun(steps uint64) bool { return steps >= 200 }

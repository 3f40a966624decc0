package bench

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/shaders"
	"github.com/vfmrestore/restore/trainhost"
)

// trainingStep measures one step of the default training run: operators, both networks forward and back, AdamW. The batch is random
// numbers in the place of photographs; the arithmetic is the same.
func trainingStep(dev *gpu.Device, net nets.EdgeConfig) (Figure, error) {
	cfg := trainhost.DefaultConfig()
	t, err := trainhost.NewTrainer(dev, nil, net, cfg, nil, false)
	if err != nil {
		return Figure{}, err
	}
	defer t.Close()
	p := t.Program()
	pictures := trainhost.Classes * cfg.Per
	plane := cfg.Crop * cfg.Crop
	side := task.MotionSide(min(1, float64(cfg.Crop)/128))
	kernels := make([]float32, cfg.Per*side*((side+7)/8*8))
	for i := range kernels {
		kernels[i] = 1 / float32(side*side)
	}
	hyper := make([]float32, shaders.HyperLen) // a learning rate of 0: nothing changes however often it runs
	hyper[shaders.HyperEps], hyper[shaders.HyperCorr1], hyper[shaders.HyperCorr2], hyper[shaders.HyperMaxNorm] = 1e-8, 1, 1, 1
	for name, v := range map[string][]float32{
		"x": random(pictures * 3 * plane), "sigma": random(pictures), "mask": random(2 * cfg.Per * plane),
		"kernel": kernels, "key": netdef.Key{Seed: 1}.Float32(), compile.HyperInput: hyper,
	} {
		if !p.HasInput(name) {
			continue
		}
		if err := p.SetInput(name, v); err != nil {
			return Figure{}, err
		}
	}
	sec, err := best(p.Run)
	return Figure{
		Name:    fmt.Sprintf("%d crops of %d×%d, %d dispatches", pictures, cfg.Crop, cfg.Crop, p.Dispatches()),
		Seconds: sec, Flops: p.Flops(),
	}, err
}

package bench

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost"
)

// trainingStep measures a step of default training on a synthetic picture: operators, both networks
// forward and backward, AdamW.
func trainingStep(dev *gpu.Device, net nets.EdgeConfig) (Figure, error) {
	cfg := trainhost.DefaultConfig()
	pics := trainhost.NewPictures(cfg.Crop, synth.Photo(1, 2*cfg.Crop, 2*cfg.Crop))
	t, err := trainhost.NewTrainer(dev, pics, net, cfg, nil, false)
	if err != nil {
		return Figure{}, err
	}
	defer t.Close()
	if err := t.Prepare(); err != nil {
		return Figure{}, err
	}
	p := t.Program()
	sec, err := best(p.Run)
	return Figure{
		Name: fmt.Sprintf("%d crops of %d×%d, %d dispatches", cfg.Per.Total(), cfg.Crop,
			cfg.Crop, p.Dispatches()),
		Seconds: sec, Flops: p.Flops(),
	}, err
}

package restore

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// SampleRequest asks for pictures from the prior. The fields are those of Request.
type SampleRequest struct {
	W, H        int
	Samples     int // 1 to MaxSamples
	Steps       int
	Times       []float64
	Temperature float64
	Seed        uint64
	Progress    func(done, total int)
}

// maxSamplePixels bounds the size of pictures from the prior.
const maxSamplePixels = 1 << 28

// Sample draws pictures without any observation: z ~ N(0, temperature²·I) (a Temperature of 0 means
// 1) through the flow map (Algorithm 1). They show what the flow map knows of pictures. Weights
// trained without the mean-flow term give textures at best. Errors: as Restore's.
func (m *Model) Sample(ctx context.Context, req SampleRequest) ([]*picture.Picture, error) {
	if err := m.checkAlive(ctx); err != nil {
		return nil, err
	}
	switch {
	case req.W < 1 || req.H < 1 || req.W > maxSamplePixels/req.H:
		return nil, badRequest("size", "is %d×%d, must be 1×1 to %d pixels in all", req.W, req.H, maxSamplePixels)
	case req.Samples < 1 || req.Samples > MaxSamples:
		return nil, badRequest("samples", "are %d, must be 1 to %d", req.Samples, MaxSamples)
	case !(req.Temperature >= 0) || math.IsInf(req.Temperature, 0):
		return nil, badRequest("temperature", "is %v, must be 0 or more", req.Temperature)
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return nil, err
	}
	if err := req.checkMemory(); err != nil {
		return nil, err
	}
	blank := picture.New(req.W, req.H, make([]float32, 3*req.W*req.H))
	j := &job{
		class: -1, network: m.generalNetwork(), loaded: m.general,
		req: Request{
			Task: task.Denoise, Samples: req.Samples, Temperature: req.Temperature, Seed: req.Seed,
		},
		pic: blank, w: req.W, h: req.H, times: partition(req.Steps, req.Times),
	}
	r := m.newRun(ctx, j, req.Progress)
	r.planSampleRuns(j)
	// Mean 0 and log-variance 0 at every site: the prior.
	prior := tile.NewField(r.domain)
	result := &Result{}
	if err := r.samples(j, prior, prior, result); err != nil {
		return nil, err
	}
	return result.Samples, nil
}

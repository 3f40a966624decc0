package restore

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// samples draws pictures from N(μ, (temperature·σ)²) through the flow map, with their mean and
// standard deviation.
func (r *run) samples(j *job, mu, logvar *tile.Field, result *Result) error {
	if j.req.Samples == 0 {
		return nil
	}
	z := tile.NewField(r.domain)
	stats := newMoments(3 * j.w * j.h)
	areas := newMoments(3 * areasAlong(j.w) * areasAlong(j.h))
	shares := j.noiseScales()
	for i := range j.req.Samples {
		key := input{name: "key", fixed: netdef.KeyShape.Size(), fill: func(at tile.Rect, dst []float32) {
			// Sites left of and above the picture's first one have negative positions, which wrap
			// around.
			k := netdef.Key{Seed: j.req.Seed, Sample: uint32(i), Y0: uint32(at.Y / 4), X0: uint32(at.X / 4)}
			copy(dst, k.Float32())
		}}
		draw := stage{program: programDraw, outputs: []output{{index: 0, write: z.Write}}}
		draw.inputs = []input{
			fromField("mu", mu), fromField("logvar", logvar), key,
			constant("temperature", float32(temperatureOf(j.req.Temperature))),
		}
		if shares != nil {
			draw.program = programDrawScales
			draw.inputs = append(draw.inputs, scaleInputs(shares, j.req.Seed, uint32(i))...)
		}
		if err := r.runStage(draw); err != nil {
			return err
		}
		if result.Latent != nil && !j.req.StatisticsOnly {
			result.Latent.Z = append(result.Latent.Z, zPicture(j, z))
		}
		pix := j.newCanvas()
		pix.sample = true
		if err := r.flow(j, z, pix); err != nil {
			return err
		}
		sample := j.finishPicture(pix)
		if err := j.fillHoles(r.ctx, sample, uint64(i)+1); err != nil {
			return err
		}
		stats.add(sample.Pix)
		areas.add(areaMeans(sample.Pix, j.w, j.h))
		if !j.req.StatisticsOnly {
			result.Samples = append(result.Samples, sample)
		}
	}
	result.Mean, result.Std, result.Areas = j.like(stats.mean), stats.std(), areas.std()
	return nil
}

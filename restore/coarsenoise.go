package restore

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// A network's proposal N(μ, σ²) has one σ for every coefficient. Noise that is independent from
// site to site averages out over an area, so all samples would have the same brightness even where
// it is uncertain. So the noise of the blocks' means (LL2) is a sum of several scales,
//
//	ε = a₀·n₀ + Σ_l a_l·B_l n_l,
//
// where n_l has a number for every 2^l × 2^l sites, and B_l interpolates these smoothly (cubic
// B-splines, scaled to variance 1 everywhere). The weights a are nets.Traits.Scales, set on
// training pictures (trainhost.CalibrateScales). The other coefficients keep white noise. Numbers
// are keyed by their absolute position, like all noise, so tiles do not show.

// coarseStream is the first of Philox's streams for n_1, n_2, …
const coarseStream = 200

// noiseScales returns the weights a for the job's samples. It returns nil for white noise, which
// samples of the prior have too.
func (j *job) noiseScales() []float32 {
	if s := j.loaded.Config.Traits().Scales; j.class >= 0 && j.class < len(s) && len(s[j.class]) > 0 {
		return s[j.class]
	}
	return nil
}

// scaleInputs are the inputs of programDrawScales that programDraw does not have: the weight of
// white noise for every channel, and the coarse noise.
func scaleInputs(shares []float32, seed uint64, sample uint32) []input {
	white := make([]float32, nets.FlowChannels)
	for c := range white {
		if white[c] = 1; nets.Channels[c].Band == nets.LL2 {
			white[c] = shares[0]
		}
	}
	key := netdef.Key{Seed: seed, Sample: sample}
	coarse := input{name: "coarse", fill: func(at tile.Rect, dst []float32) { smoothNoise(key, shares[1:], at, dst) }}
	return []input{constant("white", white...), coarse}
}

// smoothNoise writes Σ_l a_l·B_l n_l to the LL2 channels of a tile's sites, and 0 to the others.
func smoothNoise(key netdef.Key, shares []float32, at tile.Rect, dst []float32) {
	clear(dst)
	w, h := at.W/4, at.H/4
	x0, y0 := floorDiv(at.X, 4), floorDiv(at.Y, 4)
	for l, a := range shares {
		if a == 0 {
			continue
		}
		level, step := l+1, 2<<l
		rows, columns := knotsOf(y0, h, step), knotsOf(x0, w, step)
		left, top := columns[0].first, rows[0].first
		across, down := columns[w-1].first+4-left, rows[h-1].first+4-top
		numbers := make([][4]float64, across*down) // of all knots around the tile
		for i := range numbers {
			numbers[i] = netdef.BoxMuller(netdef.Philox(
				[4]uint32{uint32(left + i%across), uint32(top + i/across), uint32(coarseStream+level) << 16, key.Sample},
				[2]uint32{uint32(key.Seed), uint32(key.Seed >> 32)}))
		}
		for y, row := range rows {
			for x, col := range columns {
				var sum [3]float64
				for i, wy := range row.weight {
					for k, wx := range col.weight {
						n := &numbers[(row.first+i-top)*across+col.first+k-left]
						for c := range sum {
							sum[c] += wy * wx * n[c]
						}
					}
				}
				out := dst[(y*w+x)*nets.FlowChannels:]
				for c, v := range sum {
					out[c] += a * float32(v/(row.norm*col.norm))
				}
			}
		}
	}
}

// splineKnots are the four numbers along an axis that a site depends on.
type splineKnots struct {
	first  int
	weight [4]float64
	norm   float64 // of the weights
}

// knotsOf returns the knots of some sites, the first of which is from.
func knotsOf(from, sites, step int) []splineKnots {
	list := make([]splineKnots, sites)
	for i := range list {
		list[i] = knotsAt(from+i, step)
	}
	return list
}

// knotsAt returns the knots of a site, if there is a number for every step sites.
func knotsAt(site, step int) (k splineKnots) {
	k.first = floorDiv(site, step) - 1
	t := (float64(site-(k.first+1)*step) + 0.5) / float64(step)
	s := 1 - t
	k.weight = [4]float64{s * s * s / 6, (4 - 6*t*t + 3*t*t*t) / 6, (4 - 6*s*s + 3*s*s*s) / 6, t * t * t / 6}
	for _, w := range k.weight {
		k.norm += w * w
	}
	k.norm = math.Sqrt(k.norm)
	return k
}

// floorDiv is a/b, rounded down.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

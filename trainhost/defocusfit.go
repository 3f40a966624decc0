package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/planar"
)

// Sides of the pictures that defocus is estimated from, in pixels, log-uniform.
const defocusSideMin, defocusSideMax = 128, 288

// shareDrawn is the share of drawings, pages and rendered scenes instead of photographs.
const shareDrawn = 0.1

// Defocus draws pictures and trains the network that estimates the width and the shape of a defocus
// on them.
func (f Fit) Defocus(ctx context.Context, pics *Pictures) (*defocus.Network, error) {
	samples := make([]statistics, f.Samples)
	err := f.drawSamples(ctx, team.New(0), func(_, i int) (err error) {
		samples[i], err = f.defocusSample(pics, uint64(i))
		return err
	})
	if err != nil {
		return nil, err
	}
	net := &defocus.Network{}
	return net, f.train(ctx, smallNet{
		net: net, sizes: [4]int{defocus.Features, len(net.A), len(net.B), defocus.Outputs},
		learn: func(w *perceptron, s statistics, weight float64) { w.crossEntropy(s.x, s.y, weight) },
		score: func(learn, check []statistics) string {
			return fmt.Sprintf("cross-entropy %.3f on pictures for learning, %.3f on others", crossEntropy(net, learn), crossEntropy(net, check))
		},
	}, samples)
}

// defocusSample draws the i-th sample.
func (f Fit) defocusSample(pics *Pictures, i uint64) (statistics, error) {
	rng := rand.New(rand.NewPCG(f.Seed, i))
	side := min(int(defocusSideMin*math.Pow(float64(defocusSideMax)/defocusSideMin, rng.Float64())), pics.largest())
	var x *planar.Image
	if rng.Float64() < shareDrawn {
		if rng.IntN(2) == 0 {
			x = planar.FromNRGBA(synth.Drawing(rng, side, side))
		} else {
			x = planar.FromNRGBA(synth.Photo(rng.Uint64(), side, side))
		}
	} else if x = pics.crops(rng, sizeShares)(side); x == nil {
		return statistics{}, fmt.Errorf("no photograph of at least %d×%d pixels was drawn", side, side)
	}
	d := drawDefocusing(rng)
	y, err := d.shootGrey(rng, x)
	if err != nil {
		return statistics{}, err
	}
	target := defocus.Targets(d.Blur)
	var features [defocus.Features]float32
	defocus.Describe(y, defocus.Clipped(y), &features)
	return statistics{features[:], target[:]}, nil
}

// crossEntropy is the mean cross-entropy of the samples.
func crossEntropy(net *defocus.Network, samples []statistics) float64 {
	sum := 0.0
	for _, s := range samples {
		for o, v := range net.Run(s.x) {
			sum -= float64(s.y[o]) * math.Log(max(float64(v), 1e-9))
		}
	}
	return sum / float64(max(1, len(samples)))
}

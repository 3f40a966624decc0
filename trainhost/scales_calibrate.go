package trainhost

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
)

// The aims of CalibrateScales. In the first round the standard deviation of the means of blocks
// shall equal their error. Errors have heavy tails. So coverRounds more rounds measure the share of
// true means within the range of the samples, and change the deviation so that the share becomes
// that of a calibrated ensemble. The deviation stays at least minSpread of the error.
const (
	minSpread    = 0.85
	coverRounds  = 1
	coverSamples = 4 // times as many samples in these rounds
)

// scaleCount is the number of shares per class: of white noise, and of noise with one number for
// every 2, 4, 8 and 16 sites.
const scaleCount = 5

// CalibrateScales sets nets.Traits.Scales of a network. Over the pictures of c, the standard
// deviation of the samples' means of blocks shall equal the error of z = μ, for all block sides at
// once. For every task it measures the effect of each scale of noise alone, and takes the
// non-negative mixture that minimises
//
//	Σ_s T_s/V_s + log V_s
//
// where V_s is the variance of the means of s×s blocks and T_s is the aim (the Itakura–Saito
// divergence, by multiplicative updates). z = μ does not change. open makes a Model of the network.
// report gets a line for each task; it may be nil. c.Samples must be at least 2.
func CalibrateScales(ctx context.Context, n *restore.Network, c EvalConfig, open func(*restore.Network) (*restore.Model, error), report func(string)) error {
	if c.Samples < 2 {
		return errors.New("calibration of scales needs at least two samples")
	}
	if c.Tasks == nil {
		var err error
		if c.Tasks, err = n.Tasks(); err != nil {
			return err
		}
	}
	c.Scales = true
	was := n.Config
	table := make([][]float32, nets.Tasks)
	copy(table, was.Traits().Scales)
	defer func() { n.Config = was }()
	for _, t := range c.Tasks {
		one := c
		one.Tasks = []task.Task{t}
		// measure gives, for some shares, the variances of the means of blocks, their squared error
		// and the coverage.
		measure := func(shares []float32, samples int) (v, e, cover [len(blockSides)]float64, err error) {
			trial := slices.Clone(table)
			trial[t.Class()] = shares
			n.Config = was.WithScales(trial)
			m, err := open(n)
			if err != nil {
				return v, e, cover, err
			}
			defer m.Close()
			one := one
			one.Samples = samples
			scores, err := Evaluate(ctx, m, one)
			if err != nil {
				return v, e, cover, err
			}
			for i, s := range scores[0].Scales {
				v[i], e[i], cover[i] = s.Std*s.Std, s.Error*s.Error, s.Cover
			}
			return v, e, cover, nil
		}
		rest, errs, _, err := measure(make([]float32, scaleCount), c.Samples) // the coefficients without a scale
		if err != nil {
			return err
		}
		responses := make([][len(blockSides)]float64, scaleCount)
		for l := range responses {
			shares := make([]float32, scaleCount)
			shares[l] = 1
			v, _, _, err := measure(shares, c.Samples)
			if err != nil {
				return err
			}
			for i := range v {
				responses[l][i] = max(0, v[i]-rest[i])
			}
		}
		shares := mix(rest, responses, errs)
		for range coverRounds {
			n := coverSamples * c.Samples
			v, _, cover, err := measure(shares, n)
			if err != nil {
				return err
			}
			aim := errs
			want := halfWidth(float64(n-1) / float64(n+1))
			for i := range aim {
				wider := min(1.5, max(0.7, want/halfWidth(cover[i])))
				aim[i] = max(minSpread*minSpread*errs[i], wider*wider*v[i])
			}
			shares = mix(rest, responses, aim)
		}
		table[t.Class()] = shares
		if report != nil {
			report(fmt.Sprintf("%v: shares %.2f", t, shares))
		}
	}
	was = was.WithScales(table)
	return nil
}

// mix finds the shares. Very small ones become 0.
func mix(rest [len(blockSides)]float64, responses [][len(blockSides)]float64, aim [len(blockSides)]float64) []float32 {
	square := slices.Repeat([]float64{1.0 / float64(len(responses))}, len(responses))
	for range 2000 {
		total := rest
		for l, r := range responses {
			for i := range total {
				total[i] += square[l] * r[i]
			}
		}
		for l, r := range responses {
			up, down := 0.0, 0.0
			for i, v := range total {
				if v > 0 && aim[i] > 0 {
					up += r[i] * aim[i] / (v * v)
					down += r[i] / v
				}
			}
			if down > 0 {
				square[l] *= math.Sqrt(up / down)
			}
		}
	}
	shares := make([]float32, len(square))
	for l, s := range square {
		if a := math.Sqrt(s); a > 0.02 {
			shares[l] = float32(min(a, 20))
		}
	}
	return shares
}

package trainhost

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// blockSides are the sides, in pixels, of the blocks whose means EvalConfig.Scales looks at.
var blockSides = [...]int{1, 2, 4, 8, 16, 32}

// ScaleScore tells how well the samples' doubt about the means of blocks of one size holds, over
// all blocks that lie in the picture, or, of inpaint-box, in the hole.
type ScaleScore struct {
	Side  int     `json:"side"`  // of the blocks, pixels
	Cover float64 `json:"cover"` // share of true means from the least to the greatest of the samples'
	Std   float64 `json:"std"`   // root mean square of the samples' standard deviation
	Error float64 `json:"error"` // root mean square of the error of z = μ

	blocks, inside float64
	square, off    float64
}

// scales adds the blocks of one picture.
func (s *Score) scales(truth *planar.Image, r *restore.Result, where []bool) {
	if s.Scales == nil {
		for _, side := range blockSides {
			s.Scales = append(s.Scales, ScaleScore{Side: side})
		}
	}
	for i := range s.Scales {
		s.Scales[i].add(truth, r, where)
	}
}

func (s *ScaleScore) add(truth *planar.Image, r *restore.Result, where []bool) {
	want, mode := blockMeans(truth.Pix, truth.W, truth.H, s.Side, where), blockMeans(r.Picture.Pix, truth.W, truth.H, s.Side, where)
	drawn := make([][]float64, len(r.Samples))
	for k, p := range r.Samples {
		drawn[k] = blockMeans(p.Pix, truth.W, truth.H, s.Side, where)
	}
	n := float64(len(drawn))
	for i, v := range want {
		lo, hi, sum, square := math.Inf(1), math.Inf(-1), 0.0, 0.0
		for _, d := range drawn {
			x := d[i] - mode[i] // small numbers, so that their squares cancel without loss
			lo, hi, sum, square = min(lo, d[i]), max(hi, d[i]), sum+x, square+x*x
		}
		s.blocks++
		if v >= lo && v <= hi {
			s.inside++
		}
		s.square += max(0, square-sum*sum/n) / (n - 1)
		s.off += (mode[i] - v) * (mode[i] - v)
	}
}

func (s *ScaleScore) finish() {
	if s.blocks > 0 {
		s.Cover, s.Std, s.Error = s.inside/s.blocks, math.Sqrt(s.square/s.blocks), math.Sqrt(s.off/s.blocks)
	}
}

// blockMeans gives the means of the blocks that lie wholly in where (nil: everywhere), of three
// planes one after the other.
func blockMeans(pix []float32, w, h, side int, where []bool) (means []float64) {
	for c := range 3 {
		p := pix[c*w*h:]
		for y := 0; y+side <= h; y += side {
		blocks:
			for x := 0; x+side <= w; x += side {
				sum := 0.0
				for v := y; v < y+side; v++ {
					for u := x; u < x+side; u++ {
						if where != nil && !where[v*w+u] {
							continue blocks
						}
						sum += float64(p[v*w+u])
					}
				}
				means = append(means, sum/float64(side*side))
			}
		}
	}
	return means
}

// ScaleTable writes what EvalConfig.Scales measured as a Markdown table.
func ScaleTable(scores []Score, samples int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Means of s×s blocks: share between the least and the greatest of %d samples' (calibrated: %.1f %%), and standard deviation / error:\n\n| s, pixels |",
		samples, 100*float64(samples-1)/float64(samples+1))
	for _, side := range blockSides {
		fmt.Fprintf(&b, " %d |", side)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(blockSides)) + "\n")
	for _, s := range scores {
		fmt.Fprintf(&b, "| %s |", s.Task)
		for _, x := range s.Scales {
			fmt.Fprintf(&b, " %.1f %%, %.2f |", 100*x.Cover, x.Std/x.Error)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// What CalibrateScales aims at: first that blocks' means deviate as much as they err. As errors
// have heavy tails, the share of true means within the samples' range is then measured, with more
// samples, and in the next rounds the deviation is what brings it to a calibrated ensemble's, but
// at least leastSpread of the error.
const (
	leastSpread  = 0.85
	coverRounds  = 1
	coverSamples = 4 // times as many
)

// scaleCount is how many numbers a class has: white noise, and a number every 2, 4, 8 and 16 sites.
const scaleCount = 5

// CalibrateScales finds nets.Traits.Scales of a network so that over c's pictures the samples'
// means of blocks deviate as the error of z = μ does, at all block sides at once: for every task it
// measures what each scale of noise alone does, and takes the non-negative mixture of them that is
// nearest by
//
//	Σ_s T_s/V_s + log V_s
//
// where V_s is the variance of the means of s×s blocks and T_s what it should be (the Itakura–Saito
// divergence, by multiplicative updates). open makes a Model of the network; report gets a line for
// each task, may be nil. c.Samples must be at least 2. z = μ does not change.
func CalibrateScales(ctx context.Context, n *restore.Network, c EvalConfig, open func(*restore.Network) (*restore.Model, error), report func(string)) error {
	if c.Samples < 2 {
		return fmt.Errorf("calibration in scales needs two samples or more")
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
		// measure gives the variances of blocks under some shares, the error's, and what is
		// covered.
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
		rest, errs, _, err := measure(make([]float32, scaleCount), c.Samples) // the other coefficients alone
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
			want := reach(float64(n-1) / float64(n+1))
			for i := range aim {
				wider := min(1.5, max(0.7, want/reach(cover[i])))
				aim[i] = max(leastSpread*leastSpread*errs[i], wider*wider*v[i])
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

// mix finds the shares; those that count for nothing are 0.
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
			more, less := 0.0, 0.0
			for i, v := range total {
				if v > 0 && aim[i] > 0 {
					more += r[i] * aim[i] / (v * v)
					less += r[i] / v
				}
			}
			if less > 0 {
				square[l] *= math.Sqrt(more / less)
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

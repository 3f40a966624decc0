package trainhost

import (
	"fmt"
	"math"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/planar"
)

// blockSides are the sides, in pixels, of the blocks whose means EvalConfig.Scales measures.
var blockSides = [...]int{1, 2, 4, 8, 16, 32}

// ScaleScore compares the samples' spread with the error, for the means of blocks of one size: over
// all blocks of the picture, or for inpaint-box over those in the hole.
type ScaleScore struct {
	Side  int     `json:"side"`  // of the blocks, pixels
	Cover float64 `json:"cover"` // share of true means between the least and the greatest of the samples'
	Std   float64 `json:"std"`   // root mean square of the samples' standard deviation
	Error float64 `json:"error"` // root mean square of the error of z = μ

	blocks, inside float64 // numbers of blocks
	variance       float64 // sum of the samples' variances
	squaredError   float64 // sum
}

// addBlocks adds the blocks of one picture; where selects pixels, nil all.
func (s *Score) addBlocks(truth *planar.Image, r *restore.Result, where []bool) {
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
		s.variance += max(0, square-sum*sum/n) / (n - 1)
		s.squaredError += (mode[i] - v) * (mode[i] - v)
	}
}

func (s *ScaleScore) finish() {
	if s.blocks > 0 {
		s.Cover, s.Std, s.Error = s.inside/s.blocks, math.Sqrt(s.variance/s.blocks), math.Sqrt(s.squaredError/s.blocks)
	}
}

// blockMeans gives the means of the blocks that lie entirely in where (nil: all), of three planes
// one after the other.
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

// ScaleTable writes the results of EvalConfig.Scales as a Markdown table.
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

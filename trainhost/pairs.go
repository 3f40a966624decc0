package trainhost

import (
	"context"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// pairEndings are the endings of the names, before the file extension, of a degraded picture and of
// its reference.
var pairEndings = [][2]string{{"_real", "_mean"}, {"_noisy", "_clean"}, {"_blur", "_sharp"}, {"", "_gt"}}

// Pair is the result for a degraded picture and its reference. PSNR is in dB, of pictures with 8
// bits.
type Pair struct {
	Degraded, Reference string  // files
	Input, Result       float64 // PSNR to the reference
	// Shifted are Input and Result after the best shift (metric.PSNRShifted); 0 for other tasks than
	// motion-deblur.
	Shifted [2]float64
	Noise   float64 // restore.Result.Noise
}

// mostPairShift is by how many pixels a deblurred picture may be shifted.
const mostPairShift = 4

// EvaluatePairs restores the degraded picture of every pair in a folder and compares it with the
// reference. endings are those of the two names; if both are empty, the first of _real and _mean,
// _noisy and _clean, _blur and _sharp, and nothing and _gt that occurs is used. Of c it uses
// Folder, Samples, Limit, Spread, Crop, Seed, Steps, Ensemble and Progress. noise is
// restore.Request.Noise.
func EvaluatePairs(ctx context.Context, m *restore.Model, t task.Task, endings [2]string, noise float64, c EvalConfig) (Score, []Pair, error) {
	pairs, err := findPairs(c.Folder, endings)
	if err != nil {
		return Score{}, nil, err
	}
	pairs = atMost(pairs, c.Limit, c.Spread)
	s := Score{Task: t.String(), Pictures: len(pairs), Draws: 1}
	for i := range pairs {
		p := &pairs[i]
		if err := s.addPair(ctx, m, c, t, p, noise, uint64(i)); err != nil {
			return s, nil, fmt.Errorf("%s: %w", filepath.Base(p.Degraded), err)
		}
		if c.Progress != nil {
			c.Progress(t, i+1, len(pairs))
		}
	}
	s.finish(c)
	return s, pairs, nil
}

// findPairs lists the pairs of a folder in order of their names.
func findPairs(folder string, endings [2]string) ([]Pair, error) {
	paths, err := pictureFiles(folder, 0, false)
	if err != nil {
		return nil, err
	}
	stem := func(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }
	try := [][2]string{endings}
	if endings == [2]string{} {
		try = pairEndings
	}
	for _, e := range try {
		var pairs []Pair
		for _, path := range paths {
			base, ok := strings.CutSuffix(stem(path), e[0])
			if !ok {
				continue
			}
			i := slices.IndexFunc(paths, func(other string) bool { return other != path && stem(other) == base+e[1] })
			if i >= 0 {
				pairs = append(pairs, Pair{Degraded: path, Reference: paths[i]})
			}
		}
		if len(pairs) > 0 {
			return pairs, nil
		}
	}
	return nil, fmt.Errorf("evaluation: %s holds no pairs of pictures whose names end in %q", folder, try)
}

// addPair restores one picture and adds its scores.
func (s *Score) addPair(ctx context.Context, m *restore.Model, c EvalConfig, t task.Task, p *Pair, noise float64, index uint64) error {
	degraded, err := picture.DecodeFile(p.Degraded, picture.Limits{})
	if err != nil {
		return err
	}
	reference, err := picture.DecodeFile(p.Reference, picture.Limits{})
	if err != nil {
		return err
	}
	if degraded.W != reference.W || degraded.H != reference.H {
		return fmt.Errorf("%d×%d pixels, but %[5]s has %[3]d×%[4]d", degraded.W, degraded.H, reference.W, reference.H, filepath.Base(p.Reference))
	}
	part := image.Rect(0, 0, degraded.W, degraded.H)
	if c.Crop > 0 {
		part = middle(degraded.W, degraded.H, c.Crop)
	}
	y, err := degraded.Planar().Crop(part)
	if err != nil {
		return err
	}
	truth, err := reference.Planar().Crop(part)
	if err != nil {
		return err
	}
	req := restore.Request{Task: t, Noise: noise, Samples: c.Samples, Steps: c.Steps, Ensemble: c.Ensemble, Seed: c.Seed + index, Temperature: 1}
	input := degraded.Unpacked() // with what its file says of its compression, as restore reads it
	if c.Crop > 0 {
		input = &picture.Picture{W: y.W, H: y.H, Pix: y.Pix, Depth: 8}
	}
	r, err := m.Restore(ctx, input, req)
	if err != nil {
		return err
	}
	roundTo8(r.Picture.Pix)
	p.Noise = r.Noise
	if p.Input, err = metric.PSNR(truth, y); err != nil {
		return err
	}
	if p.Result, err = metric.PSNR(truth, r.Picture.Planar()); err != nil {
		return err
	}
	if t == task.MotionDeblur {
		shift := min(mostPairShift, (min(y.W, y.H)-1)/2)
		for i, x := range []*planar.Image{y, r.Picture.Planar()} {
			if p.Shifted[i], err = metric.PSNRShifted(truth, x, shift); err != nil {
				return err
			}
		}
	}
	return s.add(ctx, c, &Evaluated{Task: t, File: p.Reference, Index: int(index)}, truth, y, r)
}

// roundTo8 rounds values in [-1,1] to 8 bits.
func roundTo8(pix []float32) {
	for i, v := range pix {
		pix[i] = float32(math.Round(float64(v)*127.5+127.5))/127.5 - 1
	}
}

// PairTable writes the pairs as a Markdown table, with the means and the number of results that are
// worse than their input. If there are PSNRs after the best shift, it adds them.
func PairTable(pairs []Pair) string {
	var b strings.Builder
	shifted := slices.ContainsFunc(pairs, func(p Pair) bool { return p.Shifted != [2]float64{} })
	head, rule := "| picture | input | result | gain | noise estimate |", "|---|---|---|---|---|"
	if shifted {
		head, rule = head+" after the best shift | gain |", rule+"---|---|"
	}
	b.WriteString(head + "\n" + rule + "\n")
	worse, in, out := 0, 0.0, 0.0
	var best [2]float64
	for _, p := range pairs {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %+.2f | %.1f |",
			filepath.Base(p.Degraded), p.Input, p.Result, p.Result-p.Input, p.Noise)
		if shifted {
			fmt.Fprintf(&b, " %.2f | %+.2f |", p.Shifted[1], p.Shifted[1]-p.Shifted[0])
		}
		b.WriteByte('\n')
		if p.Result < p.Input {
			worse++
		}
		in, out = in+p.Input, out+p.Result
		best[0], best[1] = best[0]+p.Shifted[0], best[1]+p.Shifted[1]
	}
	n := float64(max(1, len(pairs)))
	fmt.Fprintf(&b, "| mean of %d; %d worse than the input | %.2f | **%.2f** | %+.2f | |",
		len(pairs), worse, in/n, out/n, (out-in)/n)
	if shifted {
		fmt.Fprintf(&b, " %.2f | %+.2f |", best[1]/n, (best[1]-best[0])/n)
	}
	b.WriteByte('\n')
	return b.String()
}

// luminance is Y′ of JPEG in three equal planes, for the PSNR of luminance.
func luminance(img *planar.Image) *planar.Image {
	out := planar.New(img.W, img.H)
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	for i := range r {
		y := 0.299*r[i] + 0.587*g[i] + 0.114*b[i]
		for c := range 3 {
			out.Plane(c)[i] = y
		}
	}
	return out
}

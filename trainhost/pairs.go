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

// PairEndings are the endings of names (before the file type) of a faulty picture and of the true one that EvaluatePairs knows.
var PairEndings = [][2]string{{"_real", "_mean"}, {"_noisy", "_clean"}, {"_blur", "_sharp"}, {"", "_gt"}}

// Pair is a faulty picture and the true one, and what restoring did. PSNR in dB of pictures of 8 bits.
type Pair struct {
	Faulty string  `json:"faulty"`
	True   string  `json:"true"`
	Input  float64 `json:"psnr_input"`
	Result float64 `json:"psnr_result"`
	Noise  float64 `json:"noise"`
}

// EvaluatePairs restores one half of every pair of pictures in a folder and compares it with the other. endings are those of the
// names; empty ones stand for the first of PairEndings that fit. Of c, Samples, Limit, Spread, Crop, Seed, Steps and Ensemble count;
// noise is Request.Noise.
func EvaluatePairs(ctx context.Context, m *restore.Model, t task.Task, endings [2]string, noise float64, c EvalConfig) (Score, []Pair, error) {
	pairs, err := findPairs(c.Folder, endings)
	if err != nil {
		return Score{}, nil, err
	}
	pairs = atMost(pairs, c.Limit, c.Spread)
	s := Score{Task: t.String(), Pictures: len(pairs), Draws: 1}
	for i := range pairs {
		p := &pairs[i]
		if err := s.pair(ctx, m, c, t, p, noise, uint64(i)); err != nil {
			return s, nil, fmt.Errorf("%s: %w", filepath.Base(p.Faulty), err)
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
	paths, err := picturePaths(folder, 0, false)
	if err != nil {
		return nil, err
	}
	stem := func(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }
	try := [][2]string{endings}
	if endings == [2]string{} {
		try = PairEndings
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
				pairs = append(pairs, Pair{Faulty: path, True: paths[i]})
			}
		}
		if len(pairs) > 0 {
			return pairs, nil
		}
	}
	return nil, fmt.Errorf("evaluation: %s holds no pairs of pictures whose names end in %q", folder, try)
}

// pair restores one picture.
func (s *Score) pair(ctx context.Context, m *restore.Model, c EvalConfig, t task.Task, p *Pair, noise float64, index uint64) error {
	faulty, err := picture.DecodeFile(p.Faulty, picture.Limits{})
	if err != nil {
		return err
	}
	other, err := picture.DecodeFile(p.True, picture.Limits{})
	if err != nil {
		return err
	}
	if faulty.W != other.W || faulty.H != other.H {
		return fmt.Errorf("%d×%d pixels beside the %d×%d of %s", faulty.W, faulty.H, other.W, other.H, filepath.Base(p.True))
	}
	part := image.Rect(0, 0, faulty.W, faulty.H)
	if c.Crop > 0 {
		part = middle(faulty.W, faulty.H, c.Crop)
	}
	y, err := faulty.Planar().Crop(part)
	if err != nil {
		return err
	}
	truth, err := other.Planar().Crop(part)
	if err != nil {
		return err
	}
	req := restore.Request{Task: t, Noise: noise, Samples: c.Samples, Steps: c.Steps, Ensemble: c.Ensemble, Seed: c.Seed + index, Temperature: 1}
	r, err := m.Restore(ctx, &picture.Picture{W: y.W, H: y.H, Pix: y.Pix, Depth: 8}, req)
	if err != nil {
		return err
	}
	round(r.Picture.Pix)
	p.Noise = r.Noise
	if p.Input, err = metric.PSNR(truth, y); err != nil {
		return err
	}
	if p.Result, err = metric.PSNR(truth, r.Picture.Planar()); err != nil {
		return err
	}
	return s.add(c, t, truth, y, r)
}

// round brings values to 8 bits.
func round(pix []float32) {
	for i, v := range pix {
		pix[i] = float32(math.Round(float64(v)*127.5+127.5))/127.5 - 1
	}
}

// PairTable writes what became of every pair, and of how many the result is worse than the input.
func PairTable(pairs []Pair) string {
	var b strings.Builder
	b.WriteString("| picture | input | result | gain | noise found |\n|---|---|---|---|---|\n")
	worse, in, out := 0, 0.0, 0.0
	for _, p := range pairs {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %+.2f | %.1f |\n", filepath.Base(p.Faulty), p.Input, p.Result, p.Result-p.Input, p.Noise)
		if p.Result < p.Input {
			worse++
		}
		in, out = in+p.Input, out+p.Result
	}
	n := float64(max(1, len(pairs)))
	fmt.Fprintf(&b, "| mean of %d; %d worse than the input | %.2f | **%.2f** | %+.2f | |\n", len(pairs), worse, in/n, out/n, (out-in)/n)
	return b.String()
}

// luminance is Y′ of JPEG as three equal planes, for PSNR of luminance.
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

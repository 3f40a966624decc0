package experiment

import (
	"bytes"
	"context"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/metric"
)

func TestCheckerboardDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	var left, n float64
	for _, x := range drawCheckerboard(rng, 20000) {
		if !metric.Checkerboard(x[0], x[1], parity) {
			t.Fatalf("%v is off the board", x)
		}
		n++
		if x[0] < 0 {
			left++
		}
	}
	if math.Abs(left/n-0.5) > 0.02 {
		t.Errorf("%.3f of the points are in the left half", left/n)
	}
	// p(x|y): on the board, x₁ near y, both of the column's cells visited.
	var up float64
	post := drawPosterior(rng, 0.5, 0.1, 4000)
	for _, x := range post {
		if !metric.Checkerboard(x[0], x[1], parity) || math.Abs(x[0]-0.5) > 0.6 {
			t.Fatalf("%v cannot come from y = 0.5", x)
		}
		if x[1] > 0 {
			up++
		}
	}
	if share := up / float64(len(post)); share < 0.3 || share > 0.7 {
		t.Errorf("%.2f of the posterior is in the upper cell", share)
	}
}

// The metrics of samplers that are right, collapsed, and blind to the observation come out in the right order.
func TestCheckerScore(t *testing.T) {
	c := SmallChecker()
	c.Observations, c.Draws, c.Cloud = 200, 40, 1000
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	prior := func(n int) (cloud, error) { return cloud{x: drawCheckerboard(rng, n)}, nil }
	sample := func(one func(y float64) []float64) CheckerScore {
		s, err := score(c, Variant{}, 1, func(y []float64, _ uint64) (out cloud, err error) {
			for _, v := range y {
				out.x = append(out.x, one(v))
			}
			return out, nil
		}, prior)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	exact := sample(func(y float64) []float64 { return drawPosterior(rng, y, c.Sigma, 1)[0] })
	collapsed := sample(func(y float64) []float64 { return []float64{y, 0} })
	blind := sample(func(float64) []float64 { return drawCheckerboard(rng, 1)[0] })
	if exact.SupportPosterior != 1 || exact.SupportPrior != 1 || !(exact.MMDPosterior < 0.1) || !(exact.MMDPrior < 0.1) {
		t.Errorf("exact samples: %+v", exact)
	}
	if !(exact.CRPS < collapsed.CRPS) || !(exact.CRPS < blind.CRPS) || !(exact.NLPD < blind.NLPD) || !(exact.MMDPosterior < collapsed.MMDPosterior) || !(exact.MMDPosterior < blind.MMDPosterior) {
		t.Errorf("exact %+v, collapsed %+v, blind %+v", exact, collapsed, blind)
	}
}

// A tiny run of every kind of training goes through; joint training must beat the pre-trained start on the observation.
func TestCheckerRuns(t *testing.T) {
	c := SmallChecker()
	c.Flow, c.Adapter = nets.MLPConfig{Layers: 2, Width: 32, Dim: 2}, nets.MLPConfig{Layers: 2, Width: 32, Dim: 2}
	c.Batch, c.Pretrain, c.Steps, c.FlowLR, c.LR = 256, 150, 100, 3e-3, 3e-3
	c.Observations, c.Draws, c.Cloud = 40, 20, 200
	start, err := PretrainChecker(context.Background(), testDev, c)
	if err != nil {
		t.Fatal(err)
	}
	var all []CheckerScore
	for _, v := range []Variant{Variants()[0], Variants()[1], vfm(1, 0.5), vfm(10, 0.5), vfm(100, 0.5)} {
		scores, err := RunChecker(context.Background(), testDev, c, v, start, 1, 4)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		t.Logf("%s: NLPD %.2f CRPS %.3f support %.2f %.2f MMD %.2f %.2f", v.Name, scores[0].NLPD, scores[0].CRPS, scores[0].SupportPosterior, scores[0].SupportPrior, scores[0].MMDPosterior, scores[0].MMDPrior)
		all = append(all, scores...)
		// Blind samples have an NLPD of about 70 on the whole board; the observation must have been learned.
		if len(scores) != 2 || !(scores[0].NLPD < 8) {
			t.Errorf("%s: %+v", v.Name, scores)
		}
	}
	dir := t.TempDir()
	if err := WriteChecker(dir, all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tau-sweep", "frozen-theta-K1", vfm(10, 0.5).Name + "-K4"} {
		f, err := os.Open(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
		if svg, err := os.ReadFile(filepath.Join(dir, name+".svg")); err != nil || !bytes.Contains(svg, []byte("</svg>")) {
			t.Errorf("%s.svg: %v", name, err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "checkerboard.csv")); err != nil || bytes.Count(text, []byte("\n")) != len(all)+1 {
		t.Errorf("CSV: %q, %v", text, err)
	}
	c.Batch = 7
	if _, err := PretrainChecker(context.Background(), testDev, c); err == nil {
		t.Error("a batch of 7 was accepted")
	}
}

package experiment

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image/png"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/weights"
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

// The metrics of samplers that are right, collapsed, and blind to the observation come out in the
// right order.
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
	if !(exact.MMDAll < collapsed.MMDAll) || !(exact.MMDAll < blind.MMDAll) || !(exact.SupportAll > 1-1e-9) || !(blind.SupportAll > 1-1e-9) || !(collapsed.SupportAll < 0.999) {
		t.Errorf("over all observations: exact %g %g, collapsed %g %g, blind %g %g", exact.SupportAll, exact.MMDAll, collapsed.SupportAll, collapsed.MMDAll, blind.SupportAll, blind.MMDAll)
	}
	if exact.SupportPosterior != 1 || exact.SupportPrior != 1 || !(exact.MMDPosterior < 0.1) || !(exact.MMDPrior < 0.1) {
		t.Errorf("exact samples: %+v", exact)
	}
	if !(exact.CRPS < collapsed.CRPS) || !(exact.CRPS < blind.CRPS) || !(exact.NLPD < blind.NLPD) || !(exact.MMDPosterior < collapsed.MMDPosterior) || !(exact.MMDPosterior < blind.MMDPosterior) {
		t.Errorf("exact %+v, collapsed %+v, blind %+v", exact, collapsed, blind)
	}
}

// A tiny run of every kind of training goes through; joint training must beat the pre-trained start
// on the observation.
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
		// Blind samples have an NLPD of about 70 on the whole board; the observation must have been
		// learned.
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
	// The authors' protocol, recorded: every step's losses, and the parameters that sampling used.
	c.Authors, c.Record, c.Steps = true, true, 20
	for _, v := range []Variant{Variants()[0], vfm(10, 0.5)} {
		scores, err := RunChecker(context.Background(), testDev, c, v, start, 1, 4)
		if err != nil {
			t.Fatal(err)
		}
		if err := ExportChecker(dir, scores); err != nil {
			t.Fatal(err)
		}
		checkExport(t, c, filepath.Join(dir, v.Name), scores)
	}
	c.Batch = 7
	if _, err := PretrainChecker(context.Background(), testDev, c); err == nil {
		t.Error("a batch of 7 was accepted")
	}
}

// checkExport compares files with scores.
func checkExport(t *testing.T, c CheckerConfig, base string, scores []CheckerScore) {
	t.Helper()
	f, err := weights.Load(base + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scores {
		for name, want := range map[string][][]float64{"prior/x": s.prior.x, "prior/z": s.prior.z, "posterior/x": s.posterior.x, "posterior/z": s.posterior.z} {
			got := f.Find(fmt.Sprintf("K%d/%s", s.K, name))
			if got == nil || !slices.Equal(got.Shape, []int{c.Cloud, 2}) {
				t.Fatalf("%s: %v", name, got)
			}
			for i, p := range want {
				if got.Data[2*i] != float32(p[0]) || got.Data[2*i+1] != float32(p[1]) {
					t.Fatalf("%s: point %d differs", name, i)
				}
			}
		}
	}
	// The flow map of the file takes latents to samples: in float64, one step.
	g := netdef.NewGraph()
	z := g.Input("z", netdef.Shape{1, 1, c.Cloud, 8})
	x := oneStep(g, c, z)
	leaves := map[string]*netdef.Tensor{"z": netdef.NewTensor(z.Shape)}
	for i, p := range scores[0].prior.z {
		leaves["z"].Data[8*i], leaves["z"].Data[8*i+1] = p[0], p[1]
	}
	for _, p := range netdef.Params(x) {
		if leaves[p.Name], err = netdef.FromFloat32(p.Shape, f.Find(p.Name).Data); err != nil {
			t.Fatal(err)
		}
	}
	out := evaluate(t, []*netdef.Node{x}, leaves, nil)[0].Data
	for i, p := range scores[0].prior.x {
		if math.Hypot(out[8*i]-p[0], out[8*i+1]-p[1]) > 1e-3 {
			t.Fatalf("latent %d gives %v, the file has %v", i, out[8*i:8*i+2], p)
		}
	}
	file, err := os.Open(base + "-losses.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	stages := 1
	if scores[0].Variant.Frozen {
		stages = 2
	}
	if err != nil || len(rows) != 1+stages*c.Steps {
		t.Fatalf("%d rows of losses (%v), want %d", len(rows), err, 1+stages*c.Steps)
	}
	last := rows[len(rows)-1]
	loss, err1 := strconv.ParseFloat(last[2], 64)
	unscaled, err2 := strconv.ParseFloat(last[3], 64)
	want := unscaled
	if !scores[0].Variant.Frozen {
		want = unscaled / (unscaled + 0.01)
	}
	if err1 != nil || err2 != nil || !(math.Abs(loss-want) < 1e-4*want) {
		t.Errorf("losses %v: %g is not what %g is scaled to, %g", last, loss, unscaled, want)
	}
}

// The authors' mean-flow term in float64: the mean squared error times the mean of 1/(t − r +
// 10⁻⁶).
func TestOverTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 4))
	c := TinyGenerators().Checker
	gen := Generator{draw: func(rng *rand.Rand, n int, _ float64) numbers { return jointTimes(rng, n, 0) }}
	in := map[string]*netdef.Tensor{}
	value := func(over bool) float64 {
		_, loss, total := checkerGraph(c, terms{meanFlow: 1, overTime: over, plain: true})
		if loss != total {
			t.Error("a plain loss is scaled")
		}
		if len(in) == 0 {
			in = leavesOf(t, rng, loss, gen, c.Batch, 0, func() (float64, float64) { return rng.NormFloat64(), rng.NormFloat64() })
		}
		leaves := maps.Clone(in)
		for name, v := range reference.InitialParams(1, loss) {
			leaves[name] = v
		}
		return evaluate(t, []*netdef.Node{loss}, leaves, nil)[0].Data[0]
	}
	factor := 0.0
	plain := value(false)
	for i := range c.Batch {
		factor += 1 / (in["t"].Data[i] - in["r"].Data[i] + 1e-6) / float64(c.Batch)
	}
	if got := value(true); !(math.Abs(got-plain*factor) < 1e-9*got) || factor < 1e5 {
		t.Errorf("%g over time, %g without, mean of 1/(t − r + 10⁻⁶) %g", got, plain, factor)
	}
}

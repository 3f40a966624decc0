package trainhost

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/experiment/guidance"
	"github.com/vfmrestore/restore/weights"
)

// guidanceNet is a backbone of the comparison, with means that are not 0.
func guidanceNet() nets.EdgeConfig {
	c := tinyNet()
	c.Guess = false
	rng := rand.New(rand.NewPCG(1, 6))
	for i := range c.Mean {
		c.Mean[i] = float32(rng.NormFloat64())
	}
	return c
}

// checkpointOf is a checkpoint of a network with the initial values of its parameters, plus normal
// numbers of the given size.
func checkpointOf(t *testing.T, cfg nets.EdgeConfig, noise float64) *Checkpoint {
	t.Helper()
	step, err := buildStep(cfg, EnergyScore(), PerClass(1), 32, task.MotionSide(kernelScale(32)))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 6))
	values := map[string][]float32{}
	for name, v := range reference.InitialParams(1, append(step.network, step.loss)...) {
		for _, x := range v.Data {
			values[name] = append(values[name], float32(x+noise*rng.NormFloat64()))
		}
	}
	return &Checkpoint{State: State{Network: cfg}, arrays: storedArrays{compile.Averages: values}}
}

func normals(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func flowOf(t *testing.T, ck *Checkpoint, batch, side int) *backboneFlow {
	t.Helper()
	f, err := newBackboneFlow(t.Context(), testDev, ck, batch, side)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	for _, p := range []*compile.Program{f.velocity, f.pullback} {
		if err := p.Poison(); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// near fails if a value of got differs from want by more than tol of want's root mean square.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	square, worst := 0.0, 0.0
	for i := range want {
		square += want[i] * want[i]
		if d := math.Abs(got[i] - want[i]); !(d <= worst) {
			worst = d
		}
	}
	if rms := math.Sqrt(square / float64(len(want))); !(worst <= tol*rms) {
		t.Errorf("%s: an error of %g, with values of %g", what, worst, rms)
	}
}

// An untrained backbone is the exact flow of Gaussian pictures: independent in flow space, with the
// network's means and standard deviations. So its velocity in pixels, and the pullback, are those of
// guidance.Gaussian on 4×4 blocks, with more pictures than a batch holds.
func TestUntrainedBackbone(t *testing.T) {
	const side, pictures = 16, 3
	cfg := guidanceNet()
	f := flowOf(t, checkpointOf(t, cfg, 0), 2, side)
	haar := mat.NewDense(48, 48, nil)
	scaled := mat.NewDense(48, 48, nil)
	mean := make([]float64, 48)
	for i, row := range nets.HaarMatrix {
		for j, h := range row {
			haar.Set(i, j, h)
			scaled.Set(i, j, h*float64(cfg.SD[i]))
			mean[j] += h * float64(cfg.Mean[i])
		}
	}
	var cov mat.SymDense
	cov.SymOuterK(1, scaled.T())
	exact, err := guidance.NewGaussian(mean, &cov)
	if err != nil {
		t.Fatal(err)
	}
	// blocks rearranges pictures to 4×4 blocks in the order of Patchify, and back.
	blocks := func(x []float64, back bool) []float64 {
		out := make([]float64, len(x))
		at := 0
		for p := range pictures {
			for y := 0; y < side; y += 4 {
				for b := 0; b < side; b += 4 {
					for j := range 48 {
						d, c := j/3, j%3
						pixel := ((p*3+c)*side+y+d/4)*side + b + d%4
						if back {
							out[pixel] = x[at]
						} else {
							out[at] = x[pixel]
						}
						at++
					}
				}
			}
		}
		return out
	}
	rng := rand.New(rand.NewPCG(3, 6))
	x, w := normals(rng, pictures*3*side*side), normals(rng, pictures*3*side*side)
	for _, at := range []float64{0.05, 0.5, 1} {
		got, err := f.Velocity(x, at)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := exact.Velocity(blocks(x, false), at)
		near(t, "velocity", got, blocks(want, true), 1e-4)
		if got, err = f.Pullback(x, at, w); err != nil {
			t.Fatal(err)
		}
		want, _ = exact.Pullback(nil, at, blocks(w, false))
		near(t, "pullback", got, blocks(want, true), 1e-4)
	}
}

// With a network that has learned, the device's pullback agrees with central differences of the
// float64 reference.
func TestBackboneGradient(t *testing.T) {
	const side, at = 16, 0.4
	ck := checkpointOf(t, guidanceNet(), 0.1)
	f := flowOf(t, ck, 1, side)
	rng := rand.New(rand.NewPCG(4, 6))
	n := 3 * side * side
	x, w, d := normals(rng, n), normals(rng, n), normals(rng, n)
	g := netdef.NewGraph()
	node := g.Input("x", netdef.Shape{1, 3, side, side})
	v := pixelVelocity(g, ck.State.Network, node, g.Input("t", netdef.Scalar))
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(v) {
		params[p.Name] = &netdef.Tensor{Shape: p.Shape, Data: toDouble(ck.Averaged()[p.Name])}
	}
	velocity := func(step float64) []float64 {
		moved := make([]float64, n)
		for i := range moved {
			moved[i] = float64(float32(x[i])) + step*d[i]
		}
		out, err := reference.Run([]*netdef.Node{v}, map[string]*netdef.Tensor{
			"x": {Shape: node.Shape, Data: moved}, "t": {Shape: netdef.Scalar, Data: []float64{float64(float32(at))}}}, params)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Data
	}
	got, err := f.Velocity(x, at)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "velocity", got, velocity(0), 1e-4)
	if got, err = f.Pullback(x, at, w); err != nil {
		t.Fatal(err)
	}
	const h = 1e-4
	up, down := velocity(h), velocity(-h)
	left, right, size := 0.0, 0.0, 0.0
	for i := range w {
		left += got[i] * d[i]
		right += w[i] * (up[i] - down[i]) / (2 * h)
		size += got[i] * got[i]
	}
	// The product with a random direction is of the size of the pullback's norm.
	if !(math.Abs(left-right) < 1e-3*math.Sqrt(size)) {
		t.Errorf("pullback %g, by differences %g", left, right)
	}
}

func toDouble(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// The operators of a batch are each case's own, and adjoint; observations differ from A x by noise
// of σ where there is a measurement.
func TestCases(t *testing.T) {
	const side, sigma = 32, 0.05
	pics := noisePictures(2, 40)
	rng := rand.New(rand.NewPCG(5, 6))
	for _, k := range hardTasks {
		cases, err := drawCases(pics, k, 3, side, sigma, 1)
		if err != nil {
			t.Fatal(err)
		}
		o := caseOperator{cases, 2}
		y := o.observations()
		x, u := normals(rng, 6*3*side*side), normals(rng, len(y))
		left, right := 0.0, 0.0
		for i, v := range o.Apply(x) {
			left += v * u[i]
		}
		for i, v := range o.Adjoint(u) {
			right += v * x[i]
		}
		if math.Abs(left-right) > 1e-8*(1+math.Abs(left)) {
			t.Errorf("%s: ⟨A x, u⟩ = %g, ⟨x, Aᵀ u⟩ = %g", k, left, right)
		}
		var truth []float64
		for i := range 6 {
			truth = append(truth, toDouble(cases[i/2].truth.Pix)...)
		}
		square, n := 0.0, 0.0
		for i, v := range o.Apply(truth) {
			if d := v - y[i]; d != 0 {
				square, n = square+d*d, n+1
			}
		}
		if s := math.Sqrt(square / n); math.Abs(s-sigma) > 0.1*sigma {
			t.Errorf("%s: noise of %g", k, s)
		}
	}
}

// The tiny comparison runs all methods and trainings from one backbone, writes everything that it
// promises, and starts from a given backbone without training another.
func TestCompareGuidance(t *testing.T) {
	c := TinyGuidance()
	c.Net, c.Out, c.Export = guidanceNet(), t.TempDir(), true
	c.Run.Per, c.Run.Warmup = PerClass(1), 1
	c.Pretrain, c.Budget = 1e-9, 1e-9 // a step each
	c.Steps, c.TunePictures, c.Trials, c.Pictures, c.Samples, c.Batch = 5, 1, 2, 1, 2, 2
	names := GuidanceMethods()
	var text strings.Builder
	if err := CompareGuidance(t.Context(), testDev, &text, noisePictures(2, 40), noisePictures(1, 32), c, names); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(c.Out, "guidance.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(hardTasks)*(1+len(names)); len(rows) != want {
		t.Errorf("%d rows of the CSV file, want %d", len(rows), want)
	}
	for _, row := range rows[1:] {
		wantCalls := []string{"5", "0"}
		switch row[1] {
		case "observation":
			wantCalls[0] = "0"
		case "dps", "psld":
			wantCalls[1] = "5"
		case "frozen-theta", "unconstrained-theta", "paper", "es":
			wantCalls[0] = "2"
		}
		if !slices.Equal(row[13:15], wantCalls) || strings.Contains(strings.Join(row, " "), "NaN") {
			t.Errorf("row %v", row)
		}
	}
	for _, name := range []string{"search.csv", "backbone.ckpt", "es.ckpt", "inpaint-box.png", "motion-deblur-samples.png"} {
		if _, err := os.Stat(filepath.Join(c.Out, name)); err != nil {
			t.Error(err)
		}
	}
	samples, err := weights.Load(filepath.Join(c.Out, "guidance.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if want := len(hardTasks) * (2 + len(names)); len(samples.Tensors) != want {
		t.Errorf("%d tensors, want %d", len(samples.Tensors), want)
	}
	if !strings.Contains(text.String(), "| super-resolve | flowdps-noise |") {
		t.Errorf("the table lacks a row:\n%s", text.String())
	}

	// A second run with the same backbone gives the same samples.
	if c.Backbone, err = LoadCheckpoint(filepath.Join(c.Out, "backbone.ckpt")); err != nil {
		t.Fatal(err)
	}
	c.Out, c.Export = t.TempDir(), false
	if err := CompareGuidance(t.Context(), testDev, &text, noisePictures(2, 40), noisePictures(1, 32), c, []string{"mpgd"}); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(c.Out, "guidance.csv"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range rows {
		if row[1] == "mpgd" && strings.Contains(string(again), strings.Join(row[:13], ",")) {
			found++
		}
	}
	if found != len(hardTasks) {
		t.Errorf("%d of %d rows are those of the first run", found, len(hardTasks))
	}
	if _, err := os.Stat(filepath.Join(c.Out, "backbone.ckpt")); err == nil {
		t.Error("a backbone was trained although one was given")
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := CompareGuidance(ctx, testDev, &text, noisePictures(2, 40), nil, c, []string{"mpgd"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
	for _, preset := range []GuidanceConfig{TinyGuidance(), SmallGuidance()} {
		if err := preset.Validate(); err != nil {
			t.Errorf("preset: %v", err)
		}
	}
	for name, change := range map[string]func(*GuidanceConfig){
		"multiple of 5": func(c *GuidanceConfig) { c.Steps = 7 },
		"TFLOP":         func(c *GuidanceConfig) { c.Budget = math.NaN() },
		"σ":             func(c *GuidanceConfig) { c.Sigma = 0 },
		"2 samples":     func(c *GuidanceConfig) { c.Samples = 1 },
		"guess":         func(c *GuidanceConfig) { c.Net.Guess = true },
	} {
		bad := c
		change(&bad)
		if err := CompareGuidance(t.Context(), testDev, &text, nil, nil, bad, names); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

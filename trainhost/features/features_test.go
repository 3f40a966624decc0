package features

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/internal/onnxtest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/weights"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

// covariance is a random one of full rank.
func covariance(n int) *mat.SymDense {
	a := mat.NewDense(n, n+2, nil)
	for i := range a.RawMatrix().Data {
		a.RawMatrix().Data[i] = rand.NormFloat64()
	}
	var s mat.SymDense
	s.SymOuterK(1, a)
	return &s
}

// TestFrechetOfNormals compares with closed forms.
func TestFrechetOfNormals(t *testing.T) {
	for range 20 {
		// Two dimensions: tr √M = √(tr M + 2√det M).
		a, b := covariance(2), covariance(2)
		var m mat.Dense
		m.Mul(a, b)
		want := 9 + 16 + mat.Trace(a) + mat.Trace(b) - 2*math.Sqrt(mat.Trace(&m)+2*math.Sqrt(mat.Det(&m)))
		got, err := FrechetOfNormals([]float64{1, 2}, a, []float64{4, -2}, b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "two dimensions", got, want, 1e-9)
		// Any number of dimensions: Σ and s²Σ commute, and the distance is (1−s)² tr Σ.
		c := covariance(17)
		var d mat.SymDense
		d.ScaleSym(2.25, c)
		zero := make([]float64, 17)
		if got, err = FrechetOfNormals(zero, c, zero, &d); err != nil {
			t.Fatal(err)
		}
		near(t, "a multiple", got, 0.25*mat.Trace(c), 1e-9)
	}
}

func vectors(n, dim int) [][]float64 {
	x := make([][]float64, n)
	for i := range x {
		x[i] = make([]float64, dim)
		for k := range x[i] {
			x[i][k] = rand.NormFloat64()*float64(1+k) + 3
		}
	}
	return x
}

func each(x [][]float64, f func(k int, v float64) float64) [][]float64 {
	y := make([][]float64, len(x))
	for i, v := range x {
		y[i] = make([]float64, len(v))
		for k, w := range v {
			y[i][k] = f(k, w)
		}
	}
	return y
}

// TestFrechet compares sets whose distance is known, with more and with fewer vectors than values.
func TestFrechet(t *testing.T) {
	// A covariance of few vectors has eigenvalues of 0, and the square root of a rounding error of
	// 1e-16 is 1e-8.
	const tolerance = 1e-6
	for _, n := range []int{5, 12, 40} {
		x := vectors(n, 12)
		got, err := Frechet(x, each(x, func(k int, v float64) float64 { return v + 2 }))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "shifted", got, 12*4, tolerance)
		mean, rows, err := centred(x)
		if err != nil {
			t.Fatal(err)
		}
		if got, err = Frechet(x, each(x, func(_ int, v float64) float64 { return 3 * v })); err != nil {
			t.Fatal(err)
		}
		near(t, "tripled", got, 4*(squares(rows)+distance2(mean, make([]float64, 12))), tolerance)
		// Values that are always 0 change nothing, but make the vectors longer than there are many.
		y := vectors(n+3, 12)
		wide := func(x [][]float64) (out [][]float64) {
			for _, v := range x {
				out = append(out, append(append([]float64{}, v...), make([]float64, 60)...))
			}
			return out
		}
		a, err := Frechet(x, y)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Frechet(wide(x), wide(y))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "both ways", b, a, tolerance)
	}
	// Draws from normal distributions, from a fixed seed.
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(mean, std float64) (x [][]float64) {
		for range 20000 {
			x = append(x, []float64{mean + std*rng.NormFloat64(), 2 * rng.NormFloat64(), rng.NormFloat64()})
		}
		return x
	}
	got, err := Frechet(draw(0, 1), draw(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "draws", got, 1+4, 0.02)
	for _, bad := range [][2][][]float64{{vectors(1, 3), vectors(5, 3)}, {vectors(5, 3), vectors(5, 4)}, {{{}, {}}, {{}, {}}}} {
		if _, err := Frechet(bad[0], bad[1]); err == nil {
			t.Error("no error for sets that do not fit")
		}
	}
}

// small writes an ONNX model with two layers of features and returns its path.
func small(t *testing.T) (path string, file []byte) {
	t.Helper()
	m := onnxtest.New()
	m.Input("x", 1, 3, 0, 0)
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(0.3 * rand.NormFloat64())
		}
		return v
	}
	m.Floats("v", []int{5, 3, 3, 3}, random(5*27)...)
	m.Floats("w", []int{9, 5, 3, 3}, random(9*45)...)
	m.Floats("b", []int{9}, random(9)...)
	m.Node("Conv", "c", []string{"x", "v"}, onnxtest.Attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}})
	m.Node("Relu", "early", []string{"c"}, nil)
	m.Node("MaxPool", "p", []string{"early"}, onnxtest.Attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}})
	m.Node("Conv", "late", []string{"p", "w", "b"}, nil)
	m.Output("early", 1, 5, 0, 0)
	m.Output("late", 1, 9, 0, 0)
	file = m.Bytes()
	path = filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	return path, file
}

func photo(w, h int) *planar.Image {
	p := planar.New(w, h)
	for i := range p.Pix {
		p.Pix[i] = float32(rand.Float64()*2 - 1)
	}
	return p
}

func open(t *testing.T, path string) Network {
	t.Helper()
	n, err := Open(Config{Path: path, Shared: testDev})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// TestONNX compares features of an ONNX model, for pictures of two sizes, with the model in
// float64.
func TestONNX(t *testing.T) {
	path, file := small(t)
	n := open(t, path)
	for _, size := range [][2]int{{20, 16}, {33, 25}, {20, 16}} {
		img := photo(size[0], size[1])
		f, err := n.Extract(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		x := onnxtest.Generate([]int{1, 3, img.H, img.W}, func(i []int) float64 { return float64(img.At(i[1], i[3], i[2])+1) / 2 })
		want := onnxtest.Run(t, file, map[string]onnxtest.Array{"x": x})
		for k, name := range n.Layers() {
			w, m := want[name], f.Layers[k]
			if m.C != w.Dims[1] || m.H != w.Dims[2] || m.W != w.Dims[3] {
				t.Fatalf("%s is %d×%d×%d, want %v", name, m.H, m.W, m.C, w.Dims)
			}
			for i, v := range m.Data {
				c, site := i%m.C, i/m.C
				near(t, name, float64(v), w.V[c*m.H*m.W+site], 1e-5)
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		mean := 0.0
		for i := range want["late"].V[:f.Layers[1].H*f.Layers[1].W] {
			mean += want["late"].V[i]
		}
		near(t, "vector", f.Vector[0], mean/float64(f.Layers[1].H*f.Layers[1].W), 1e-5)
	}
}

// TestWeights computes features with weights of this program.
func TestWeights(t *testing.T) {
	cfg := nets.DefaultPlain()
	cfg.Width, cfg.Blocks, cfg.Emb = 8, 1, 8
	n := &restore.Network{Config: cfg, Params: map[string][]float32{}}
	g := netdef.NewGraph()
	in := func(name string, side, channels int) *netdef.Node {
		return g.Input(name, netdef.Shape{1, side, side, channels})
	}
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: in("y", 8, nets.FlowChannels), Mask: in("mask", 8, nets.MaskChannels), Task: in("task", 1, nets.Tasks),
		Sigma: in("sigma", 1, 1), Guess: in("guess", 8, nets.FlowChannels),
	})
	for _, p := range netdef.Params(logvar, nets.OneStep(g, cfg, mu)) {
		n.Params[p.Name] = netdef.InitialValues(p, 1)
	}
	f, err := n.File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.vfm")
	if err := weights.Save(path, f); err != nil {
		t.Fatal(err)
	}
	net := open(t, path)
	img := photo(24, 16)
	a, err := net.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	if m := a.Layers[0]; m.H != 4 || m.W != 6 || m.C != 48 || len(a.Vector) != 48 {
		t.Errorf("features of %d×%d×%d, vectors of %d", m.H, m.W, m.C, len(a.Vector))
	}
	for i := range img.Pix {
		img.Pix[i] = img.Pix[i]*0.5 + 0.3
	}
	b, err := net.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := metric.PerceptualDistance(a.Layers, b.Layers, nil); err != nil || !(d > 1e-3) {
		t.Errorf("pictures that differ have a distance of %g (%v)", d, err)
	}
	if _, err := net.Extract(t.Context(), planar.New(3, 8)); err == nil {
		t.Error("a picture smaller than a block was accepted")
	}
}

// TestCollector compares Scores with the metrics themselves.
func TestCollector(t *testing.T) {
	path, _ := small(t)
	net := open(t, path)
	if _, err := NewCollector(net, map[string][]float64{"other": {1}}); err == nil {
		t.Error("weights of no layer were accepted")
	}
	w := []float64{1, 2, 0, 0.5, 3}
	c, err := NewCollector(net, map[string][]float64{"early": w})
	if err != nil {
		t.Fatal(err)
	}
	extract := func(img *planar.Image) *Features {
		f, err := net.Extract(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	var truth, mode, samples, firsts [][]float64
	lpips, crps := 0.0, 0.0
	for k := range 3 {
		x, y := photo(20, 16), photo(20, 16)
		s := []*planar.Image{photo(20, 16), photo(20, 16)}
		if err := c.Add(t.Context(), "denoise", x, x, y, s, k == 2); err != nil {
			t.Fatal(err)
		}
		fx, fy := extract(x), extract(y)
		if k < 2 {
			truth = append(truth, fx.Vector)
		}
		mode = append(mode, fy.Vector)
		d, err := metric.PerceptualDistance(fx.Layers, fy.Layers, [][]float64{w, nil})
		if err != nil {
			t.Fatal(err)
		}
		lpips += d / 3
		v := [][]float64{extract(s[0]).Vector, extract(s[1]).Vector}
		samples, firsts = append(samples, v...), append(firsts, v[0])
		e, err := metric.CRPS(fx.Vector, v, false)
		if err != nil {
			t.Fatal(err)
		}
		crps += e / 3
	}
	list, err := c.Scores()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	s := list[0]
	frechet, _ := Frechet(truth, mode)
	mmd, _ := metric.PolynomialMMD2(truth, samples)
	near(t, "Fréchet", s.Mode.Frechet, frechet, 1e-12)
	first, _ := Frechet(truth, firsts)
	near(t, "Fréchet of samples", s.Samples.Frechet, first, 1e-12)
	near(t, "MMD", s.Samples.MMD, mmd, 1e-12)
	near(t, "LPIPS", s.Mode.LPIPS, lpips, 1e-9)
	near(t, "LPIPS of equal pictures", s.Input.LPIPS, 0, 1e-12)
	near(t, "CRPS", *s.CRPS, crps, 1e-9)
	if s.Task != "denoise" || s.Pictures != 3 || s.Features != 9 || !strings.Contains(Table(list), "| denoise | 3 | 9 |") {
		t.Errorf("%+v\n%s", s, Table(list))
	}
	one, _ := NewCollector(net, nil)
	if err := one.Add(t.Context(), "denoise", photo(20, 16), photo(20, 16), photo(20, 16), nil, false); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Scores(); err == nil {
		t.Error("one picture gives a Fréchet distance")
	}
}

// TestErrors checks what is refused.
func TestErrors(t *testing.T) {
	if _, err := Open(Config{Path: "missing.onnx", Shared: testDev}); err == nil {
		t.Error("a missing file was opened")
	}
	m := onnxtest.New()
	m.Input("x", 1, 3, 16, 16)
	m.Floats("p", []int{1, 3, 16, 16}, make([]float32, 768)...)
	m.Node("Add", "y", []string{"x", "p"}, nil)
	m.Output("y")
	path := filepath.Join(t.TempDir(), "fixed.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	n := open(t, path)
	if _, err := n.Extract(t.Context(), photo(16, 16)); err != nil {
		t.Error(err)
	}
	if _, err := n.Extract(t.Context(), photo(20, 16)); err == nil || !strings.Contains(err.Error(), "the file says 16×16") {
		t.Errorf("another size: %v", err)
	}
}

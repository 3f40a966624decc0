package trainhost

import (
	"errors"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/trainhost/optim"
	"github.com/vfmrestore/restore/weights"
)

// For random parts and kernels the loss equals the sum that defines it.
func TestKernelRisk(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	const batch = 2
	g := netdef.NewGraph()
	loss := kernelRisk(g, g.Input("parts", netdef.Shape{batch, kernelSide, kernelSide, nets.KernelParts}),
		g.Input("truth", netdef.Shape{batch, 1, kernelSide, kernelSide}), g.Input("variance", netdef.Shape{batch, 1, 1, 1}))
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	parts, truth, variance := make([]float32, batch*kernelMap*nets.KernelParts), make([]float32, batch*kernelMap), []float32{0.01, 0.002}
	// A few places per map, so that the definition is quick.
	type place struct{ y, x int }
	put := func(v []float32, stride, from int) {
		for range 12 {
			p := place{rng.IntN(kernelSide), rng.IntN(kernelSide)}
			v[(p.y*kernelSide+p.x)*stride+from] = float32(0.1 * rng.Float64())
		}
	}
	for b := range batch {
		for c := range nets.KernelParts {
			put(parts[b*kernelMap*nets.KernelParts:], nets.KernelParts, c)
		}
		put(truth[b*kernelMap:], 1, 0)
	}
	in := map[string]*netdef.Tensor{}
	for name, v := range map[string][]float32{"parts": parts, "truth": truth, "variance": variance} {
		for _, n := range g.Nodes() {
			if n.Name == name {
				in[name], _ = netdef.FromFloat32(n.Shape, v)
			}
		}
	}
	got, err := reference.Run([]*netdef.Node{loss}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	transform := func(at func(i int) float32, fx, fy int) (sum complex128) {
		for i := range kernelMap {
			if w := at(i); w != 0 {
				y, x := i/kernelSide-kernelSide/2, i%kernelSide-kernelSide/2
				sum += complex(float64(w), 0) * cmplx.Rect(1, -2*math.Pi*float64(fx*x+fy*y)/lossGrid)
			}
		}
		return sum
	}
	want := 0.0
	for b := range batch {
		risk := 0.0
		for fx := range lossBand {
			for fy := 1 - lossBand; fy < lossBand; fy++ {
				if fx == 0 && fy <= 0 {
					continue
				}
				k := transform(func(i int) float32 { return truth[b*kernelMap+i] }, fx, fy)
				second, mean := priorShare*motionblur.PriorPower(2*fx, 2*fy), 0.0
				for c := range nets.KernelParts {
					m := transform(func(i int) float32 { return parts[(b*kernelMap+i)*nets.KernelParts+c] }, fx, fy)
					second += real(m)*real(m) + imag(m)*imag(m)
					if c == 0 {
						mean = real(m)
					}
				}
				s, v := motionblur.Spectrum(float64(fx)/lossGrid, float64(fy)/lossGrid), float64(variance[b])
				gain := complex(mean*s/(second*s+v), 0)
				left := cmplx.Abs(1 - gain*cmplx.Conj(k))
				risk += s*left*left + real(gain)*real(gain)*v
			}
		}
		want += math.Log(risk) / batch
	}
	if d := math.Abs(got[0].Data[0] - want); !(d < 1e-5) {
		t.Errorf("the loss is %g, the definition gives %g", got[0].Data[0], want)
	}
}

// A resumed run computes the same bits as one that was not stopped. Its weights can be packed.
func TestKernelTraining(t *testing.T) {
	cfg := KernelConfig{Batch: 2, Fresh: 1, Pool: 6, Steps: 4, Warmup: 1, LR: 1e-3, EMA: 0.9, Seed: rand.Uint64N(1 << 40)}
	pics := noisePictures(3, KernelSides[len(KernelSides)-1])
	path := filepath.Join(t.TempDir(), "kernels.ckpt")
	train := func(from *KernelCheckpoint) (storedArrays, KernelState) {
		k, err := NewKernelTrainer(testDev, pics, cfg, from, from != nil)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		save := func() error {
			if from != nil || k.State.Step != 2 {
				return errors.New("no space left on device") // which does not end the run
			}
			return SaveKernelCheckpoint(path, k.Store(), k.State)
		}
		reports := 0
		done, err := k.Run(t.Context(), optim.Schedule{Every: 2, Checkpoint: save, Interval: time.Nanosecond}, func(KernelReport) { reports++ })
		if err != nil || !done || reports == 0 {
			t.Fatalf("done %v, %d reports: %v", done, reports, err)
		}
		all := storedArrays{}
		for _, a := range optim.Arrays {
			if all[a], err = k.Store().State(a); err != nil {
				t.Fatal(err)
			}
		}
		return all, k.State
	}
	want, _ := train(nil)
	c, err := LoadKernelCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.State.Step != 2 {
		t.Fatalf("the checkpoint is of step %d", c.State.Step)
	}
	got, state := train(c)
	if state.Step != 4 {
		t.Errorf("%d steps", state.Step)
	}
	for a, values := range want {
		for name, v := range values {
			if !slices.Equal(got[a][name], v) {
				t.Fatalf("%s of %s differ after a stop", a, name)
			}
		}
	}
	f, err := PackKernels(c, weights.I8, About{"noise", "nobody", "v1"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kernels.vfm")
	if err := weights.Save(file, f); err != nil {
		t.Fatal(err)
	}
	if f, err = weights.Load(file); err != nil {
		t.Fatal(err)
	}
	if _, err := motionblur.NetworkFromFile(f); err != nil {
		t.Error(err)
	}
	if _, err := LoadCheckpoint(path); err == nil {
		t.Error("a checkpoint of the kernel network was taken for one of the restoring network")
	}
	if _, err := LoadKernelCheckpoint(file); err == nil {
		t.Error("packed weights were taken for a checkpoint")
	}
}

func TestKernelConfig(t *testing.T) {
	if err := DefaultKernelConfig().Validate(); err != nil {
		t.Error(err)
	}
	for i, spoil := range []func(*KernelConfig){
		func(c *KernelConfig) { c.Batch = 0 }, func(c *KernelConfig) { c.Fresh = 0 }, func(c *KernelConfig) { c.Pool = c.Fresh - 1 },
		func(c *KernelConfig) { c.Steps = 0 }, func(c *KernelConfig) { c.LR = math.NaN() }, func(c *KernelConfig) { c.EMA = 1 },
	} {
		c := DefaultKernelConfig()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("spoilt in way %d, the configuration is taken", i)
		}
	}
}

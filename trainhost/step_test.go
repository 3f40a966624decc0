package trainhost

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	hostblur "github.com/vfmrestore/restore/restore/motionblur/reference"
	"github.com/vfmrestore/restore/restore/task"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "")
}

// tinyNet is a network small enough for the float64 reference.
func tinyNet() nets.EdgeConfig {
	return nets.EdgeConfig{Widths: []int{8, 16}, Blocks: []int{1}, Mid: 1, Gates: []int{0, 3}, Guess: true, Emb: 8, SD: nets.PhotoSD()}
}

// noisePictures is a training set of smooth random pictures.
func noisePictures(n, side int) *Pictures {
	p := &Pictures{}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := 0; i < n; i++ {
		m := rgb{w: side, h: side, pix: make([]uint8, 3*side*side)}
		fx, fy, ph := rng.Float64()*0.3, rng.Float64()*0.3, rng.Float64()*6
		for j := range m.pix {
			x, y, c := float64(j/3%side), float64(j/3/side), float64(j%3)
			m.pix[j] = uint8(128 + 90*math.Sin(fx*x+fy*y+ph+c) + 30*rng.Float64())
		}
		p.list = append(p.list, []rgb{m})
	}
	return p
}

// The recorded step's loss and gradients must agree with the float64 reference
// for every objective.
func TestStepAgainstReference(t *testing.T) {
	for name, obj := range map[string]Objective{
		"es and mean": EnergyScore(),
		"es":          {Data: DataEnergy, DataWeight: 20, Obs: 200, KL: 1, Gamma: 0.01},
		"joint":       Joint(),
		"es and mf":   {Data: DataEnergy, DataWeight: 20, KL: 1, MeanFlow: MeanFlow{Weight: 0.5, Alpha: 1, Times: Uniform}, Gamma: 0.01},
		"l2":          {Data: DataRegression, DataWeight: 50, Obs: 200, ObsEMA: true, KL: 0.5, Gamma: -1},
	} {
		t.Run(name, func(t *testing.T) {
			const side = 32
			per := Counts{1, 2, 1, 1, 1, 2}
			switch name { // networks for some tasks only
			case "es":
				per = Counts{0, 0, 0, 1, 2, 0}
			case "l2":
				per = Counts{1, 0, 1, 0, 0, 1}
			}
			net := tinyNet()
			net.Noise = name != "joint" // one with white noise that the device makes
			step, err := buildStep(net, obj, per, side, task.MotionSide(kernelScale(side)))
			if err != nil {
				t.Fatal(err)
			}
			var live []*netdef.Node
			for _, p := range netdef.Params(step.loss) {
				if len(p.Name) < 5 || p.Name[:5] != compile.EMAPrefix {
					live = append(live, p)
				}
			}
			grads, err := step.g.Gradient(step.loss, live)
			if err != nil {
				t.Fatal(err)
			}
			store, err := compile.NewStore(testDev, netdef.Reachable(step.loss), true, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			byName := map[string]*netdef.Node{}
			for i, p := range live {
				byName[p.Name] = grads[i]
			}
			prog, err := compile.Compile(testDev, store, step.g, []*netdef.Node{step.loss, step.mse}, compile.Options{Grads: byName})
			if err != nil {
				t.Fatal(err)
			}
			defer prog.Close()
			rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
			vals, ema := map[string][]float32{}, map[string][]float32{}
			params := map[string]*netdef.Tensor{}
			for _, p := range live {
				v := netdef.InitialValues(p, 5)
				w := make([]float32, len(v))
				for i := range v {
					v[i] += 0.05 * float32(rng.NormFloat64())
					w[i] = v[i] + 0.02*float32(rng.NormFloat64())
				}
				vals[p.Name], ema[p.Name] = v, w
				params[p.Name], _ = netdef.FromFloat32(p.Shape, v)
				params[compile.EMAPrefix+p.Name], _ = netdef.FromFloat32(p.Shape, w)
			}
			if err := store.Set(vals); err != nil {
				t.Fatal(err)
			}
			if err := store.SetState(compile.Averages, ema); err != nil {
				t.Fatal(err)
			}
			b, err := batchSource{pictures: noisePictures(4, 48), degrade: drawNoisy, seed: rng.Uint64(), counts: per, side: side, blurOnHost: true, noiseOnHost: net.Noise}.batch(7)
			if err == nil {
				err = b.guess(hostblur.NewEstimator(1), per, side)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range b[inNoise] { // white noise of a given level has the shape 0
				b[inNoise][i] = 0.3 * float32(rng.NormFloat64())
			}
			obj.MeanFlow.draw(b, rng, per.Total())
			inputs := map[string]*netdef.Tensor{}
			for _, n := range netdef.Reachable(append(grads, step.loss)...) {
				if _, ok := n.Op.(*netdef.InputOp); ok {
					if err := prog.SetInput(n.Name, b[n.Name]); err != nil {
						t.Fatal(err)
					}
					inputs[n.Name], _ = netdef.FromFloat32(n.Shape, b[n.Name])
				}
			}
			if err := prog.Poison(); err != nil {
				t.Fatal(err)
			}
			if err := prog.Run(); err != nil {
				t.Fatal(err)
			}
			want, err := reference.Run(append([]*netdef.Node{step.loss, step.mse}, grads...), inputs, params)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < 2; i++ {
				got, err := prog.Output(i)
				if err != nil {
					t.Fatal(err)
				}
				if e := relative(got, want[i].Data); !(e < 1e-5) {
					t.Errorf("output %d: relative error %.2g", i, e)
				}
			}
			g, err := store.State(compile.Gradients)
			if err != nil {
				t.Fatal(err)
			}
			var d, n float64
			for i, p := range live {
				guess := p.Name == "adapter/guess" || p.Name == "adapter/more/w" // of motion blur alone
				if slices.Max(want[2+i].Data) == 0 && slices.Min(want[2+i].Data) == 0 && !(guess && per[clsMotion] == 0) {
					t.Errorf("gradient of %s: 0 everywhere", p.Name)
				}
				for j, w := range want[2+i].Data {
					e := float64(g[p.Name][j]) - w
					d += e * e
					n += w * w
				}
				if e := relative(g[p.Name], want[2+i].Data); !(e < 1e-3) {
					t.Errorf("gradient of %s: relative error %.2g", p.Name, e)
				}
			}
			if e := math.Sqrt(d / n); !(e < 1e-4) {
				t.Errorf("whole gradient: relative error %.2g", e)
			}
		})
	}
}

func relative(got []float32, want []float64) float64 {
	var d, n float64
	for i, w := range want {
		e := float64(got[i]) - w
		d += e * e
		n += w * w
	}
	return math.Sqrt(d / math.Max(n, 1e-20))
}

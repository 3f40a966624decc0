// Command peers runs the embedded network with this project's engine and with ONNX Runtime's CPU
// provider (onnxruntime-node, installed from the npm registry by scripts/bench-peers.sh), on the
// same random inputs with the same number of threads. It prints the times and the difference of the
// results. Both compute the default of `restore`: the picture of z = μ, without the variance of z.
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/onnx"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/weights"
)

func main() {
	dir := flag.String("dir", "", "folder with node_modules/onnxruntime-node, also for the "+
		"exchanged files")
	side := flag.Int("size", 256, "side of the picture in pixels")
	threads := flag.Int("threads", 1, "threads of ONNX Runtime; set those of the Vulkan driver "+
		"by its own variable (lavapipe: LP_NUM_THREADS)")
	seconds := flag.Float64("seconds", 3, "time of each measurement")
	big := flag.Bool("large-kernels", false, "also measure with the large kernels of long runs")
	flag.Parse()
	if err := run(*dir, *side, *threads, *seconds, *big); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(dir string, side, threads int, seconds float64, big bool) error {
	f, err := weights.Default()
	if err != nil {
		return err
	}
	n, err := restore.NetworkFromFile(f)
	if err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{})
	if err != nil {
		return err
	}
	defer dev.Close()
	g := netdef.NewGraph()
	view, known := g.Input(restore.ONNXView, netdef.Shape{1, 3, side, side}),
		g.Input(restore.ONNXKnown, netdef.Shape{1, 1, side, side})
	task, sigma := g.Input(restore.ONNXTask, netdef.Shape{1, 1, 1, nets.Tasks}),
		g.Input(restore.ONNXSigma, netdef.Scalar)
	flow := func(x *netdef.Node) *netdef.Node { return nets.ToFlow(g, n.Config, g.Patchify(x)) }
	in := nets.AdapterInput{Y: flow(view), Mask: g.Patchify(known), Task: task, Sigma: sigma}
	if n.Config.Traits().Noise {
		in.Noise = g.Input(restore.ONNXNoise, netdef.Shape{1, 1, 1, nets.NoiseNumbers})
	}
	if n.Config.Traits().Guess {
		in.Guess = flow(g.Input(restore.ONNXGuess, netdef.Shape{1, 3, side, side}))
	}
	mu, logvar := nets.Adapter(g, n.Config, in)
	pic := g.Unpatchify(nets.FromFlow(g, n.Config, nets.OneStep(g, n.Config, mu)))
	if err := g.Err(); err != nil {
		return err
	}
	inputs := map[string][]float32{restore.ONNXTask: {1, 0, 0, 0, 0, 0, 0, 0},
		restore.ONNXSigma: {0.05}}
	dims := map[string][]int{restore.ONNXTask: {1, nets.Tasks, 1, 1},
		restore.ONNXSigma: {1, 1, 1, 1}, restore.ONNXView: {1, 3, side, side},
		restore.ONNXKnown: {1, 1, side, side}}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3 * side * side {
		inputs[restore.ONNXView] = append(inputs[restore.ONNXView],
			float32(0.5*math.Sin(float64(i)/200)+0.05*rng.NormFloat64()))
	}
	if n.Config.Traits().Guess {
		inputs[restore.ONNXGuess], dims[restore.ONNXGuess] = inputs[restore.ONNXView], dims[restore.ONNXView]
	}
	inputs[restore.ONNXKnown] = slices.Repeat([]float32{1}, side*side)
	outs := []*netdef.Node{mu, pic}
	names := []string{restore.ONNXMu, restore.ONNXPicture}
	fmt.Printf("%s, %d×%d pixels, %d threads\n", dev.Info().Name, side, side, threads)

	results := map[string][]float32{}
	engine := &own{dev: dev, graph: g, outs: outs, unused: logvar, params: n.Params, inputs: inputs,
		seconds: seconds}
	tunings := []compile.Tuning{{}}
	if big {
		tunings = append(tunings, compile.Tuning{MaxFMA: compile.LongRun})
	}
	for i, tune := range tunings {
		best, median, err := engine.measure(tune, func(p *compile.Program) error {
			for k, o := range outs {
				v, err := p.Output(k)
				if err != nil {
					return err
				}
				results[names[k]] = toNCHW(o.Shape, v, o == pic)
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Printf("restore%-26s best %7.2f ms   median %7.2f ms\n",
			[]string{"", " (large kernels)"}[i], 1e3*best, 1e3*median)
	}

	model, err := os.Create(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	if err := onnx.Write(model, n.Config.Name(), []onnx.Output{{Name: restore.ONNXMu, Node: mu}, {Name: restore.ONNXPicture, Node: pic}}, n.Params, nil); err != nil {
		model.Close()
		return err
	}
	if err := model.Close(); err != nil {
		return err
	}
	list, err := json.Marshal(dims)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "inputs.json"), list, 0o666); err != nil {
		return err
	}
	for name, v := range inputs {
		if err := os.WriteFile(filepath.Join(dir, name+".f32"), bytesOf(v), 0o666); err != nil {
			return err
		}
	}
	script := filepath.Join(dir, "run.mjs")
	cmd := exec.Command("node", script, dir, fmt.Sprint(threads), fmt.Sprint(seconds))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("node %s: %w", script, err)
	}
	var r struct{ Best, Median float64 }
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s printed %q: %w", script, text, err)
	}
	fmt.Printf("ONNX Runtime, CPU provider         best %7.2f ms   median %7.2f ms\n", r.Best,
		r.Median)
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, name+".out"))
		if err != nil {
			return err
		}
		var d, s float64
		for i, v := range results[name] {
			e := float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])) - v)
			d += e * e
			s += float64(v) * float64(v)
		}
		fmt.Printf("  %-8s relative difference %.1e\n", name, math.Sqrt(d/s))
		if !(d < 1e-6*s) {
			return fmt.Errorf("%s differs", name)
		}
	}
	return nil
}

// own is the network in this project's engine.
type own struct {
	dev     *gpu.Device
	graph   *netdef.Graph
	outs    []*netdef.Node // that are computed; the picture is the last
	unused  *netdef.Node   // has parameters, too
	params  map[string][]float32
	inputs  map[string][]float32
	seconds float64 // of a measurement
}

// measure gives the shortest and the median time of a pass in seconds, and calls done with the
// program after the last one.
func (o *own) measure(tune compile.Tuning, done func(*compile.Program) error) (best, median float64,
	err error) {
	dev, outs := o.dev, o.outs
	store, err := compile.NewStore(dev, netdef.Reachable(append(slices.Clone(outs), o.unused)...),
		false, 0)
	if err != nil {
		return 0, 0, err
	}
	defer store.Close()
	if err := store.Set(o.params); err != nil {
		return 0, 0, err
	}
	p, err := compile.Compile(dev, store, o.graph, outs,
		compile.Options{Tuning: tune, Settings: []string{restore.ONNXTask, restore.ONNXSigma}})
	if err != nil {
		return 0, 0, err
	}
	defer p.Close()
	// Timed from picture in memory to picture in memory, like the other engine.
	picture := make([]float32, outs[len(outs)-1].Shape.Size())
	pass := func() error {
		for name, v := range o.inputs {
			if err := p.SetInput(name, v); err != nil {
				return err
			}
		}
		if err := p.Run(); err != nil {
			return err
		}
		return p.ReadOutput(len(outs)-1, picture)
	}
	if err := pass(); err != nil { // the driver builds code at the first run
		return 0, 0, err
	}
	var times []float64
	for end := time.Now().Add(time.Duration(o.seconds * float64(time.Second))); time.Now().Before(
		end) || len(times) < 3; {
		t := time.Now()
		if err := pass(); err != nil {
			return 0, 0, err
		}
		times = append(times, time.Since(t).Seconds())
	}
	slices.Sort(times)
	return times[0], times[len(times)/2], done(p)
}

// toNCHW reorders [1,H,W,C] to ONNX's [1,C,H,W]. Planar pictures are not changed.
func toNCHW(s netdef.Shape, v []float32, planar bool) []float32 {
	if planar {
		return v
	}
	out := make([]float32, len(v))
	hw := s[1] * s[2]
	for i := range hw {
		for c := range s[3] {
			out[c*hw+i] = v[i*s[3]+c]
		}
	}
	return out
}

func bytesOf(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

package restore

import (
	"context"
	"errors"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// TestNetworkFile writes weights to disk, reads them and restores with them.
func TestNetworkFile(t *testing.T) {
	rnd := newRand(t)
	cfg := tinyConfig()
	for i := range cfg.Mean {
		cfg.Mean[i] = rnd.Float32()
	}
	net := tinyNetwork(t, cfg, sharedSeed)
	net.Meta = map[string]string{weights.KeyProvenance: `{"steps":1}`, "mine": "kept"}
	for _, dtype := range []weights.DType{weights.F32, weights.F16} {
		f, err := net.File(dtype)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "net.vfm")
		if err := weights.Save(path, f); err != nil {
			t.Fatal(err)
		}
		back, _, err := Config{Weights: path}.loadGeneral()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back.Config, net.Config) {
			t.Errorf("configuration %+v came back as %+v", net.Config, back.Config)
		}
		if back.Meta["mine"] != "kept" || back.Meta[weights.KeyProvenance] != `{"steps":1}` ||
			back.Meta[weights.KeyTasks] != strings.Join(task.Names()[:task.Classes], ",") {
			t.Errorf("metadata %v", back.Meta)
		}
		if dtype == weights.F32 && !maps.EqualFunc(back.Params, net.Params, slices.Equal) {
			t.Error("parameters changed")
		}
		for name, v := range back.Params {
			for i, x := range v {
				if math.Abs(float64(x-net.Params[name][i])) > 1e-6+math.Abs(float64(x))/1000 {
					t.Fatalf("%v: %s[%d] = %g became %g", dtype, name, i, net.Params[name][i], x)
				}
			}
		}
		for _, x := range f.Tensors {
			if len(x.Shape) > 1 && (x.Shape[0] == 1 || x.DType != dtype) || len(x.Shape) == 1 && x.DType != weights.F32 {
				t.Errorf("%s is stored as %v of %v", x.Name, x.Shape, x.DType)
			}
		}
	}
}

// TestBadNetworks breaks a weights file in every way that check must find.
func TestBadNetworks(t *testing.T) {
	for name, spoil := range map[string]func(f *weights.File){
		"missing": func(f *weights.File) { f.Tensors = f.Tensors[1:] },
		"does not belong": func(f *weights.File) {
			f.Tensors[0].Name = "adapter/unheard-of"
			f.Tensors = append(f.Tensors, first(t))
		},
		"has shape":          func(f *weights.File) { transpose(f) },
		"values":             func(f *weights.File) { f.Tensors[0].Data = f.Tensors[0].Data[1:] },
		"runs":               func(f *weights.File) { f.Meta[weights.KeyNetwork] = "dmft" },
		"EOF":                func(f *weights.File) { f.Meta[weights.KeyConfig] = "" },
		"unknown field":      func(f *weights.File) { f.Meta[weights.KeyConfig] = `{"heads":3}` },
		"follows":            func(f *weights.File) { f.Meta[weights.KeyConfig] += "{}" },
		"must have 48":       func(f *weights.File) { replace(f, `"sd":[`, `"sd":[1,`) },
		"multiples of 8":     func(f *weights.File) { replace(f, `"widths":[8,`, `"widths":[9,`) },
		"must be 0 to 64":    func(f *weights.File) { replace(f, `"mid":1`, `"mid":65`) },
		"unknown task":       func(f *weights.File) { f.Meta[weights.KeyTasks] = "denoise,cook" },
		"in it twice":        func(f *weights.File) { f.Meta[weights.KeyTasks] = "denoise,denoise" },
		"not a finite":       func(f *weights.File) { f.Tensors[2].Data[0] = float32(math.NaN()) },
		"the network needs ": func(f *weights.File) { replace(f, `"widths":[8,16]`, `"widths":[8,24]`) },
	} {
		f, err := tinyNetwork(t, tinyConfig(), 1).File(weights.F32)
		if err != nil {
			t.Fatal(err)
		}
		spoil(f)
		_, err = NetworkFromFile(f)
		var bad *NetworkError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&Network{Config: nets.DefaultEdge()}).File(weights.F32); err == nil {
		t.Error("a network without parameters was written")
	}
}

func first(t *testing.T) weights.Tensor {
	f, err := tinyNetwork(t, tinyConfig(), 1).File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	return f.Tensors[0]
}

// transpose gives the first filter another shape of the same size.
func transpose(f *weights.File) {
	for i := range f.Tensors {
		if s := f.Tensors[i].Shape; len(s) > 1 && s[0] != s[len(s)-1] {
			f.Tensors[i].Shape = slices.Clone(s)
			slices.Reverse(f.Tensors[i].Shape)
			return
		}
	}
}

func replace(f *weights.File, old, new string) {
	f.Meta[weights.KeyConfig] = strings.Replace(f.Meta[weights.KeyConfig], old, new, 1)
}

// TestTasksOfNetwork uses a network that was trained for two tasks, in another order.
func TestTasksOfNetwork(t *testing.T) {
	net := tinyNetwork(t, tinyConfig(), sharedSeed)
	net.Meta = map[string]string{weights.KeyTasks: "gaussian-deblur,denoise"}
	m := variant(t, sharedModel(t, 0, NoMargin))
	places, err := net.taskOrder()
	if err != nil {
		t.Fatal(err)
	}
	m.networks = []*taskNetwork{{tasks: places, load: m.generalNetwork().load}}
	m.shareParameters()
	rnd := newRand(t)
	p := randomPicture(rnd, 20, 20)
	req := request(rnd, task.GaussianDeblur, p)
	got := restored(t, m, p, req)
	req.Task, req.Blur = task.Denoise, nil // the place that gaussian-deblur has in this network
	want := restored(t, sharedModel(t, 0, NoMargin), p, req)
	if !slices.Equal(got.Picture.Pix, want.Picture.Pix) {
		t.Error("the task's place in vfm.tasks is not its place in the one-hot vector")
	}
	req.Task = task.SuperResolve
	var unsupported *UnsupportedTaskError
	if _, err := m.Restore(t.Context(), p, req); !errors.As(err, &unsupported) {
		t.Errorf("a task that it was not trained for: %v", err)
	}
}

// Without the kernel network everything else works, for pictures and for streams. motion-deblur
// says what is missing.
func TestWithoutTheKernelNetwork(t *testing.T) {
	missing := errors.New("built without kernels")
	m := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), kernels: func() (motionblur.Parameters, error) { return motionblur.Parameters{}, missing }})
	defer m.Close()
	rnd := newRand(t)
	p := randomPicture(rnd, 24, 16)
	for _, what := range task.All() {
		req := request(rnd, what, p)
		_, err := m.Restore(context.Background(), p, req)
		f := frame.Format{Kind: frame.Float32}
		s, streamErr := m.NewStream(StreamConfig{Task: what, Mask: req.Mask, W: p.W, H: p.H, In: f, Out: f})
		if streamErr == nil {
			s.Close()
		}
		for _, err := range []error{err, streamErr} {
			switch {
			case what == task.MotionDeblur && (!errors.Is(err, missing) || !strings.Contains(err.Error(), what.String())):
				t.Errorf("%v: %v", what, err)
			case what != task.MotionDeblur && err != nil:
				t.Errorf("%v: %v", what, err)
			}
		}
	}
}

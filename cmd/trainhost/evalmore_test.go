package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/onnxtest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/trainhost/features"
	"github.com/vfmrestore/restore/weights"
)

// untrained writes the weights of a small network to a file and returns its path.
func untrained(t *testing.T) string {
	t.Helper()
	cfg := nets.DefaultPlain()
	cfg.Width, cfg.Blocks, cfg.Emb, cfg.Guess = 8, 1, 8, false
	n := &restore.Network{Config: cfg, Params: map[string][]float32{}}
	g := netdef.NewGraph()
	in := func(name string, side, channels int) *netdef.Node {
		return g.Input(name, netdef.Shape{1, side, side, channels})
	}
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: in("y", 8, nets.FlowChannels), Mask: in("mask", 8, nets.MaskChannels), Task: in("task", 1, nets.Tasks), Sigma: in("sigma", 1, 1),
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
	return path
}

// TestEvalFeatures evaluates with a network of features, and exports the pictures.
func TestEvalFeatures(t *testing.T) {
	data, dir, w := pictures(t, 3, 40), t.TempDir(), untrained(t)
	m := onnxtest.New()
	m.Input("x", 1, 3, 0, 0)
	v := make([]float32, 4*27)
	for i := range v {
		v[i] = float32(i%7)/7 - 0.4
	}
	m.Floats("w", []int{4, 3, 3, 3}, v...)
	m.Node("Conv", "c", []string{"x", "w"}, nil)
	m.Node("Relu", "edges", []string{"c"}, nil)
	m.Output("edges", 1, 4, 0, 0)
	net, lin, out := filepath.Join(dir, "net.onnx"), filepath.Join(dir, "lin.json"), filepath.Join(dir, "out")
	for path, b := range map[string][]byte{net: m.Bytes(), lin: []byte(`{"edges": [1, 0, 2, 0.5]}`)} {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"eval", "-data", data, "-weights", w, "-tasks", "denoise,super-resolve", "-samples", "2", "-draws", "2", "-features", net}
	text, err := output(t, append(args, "-features-weights", lin, "-export", out, "-json")...)
	if err != nil {
		t.Fatal(err)
	}
	var scores []struct {
		Task     string
		PSNR     float64 `json:"psnr_mode"`
		Features features.Score
	}
	if err := json.Unmarshal([]byte(text), &scores); err != nil || len(scores) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, s := range scores {
		f := s.Features
		if f.Task != s.Task || !(s.PSNR > 5) || f.Pictures != 6 || f.Features != 4 || !(f.Mode.LPIPS > 0) || !(f.Mode.Frechet > 0) || f.Samples == nil || !(*f.CRPS > 0) {
			t.Errorf("%+v", s)
		}
	}
	counts := map[string]int{}
	err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		p, err := picture.DecodeFile(path, picture.Limits{})
		if err != nil || p.W != 40 || p.H != 40 || p.Depth != 8 || filepath.Ext(path) != ".png" {
			t.Errorf("%s: %v", path, err)
		}
		rel, _ := filepath.Rel(out, filepath.Dir(path))
		counts[filepath.ToSlash(rel)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"reference": 3}
	for _, task := range []string{"denoise", "super-resolve"} {
		want["input/"+task], want["restored/"+task], want["samples/"+task] = 6, 6, 12
	}
	for folder, n := range want {
		if counts[folder] != n {
			t.Errorf("%s holds %d pictures, want %d", folder, counts[folder], n)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("folders: %v", counts)
	}
	if text, err = output(t, append(slices.Clone(args[:5]), "-tasks", "denoise", "-features", w)...); err != nil || !strings.Contains(text, "| denoise | 3 | 48 |") {
		t.Errorf("features of weights: %v\n%s", err, text)
	}
	for want, more := range map[string][]string{
		"is not empty":         {"-export", out},
		"need -features":       {"-features-range", "0..255"},
		"1 layers, and 0 of":   {"-features", net, "-features-weights", filepath.Join(dir, "other.json")},
		"missing.onnx":         {"-features", "missing.onnx"},
		"-export with -camera": {"-camera", "iso=800", "-export", filepath.Join(dir, "second")},
		"two pictures":         {"-features", net, "-limit", "1"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte(`{"other": [1]}`), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := output(t, append(slices.Clone(args[:5]), more...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v does not say %q", more, err, want)
		}
	}
}

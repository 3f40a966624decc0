package restore

import (
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// OpenFor has the picture's program ready, and it computes what the program of Open computes.
func TestOpenFor(t *testing.T) {
	cfg := Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Shared: testDev, Margin: NoMargin}
	p := randomPicture(newRand(t), 40, 24)
	req := Request{Task: task.Denoise, Noise: 5}
	m, err := OpenFor(t.Context(), cfg, &picture.Picture{W: p.W, H: p.H}, req)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if n := len(m.engine.Programs()); n != 1 {
		t.Errorf("%d programs were built", n)
	}
	got, want := restored(t, m, p, req), restored(t, sharedModel(t, 0, NoMargin), p, req)
	if !slices.Equal(got.Picture.Pix, want.Picture.Pix) {
		t.Error("the results differ")
	}
	// What the picture decides, and what is wrong, keeps no model from being opened.
	for _, req := range []Request{{Task: task.MotionDeblur}, {Task: task.Inpaint}, {Task: task.Task(99)}} {
		m, err := OpenFor(t.Context(), cfg, &picture.Picture{W: p.W, H: p.H}, req)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(m.engine.Programs()); n > 0 {
			t.Errorf("%v: %d programs were built", req.Task, n)
		}
		m.Close()
	}
}

// Values that are read ahead are read once, and again only when they are needed again.
func TestReadAhead(t *testing.T) {
	reads := 0
	l := &loadedNetwork{values: func() (map[string][]float32, error) {
		reads++
		return map[string][]float32{"a": {float32(reads)}}, nil
	}}
	l.readAhead()
	for i := range 2 {
		v, err := l.values()
		if err != nil || v["a"][0] != float32(i+1) {
			t.Errorf("call %d: %v, %v", i, v, err)
		}
	}
	if reads != 2 {
		t.Errorf("%d reads", reads)
	}
}

// The embedded networks are known without their values, which are read for the parameters.
func TestEmbeddedValuesWait(t *testing.T) {
	meta, err := weights.DefaultMeta()
	if err != nil {
		t.Skip(err) // built without weights
	}
	m, err := newModel(Config{Shared: testDev})
	if err != nil {
		t.Fatal(err)
	}
	if m.general.Params != nil || m.general.Meta[weights.KeySHA256] != meta[weights.KeySHA256] {
		t.Error("the general network was read as a whole")
	}
	for _, what := range []task.Task{task.Denoise, task.MotionDeblur, movement} {
		of, _, err := m.requireNetwork(what)
		if err != nil {
			t.Fatal(err)
		}
		nodes, values, err := of.parameters.Load()
		if err != nil {
			t.Fatal(err)
		}
		have := 0
		for _, v := range values {
			have += len(v)
		}
		if have != len(nodes) {
			t.Errorf("%v: values of %d parameters for %d", what, have, len(nodes))
		}
	}
}

// A network whose values are damaged is refused when they are read.
func TestEmbeddedDamage(t *testing.T) {
	n := tinyNetwork(t, tinyConfig(), sharedSeed)
	f, err := n.File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Config{}.useEmbedded("x.vfm", f.Meta, func() (*weights.File, error) { return f, nil })
	if err != nil {
		t.Fatal(err)
	}
	if v, err := l.values(); err != nil || len(v) != len(l.nodes) {
		t.Errorf("%d values, %v", len(v), err)
	}
	f.Tensors = f.Tensors[1:]
	if _, err := l.values(); err == nil {
		t.Error("a missing parameter was not noticed")
	}
	if _, err := (Config{}).useEmbedded("x.vfm", map[string]string{}, nil); err == nil {
		t.Error("metadata without a network were not refused")
	}
}

// What the picture decides is not prepared: Restore of a motion-blurred picture mostly denoises and
// deconvolves it, and the network with the second view is for much noise.
func TestPrepareMotion(t *testing.T) {
	for name, c := range map[string]struct {
		req  Request
		want bool
	}{
		"nothing told":  {Request{Task: task.MotionDeblur}, false},
		"little noise":  {Request{Task: task.MotionDeblur, Noise: 2}, false},
		"much noise":    {Request{Task: task.MotionDeblur, Noise: 2 * maxBlindNoise}, true},
		"kernel, noise": {Request{Task: task.MotionDeblur, Noise: 2 * maxBlindNoise, Kernel: &task.Kernel{}}, false},
	} {
		m := sharedModel(t, 0, NoMargin)
		if j, err := m.pictureJob(&picture.Picture{W: 24, H: 24}, c.req); err != nil || (j != nil) != c.want {
			t.Errorf("%s: %v, %v", name, j != nil, err)
		}
	}
	m := openTiny(t, 0)
	req := Request{Task: task.MotionDeblur}
	if err := m.PrepareFor(t.Context(), &picture.Picture{W: 24, H: 24}, req); err != nil || len(m.engine.Programs()) > 0 {
		t.Errorf("a picture: %v, %d programs", err, len(m.engine.Programs()))
	}
	if err := m.Prepare(t.Context(), 24, 24, req); err != nil || len(m.engine.Programs()) != 1 {
		t.Errorf("frames: %v, %d programs", err, len(m.engine.Programs()))
	}
}

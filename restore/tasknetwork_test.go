package restore

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// otherForm is a configuration that differs from tinyConfig in everything that the layout of a
// picture depends on.
func otherForm() nets.EdgeConfig {
	c := tinyConfig()
	c.Widths, c.Blocks, c.Gates, c.Fine = []int{16, 8, 8}, []int{1, 0}, []int{1, 0, 3}, 8
	c.Mean[5], c.SD[7] = 0.1, 0.2
	return c
}

// A specialist of any architecture does its tasks as it would alone. All other tasks are done as
// without it.
func TestSpecialists(t *testing.T) {
	rnd := newRand(t)
	general, special := tinyNetwork(t, tinyConfig(), sharedSeed), tinyNetwork(t, otherForm(), sharedSeed+1)
	special.SetTasks([]task.Task{task.SuperResolve, task.MotionDeblur})
	if want := ",,,super-resolve,,motion-deblur"; special.Meta[weights.KeyTasks] != want {
		t.Fatalf("tasks are written as %q, want %q", special.Meta[weights.KeyTasks], want)
	}
	f, err := special.File(weights.F32) // as it travels
	if err != nil {
		t.Fatal(err)
	}
	if special, err = NetworkFromFile(f); err != nil {
		t.Fatal(err)
	}
	both := open(t, Config{Network: general, Special: []*Network{special}, Margin: 8})
	defer both.Close()
	alone := open(t, Config{Network: special, Margin: 8})
	defer alone.Close()
	if !slices.Equal(both.Tasks(), task.All()) || !slices.Equal(alone.Tasks(), []task.Task{task.SuperResolve, task.MotionDeblur}) {
		t.Errorf("tasks are %v and %v", both.Tasks(), alone.Tasks())
	}
	p := randomPicture(rnd, 31, 20)
	// In turns, so that programs of both are in memory at once.
	for _, what := range []task.Task{task.SuperResolve, task.Denoise, task.MotionDeblur, task.InpaintBox, task.SuperResolve} {
		req := request(rnd, what, p)
		req.Samples, req.Steps = 1, 1+rnd.IntN(2)
		if what == task.MotionDeblur {
			req.Noise = 2 * maxBlindNoise // of less noise, denoising has its part
		}
		want := sharedModel(t, 0, 8)
		if slices.Contains(alone.Tasks(), what) {
			want = alone
		} else if _, err := alone.Restore(t.Context(), p, req); !errors.As(err, new(*UnsupportedTaskError)) {
			t.Errorf("%v: a specialist for others says %v", what, err)
		}
		a, b := restored(t, both, p, req), restored(t, want, p, req)
		if !slices.Equal(a.Picture.Pix, b.Picture.Pix) || !slices.Equal(a.Samples[0].Pix, b.Samples[0].Pix) {
			t.Errorf("%v is not what its network makes of it alone", what)
		}
	}
	s, err := both.NewStream(StreamConfig{Task: task.SuperResolve, W: p.W, H: p.H, Noise: 5, In: frame.Format{Kind: frame.Float32}, Out: frame.Format{Kind: frame.Float32}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dst := make([]byte, s.OutSize())
	if err := s.Submit(t.Context(), floats(p.Pix)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	if want := restored(t, alone, p, Request{Task: task.SuperResolve, Noise: 5}); !(apart(unfloats(dst), want.Picture.Pix) < 1e-6) {
		t.Errorf("a stream is off by %g", apart(unfloats(dst), want.Picture.Pix))
	}
}

// A device that was lost and opened again has the specialists' parameters too.
func TestSpecialistsOnANewDevice(t *testing.T) {
	rnd := newRand(t)
	special := tinyNetwork(t, tinyConfig(), sharedSeed+1)
	special.SetTasks([]task.Task{task.Denoise})
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{special}, CacheDir: "-"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p := randomPicture(rnd, 20, 20)
	req := request(rnd, task.Denoise, p)
	before := restored(t, m, p, req)
	if err := m.engine.Renew(t.Context(), m.engine.Generation()); err != nil {
		t.Fatal(err)
	}
	if after := restored(t, m, p, req); !slices.Equal(before.Picture.Pix, after.Picture.Pix) {
		t.Error("the picture is another one")
	}
}

func TestBadSpecialists(t *testing.T) {
	general := tinyNetwork(t, tinyConfig(), 1)
	blind := tinyConfig()
	blind.Guess = false
	broken, unsure := tinyNetwork(t, tinyConfig(), 1), tinyNetwork(t, tinyConfig(), 1)
	for name := range broken.Params {
		delete(broken.Params, name)
		break
	}
	unsure.Meta = map[string]string{weights.KeyTasks: ",cook"}
	for words, n := range map[string]*Network{"is missing": broken, "unknown task": unsure, "second view": tinyNetwork(t, tinyConfig(), 1)} {
		general := general
		if words == "second view" {
			general = tinyNetwork(t, blind, 1)
		}
		_, err := Open(Config{Network: general, Special: []*Network{n}, Shared: testDev})
		if !errors.As(err, new(*NetworkError)) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
}

// Every embedded specialist fits the general network, and does the tasks that its file is named
// after.
func TestEmbeddedSpecialists(t *testing.T) {
	general, _, err := Config{}.loadGeneral()
	if err != nil {
		t.Fatal(err)
	}
	list, err := Config{}.specialists(general.Network)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(weights.Specials()) {
		t.Errorf("%d specialists of %d files", len(list), len(weights.Specials()))
	}
	for _, s := range list {
		n, err := s.load()
		if err != nil {
			t.Fatal(err)
		}
		places, err := n.taskOrder()
		if err != nil || !slices.Equal(places, s.tasks[:len(places)]) || len(s.tasks) > nets.Tasks {
			t.Errorf("tasks %v, %v; want %v", places, err, s.tasks)
		}
	}
	// A file with the wrong name.
	for _, names := range weights.Specials() {
		if _, err := (Config{}).loadEmbeddedSpecialist(names, task.All(), general.Network); err == nil || !strings.Contains(err.Error(), weights.KeyTasks) {
			t.Errorf("a specialist for other tasks than its name says: %v", err)
		}
	}
}

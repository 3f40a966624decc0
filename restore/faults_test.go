package restore

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// frail opens a model with a device of its own that fails as faults say.
func frail(t *testing.T, f *gpu.Faults) (*Model, error) {
	return Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Tile: 16, Margin: NoMargin, CacheDir: "-", OnMessage: gputest.OnMessage,
		Validation: gpu.ValidationAvailable(), faults: f})
}

// If a device is lost in any submission, it is opened again, and the picture is the same. If it is
// lost every time, that is an error.
func TestLostAtEverySubmit(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 60, 20)
	req := request(rnd, task.Denoise, p)
	req.Samples = 1
	r := restored(t, sharedModel(t, 16, NoMargin), p, req)
	var f gpu.Faults
	m, err := frail(t, &f)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	lost := 0
	for at := int64(1); ; at++ {
		f.Lose.Store(at)
		got := restored(t, m, p, req)
		if apart(got.Picture.Pix, r.Picture.Pix) > 1e-5 || apart(got.Samples[0].Pix, r.Samples[0].Pix) > 1e-5 {
			t.Fatalf("lost at run %d: another picture", at)
		}
		if f.Lose.Load() > 0 {
			break // there are no more runs
		}
		lost++
	}
	t.Logf("lost at each of %d runs", lost)
	if lost < 5 {
		t.Errorf("only %d runs", lost)
	}

	// A stream survives too.
	f32 := frame.Format{Kind: frame.Float32}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 24, H: 24, In: f32, Out: f32})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f.Lose.Store(1)
	if err := s.Submit(context.Background(), make([]byte, s.InSize())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(context.Background(), make([]byte, s.OutSize())); err != nil || f.Lose.Load() > 0 {
		t.Errorf("a stream whose device is lost: %v", err)
	}

	// It is lost every time.
	f.Lose.Store(-1)
	var gone *gpu.DeviceLostError
	if _, err = m.Restore(context.Background(), p, req); !errors.As(err, &gone) {
		t.Errorf("a device that is always lost gives %v", err)
	}
	f.Lose.Store(0)
	restored(t, m, p, req) // and afterwards all is well
}

// If any allocation fails, the tiles are smaller and the picture is the same. Opening needs none.
func TestNoMemoryAtEveryAllocation(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 100, 40)
	req := request(rnd, task.GaussianDeblur, p)
	want := restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix
	worked := 0
	for at := int64(1); ; at++ {
		var f gpu.Faults
		f.Memory.Store(at)
		m, err := frail(t, &f)
		if err != nil {
			t.Fatalf("allocation %d while opening: %v", at, err)
		}
		m.cfg.Tile = 0
		got, err := m.Restore(context.Background(), p, req)
		if err != nil {
			t.Fatalf("allocation %d: %v", at, err)
		}
		if d := apart(got.Picture.Pix, want); !(d < 1e-5) {
			t.Fatalf("allocation %d: off by %g", at, d)
		}
		m.Close()
		if f.Memory.Load() > 0 {
			break
		}
		worked++
	}
	t.Logf("refused at %d allocations", worked)
	if worked < 2 {
		t.Errorf("only %d allocations", worked)
	}
}

// resident is the memory of the process, in pages.
func resident(t *testing.T) float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm here")
	}
	v, err := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A thousand pictures do not take more memory than a few hundred.
func TestMemoryStaysFlat(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 60, 50)
	req := request(rnd, task.Denoise, p)
	req.Samples = 1
	var before float64
	for i := range 1000 {
		if i == 300 {
			runtime.GC()
			before = resident(t)
		}
		if _, err := m.Restore(context.Background(), p, req); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	if after := resident(t); after > 1.05*before {
		t.Errorf("%.0f pages after 300 pictures, %.0f after 1000", before, after)
	}
}

// Programs of more and more sizes do not take more memory either, after the old ones are freed: a
// folder may hold pictures of any size.
func TestManySizesStayFlat(t *testing.T) {
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), 1), CacheDir: "-", Margin: NoMargin})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rnd := newRand(t)
	var most [3]float64
	for i := range 12 {
		dropAll(t, m)
		p := randomPicture(rnd, 1025+64*i, 64)
		if _, err := m.Restore(context.Background(), p, Request{Task: task.Denoise, Noise: 5}); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		most[i/4] = max(most[i/4], resident(t))
	}
	t.Logf("at most %.0f pages for four sizes, then %.0f, then %.0f", most[0], most[1], most[2])
	if most[2] > 1.15*most[0] {
		t.Error("memory grows")
	}
}

// 64 goroutines use one Model, with requests of every kind. `make race` runs this with -race.
func TestManyGoroutines(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 40, 24)
	var reqs []Request
	var want [][]float32
	for _, what := range task.All() {
		reqs = append(reqs, request(rnd, what, p))
		want = append(want, restored(t, m, p, reqs[len(reqs)-1]).Picture.Pix)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for k := range 3 {
				j := (i + k) % len(reqs)
				r, err := m.Restore(context.Background(), p, reqs[j])
				if err != nil {
					t.Error(err)
				} else if d := apart(r.Picture.Pix, want[j]); d != 0 {
					t.Errorf("%v: off by %g", reqs[j].Task, d)
				}
			}
		})
	}
	wg.Wait()
}

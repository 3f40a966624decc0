package restore

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
)

// TestCancel stops after the first tile, and before it.
func TestCancel(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 16, NoMargin)
	p := randomPicture(rnd, 130, 70)
	req := request(rnd, task.Denoise, p)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	req.Progress = func(done, total int) {
		if calls++; done != calls || total < 20 {
			t.Errorf("progress %d of %d in call %d", done, total, calls)
		}
		cancel()
	}
	if r, err := m.Restore(ctx, p, req); !errors.Is(err, context.Canceled) || r != nil || calls != 1 {
		t.Errorf("cancelled in the first tile: %v, result %v, after %d tiles", err, r, calls)
	}
	if _, err := m.Restore(ctx, p, req); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("cancelled before: %v, after %d tiles", err, calls)
	}
	// While another caller has the device.
	release, err := m.engine.Hold(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	impatient := &cancelledInWait{}
	impatient.Context, impatient.cancel = context.WithCancel(context.Background())
	if _, err := m.Restore(impatient, p, req); !errors.Is(err, context.Canceled) || !impatient.waited {
		t.Errorf("waiting for the device: %v, waited %v", err, impatient.waited)
	}
	release()
	req.Progress = nil
	restored(t, m, p, req) // and the model still works
}

// cancelledInWait is a context that is cancelled as soon as somebody waits for it.
type cancelledInWait struct {
	context.Context
	cancel func()
	waited bool
}

func (c *cancelledInWait) Done() <-chan struct{} {
	c.waited = true
	c.cancel()
	return c.Context.Done()
}

func TestConcurrentUse(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 48, NoMargin)
	type work struct {
		req  Request
		want []float32
	}
	var works []work
	pic := randomPicture(rnd, 90, 33)
	for _, what := range []task.Task{task.Denoise, task.InpaintBox, task.GaussianDeblur} {
		req := request(rnd, what, pic)
		req.Samples = 1
		r := restored(t, m, pic, req)
		works = append(works, work{req: req, want: slices.Concat(r.Picture.Pix, r.Samples[0].Pix)})
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			w := works[i%len(works)]
			r, err := m.Restore(context.Background(), pic, w.req)
			if err != nil {
				t.Error(err)
			} else if !slices.Equal(slices.Concat(r.Picture.Pix, r.Samples[0].Pix), w.want) {
				t.Errorf("%v: another picture than alone", w.req.Task)
			}
			if !strings.Contains(m.Info(), testDev.Info().Name) {
				t.Errorf("Info %q", m.Info())
			}
		})
	}
	wg.Wait()
}

// TestClose closes while pictures are being restored, on a device of the model's own.
func TestClose(t *testing.T) {
	rnd := newRand(t)
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), 1), Tile: 16, Margin: NoMargin, CacheDir: "-", OnMessage: gputest.OnMessage,
		Validation: gpu.ValidationAvailable()})
	if err != nil {
		t.Fatal(err)
	}
	p := randomPicture(rnd, 200, 100)
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 2 {
		req := request(rnd, task.Denoise, p)
		req.Samples = 1000
		req.Progress = func(int, int) {
			select {
			case started <- struct{}{}:
			default:
			}
		}
		wg.Go(func() {
			if _, err := m.Restore(context.Background(), p, req); !errors.Is(err, ErrClosed) {
				t.Errorf("Restore while the model is closed: %v", err)
			}
		})
	}
	for range 4 {
		<-started
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if _, err := m.Restore(context.Background(), p, request(rnd, task.Denoise, p)); !errors.Is(err, ErrClosed) {
		t.Errorf("Restore after Close: %v", err)
	}
	if m.Info() == "" {
		t.Error("no Info after Close")
	}
}

// TestOutOfMemory uses a device that allows small tiles only, then none.
func TestOutOfMemory(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 130, 70)
	req := request(rnd, task.Denoise, p)
	want := restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix
	m := variant(t, sharedModel(t, 48, NoMargin))
	limit, refused := 80*80, 0
	compiled := m.engine.Build
	m.engine.Build = func(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
		if s := outs[0].Shape; 16*s[1]*s[2] > limit && s[1] != 3 {
			refused++
			return nil, &gpu.OutOfMemoryError{Size: 1 << 40, Available: -1}
		}
		return compiled(store, g, outs, opt)
	}
	last, all := 0, 0
	req.Progress = func(done, total int) { last, all = done, total }
	if d := apart(restored(t, m, p, req).Picture.Pix, want); !(d < 5e-5) || refused == 0 || last != all {
		t.Errorf("after %d refusals the picture differs by %g; %d of %d tiles", refused, d, last, all)
	}
	dropAll(t, m)
	limit = 0
	var oom *gpu.OutOfMemoryError
	if _, err := m.Restore(context.Background(), p, req); !errors.As(err, &oom) {
		t.Errorf("no memory at all: %v", err)
	}
}

// For large pictures, motionblur's programs that run once are freed. The next picture builds them
// again.
func TestDropShort(t *testing.T) {
	m := variant(t, sharedModel(t, 0, NoMargin))
	rnd := newRand(t)
	p := randomPicture(rnd, 70, 60)
	req := request(rnd, task.MotionDeblur, p)
	req.Noise = 2 * maxBlindNoise // so that the spectrum is looked at
	want := restored(t, m, p, req).Picture.Pix
	before := len(m.engine.Programs())
	if err := m.dropMotionBlurPrograms(t.Context()); err != nil {
		t.Fatal(err)
	}
	if freed := before - len(m.engine.Programs()); freed != 3 {
		t.Errorf("%d of %d programs were freed, not those for spectrum, comparison and network", freed, before)
	}
	for _, x := range m.engine.Programs() {
		if e := x.Recipe.(recipe); e.program == programMotionBlur && e.motionBlur.Kind != motionblur.Filter {
			t.Errorf("%q is still there", e.motionBlur.Kind)
		}
	}
	if got := restored(t, m, p, req).Picture.Pix; !slices.Equal(got, want) {
		t.Error("afterwards the result is another")
	}
}

// TestMemoryEstimate compares the estimate with what programs take.
func TestMemoryEstimate(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(newRand(t), 10, 10)
	restored(t, m, p, Request{Task: task.Denoise, Samples: 1, Temperature: 1})
	for _, x := range m.engine.Programs() {
		e := x.Recipe.(recipe)
		if e.program == programMotionBlur {
			if x.Program.WorkBytes() > e.motionBlur.Bytes() {
				t.Errorf("%v: %d bytes, estimated as %d", e.motionBlur, x.Program.WorkBytes(), e.motionBlur.Bytes())
			}
			continue
		}
		actual := float64(x.Program.WorkBytes()) / float64(e.w*e.h)
		t.Logf("%s %d×%d: %.1f bytes per pixel, at most %d expected", e.program, e.w, e.h, actual, workPerPixel(m.general.Config))
		if actual > float64(workPerPixel(m.general.Config)) || actual < 4 {
			t.Errorf("%s: %g bytes per pixel, estimated as %d", e.program, actual, workPerPixel(m.general.Config))
		}
	}
	til := m.tiling(m.general, m.general.halo, math.MaxInt)
	if int64(til.MaxPixels)*bytesPerPixel(m.general.Config) > testDev.Info().Caps.HeapBudget/2 || til.MaxPixels < 1<<16 {
		t.Errorf("tiles of %d pixels", til.MaxPixels)
	}
}

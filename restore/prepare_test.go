package restore

import (
	"context"
	"errors"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

func openTiny(t *testing.T, tile int) *Model {
	m := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Tile: tile})
	t.Cleanup(func() { m.Close() })
	return m
}

// Prepare builds exactly the programs that Restore then uses.
func TestPrepare(t *testing.T) {
	for name, c := range map[string]struct {
		w, h int
		tile int
		req  Request
	}{
		"one tile":  {w: 40, h: 50, req: Request{Task: task.Denoise, Noise: 5}},
		"a sample":  {w: 40, h: 50, req: Request{Task: task.Denoise, Noise: 5, Samples: 1, Temperature: 1}},
		"enlarged":  {w: 20, h: 12, req: Request{Task: task.SuperResolve, Noise: 5}},
		"two steps": {w: 40, h: 50, req: Request{Task: task.Denoise, Noise: 5, Steps: 2}},
		"tiles":     {w: 130, h: 70, tile: 32, req: Request{Task: task.GaussianDeblur, Noise: 5, Blur: &TrainedBlur}},
		"a shake":   {w: 60, h: 60, req: Request{Task: task.MotionDeblur, Noise: 2 * maxBlindNoise}},
	} {
		t.Run(name, func(t *testing.T) {
			m := openTiny(t, c.tile)
			if err := m.Prepare(context.Background(), c.w, c.h, c.req); err != nil {
				t.Fatal(err)
			}
			built := map[recipe]bool{}
			for _, p := range m.engine.Programs() {
				built[p.Recipe.(recipe)] = true
			}
			if len(built) == 0 {
				t.Error("nothing was built")
			}
			if _, err := m.Restore(context.Background(), randomPicture(newRand(t), c.w, c.h), c.req); err != nil {
				t.Fatal(err)
			}
			for _, x := range m.engine.Programs() {
				p := x.Recipe.(recipe)
				if !built[p] && p.program != programMotionBlur && p.program != programDraw && (p.program != programFlow || c.req.Samples == 0) {
					t.Errorf("%s of %d×%d was built after all", p.program, p.w, p.h)
				}
				delete(built, p)
			}
			for r := range built {
				t.Errorf("%s of %d×%d was built in vain", r.program, r.w, r.h)
			}
		})
	}
	m := openTiny(t, 0)
	bad := func(want any, w, h int, req Request) {
		t.Helper()
		if err := m.Prepare(context.Background(), w, h, req); err == nil || !errors.As(err, want) {
			t.Errorf("%d×%d, %+v: %v", w, h, req, err)
		}
	}
	var request *RequestError
	var unknown *task.UnknownTaskError
	bad(&request, 0, 5, Request{Task: task.Denoise})
	bad(&request, 5, 5, Request{Task: task.Denoise, Steps: -1, Times: []float64{0, 1}})
	bad(&unknown, 5, 5, Request{Task: task.Task(99)})
	if err := m.Prepare(context.Background(), 40, 40, Request{Task: task.Inpaint}); err != nil || len(m.engine.Programs()) > 0 {
		t.Errorf("inpainting: %v, %d programs", err, len(m.engine.Programs()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Prepare(ctx, 40, 40, Request{Task: task.Denoise}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	m.Close()
	if err := m.Prepare(context.Background(), 40, 40, Request{Task: task.Denoise}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

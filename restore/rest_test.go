package restore

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// With a pace of a quarter, the time from the first run to the end of the last is at least four
// times that of all runs but the last, however busy the machine is. The pictures are the same, and
// no frame allocates.
func TestPaceOfRuns(t *testing.T) {
	rnd := newRand(t)
	whole := sharedModel(t, 0, NoMargin)
	m := variantOf(t, whole, 0.25)
	p := randomPicture(rnd, 60, 40)
	req := request(rnd, task.Denoise, p)
	want := restored(t, whole, p, req)
	restored(t, m, p, req) // builds
	built := m.engine.Busy()
	began, last := time.Now(), time.Duration(0)
	for range 4 {
		before := m.engine.Busy()
		got := restored(t, m, p, req)
		last = m.engine.Busy() - before
		if apart(got.Picture.Pix, want.Picture.Pix) > 1e-6 {
			t.Error("another picture")
		}
	}
	if wall, busy := time.Since(began), m.engine.Busy()-built-last; busy <= 0 || wall < 4*busy {
		t.Errorf("%v of runs in %v, for a share of a quarter", busy, wall)
	}
	f := frame.Format{Kind: frame.NV12}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 32, H: 32, In: f, Out: f})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, s.InSize())
	once := func() {
		if err := s.Submit(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(context.Background(), data); err != nil {
			t.Fatal(err)
		}
	}
	once()
	if n := testing.AllocsPerRun(5, once); n > 0 {
		t.Errorf("%g allocations per frame", n)
	}
	for _, pace := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		var bad *ConfigError
		if _, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Pace: pace}); !errors.As(err, &bad) || bad.Field != "Pace" {
			t.Errorf("a pace of %g: %v", pace, err)
		}
	}
}

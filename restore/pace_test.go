package restore

import (
	"context"
	"testing"
	"time"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// On a device that is too slow for a tile as large as the picture, later pictures are done in
// smaller tiles, with the same result.
func TestSlowDevice(t *testing.T) {
	rnd := newRand(t)
	m := variant(t, sharedModel(t, 0, NoMargin))
	p := randomPicture(rnd, 250, 130)
	req := request(rnd, task.Denoise, p)
	tiles := func() (n int) {
		r := req
		r.Progress = func(_, total int) { n = total }
		got := restored(t, m, p, r)
		if want := restored(t, sharedModel(t, 0, NoMargin), p, req); apart(got.Picture.Pix, want.Picture.Pix) > 1e-5 {
			t.Fatal("another picture")
		}
		return n
	}
	if n := tiles(); n != 1 {
		t.Fatalf("%d tiles at first", n)
	}
	m.engine.Pace.Force(time.Nanosecond, 0, 0)
	tiles()
	tiles() // the second slow run
	n := tiles()
	if n < 2 {
		t.Fatalf("still %d tiles on a device that is too slow", n)
	}
	t.Logf("%d tiles of at most %d pixels", n, m.engine.Pace.Most())

	// A stream changes to tiles too.
	f32 := frame.Format{Kind: frame.Float32}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 24, H: 24, In: f32, Out: f32})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 4 {
		if err := s.Submit(context.Background(), make([]byte, s.InSize())); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(context.Background(), make([]byte, s.OutSize())); err != nil {
			t.Fatal(err)
		}
	}
	if s.format.Load().frames.job != nil {
		t.Error("the stream still takes whole frames")
	}
}

// A device that may be slow gets small tiles at first. After it has shown its speed, a stream does
// whole frames, and allocates nothing.
func TestStreamAfterTheFirstTile(t *testing.T) {
	rnd := newRand(t)
	m := variant(t, sharedModel(t, 0, NoMargin))
	m.engine.Pace.Force(time.Hour, 80*80, 0) // an hour: however busy the machine is
	f32 := frame.Format{Kind: frame.Float32}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 128, H: 64, In: f32, Out: f32})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.format.Load().frames.job != nil {
		t.Fatal("the first frame is a single tile")
	}
	p := randomPicture(rnd, 128, 64)
	want := restored(t, sharedModel(t, 0, NoMargin), p, Request{Task: task.Denoise, Noise: 5}).Picture.Pix
	src, dst := floats(p.Pix), make([]byte, s.OutSize())
	once := func() {
		if err := s.Submit(context.Background(), src); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(context.Background(), dst); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if once(); !(apart(unfloats(dst), want) < 1e-5) {
			t.Errorf("frame %d is off by %g", i, apart(unfloats(dst), want))
		}
	}
	if s.format.Load().frames.job == nil {
		t.Fatal("the stream does not take whole frames though the device has shown that it can")
	}
	if n := testing.AllocsPerRun(20, once); n > 0 {
		t.Errorf("%g allocations per frame", n)
	}
}

func TestTimeout(t *testing.T) {
	for give, want := range map[time.Duration]time.Duration{0: defaultTimeout, -1: 0, time.Second: time.Second} {
		if got := (Config{Timeout: give}).timeout(); got != want {
			t.Errorf("timeout %v counts as %v, want %v", give, got, want)
		}
	}
	// If no run can keep the time limit, the device counts as lost. It is opened again once, and
	// then the caller gets the error.
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), CacheDir: "-", Timeout: time.Nanosecond})
	if err == nil { // else the weights went to the device by a run
		defer m.Close()
		rnd := newRand(t)
		p := randomPicture(rnd, 700, 500) // the device goes on with it for a while: nothing that it uses may be freed
		_, err = m.Restore(context.Background(), p, request(rnd, task.Denoise, p))
	}
	if !engine.IsLost(err) {
		t.Errorf("a run within a nanosecond: %v", err)
	}
}

package restore

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

func TestPace(t *testing.T) {
	p := newPace(gpu.Discrete)
	if p.most() != math.MaxInt {
		t.Errorf("a discrete GPU begins with %d pixels", p.most())
	}
	// 0.1 of 4 s is twice the limit: half the pixels, once it has happened twice.
	p.note(1000, 0.1, 4*time.Second)
	if p.most() != math.MaxInt {
		t.Error("one slow run counts")
	}
	p.note(1000, 0.1, time.Second) // a fast one between
	p.note(1000, 0.1, 4*time.Second)
	if p.most() != math.MaxInt || !p.allows(1000) {
		t.Error("slow runs count that do not follow each other")
	}
	p.note(1000, 0.1, 4*time.Second)
	if p.most() != 500 || p.allows(501) || !p.allows(500) {
		t.Errorf("after two slow runs tiles may have %d pixels, want 500", p.most())
	}
	for range 10 { // never larger again: every size costs programs of its own
		p.note(500, 0.1, time.Second)
	}
	if p.most() != 500 {
		t.Errorf("grown to %d", p.most())
	}
	for _, d := range []gpu.DeviceType{gpu.Integrated, gpu.Virtual, gpu.Other} {
		p := newPace(d)
		if p.most() != firstPixels || !p.allows(1<<30) {
			t.Errorf("%v: the first tile may have %d pixels", d, p.most())
		}
		if p.note(firstPixels, 0.1, time.Millisecond); p.most() != math.MaxInt {
			t.Errorf("%v: fast, yet %d pixels", d, p.most())
		}
	}
}

// On a device that is too slow for a tile as large as the picture, later pictures are done in smaller ones, and are the same.
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
	m.pace.limit = time.Nanosecond
	tiles()
	tiles() // the second slow run
	n := tiles()
	if n < 2 {
		t.Fatalf("still %d tiles on a device that is too slow", n)
	}
	t.Logf("%d tiles of at most %d pixels", n, m.pace.most())

	// A stream goes over to tiles as well.
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
	if s.format.Load().eng.job != nil {
		t.Error("the stream still takes whole frames")
	}
}

// A device that may be slow gets small tiles at first. Once it has shown that it is not, a stream takes whole frames, and allocates nothing any more.
func TestStreamAfterTheFirstTile(t *testing.T) {
	rnd := newRand(t)
	m := variant(t, sharedModel(t, 0, NoMargin))
	m.pace = newPace(gpu.Integrated)
	m.pace.limit = time.Hour // however busy the machine is
	m.pace.first = 80 * 80
	f32 := frame.Format{Kind: frame.Float32}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 128, H: 64, In: f32, Out: f32})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.format.Load().eng.job != nil {
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
	if s.format.Load().eng.job == nil {
		t.Fatal("the stream does not take whole frames though the device has shown that it can")
	}
	if n := testing.AllocsPerRun(20, once); n > 0 {
		t.Errorf("%g allocations per frame", n)
	}
}

func TestTimeout(t *testing.T) {
	for give, want := range map[time.Duration]time.Duration{0: hungAfter, -1: 0, time.Second: time.Second} {
		if got := (Config{Timeout: give}).timeout(); got != want {
			t.Errorf("timeout %v counts as %v, want %v", give, got, want)
		}
	}
	// A limit that no run can keep is a lost device, opened again once, and then the caller's to know.
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), CacheDir: "-", Timeout: time.Nanosecond})
	if err == nil { // else the weights went to the device by a run
		defer m.Close()
		rnd := newRand(t)
		p := randomPicture(rnd, 700, 500) // the device goes on with it for a while: nothing that it uses may be freed
		_, err = m.Restore(context.Background(), p, request(rnd, task.Denoise, p))
	}
	if !isLost(err) {
		t.Errorf("a run within a nanosecond: %v", err)
	}
}

package restore

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// While the device is busy, new frames replace the oldest waiting ones, and SubmitFrame returns
// which.
func TestStreamDropsOldest(t *testing.T) {
	m := variant(t, sharedModel(t, 0, NoMargin))
	ctx := context.Background()
	f := frame.Format{Kind: frame.RGB}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 24, H: 16, In: f, Out: f, InFlight: 3, DropOldest: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, s.InSize())
	submit := func(i int) FrameInfo {
		d, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{{Data: data}}, Timestamp: int64(100 + i), Cookie: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	release, err := m.engine.Hold(ctx)
	if err != nil { // the device is somebody else's
		t.Fatal(err)
	}
	submit(0)
	for len(s.queue) > 0 { // until the worker has it
		runtime.Gosched()
	}
	for i := 1; i <= 2; i++ {
		if d := submit(i); d.Index != -1 {
			t.Errorf("frame %d dropped %+v", i, d)
		}
	}
	for i := 3; i <= 7; i++ {
		if d := submit(i); d.Index != int64(i-2) || d.Cookie != uint64(i-2) || d.Timestamp != int64(100+i-2) {
			t.Errorf("frame %d dropped %+v, want %d", i, d, i-2)
		}
	}
	if d, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{{Data: data[1:]}}}); err == nil || d.Index != -1 { // no frame is dropped for a bad one
		t.Errorf("a frame that does not fit dropped %+v, %v", d, err)
	}
	release()
	s.End()
	dst := make([]byte, s.OutSize())
	for _, want := range []int64{0, 6, 7} {
		if info, err := s.Receive(ctx, dst); err != nil || info.Index != want || info.Cookie != uint64(want) {
			t.Errorf("got %+v, %v, want frame %d", info, err, want)
		}
	}
	if _, err := s.Receive(ctx, dst); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if _, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{{Data: data}}}); err != ErrEnded {
		t.Errorf("after the end: %v", err)
	}
	if l := s.Latency(); l.Dropped != 5 || l.Frames != 3 {
		t.Errorf("latency %+v", l)
	}
	if _, err := m.NewStream(StreamConfig{Task: task.Denoise, W: 24, H: 16, InFlight: 1, DropOldest: true}); err == nil || !strings.Contains(err.Error(), "flight") {
		t.Errorf("dropping with one frame in flight: %v", err)
	}
}

// Frames of another size follow without a new stream. Those on their way keep their size, and the
// estimate of the noise goes on.
func TestStreamResize(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	f := frame.Format{Kind: frame.Float32}
	for _, what := range []task.Task{task.Denoise, task.SuperResolve, task.InpaintRandom} {
		first := randomPicture(rnd, 31, 18)
		req := request(rnd, what, first)
		s, err := m.NewStream(StreamConfig{Task: what, Mask: req.Mask, Noise: req.Noise, W: first.W, H: first.H, In: f, Out: f})
		if err != nil {
			t.Fatal(err)
		}
		second := randomPicture(rnd, 44, 40)
		next := request(rnd, what, second)
		next.Noise = req.Noise
		if err := s.Submit(ctx, floats(first.Pix)); err != nil {
			t.Fatal(err)
		}
		if err := s.Resize(second.W, second.H, next.Mask); err != nil {
			t.Fatal(err)
		}
		if err := s.Submit(ctx, floats(first.Pix)); err == nil {
			t.Error("a frame of the size before is taken")
		}
		if err := s.Submit(ctx, floats(second.Pix)); err != nil {
			t.Fatal(err)
		}
		scale := what.Scale()
		var bad *RequestError
		if info, err := s.Receive(ctx, make([]byte, s.OutSize())); !errors.As(err, &bad) || info.W != scale*first.W || info.H != scale*first.H {
			t.Errorf("a frame of the size before, to room for the next: %+v, %v", info, err)
		}
		for i, p := range []*Result{restored(t, m, first, req), restored(t, m, second, next)} {
			info, err := s.Next(ctx)
			if err != nil || info.W != p.Picture.W || info.H != p.Picture.H || info.Index != int64(i) {
				t.Fatalf("next: %+v, %v", info, err)
			}
			dst := make([]byte, 12*info.W*info.H)
			if info, err = s.Receive(ctx, dst); err != nil || info.Index != int64(i) {
				t.Fatal(info, err)
			}
			if d := apart(unfloats(dst), p.Picture.Pix); !(d < 1e-6) {
				t.Errorf("%v: frame %d is off by %g", what, i, d)
			}
		}
		if err := s.Resize(0, 5, nil); err == nil {
			t.Error("a width of 0 is taken")
		}
		if what.Masked() && s.Resize(20, 20, next.Mask) == nil {
			t.Error("a mask of another size is taken")
		}
		if err := s.Submit(ctx, floats(second.Pix)); err != nil {
			t.Errorf("after a size that was refused: %v", err)
		}
		s.Close()
		if err := s.Resize(20, 20, nil); err != ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	}

	// A level of 12 that took many frames to estimate is kept.
	const side = 96
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, W: side, H: side, In: f, Out: f})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	level := func(w, h int, noise float64) float64 {
		pix := make([]float32, 3*w*h)
		for i := range pix {
			pix[i] = float32(noise / 127.5 * rnd.NormFloat64())
		}
		if err := s.Submit(ctx, floats(pix)); err != nil {
			t.Fatal(err)
		}
		info, err := s.Receive(ctx, make([]byte, s.OutSize()))
		if err != nil {
			t.Fatal(err)
		}
		return info.Noise
	}
	before := level(side, side, 12)
	if err := s.Resize(80, 100, nil); err != nil {
		t.Fatal(err)
	}
	if after := level(80, 100, 2); math.Abs(after-before) > 0.25*before {
		t.Errorf("a level of %g became %g with the size", before, after)
	}
}

// A frame's own mask is used for that frame only.
func TestStreamMaskPerFrame(t *testing.T) {
	rnd := newRand(t)
	ctx := context.Background()
	f := frame.Format{Kind: frame.Float32}
	for _, tile := range []int{0, 16} {
		m := sharedModel(t, tile, NoMargin)
		p := randomPicture(rnd, 36, 28)
		req := request(rnd, task.InpaintRandom, p)
		other := request(rnd, task.InpaintRandom, p)
		other.Noise = req.Noise
		s, err := m.NewStream(StreamConfig{Task: task.InpaintRandom, Mask: req.Mask, Noise: req.Noise, W: p.W, H: p.H, In: f, Out: f})
		if err != nil {
			t.Fatal(err)
		}
		planes := f.Contiguous(floats(p.Pix), p.W, p.H)
		dst := make([]byte, s.OutSize())
		for i, r := range []Request{req, other, other, req} {
			given := Frame{Planes: planes, Mask: r.Mask}
			if i == 3 {
				given.Mask = nil
			}
			if _, err := s.SubmitFrame(ctx, given); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Receive(ctx, dst); err != nil {
				t.Fatal(err)
			}
			if d := apart(unfloats(dst), restored(t, m, p, r).Picture.Pix); !(d < 1e-5) {
				t.Errorf("tiles of %d: frame %d is off by %g", tile, i, d)
			}
		}
		var bad *RequestError
		all := make([]bool, p.W*p.H)
		for i := range all {
			all[i] = true
		}
		for _, mask := range [][]bool{make([]bool, 5), all} {
			if _, err := s.SubmitFrame(ctx, Frame{Planes: planes, Mask: mask}); !errors.As(err, &bad) || bad.Field != "mask" {
				t.Errorf("a bad mask: %v", err)
			}
		}
		s.Close()
	}
}

func TestStreamPlanesRefused(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	f := frame.Format{Kind: frame.NV12}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 5, W: 20, H: 10, In: f, Out: f})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var bad *RequestError
	data := make([]byte, s.InSize())
	good := f.Contiguous(data, 20, 10)
	short := good
	short[1].Data = short[1].Data[1:]
	mask := make([]bool, 200)
	for name, given := range map[string]Frame{"none": {}, "short": {Planes: short}, "mask": {Planes: good, Mask: mask}} {
		if _, err := s.SubmitFrame(ctx, given); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 5 { // no slot was lost
		if _, err := s.SubmitFrame(ctx, Frame{Planes: good}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ReceiveFrame(ctx, short); !errors.As(err, &bad) {
			t.Errorf("to planes that are too short: %v", err)
		}
		if info, err := s.ReceiveFrame(ctx, good); err != nil || info.Index != int64(i) {
			t.Errorf("then to good ones: %+v, %v", info, err)
		}
	}
}

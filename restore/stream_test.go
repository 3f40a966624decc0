package restore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/restore/temporal"
)

// floats returns a frame of Float32.
func floats(pix []float32) []byte {
	b := make([]byte, 4*len(pix))
	for i, v := range pix {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return b
}

func unfloats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// A Stream gives the same as Restore, for every task, in order, and then ends.
func TestStreamEqualsRestore(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	for _, what := range task.All() {
		p := randomPicture(rnd, 45, 30)
		req := request(rnd, what, p)
		if what == task.MotionDeblur {
			req.Noise = 2 * maxBlindNoise // of less noise, Restore looks for edges, which streams do not
		}
		s, err := m.NewStream(StreamConfig{Task: what, Mask: req.Mask, Noise: req.Noise, W: p.W, H: p.H,
			In: frame.Format{Kind: frame.Float32}, Out: frame.Format{Kind: frame.Float32}, InFlight: 2})
		if err != nil {
			t.Fatal(err)
		}
		var want [][]float32
		got := make(chan error)
		go func() {
			defer close(got)
			dst := make([]byte, s.OutSize())
			for i := 0; ; i++ {
				for j := range dst {
					dst[j] = 0xff // NaN
				}
				info, err := s.Receive(ctx, dst)
				if err == nil && (info.Index != int64(i) || info.Latency <= 0 || info.Noise != req.Noise) {
					t.Errorf("%v: frame %d came as %+v", what, i, info)
				}
				if err == nil && !(apart(unfloats(dst), want[i]) < 1e-6) {
					t.Errorf("%v: frame %d is off by %g", what, i, apart(unfloats(dst), want[i]))
				}
				got <- err
				if err != nil {
					return
				}
			}
		}()
		for range 4 {
			p := randomPicture(rnd, p.W, p.H)
			want = append(want, restored(t, m, p, req).Picture.Pix)
			if err := s.Submit(ctx, floats(p.Pix)); err != nil {
				t.Fatal(err)
			}
			if err := <-got; err != nil {
				t.Fatal(err)
			}
		}
		s.End()
		if err := <-got; err != io.EOF {
			t.Errorf("%v: after the end: %v", what, err)
		}
		if err := s.Submit(ctx, floats(p.Pix)); err != ErrEnded {
			t.Errorf("%v: a frame after the end: %v", what, err)
		}
		l := s.Latency()
		if l.Frames != 4 || l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max {
			t.Errorf("%v: latency %+v", what, l)
		}
		s.Close()
	}
}

// In the steady state no frame allocates memory, in any format.
func TestStreamDoesNotAllocate(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	type one struct {
		what task.Task
		f    frame.Format
	}
	var all []one
	for _, f := range cameraFormats() {
		all = append(all, one{task.Denoise, f})
	}
	for _, what := range append(task.All(), task.Inpaint) {
		all = append(all, one{what, frame.Format{Kind: frame.Float32}})
	}
	for _, c := range all {
		f := c.f
		cfg := StreamConfig{Task: c.what, W: 40, H: 34, In: f, Out: f}
		if c.what == task.Denoise {
			cfg.W, cfg.H = 100, 98 // many windows to estimate the noise in
		}
		if c.what.Masked() {
			cfg.Noise = 5
			cfg.Mask = make([]bool, cfg.W*cfg.H)
			for i := range cfg.Mask {
				cfg.Mask[i] = rnd.IntN(3) == 0
			}
		}
		s, err := m.NewStream(cfg)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := make([]byte, s.InSize()), make([]byte, s.OutSize())
		src = randomBytes(rnd, f, len(src))
		from, to := gaps(f, src, cfg.W, cfg.H, 0), f.Contiguous(dst, c.what.Scale()*cfg.W, c.what.Scale()*cfg.H)
		once := func() {
			if err := s.Submit(ctx, src); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Receive(ctx, dst); err != nil {
				t.Fatal(err)
			}
			if _, err := s.SubmitFrame(ctx, Frame{Planes: from, Cookie: 7}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ReceiveFrame(ctx, to); err != nil {
				t.Fatal(err)
			}
		}
		once()
		if n := testing.AllocsPerRun(5, once); n > 0 {
			t.Errorf("%v, %+v: %g allocations per frame", c.what, f, n)
		}
		if f.HasAlpha() {
			for i := 3; i < len(src); i += 4 {
				if src[i] != dst[i] {
					t.Fatalf("alpha at %d is %d, was %d", i, dst[i], src[i])
				}
			}
		}
		s.Close()
	}
}

// The estimate of the noise follows the frames slowly.
func TestStreamSmoothsNoise(t *testing.T) {
	const side = 128
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	f := frame.Format{Kind: frame.Float32}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, W: side, H: side, In: f, Out: f, InFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dst := make([]byte, s.OutSize())
	level := func(noise float64) float64 {
		pix := make([]float32, 3*side*side)
		for i := range pix {
			pix[i] = float32(noise / 127.5 * rnd.NormFloat64())
		}
		if err := s.Submit(context.Background(), floats(pix)); err != nil {
			t.Fatal(err)
		}
		info, err := s.Receive(context.Background(), dst)
		if err != nil {
			t.Fatal(err)
		}
		return info.Noise
	}
	if v := level(4); v < 3 || v > 5 {
		t.Errorf("first estimate %g, want 4", v)
	}
	if v := level(12); v < 4 || v > 6 {
		t.Errorf("estimate %g after one frame of 12", v)
	}
	v := 0.0
	for range 40 {
		v = level(12)
	}
	if v < 10.5 || v > 13.5 {
		t.Errorf("estimate %g after many frames of 12", v)
	}
}

func TestStreamMisuse(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	ok := StreamConfig{Task: task.Denoise, Noise: 5, W: 20, H: 10}
	for words, change := range map[string]func(c *StreamConfig){
		"flight":     func(c *StreamConfig) { c.InFlight = 65 },
		"task":       func(c *StreamConfig) { c.Task = 99 },
		"mask":       func(c *StreamConfig) { c.Task = task.Inpaint },
		"no meaning": func(c *StreamConfig) { c.Mask = make([]bool, 200) },
		"pixels":     func(c *StreamConfig) { c.W = 0 },
		"bits":       func(c *StreamConfig) { c.Out = frame.Format{Kind: frame.Gray, Bits: 3} },
		"noise":      func(c *StreamConfig) { c.Noise = math.Inf(1) },
	} {
		c := ok
		change(&c)
		if _, err := m.NewStream(c); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("want an error about %q, got %v", words, err)
		}
	}
	c := ok
	c.In, c.InFlight = frame.Format{Kind: frame.Float32}, 1
	s, err := m.NewStream(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var bad *RequestError
	if err := s.Submit(ctx, make([]byte, 5)); !errors.As(err, &bad) {
		t.Errorf("a short frame gives %v", err)
	}
	if _, err := s.Receive(ctx, make([]byte, 5)); !errors.As(err, &bad) {
		t.Errorf("a short buffer gives %v", err)
	}
	// A frame that cannot be restored gives its error; the next one is fine.
	if err := s.Submit(ctx, bytes.Repeat([]byte{0xff}, s.InSize())); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Submit(gone, make([]byte, s.InSize())); err != context.Canceled {
		t.Errorf("a full stream and a cancelled context give %v", err)
	}
	dst := make([]byte, s.OutSize())
	if _, err := s.Receive(ctx, dst); !errors.As(err, &bad) || !strings.Contains(err.Error(), "frame 1") {
		t.Errorf("a frame of NaN gives %v", err)
	}
	if err := s.Submit(ctx, make([]byte, s.InSize())); err != nil {
		t.Fatal(err)
	}
	if info, err := s.Receive(ctx, dst); err != nil || info.Index != 1 {
		t.Errorf("the frame after it: %+v, %v", info, err)
	}
	if err := s.Submit(ctx, make([]byte, s.InSize())); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	if err := s.Submit(ctx, make([]byte, s.InSize())); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	if _, err := s.Receive(ctx, dst); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// Luma below black and above white comes out of a stream unchanged if its pixels are kept, for
// frames of one tile and for larger ones.
func TestStreamKeepsHeadAndFootRoom(t *testing.T) {
	for _, tile := range []int{0, 16} {
		m := sharedModel(t, tile, NoMargin)
		f := frame.I420(frame.BT709)
		cfg := StreamConfig{Task: task.InpaintRandom, Noise: NoNoise, Mask: make([]bool, 64*32), W: 64, H: 32, In: f, Out: f}
		cfg.Mask[5] = true
		s, err := m.NewStream(cfg)
		if err != nil {
			t.Fatal(err)
		}
		data, out := make([]byte, s.InSize()), make([]byte, s.OutSize())
		for i := range data {
			data[i] = 128
			if i < 64*32 {
				data[i] = byte(4 * i)
			}
		}
		if err := s.Submit(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(context.Background(), out); err != nil {
			t.Fatal(err)
		}
		s.Close()
		for i := range cfg.Mask {
			if d := int(out[i]) - int(data[i]); !cfg.Mask[i] && (d < -1 || d > 1) {
				t.Fatalf("tiles of %d: luma %d became %d", tile, data[i], out[i])
			}
		}
	}
}

// A stream that averages in time gives what the filter makes of the frames of a stream that does
// not, bit for bit and in order. It accepts denoise only.
func TestStreamTemporal(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	p := randomPicture(rnd, 48, 36)
	var outs [2][][]float32
	var frames [][]byte
	for range 5 {
		y := slices.Clone(p.Pix)
		for i := range y {
			y[i] += 0.1 * float32(rnd.NormFloat64())
		}
		frames = append(frames, floats(y))
	}
	cfg := StreamConfig{Task: task.Denoise, Noise: 12, W: p.W, H: p.H, In: frame.Format{Kind: frame.Float32}, Out: frame.Format{Kind: frame.Float32}}
	for k := range 2 {
		cfg.Temporal = k == 1
		s, err := m.NewStream(cfg)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			defer s.End()
			for _, f := range frames {
				if err := s.Submit(ctx, f); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for {
			dst := make([]byte, s.OutSize())
			if _, err := s.Receive(ctx, dst); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			outs[k] = append(outs[k], unfloats(dst))
		}
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if len(outs[0]) != len(frames) || len(outs[1]) != len(frames) {
		t.Fatalf("%d and %d frames of %d", len(outs[0]), len(outs[1]), len(frames))
	}
	var f temporal.Filter
	for i, want := range outs[0] {
		if err := f.Apply(ctx, want, p.W, p.H, task.Sigma(12)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want, outs[1][i]) {
			t.Fatalf("frame %d differs", i)
		}
	}
	cfg.Task, cfg.Temporal = task.GaussianDeblur, true
	if _, err := m.NewStream(cfg); err == nil {
		t.Error("frames of gaussian-deblur are averaged")
	}
}

// Averaging does not change hidden pixels.
func TestStreamTemporalAlpha(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	rgba := frame.Format{Kind: frame.RGBA}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 12, W: 40, H: 32, In: rgba, Out: rgba, Temporal: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dst := make([]byte, s.OutSize())
	for range 4 {
		src := make([]byte, s.InSize())
		for i := range src {
			src[i] = byte(100 + rnd.IntN(40))
			if i%4 == 3 && i/4%7 == 0 {
				src[i] = 0
			}
		}
		if err := s.Submit(ctx, src); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(ctx, dst); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(src); i += 4 {
			if src[i+3] == 0 && !bytes.Equal(src[i:i+4], dst[i:i+4]) {
				t.Fatalf("pixel %d, which alpha hides, changed from %v to %v", i/4, src[i:i+4], dst[i:i+4])
			}
		}
	}
}

package restore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// gaps gives planes of a format with room between their rows, with the bytes of data in them and
// value everywhere else.
func gaps(f frame.Format, data []byte, w, h int, value byte) (ps frame.Planes) {
	tight := f.Contiguous(data, w, h)
	rows := h
	for p := range f.PlaneCount() {
		if p > 0 && (f.HalfY || f.Kind == frame.NV12 || f.Kind == frame.NV21 || f.Kind == frame.P010) {
			rows = (h + 1) / 2
		}
		row := len(tight[p].Data) / rows
		stride := row + 7
		d := bytes.Repeat([]byte{value}, 3+rows*stride)
		for y := range rows {
			copy(d[3+y*stride:], tight[p].Data[y*row:][:row])
		}
		ps[p] = frame.Plane{Data: d, Offset: 3, Stride: stride}
	}
	return ps
}

// cameraFormats are what cameras and encoders speak.
func cameraFormats() []frame.Format {
	ycc := func(k frame.Kind) frame.Format {
		return frame.Format{Kind: k, CositedX: true, HalfX: true, HalfY: true, Matrix: frame.BT709}
	}
	full := ycc(frame.NV12)
	full.Full, full.CositedX, full.Matrix = true, false, frame.BT601
	deep := ycc(frame.P010)
	deep.Matrix = frame.BT2020
	return []frame.Format{ycc(frame.NV12), full, ycc(frame.NV21), ycc(frame.Planar), deep, ycc(frame.YUYV), ycc(frame.UYVY), {Kind: frame.Gray}, {Kind: frame.Gray, Bits: 16},
		{Kind: frame.RGB}, {Kind: frame.RGBA}, {Kind: frame.BGR}, {Kind: frame.BGRA}, {Kind: frame.Float32}, {Kind: frame.FloatRGB}}
}

// randomBytes makes a frame of any codes: colours that RGB does not hold, luma below black and
// above white. Nothing is hidden, and floats lie in [-1, 1].
func randomBytes(rnd *rand.Rand, f frame.Format, n int) []byte {
	if f.Kind == frame.Float32 || f.Kind == frame.FloatRGB {
		v := make([]float32, n/4)
		for i := range v {
			v[i] = 2*rnd.Float32() - 1
		}
		return floats(v)
	}
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rnd.Uint32())
		switch {
		case f.Kind == frame.P010 && i%2 == 0:
			data[i] &= 0xc0
		case f.HasAlpha() && i%4 == 3:
			data[i] |= 1
		}
	}
	return data
}

// A frame of which the networks change nothing but one pixel comes out of a stream with all its
// bytes, in every format and arrangement in memory, but where that pixel has its part; timestamps
// and cookies come with it; and nothing is written between rows.
func TestStreamKeepsFrames(t *testing.T) {
	rnd := newRand(t)
	ctx := context.Background()
	const w, h = 23, 13
	for _, tile := range []int{0, 16} {
		m := sharedModel(t, tile, NoMargin)
		for _, f := range cameraFormats() {
			cfg := StreamConfig{Task: task.InpaintRandom, Noise: NoNoise, Mask: make([]bool, w*h), W: w, H: h, In: f, Out: f}
			cfg.Mask[0] = true
			s, err := m.NewStream(cfg)
			if err != nil {
				t.Fatal(err)
			}
			data := randomBytes(rnd, f, s.InSize())
			src := gaps(f, data, w, h, 0x77)
			dst := gaps(f, bytes.Repeat([]byte{0x55}, len(data)), w, h, 0x99)
			if _, err := s.SubmitFrame(ctx, Frame{Planes: src, Timestamp: 1234567890123, Cookie: 1 << 63}); err != nil {
				t.Fatal(err)
			}
			info, err := s.ReceiveFrame(ctx, dst)
			if err != nil {
				t.Fatal(err)
			}
			if info.Timestamp != 1234567890123 || info.Cookie != 1<<63 || info.W != w || info.H != h || info.Index != 0 {
				t.Errorf("%+v: %+v", f, info)
			}
			want := gaps(f, data, w, h, 0x99)
			for p := range f.PlaneCount() {
				unit := len(f.Contiguous(data, w, h)[p].Data)
				near := 3 * max(1, unit/(w*h)) // bytes of the pixels beside the one that is missing
				for i, got := range dst[p].Data {
					row, column := (i-3)/dst[p].Stride, (i-3)%dst[p].Stride
					if beside := i >= 3 && row <= 1 && column < max(near, 12); beside || got == want[p].Data[i] {
						continue
					}
					if f.Kind == frame.YUYV || f.Kind == frame.UYVY { // the last pair of a row has one pixel
						if at := map[frame.Kind]int{frame.YUYV: 2, frame.UYVY: 3}[f.Kind]; column == 4*(w/2)+at && got == 0x55 {
							continue
						}
					}
					t.Fatalf("tiles of %d, %v: byte %d of plane %d is %d, was %d", tile, f.Kind, i, p, got, want[p].Data[i])
				}
			}
			s.Close()
		}
	}
}

// What comes out of a stream is what Restore gives: luma exactly so, and chroma with no more change
// than the networks made.
func TestStreamChangesByTheNetwork(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	const w, h = 40, 24
	f := frame.Format{Kind: frame.NV12, CositedX: true, Matrix: frame.BT709}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 9, W: w, H: h, In: f, Out: f})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, _ := frame.NewConverter(f, w, h)
	p := randomPicture(rnd, w, h)
	data, out, want := make([]byte, s.InSize()), make([]byte, s.OutSize()), make([]byte, s.OutSize())
	c.FromRGB(data, p.Pix)
	c.ToRGB(p.Pix, data) // as the stream sees it
	if err := s.Submit(ctx, data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(ctx, out); err != nil {
		t.Fatal(err)
	}
	req := Request{Task: task.Denoise, Noise: 9, Below: 1, Above: 1}
	codes := make([]uint16, c.Codes())
	if err := c.ReadCodes(codes, f.Contiguous(data, w, h)); err != nil {
		t.Fatal(err)
	}
	if err := c.Change(f.Contiguous(want, w, h), c, codes, p.Pix, restored(t, m, p, req).Picture.Pix); err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i := range out {
		if d := int(out[i]) - int(want[i]); d < -1 || d > 1 {
			t.Fatalf("byte %d is %d, want %d", i, out[i], want[i])
		}
		if out[i] != data[i] {
			differ++
		}
	}
	if differ < len(out)/2 {
		t.Errorf("only %d of %d bytes have changed", differ, len(out))
	}
}

// While the device is busy, new frames take the place of the oldest that wait, and the submitter is
// told which.
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
	if d, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{{Data: data[1:]}}}); err == nil || d.Index != -1 { // no frame goes for one that does not fit
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

// Frames of another size follow without a new stream; those on their way keep theirs, and the
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

	// A level of 12 that took many frames to find is not lost.
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

// A frame's own mask holds for it alone.
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

// Frames that are done in tiles need some memory each, but none of the size of a frame.
func TestStreamInTilesAllocatesLittle(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 64, NoMargin)
	ctx := context.Background()
	f := frame.Format{Kind: frame.NV12}
	for _, what := range []task.Task{task.Denoise, task.InpaintRandom} {
		cfg := StreamConfig{Task: what, W: 400, H: 300, In: f, Out: f}
		if what.Masked() {
			cfg.Noise, cfg.Mask = 5, make([]bool, cfg.W*cfg.H)
			cfg.Mask[7] = true
		}
		s, err := m.NewStream(cfg)
		if err != nil {
			t.Fatal(err)
		}
		data := randomBytes(rnd, f, s.InSize())
		once := func() {
			if err := s.Submit(ctx, data); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Receive(ctx, data); err != nil {
				t.Fatal(err)
			}
		}
		for range cfg.InFlight + 4 {
			once()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const frames = 4
		for range frames {
			once()
		}
		runtime.ReadMemStats(&after)
		floats := uint64(12 * cfg.W * cfg.H)
		each := (after.TotalAlloc - before.TotalAlloc) / frames
		t.Logf("%v: %d bytes and %d objects a frame, whose floats take %d", what, each, (after.Mallocs-before.Mallocs)/frames, floats)
		if what == task.Denoise && each > floats/4 {
			t.Errorf("%v: %d bytes a frame", what, each)
		}
		s.Close()
	}
}

// Wide holes are the network's in streams, whether a frame is done at once or in tiles: patches
// would change from frame to frame.
func TestStreamLeavesWideHolesToTheNetwork(t *testing.T) {
	rnd := newRand(t)
	ctx := context.Background()
	f := frame.Format{Kind: frame.Float32}
	p := randomPicture(rnd, 90, 70)
	mask := make([]bool, p.W*p.H)
	for i := range mask {
		x, y := i%p.W, i/p.W
		mask[i] = x >= 20 && x < 60 && y >= 15 && y < 55
	}
	var out [2][]float32
	for i, tile := range []int{0, 16} {
		m := sharedModel(t, tile, NoMargin)
		s, err := m.NewStream(StreamConfig{Task: task.InpaintBox, Noise: NoNoise, Mask: mask, W: p.W, H: p.H, In: f, Out: f})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, s.OutSize())
		if err := s.Submit(ctx, floats(p.Pix)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(ctx, dst); err != nil {
			t.Fatal(err)
		}
		s.Close()
		out[i] = unfloats(dst)
	}
	if d := apart(out[0], out[1]); !(d < 1e-4) {
		t.Errorf("a frame at once and in tiles are %g apart", d)
	}
}

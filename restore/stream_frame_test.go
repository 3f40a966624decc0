package restore

import (
	"bytes"
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// gaps returns planes of a format with gaps between their rows. They hold the bytes of data, and
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

// cameraFormats are formats of cameras and encoders.
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

// randomBytes makes a frame of any codes, also colours that RGB does not have, and luma below black
// and above white. No pixel is hidden, and floats lie in [-1, 1].
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

// If the networks change one pixel only, a frame comes out of a stream with all its bytes except
// those of that pixel, in every format and layout. Timestamps and cookies come with it. Nothing is
// written between rows.
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

// A stream gives the same as Restore: exactly for luma, and for chroma with no more change than the
// networks made.
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

// Frames that are done in tiles allocate some memory each, but nothing of the size of a frame.
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

// In streams the network fills wide holes, whether a frame is one tile or several: patches would
// change from frame to frame.
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

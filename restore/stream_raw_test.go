package restore

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/task"
)

// A Stream of mosaics gives the same as developing them and Restore at the sensor's known noise, in
// any layout of rows.
func TestStreamRaw(t *testing.T) {
	rnd := newRand(t)
	model := sharedModel(t, 0, NoMargin)
	ctx := context.Background()
	const w, h, bits = 46, 31, 12
	for _, c := range []struct {
		law    bool    // the sensor's noise is known
		given  float64 // given noise
		stride int     // beyond a row; negative: the last row first
	}{{law: true}, {law: true, stride: 5}, {law: true, given: 9}, {given: 9, stride: -3}, {}} {
		f := RawFormat{Packing: raw.MIPI, Bits: bits, Rendering: raw.DefaultRendering}
		f.Mosaic = raw.Mosaic{Pattern: raw.BGGR, Black: [4]float64{64, 65, 66, 64}, White: 4000, Gains: [3]float64{2, 1, 1.5}}
		if c.law {
			n := raw.NewNoise(3, 20, 64, 4000)
			f.Mosaic.Noise = &n
		}
		s, err := model.NewStream(StreamConfig{Task: task.Denoise, Noise: c.given, W: w, H: h, Raw: &f, Out: frame.Format{Kind: frame.Float32}})
		if err != nil {
			t.Fatal(err)
		}
		row := raw.MIPI.RowBytes(w, bits)
		if s.InSize() != h*row {
			t.Errorf("frames of %d bytes, want %d", s.InSize(), h*row)
		}
		step := row + max(c.stride, -c.stride)
		data := make([]byte, h*step)
		for i := range data {
			data[i] = byte(rnd.IntN(256))
		}
		plane := frame.Plane{Data: data, Stride: step}
		m := f.Mosaic
		m.W, m.H, m.Pix = w, h, make([]uint16, w*h)
		if err := raw.MIPI.Unpack(m.Pix, data, w, h, bits, step); err != nil {
			t.Fatal(err)
		}
		if c.stride < 0 { // the same rows, given upside down
			plane.Offset, plane.Stride = (h-1)*step, -step
			for y := range h / 2 {
				for x := range w {
					m.Pix[y*w+x], m.Pix[(h-1-y)*w+x] = m.Pix[(h-1-y)*w+x], m.Pix[y*w+x]
				}
			}
		}
		p, err := m.Develop(raw.DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		req := Request{Task: task.Denoise, Noise: c.given}
		if c.law && c.given == 0 {
			profile, err := m.Profile(raw.DefaultRendering)
			if err != nil {
				t.Fatal(err)
			}
			req.Profile = &profile
		}
		want := restored(t, model, picture.New(w, h, p.Pix), req)
		if _, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{plane}}); err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, s.OutSize())
		for i := range dst {
			dst[i] = 0xff
		}
		info, err := s.Receive(ctx, dst)
		if err != nil || math.Abs(info.Noise-want.Noise) > 1e-6 {
			t.Fatalf("%+v: noise %g, want %g, %v", c, info.Noise, want.Noise, err)
		}
		if d := apart(unfloats(dst), want.Picture.Pix); !(d < 1e-6) {
			t.Errorf("%+v: off by %g", c, d)
		}
		// Frames that do not fit in their bytes give errors; others after them are restored.
		var bad *RequestError
		for what, p := range map[string]frame.Plane{
			"short": {Data: data[:(h-1)*step], Stride: step}, "far": {Data: data, Offset: len(data) + 1}, "before": {Data: data, Offset: math.MinInt}, "narrow": {Data: data, Stride: row - 1},
			"wide": {Data: data, Stride: math.MaxInt}, "backwards": {Data: data, Stride: -step}, "steps": {Data: data, Step: 2}, "nothing": {},
		} {
			if _, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{p}}); !errors.As(err, &bad) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := s.Submit(ctx, data[:h*row-1]); !errors.As(err, &bad) {
			t.Errorf("a byte too few: %v", err)
		}
		if err := s.Resize(20, 14, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Submit(ctx, data[:s.InSize()]); err != nil || s.InSize() != 14*30 {
			t.Errorf("%d bytes after resizing: %v", s.InSize(), err)
		}
		if _, err := s.Receive(ctx, make([]byte, s.OutSize())); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	for what, change := range map[string]func(c *StreamConfig){
		"bits": func(c *StreamConfig) { c.Raw.Bits = 11 }, "no sides": func(c *StreamConfig) { c.W = -1 }, "a row": func(c *StreamConfig) { c.H = 1 },
		"white": func(c *StreamConfig) { c.Raw.Mosaic.White = 0 },
	} {
		cfg := StreamConfig{Task: task.Denoise, W: w, H: h, Raw: &RawFormat{Packing: raw.MIPI, Bits: bits, Mosaic: raw.Mosaic{White: 4000}}}
		change(&cfg)
		if s, err := model.NewStream(cfg); err == nil {
			s.Close()
			t.Errorf("%s: accepted", what)
		}
	}
}

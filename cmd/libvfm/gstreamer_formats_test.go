package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	elementW = 64
	elementH = 48
)

// elementFormats sends frames of every format through one element and compares the results with
// those of a Stream, to the bit.
func elementFormats(t *testing.T, l launcher) {
	yuv := func(bits int, halfX, halfY bool) frame.Format {
		return frame.Format{Kind: frame.Planar, Bits: bits, HalfX: halfX, HalfY: halfY, CositedX: true, Matrix: frame.BT601}
	}
	packed := func(k frame.Kind, bits int) frame.Format {
		return frame.Format{Kind: k, Bits: bits, CositedX: true, Matrix: frame.BT601}
	}
	i420 := yuv(8, true, true)
	full, centre, hd, uhd, corner := i420, i420, i420, i420, i420
	full.Full = true
	centre.CositedX = false
	hd.Matrix = frame.BT709
	uhd.Matrix = frame.BT2020
	corner.CositedY = true
	rgb, bgr := packed(frame.RGB, 0), packed(frame.BGR, 0)
	const mpeg2 = ",colorimetry=bt601,chroma-site=mpeg2"
	cases := []struct {
		caps   string
		format frame.Format
		first  int  // first colour byte of a pixel of 4 bytes, if format has 3
		padded bool // a pixel has 4 bytes
		swap   bool // the planes of chroma are exchanged
	}{
		{caps: "NV12" + mpeg2, format: packed(frame.NV12, 0)}, {caps: "NV21" + mpeg2, format: packed(frame.NV21, 0)},
		{caps: "I420" + mpeg2, format: i420}, {caps: "YV12" + mpeg2, format: i420, swap: true},
		{caps: "I420,colorimetry=1:4:0:0,chroma-site=mpeg2", format: full}, {caps: "I420,colorimetry=bt601,chroma-site=jpeg", format: centre},
		{caps: "I420,colorimetry=bt709,chroma-site=mpeg2", format: hd}, {caps: "I420,colorimetry=bt2020,chroma-site=mpeg2", format: uhd},
		{caps: "I420,colorimetry=bt601,chroma-site=cosited", format: corner},
		{caps: "Y42B" + mpeg2, format: yuv(8, true, false)}, {caps: "Y444" + mpeg2, format: yuv(8, false, false)},
		{caps: "YUY2" + mpeg2, format: packed(frame.YUYV, 0)}, {caps: "UYVY" + mpeg2, format: packed(frame.UYVY, 0)},
		{caps: "I420_10LE" + mpeg2, format: yuv(10, true, true)}, {caps: "I422_10LE" + mpeg2, format: yuv(10, true, false)},
		{caps: "Y444_10LE" + mpeg2, format: yuv(10, false, false)}, {caps: "I420_12LE" + mpeg2, format: yuv(12, true, true)},
		{caps: "I422_12LE" + mpeg2, format: yuv(12, true, false)}, {caps: "Y444_12LE" + mpeg2, format: yuv(12, false, false)},
		{caps: "P010_10LE" + mpeg2, format: packed(frame.P010, 10)}, {caps: "P012_LE" + mpeg2, format: packed(frame.P010, 12)},
		{caps: "P016_LE" + mpeg2, format: packed(frame.P010, 16)},
		{caps: "RGB", format: rgb}, {caps: "BGR", format: bgr}, {caps: "RGBA", format: packed(frame.RGBA, 0)}, {caps: "BGRA", format: packed(frame.BGRA, 0)},
		{caps: "RGBx", format: rgb, padded: true}, {caps: "BGRx", format: bgr, padded: true},
		{caps: "xRGB", format: rgb, padded: true, first: 1}, {caps: "xBGR", format: bgr, padded: true, first: 1},
		{caps: "GRAY8,colorimetry=bt601", format: packed(frame.Gray, 8)}, {caps: "GRAY16_LE,colorimetry=1:4:0:0", format: frame.Format{Kind: frame.Gray, Bits: 16, Full: true}},
	}
	var sources strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&sources, " videotestsrc num-buffers=2 pattern=chroma-zone-plate kx2=20 ky2=20 kt=3 ! video/x-raw,format=%s,width=%d,height=%d ! c.", c.caps, elementW, elementH)
	}
	l.launch(t, "concat name=c ! filesink location="+l.path("given")+sources.String())
	l.launch(t, "concat name=c ! vfmrestore noise=20 temporal=false ! filesink location="+l.path("made")+sources.String())
	given, made := l.read(t, "given"), l.read(t, "made")
	if len(given) != len(made) {
		t.Fatalf("%d bytes became %d", len(given), len(made))
	}
	model, err := restore.Open(restore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	seen := map[string]string{}
	for _, c := range cases {
		s, err := model.NewStream(restore.StreamConfig{Task: task.Denoise, Noise: 20, W: elementW, H: elementH, In: c.format, Out: c.format})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, s.OutSize())
		for range 2 {
			n := s.InSize()
			if c.padded {
				n = n / 3 * 4
			}
			in, out := given[:n:n], made[:n:n]
			given, made = given[n:], made[n:]
			if c.padded {
				in, out = without(in, c.first), without(out, c.first)
			}
			if c.swap {
				in, out = swapped(in), swapped(out)
			}
			if bytes.Equal(in, out) {
				t.Errorf("%s: nothing was restored", c.caps)
			}
			if err := s.Submit(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Receive(t.Context(), dst); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(dst, out) {
				t.Errorf("%s: the element makes other frames than a Stream", c.caps)
			}
		}
		s.Close()
		if other, ok := seen[string(dst)]; ok && !(c.padded || c.swap) {
			t.Errorf("%s and %s give the same: one would do", c.caps, other)
		}
		seen[string(dst)] = c.caps
	}
}

// without drops the byte of each pixel that is not a colour: the first if the colours begin at byte
// 1, else the last.
func without(b []byte, first int) []byte {
	out := make([]byte, 0, len(b)/4*3)
	for i := 0; i < len(b); i += 4 {
		out = append(out, b[i+first:i+first+3]...)
	}
	return out
}

// swapped exchanges the chroma planes of 4:2:0.
func swapped(b []byte) []byte {
	luma := elementW * elementH
	return append(append(append([]byte{}, b[:luma]...), b[luma+luma/4:]...), b[luma:luma+luma/4]...)
}

package y4m

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vfmrestore/restore/restore/frame"
)

func TestRoundTrip(t *testing.T) {
	for _, space := range []string{"420jpeg", "420mpeg2", "420paldv", "420", "422", "444", "420p10",
		"422p10", "444p10", "444p16", "mono", "mono10"} {
		in := "YUV4MPEG2 W17 H9 F30000:1001 Ip A1:1 XCOLORRANGE=FULL C" + space + "\n"
		r, err := NewReader(strings.NewReader(in))
		if err != nil {
			t.Fatalf("%s: %v", space, err)
		}
		if !r.Format.Full || r.W != 17 || r.H != 9 || r.Format.Check() != nil {
			t.Errorf("%s: read as %+v", space, r.Header)
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, r.Header)
		if err != nil {
			t.Fatal(err)
		}
		var frames [][]byte
		for range 3 {
			f := make([]byte, r.FrameSize())
			for i := range f {
				f[i] = byte(rand.IntN(256))
			}
			frames = append(frames, f)
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		back, err := NewReader(iotest.OneByteReader(&b))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back.Header, r.Header) {
			t.Errorf("%s: header %+v became %+v", space, r.Header, back.Header)
		}
		buf := make([]byte, back.FrameSize())
		for i, f := range frames {
			if err := back.Read(buf); err != nil || !bytes.Equal(buf, f) {
				t.Errorf("%s: frame %d: %v", space, i, err)
			}
		}
		if err := back.Read(buf); err != io.EOF {
			t.Errorf("%s: after the last frame: %v", space, err)
		}
		if err := w.Write(buf[1:]); err == nil {
			t.Error("a short frame was written")
		}
	}
}

func TestSizesAndSpaces(t *testing.T) {
	for head, want := range map[string]int{
		"W4 H4": 24, "W5 H3 C420mpeg2": 15 + 2*3*2, "W5 H3 C422": 15 + 2*3*3, "W5 H3 C444p10": 90,
		"W5 H3 Cmono": 15,
	} {
		r, err := NewReader(strings.NewReader("YUV4MPEG2 " + head + "\n"))
		if err != nil || r.FrameSize() != want {
			t.Errorf("%s: %v, %d bytes, want %d", head, err, r.FrameSize(), want)
		}
	}
	r, err := NewReader(strings.NewReader("YUV4MPEG2 W1280 H720\n"))
	if err != nil || r.Format.Matrix != frame.BT709 {
		t.Errorf("high definition: %v, %+v", err, r)
	}
}

func TestRefused(t *testing.T) {
	head := "YUV4MPEG2 W4 H2 Cmono\n"
	for in, words := range map[string]string{
		"":                         "empty",
		"YUV4MPEG2":                "inside a line",
		"RIFF....AVI \n":           "not YUV4MPEG2",
		strings.Repeat("x", 1<<16): "not YUV4MPEG2",
		"YUV4MPEG2 " + strings.Repeat("X", 1<<16): "not YUV4MPEG2",
		"YUV4MPEG2 W4\n":                            "width and height",
		"YUV4MPEG2 W0 H4\n":                         "W0",
		"YUV4MPEG2 W99999999999999999999 H4\n":      "side",
		"YUV4MPEG2 W65536 H65536\n":                 "at most",
		"YUV4MPEG2 W4 H4 It\n":                      "interlaced",
		"YUV4MPEG2 W4 H4 C411\n":                    "411",
		"YUV4MPEG2 W4 H4 C444alpha\n":               "444alpha",
		"YUV4MPEG2 W4 H4 C420p99\n":                 "8 to 16",
		"YUV4MPEG2 W4 H4 Cmono77\n":                 "8 to 16",
		head + "FRAME\n1234567":                     "7 of 8",
		head + "FRAME":                              "inside a line",
		head + "FRAME\n12345678FRAME Itp\n12345678": "frame 2: is interlaced",
		head + "FRAME\n12345678frame\n":             "frame 2: begins",
	} {
		r, err := NewReader(strings.NewReader(in))
		for err == nil {
			err = r.Read(make([]byte, r.FrameSize()))
		}
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), words) {
			t.Errorf("%.40q gives %v, want %q", in, err, words)
		}
	}
}

// FuzzReader: any bytes give an error or frames, never a panic or an unlimited allocation.
func FuzzReader(f *testing.F) {
	f.Add([]byte("YUV4MPEG2 W4 H2 F25:1 Ip C420jpeg\nFRAME\n123456789012FRAME Ip\n123456789012"))
	f.Add([]byte("YUV4MPEG2 W2 H2 Cmono10 XCOLORRANGE=FULL\nFRAME\n12345678"))
	f.Add([]byte("YUV4MPEG2 W1 H1 C444p16\nFRAME\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		if r.FrameSize() < 1 || r.FrameSize() > 6*MaxPixels {
			t.Fatalf("frames of %d bytes", r.FrameSize())
		}
		if r.FrameSize() > 1<<20 {
			return
		}
		buf, n := make([]byte, r.FrameSize()), 0
		for ; err == nil; n++ {
			err = r.Read(buf)
		}
		if n > 1+len(b)/(len(frameWord)+1+r.FrameSize()) {
			t.Errorf("%d frames in %d bytes", n, len(b))
		}
	})
}

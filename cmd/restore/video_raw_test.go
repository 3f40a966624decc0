package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Frames of a sensor become video: all frames, each with its brightness, with the noise of the
// flags.
func TestVideoOfMosaics(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	const width, height, gap = 36, 20, 6
	var data []byte
	var want []float64
	for i := range 3 {
		level := uint16(200 + 150*i)
		data = append(data, 1, 2, 3) // before every frame
		for range height {
			for range width {
				data = binary.LittleEndian.AppendUint16(data, level)
			}
			data = append(data, make([]byte, gap)...)
		}
		v := (float64(level) - 64) / (1023 - 64)
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
		want = append(want, 16+219*(0.7*v+0.3*v*v*(3-2*v)))
	}
	layout := "size=36x20,bits=10,black=64,offset=3,stride=78"
	write(t, filepath.Join(dir, "in.raw"), data)
	run := func(args ...string) outcome {
		t.Helper()
		return program(t, dir, nil, append([]string{"video", "-weights", w, "-task", "denoise", "-single"}, args...)...)
	}
	luma := func(name string) []float64 {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		h, means := levels(t, b)
		if h.W != width || h.H != height || h.Space != "420mpeg2" {
			t.Errorf("%s: %+v", name, h)
		}
		return means
	}
	if r := run("-mosaic", layout, "-noise", "0", "in.raw", "a.y4m"); r.code != exitOK {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	plain := luma("a.y4m")
	if len(plain) != 3 {
		t.Fatalf("%d frames", len(plain))
	}
	for i, v := range plain {
		if math.Abs(v-want[i]) > 4 { // untrained weights change little
			t.Errorf("frame %d has luma %.1f, the sensor's would be %.1f", i, v, want[i])
		}
	}
	if r := run("-mosaic", layout, "-gain", "8", "-read-noise", "20", "-fps", "30000/1001", "in.raw", "b.y4m"); r.code != exitOK {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if n := len(luma("b.y4m")); n != 3 {
		t.Errorf("%d frames with -gain", n)
	}
	b, err := os.ReadFile(filepath.Join(dir, "b.y4m"))
	if err != nil || !bytes.HasPrefix(b, []byte("YUV4MPEG2 W36 H20 F30000:1001 Ip A1:1 C420mpeg2\n")) {
		t.Errorf("begins with %.60q", b)
	}
	// From a pipe that breaks off.
	var out, stderr bytes.Buffer
	a := &app{ctx: t.Context(), in: bytes.NewReader(data[:len(data)-1]), out: &out, err: &stderr}
	code := a.main([]string{"video", "-weights", filepath.Join(dir, w), "-task", "denoise", "-mosaic", layout, "-", "-"})
	if _, means := levels(t, out.Bytes()); code != exitFailure || len(means) != 2 || !strings.Contains(stderr.String(), "stdin: frame 3: the stream ends after 1562 of 1563 bytes") {
		t.Errorf("cut off: exit code %d, %d frames, %s", code, len(means), &stderr)
	}
	for args, words := range map[string]string{
		"in.raw out.y4m -gain 2":                                          "need -mosaic",
		"in.raw out.y4m -fps 25":                                          "need -mosaic",
		"in.raw out.y4m -mosaic size=36x20,bits=10 -fps 0":                "frames per second",
		"in.raw out.y4m -mosaic size=36x20,bits=10 -fps 1/x":              "frames per second",
		"in.raw out.y4m -mosaic size=36x20":                               "bits=N are needed",
		"in.raw out.y4m -mosaic size=36x20,bits=10 -gain 1 -noise 5":      "exclude each other",
		"in.raw out.y4m -mosaic size=36x20,bits=10 -single -task defocus": "-single has no meaning for task gaussian-deblur, only for denoise",
	} {
		fails(t, dir, nil, exitUsage, words, append([]string{"video", "-weights", w, "-task", "denoise"}, strings.Fields(args)...)...)
	}
}

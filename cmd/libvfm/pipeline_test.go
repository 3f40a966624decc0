package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/y4m"
)

// pipeline runs the program of docs/CAMERA.md. All frames of the camera reach the encoder, in
// order, with their times, and with less noise.
func pipeline(t *testing.T, program string) {
	cmd := exec.Command(program)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	const w, h, frames, sigma = 96, 64, 12, 10.5 // of camera.h
	r, err := y4m.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	if r.W != w || r.H != h || r.Format.Full {
		t.Fatalf("the header says %+v", r.Header)
	}
	buf := make([]byte, r.FrameSize())
	for i := range frames {
		if err := r.Read(buf); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		sum := 0.0
		for y := range h {
			for x := range w {
				d := float64(buf[y*w+x]) - float64(70+x/2+y/2)
				sum += d * d
			}
		}
		if sum /= w * h; !(sum < sigma*sigma/4) {
			t.Errorf("frame %d: luma is off by %.1f squared, the camera's by %.1f", i, sum, sigma*sigma)
		}
		for plane, want := range []float64{110, 150} {
			for _, v := range buf[w*h+plane*w*h/4:][:w*h/4] {
				if d := float64(v) - want; d < -12 || d > 12 {
					t.Fatalf("frame %d: %v in plane %d of chroma, not %v", i, v, plane, want)
				}
			}
		}
	}
	if err := r.Read(buf); err == nil {
		t.Error("there is one frame more")
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != frames {
		t.Fatalf("it says %q", lines)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("frame %d of %d ms took ", i, 40*i); !strings.HasPrefix(line, want) {
			t.Errorf("it says %q, not %q", line, want)
		}
	}
	closed, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0) // an encoder that accepts nothing
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	cmd = exec.Command(program)
	said.Reset()
	cmd.Stdout, cmd.Stderr = closed, &said
	if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "the encoder takes no more") {
		t.Errorf("without an encoder: %v: %s", err, &said)
	}
}

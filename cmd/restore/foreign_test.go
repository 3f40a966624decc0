package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/onnxtest"
)

// foreignModel writes an ONNX network to a file in dir and returns its name: it doubles the size
// and inverts the picture.
func foreignModel(t *testing.T, dir string) string {
	t.Helper()
	m := onnxtest.New()
	m.Input("in", 1, 3, 0, 0)
	m.Floats("one", nil, 1)
	m.Floats("scales", []int{4}, 1, 1, 2, 2)
	m.Node("Sub", "inverse", []string{"one", "in"}, nil)
	m.Node("Resize", "out", []string{"inverse", "", "scales"}, onnxtest.Attrs{"mode": "nearest"})
	m.Output("out", 1, 3, 0, 0)
	write(t, filepath.Join(dir, "net.onnx"), m.Bytes())
	return "net.onnx"
}

// TestForeign restores a picture and a folder with an ONNX network.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	net := foreignModel(t, dir)
	p := photo(21, 13, false, 8, false)
	put(t, filepath.Join(dir, "in.png"), p)
	p = get(t, filepath.Join(dir, "in.png")) // rounded
	if out := succeeds(t, dir, "-weights", net, "-json", "in.png", "out.png"); !strings.Contains(out, `"width":42`) || strings.Contains(out, "noise") {
		t.Errorf("the line of JSON is %s", out)
	}
	check := func(name string) {
		t.Helper()
		q := get(t, filepath.Join(dir, name))
		if q.W != 42 || q.H != 26 {
			t.Fatalf("%s has %d×%d pixels", name, q.W, q.H)
		}
		for i, v := range q.Pix {
			c, y, x := i/(q.W*q.H), i/q.W%q.H, i%q.W
			if d := v + p.Pix[(c*p.H+y/2)*p.W+x/2]; d > 1e-6 || d < -1e-6 {
				t.Fatalf("%s: value %d is wrong by %g", name, i, d)
			}
		}
	}
	check("out.png")
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "photos", "a.png"), p)
	succeeds(t, dir, "-weights", net, "-tile", "16", "photos", "done")
	check("done/a.png")
	if out := succeeds(t, dir, "weights", "info", net); !strings.Contains(out, "2 times the size, range 0..1, tiles with a halo of 0 pixels") {
		t.Errorf("weights info prints %q", out)
	}
}

// TestForeignErrors checks that flags without a meaning are refused, and files that are no networks.
func TestForeignErrors(t *testing.T) {
	dir := t.TempDir()
	net := foreignModel(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(20, 12, false, 8, false))
	for _, flags := range [][]string{
		{"-samples", "3"}, {"-noise", "5"}, {"-mask", "in.png"}, {"-strength", "0.5"}, {"-seed", "1"}, {"-explain", "why"}, {"-ensemble", "2"},
	} {
		fails(t, dir, nil, exitUsage, flags[0]+" has no meaning with -weights net.onnx", append(flags, "-weights", net, "in.png", "out.png")...)
	}
	fails(t, dir, nil, exitUsage, "-task has no meaning", "-task", "denoise", "-weights", net, "in.png", "out.png")
	fails(t, dir, nil, exitUsage, "-range is for ONNX networks", "-task", "denoise", "-range", "0..1", "in.png", "out.png")
	fails(t, dir, nil, exitUsage, "range", "-weights", net, "-range", "1..2", "in.png", "out.png")
	fails(t, dir, nil, exitUsage, "halo", "-weights", net, "-halo", "many", "in.png", "out.png")
	fails(t, dir, nil, exitUsage, "restore sample needs a .vfm file", "sample", "-weights", net, "out.png")
	fails(t, dir, nil, exitUsage, "restore video needs a .vfm file", "video", "-task", "denoise", "-weights", net, "a.y4m", "b.y4m")
	write(t, filepath.Join(dir, "no.onnx"), []byte("this is none"))
	fails(t, dir, nil, exitFailure, "no.onnx: unreadable ONNX file", "-weights", "no.onnx", "in.png", "out.png")
	fails(t, dir, nil, exitFailure, "missing.onnx", "-weights", "missing.onnx", "in.png", "out.png")
	m := onnxtest.New()
	m.Input("in", 1, 3, 0, 0)
	m.Node("Erf", "out", []string{"in"}, nil)
	m.Output("out", 1, 3, 0, 0)
	write(t, filepath.Join(dir, "erf.onnx"), m.Bytes())
	fails(t, dir, nil, exitFailure, `erf.onnx: onnx: node "out" (Erf): is not supported`, "-weights", "erf.onnx", "in.png", "out.png")
}

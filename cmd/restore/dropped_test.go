package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// With -salvage the part that a truncated file holds is restored, with a warning and exit status 2.
// Without it nothing is restored, and the error names -salvage.
func TestSalvage(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".jpg", ".png"} {
		whole := filepath.Join(dir, "in", "whole"+ext)
		put(t, whole, photo(64, 48, false, 8, false))
		b, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		name := "cut" + ext
		write(t, filepath.Join(dir, "in", name), b[:len(b)*3/4])
		in := filepath.Join("in", name)
		fails(t, dir, noVulkan, exitFailure, "-salvage restores what is there", "-task", "denoise", "-weights", w, in, "out.png")
		args := []string{"-task", "denoise", "-noise", "3", "-weights", w, "-salvage", "-json", in, "out.png"}
		r := program(t, dir, nil, args...)
		var l resultLine
		if err := json.Unmarshal([]byte(r.out), &l); err != nil || l.Status != "salvaged" || l.Error == "" || l.Width != 64 {
			t.Errorf("%s: %q (%v)", name, r.out, err)
		}
		r.out = ""
		failed(t, r, exitUsage, name+": salvaged: ", args)
		if p := get(t, filepath.Join(dir, "out.png")); p.W != 64 || p.H != 48 {
			t.Errorf("%s became %d×%d", name, p.W, p.H)
		}
		if r := program(t, dir, nil, "-task", "denoise", "-noise", "3", "-weights", w, "-salvage", filepath.Join("in", "whole"+ext), "out.png"); r.code != 0 || r.stderr != "" {
			t.Errorf("a whole %s: %+v", ext, r)
		}
	}
	r := program(t, dir, nil, "-task", "denoise", "-noise", "3", "-weights", w, "-salvage", "in", "out")
	if r.code != exitUsage || strings.Count(r.stderr, ": salvaged: ") != 2 || !strings.Contains(r.stderr, "of 4 pictures 0 failed and 2 were restored in part") {
		t.Errorf("a folder: %+v", r)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "out", "*")); err != nil || len(files) != 4 {
		t.Errorf("in the folder: %v, %v", files, err)
	}
}

// One line lists what the new file cannot hold. If nothing is lost there is no line.
func TestNotKept(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	p := photo(24, 16, false, 8, false)
	p.Comment = []byte("a comment") // the text of a PNG file
	p.Dropped = nil
	put(t, filepath.Join(dir, "in.png"), p)
	run := func(out string) outcome {
		return program(t, dir, nil, "-task", "denoise", "-noise", "3", "-weights", w, "in.png", out)
	}
	if r := run("out.png"); r.code != 0 || r.stderr != "" || get(t, filepath.Join(dir, "out.png")).Text == nil {
		t.Errorf("to PNG: %+v", r)
	}
	if r := run("out.jpg"); r.code != 0 || r.stderr != "restore: in.png: not kept: PNG's text\n" {
		t.Errorf("to JPEG: %+v", r)
	}
	if err := os.Mkdir(filepath.Join(dir, "many"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "in.png"), filepath.Join(dir, "many", "in.png")); err != nil {
		t.Fatal(err)
	}
	r := program(t, dir, nil, "-task", "denoise", "-noise", "3", "-weights", w, "-format", "tif", "many", "few")
	if r.code != 0 || r.stderr != "restore: "+filepath.Join("many", "in.png")+": not kept: PNG's text\n" {
		t.Errorf("a folder: %+v", r)
	}
}

// A mask that marks nothing is refused before a device is opened, and the error says what a mask
// is.
func TestMaskThatMarksNothing(t *testing.T) {
	dir := workplace(t)
	put(t, filepath.Join(dir, "black.png"), picture.FromMask(make([]bool, 40*30), 40, 30))
	fails(t, dir, nil, exitFailure, "black.png: the mask marks nothing: paint white", "-task", "inpaint", "-mask", "black.png", "in.png", "out.png")
}

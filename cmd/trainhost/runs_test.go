package main

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/trainhost"
)

// Mistakes that would fail at the end are found before anything is built: no device is opened here.
func TestMistakesOfRuns(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.ckpt")
	if err := os.WriteFile(there, []byte("hours of work"), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.vfm")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"is there already":          {"train", "-data", dir, "-out", there},
		"there is no directory":     {"train", "-data", dir, "-out", filepath.Join(dir, "no", "x.ckpt")},
		`unexpected "stray"`:        {"train", "-data", dir, "-out", filepath.Join(dir, "x.ckpt"), "stray"},
		`kernels: unexpected "str"`: {"kernels", "-data", dir, "-out", filepath.Join(dir, "x.ckpt"), "str"},
		`pack: unexpected "stray"`:  {"pack", "-in", there, "-out", "x.vfm", "stray"},
		"unreadable weights":        {"eval", "-data", dir, "-weights", empty},
		"holds no picture":          {"train", "-data", dir, "-out", filepath.Join(dir, "x.ckpt")},
		"are needed":                {"train", "-data", dir},
		"is not a folder":           {"train", "-data", dir, "-out", filepath.Join(dir, "x.ckpt"), "-val", filepath.Join(dir, "none")},
		"is not a log":              {"train", "-data", dir, "-out", filepath.Join(dir, "x.ckpt"), "-csv", there},
		"-threads -1":               {"train", "-data", dir, "-out", filepath.Join(dir, "x.ckpt"), "-threads", "-1"},
	} {
		if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", args, err, want)
		}
	}
	if b, err := os.ReadFile(there); err != nil || string(b) != "hours of work" {
		t.Error("the checkpoint that was there is gone")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

// Pictures of all formats and extensions are read. Bad ones are left out and listed.
func TestTrainingPictures(t *testing.T) {
	dir := t.TempDir()
	img := synth.Photo(1, 40, 40)
	for _, name := range []string{"a.JPG", "b.Png", "c.TIFF", "d.tif"} {
		if err := imaging.Save(img, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bad.png", "bad.webp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := trainhost.CheckPictures(dir, 2, false); err != nil { // a.JPG and b.Png
		t.Error(err)
	}
	// A few bytes that claim to be 400 megapixels are not decoded.
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), 20000)
	head = append(binary.BigEndian.AppendUint32(head, 20000), 1, 0, 0, 0, 0)
	huge := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	huge = binary.BigEndian.AppendUint32(huge, crc32.ChecksumIEEE(head))
	if err := os.WriteFile(filepath.Join(dir, "huge.png"), huge, 0o644); err != nil {
		t.Fatal(err)
	}
	pics, err := trainhost.LoadPictures(dir, 32)
	if err != nil || pics.Len() != 4 || len(pics.Skipped) != 3 ||
		!strings.Contains(pics.Skipped[2].Error(), "huge.png: ") || !strings.Contains(pics.Skipped[2].Error(), "20000×20000 pixels are more than") {
		t.Fatalf("%v: %d pictures, skipped %v", err, pics.Len(), pics.Skipped)
	}
	strict := true
	if _, err := (runFlags{data: &dir, strict: &strict}).load(32); err == nil || !strings.Contains(err.Error(), "bad.png") {
		t.Errorf("-strict: got %v", err)
	}
}

func TestUsageListsExperiments(t *testing.T) {
	for _, name := range []string{"checkerboard", "linear-gaussian", "photographs", "trainhost version"} {
		if !strings.Contains(usage, name) {
			t.Errorf("the help does not tell of %s", name)
		}
	}
}

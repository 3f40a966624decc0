package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// names lists the files below a folder, relative to it.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	for path, what := range contents(t, dir) {
		if what != "directory" {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, filepath.ToSlash(rel))
		}
	}
	slices.Sort(list)
	return list
}

// tree makes a folder with two pictures, one of them in a folder below, a file that is not a
// picture, and one that is a picture by its name only.
func tree(t *testing.T) (dir, weights string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "in", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "in", "a.png"), photo(33, 40, false, 8, false))
	put(t, filepath.Join(dir, "in", "b.JPG"), photo(24, 24, true, 8, false))
	put(t, filepath.Join(dir, "in", "deep", "c.png"), photo(20, 16, false, 16, false))
	write(t, filepath.Join(dir, "in", "notes.txt"), []byte("no picture"))
	return dir, someWeights(t, dir)
}

func TestFolder(t *testing.T) {
	needDevice(t)
	dir, w := tree(t)
	args := strings.Fields("-task denoise -noise 8 in out -weights " + w)
	succeeds(t, dir, args...)
	if got := names(t, filepath.Join(dir, "out")); !slices.Equal(got, []string{"a.png", "b.JPG"}) {
		t.Fatalf("restored: %v", got)
	}
	if p := get(t, filepath.Join(dir, "out", "b.JPG")); p.W != 24 || !p.Gray {
		t.Errorf("b.JPG is %d wide, gray %v", p.W, p.Gray)
	}
	// A picture restored alone is the same.
	succeeds(t, dir, "-task", "denoise", "-noise", "8", "-weights", w, "in/a.png", "alone.png")
	if deviation(get(t, filepath.Join(dir, "alone.png")), get(t, filepath.Join(dir, "out", "a.png"))) != 0 {
		t.Error("a picture of a folder differs from the picture alone")
	}
	// Outputs that exist are skipped, new pictures are restored.
	before := contents(t, filepath.Join(dir, "out"))
	r := program(t, dir, nil, append(args, "-r", "-v")...)
	if r.code != 0 || !strings.Contains(r.stderr, "1 restored, 2 skipped, 0 failed") {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
	after := contents(t, filepath.Join(dir, "out"))
	delete(after, filepath.Join(dir, "out", "deep"))
	delete(after, filepath.Join(dir, "out", "deep", "c.png"))
	if !maps.Equal(before, after) {
		t.Error("what existed was touched")
	}
	if p := get(t, filepath.Join(dir, "out", "deep", "c.png")); p.Depth != 16 || p.H != 16 {
		t.Errorf("c.png has depth %d and height %d", p.Depth, p.H)
	}
	if r := program(t, dir, nil, append(args, "-r", "-v")...); r.code != 0 || !strings.Contains(r.stderr, "nothing to do: all 3") {
		t.Errorf("the third time: exit code %d, stderr %q", r.code, r.stderr)
	}
	write(t, filepath.Join(dir, "out", "a.png"), []byte("old"))
	succeeds(t, dir, append(args, "-overwrite", "-jobs", "1")...)
	if p := get(t, filepath.Join(dir, "out", "a.png")); p.W != 33 {
		t.Error("-overwrite left the old file")
	}
}

// A bad file is reported in a line, the others go on, and the exit code says that some failed.
func TestFolderGoesOn(t *testing.T) {
	needDevice(t)
	dir, w := tree(t)
	write(t, filepath.Join(dir, "in", "bad.png"), []byte("\x89PNG\r\n\x1a\nand then nothing"))
	r := program(t, dir, nil, "-task", "denoise", "-noise", "8", "-json", "-r", "-format", "png", "-weights", w, "in", "out")
	if r.code != exitUsage || strings.Count(r.stderr, "\n") != 2 || !strings.Contains(r.stderr, "bad.png") || !strings.Contains(r.stderr, "1 of 4 pictures failed") {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
	if got := names(t, filepath.Join(dir, "out")); !slices.Equal(got, []string{"a.png", "b.png", "deep/c.png"}) {
		t.Errorf("restored: %v", got)
	}
	status := map[string]string{}
	for _, text := range strings.Split(strings.TrimSpace(r.out), "\n") {
		var l resultLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		status[filepath.Base(string(l.In))] = l.Status
		if (l.Status == "done") != (l.Error == "" && l.Width > 0) {
			t.Errorf("%+v", l)
		}
	}
	if want := map[string]string{"a.png": "done", "b.JPG": "done", "c.png": "done", "bad.png": "failed"}; !maps.Equal(status, want) {
		t.Errorf("JSON lines: %v", status)
	}
}

func TestFolderErrors(t *testing.T) {
	dir, w := tree(t)
	put(t, filepath.Join(dir, "in", "a.jpg"), photo(8, 8, false, 8, false))
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	fails(t, dir, nil, exitFailure, "no pictures: ", "-task", "denoise", "-weights", w, "empty", "out")
	fails(t, dir, nil, exitFailure, "is not a folder", "-task", "denoise", "-weights", w, "in", w)
}

// N shards together restore every picture once.
func TestShards(t *testing.T) {
	needDevice(t)
	dir, w := tree(t)
	args := strings.Fields("-task denoise -noise 8 -r in out -weights " + w)
	succeeds(t, dir, append(args, "-shard", "0/2")...)
	first := names(t, filepath.Join(dir, "out"))
	r := program(t, dir, []string{"JOB_COMPLETION_INDEX=1"}, append(args, "-shard", "auto/2")...)
	if r.code != 0 {
		t.Fatalf("exit code %d, stderr %q", r.code, r.stderr)
	}
	if all := names(t, filepath.Join(dir, "out")); len(first) != 2 || len(all) != 3 {
		t.Errorf("the first shard did %v, both %v", first, all)
	}
	for _, c := range []struct {
		env   map[string]string
		index int
		count int
	}{
		{map[string]string{"JOB_COMPLETION_INDEX": "3"}, 3, 0},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "4"}, 2, 4},
		{map[string]string{"AWS_BATCH_JOB_ARRAY_INDEX": "1"}, 1, 0},
	} {
		if i, n, err := indexedJob(func(name string) string { return c.env[name] }); err != nil || i != c.index || n != c.count {
			t.Errorf("%v: %d of %d, %v", c.env, i, n, err)
		}
	}
}

// A folder may have one mask for all pictures, or one of the same name for each.
func TestFolderMasks(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	w := someWeights(t, dir)
	for _, d := range []string{"in", "masks"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	missing := make([]bool, 24*24)
	missing[100] = true
	for _, name := range []string{"a", "b"} {
		put(t, filepath.Join(dir, "in", name+".jpg"), photo(24, 24, false, 8, false))
		put(t, filepath.Join(dir, "masks", name+".png"), picture.FromMask(missing, 24, 24))
	}
	succeeds(t, dir, "-task", "inpaint", "-noise", "0", "-weights", w, "-mask", "masks", "in", "out1")
	succeeds(t, dir, "-task", "inpaint", "-noise", "0", "-weights", w, "-mask", "masks/a.png", "in", "out2")
	for _, name := range []string{"a.jpg", "b.jpg"} {
		if deviation(get(t, filepath.Join(dir, "out1", name)), get(t, filepath.Join(dir, "out2", name))) != 0 {
			t.Errorf("%s: one mask for all and its own, the same, give different pictures", name)
		}
	}
}

// Pictures through pipes.
func TestPipes(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(33, 40, false, 8, false))
	succeeds(t, dir, "-task", "denoise", "-noise", "8", "-weights", w, "in.png", "out.png")
	want := get(t, filepath.Join(dir, "out.png"))
	in, err := os.ReadFile(filepath.Join(dir, "in.png"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(stdin []byte, args ...string) (code int, out, stderr string) {
		var o, e bytes.Buffer
		t.Chdir(dir)
		a := &app{ctx: t.Context(), in: bytes.NewReader(stdin), out: &o, err: &e}
		code = a.main(args)
		return code, o.String(), e.String()
	}
	for _, format := range []string{"png", "jpg"} {
		code, out, stderr := run(in, "-task", "denoise", "-noise", "8", "-weights", w, "-format", format, "-", "-")
		if code != 0 || stderr != "" {
			t.Fatalf("exit code %d, stderr %q", code, stderr)
		}
		got, err := picture.Decode(strings.NewReader(out), picture.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if d := deviation(want, got); format == "png" && d != 0 || d > 3 {
			t.Errorf("%s through pipes is %.2f levels from the file", format, d)
		}
	}
	if code, out, stderr := run(in[:50], "-task", "denoise", "-weights", w, "-", "-"); code != exitFailure || out != "" || !strings.Contains(stderr, "stdin") {
		t.Errorf("a cut-off picture: exit code %d, %d bytes, stderr %q", code, len(out), stderr)
	}
}

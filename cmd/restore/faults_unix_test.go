//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// No file that is read is written, and none is written twice, under any names. This is found before
// any work, so no weights are needed.
func TestTwoNamesOfOneFile(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(24, 20, false, 8, false))
	put(t, filepath.Join(dir, "mask.png"), photo(24, 20, true, 8, false))
	write(t, filepath.Join(dir, "w.vfm"), []byte("weights"))
	if err := os.MkdirAll(filepath.Join(dir, "s"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "in.png"), filepath.Join(dir, "hard.png")); err != nil {
		t.Fatal(err)
	}
	link(t, "in.png", filepath.Join(dir, "soft.png"))
	link(t, "soft.png", filepath.Join(dir, "softer.png"))
	link(t, "new.png", filepath.Join(dir, "future.png"))
	link(t, "w.vfm", filepath.Join(dir, "weights.png"))
	link(t, "../in.png", filepath.Join(dir, "s", "sample-002.png"))
	link(t, "s", filepath.Join(dir, "t"))
	for _, args := range [][]string{
		{"in.png", "in.png"}, {"in.png", "./in.png"}, {"in.png", "soft.png"}, {"soft.png", "in.png"}, {"in.png", "hard.png"}, {"softer.png", "hard.png"},
		{"-samples", "2", "-mean", "in.png", "in.png", "o.png"}, {"-samples", "2", "-std", "softer.png", "in.png", "o.png"},
		{"-report", "in.png", "in.png", "o.png"}, {"-report", filepath.Join(dir, "in.png"), "soft.png", "o.png"}, {"-report", "future.png", "in.png", "new.png"},
		{"-samples", "2", "-mean", "future.png", "in.png", "new.png"}, {"-samples", "2", "-mean", "m.png", "-std", "./m.png", "in.png", "o.png"},
		{"-samples", "2", "-samples-dir", "s", "in.png", "o.png"}, {"-samples", "2", "-samples-dir", "t", "in.png", "o.png"},
		{"-samples", "2", "-samples-dir", "s", "-explain", "t", "mask.png", "o.png"}, {"-samples", "1", "-samples-dir", "s", "mask.png", "t/sample-001.png"},
		{"-explain", "s", "mask.png", "s/mu.png"}, {"-weights", "w.vfm", "in.png", "weights.png"},
		{"-overwrite", "-report", "in.png", "in.png", "o.png"}, {"-overwrite", "-samples", "2", "-mean", "in.png", "in.png", "o.png"},
	} {
		fails(t, dir, nil, exitUsage, "", append([]string{"-task", "denoise"}, args...)...)
	}
	fails(t, dir, nil, exitUsage, "would be lost", "-task", "inpaint", "-mask", "mask.png", "in.png", "mask.png")
	fails(t, dir, nil, exitUsage, "would be lost", "degrade", "-task", "denoise", "in.png", "hard.png")
	fails(t, dir, nil, exitUsage, "would be lost", "degrade", "-task", "inpaint", "-mask-out", "soft.png", "in.png", "o.png")
	fails(t, dir, nil, exitUsage, "would be lost", "video", "-task", "denoise", "in.png", "soft.png")
	fails(t, dir, nil, exitUsage, "would be lost", "sample", "-weights", "w.vfm", "weights.png")
}

// With -overwrite the output may be the input: a link stays, and its target becomes the result.
func TestOverwriteInput(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(24, 20, false, 8, false))
	link(t, "in.png", filepath.Join(dir, "soft.png"))
	before, _ := os.ReadFile(filepath.Join(dir, "in.png"))
	succeeds(t, dir, "-task", "denoise", "-noise", "8", "-weights", w, "-overwrite", "in.png", "soft.png")
	after, _ := os.ReadFile(filepath.Join(dir, "in.png"))
	if to, err := os.Readlink(filepath.Join(dir, "soft.png")); err != nil || to != "in.png" || string(before) == string(after) {
		t.Errorf("the link leads to %q (%v); changed: %v", to, err, string(before) != string(after))
	}
}

// A folder that is a link and has a pipe, a link back to itself, a folder without permission to
// read, broken links, links out of it, other formats, and names with the same stem. Each of these
// fails alone, and all other pictures are restored.
func TestOddFolder(t *testing.T) {
	dir, w := tree(t)
	in := filepath.Join(dir, "in")
	link(t, "in", filepath.Join(dir, "link"))
	mkfifo(t, filepath.Join(in, "pipe.png"))
	link(t, "/dev/zero", filepath.Join(in, "zero.png"))
	link(t, "nowhere.png", filepath.Join(in, "gone.png"))
	link(t, "..", filepath.Join(in, "deep", "up"))
	link(t, "a.png", filepath.Join(in, "again.png"))
	if err := os.Mkdir(filepath.Join(dir, "elsewhere"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "elsewhere", "e.png"), photo(20, 16, false, 8, false))
	link(t, "../elsewhere", filepath.Join(in, "side"))
	put(t, filepath.Join(in, "a.jpg"), photo(16, 16, false, 8, false))
	write(t, filepath.Join(in, "h.HEIC"), []byte("\x00\x00\x00\x18ftypheic"))
	long := filepath.Join(in, strings.Repeat("n", 200))
	if err := os.Mkdir(long, 0o777); err != nil {
		t.Fatal(err)
	}
	want := []string{"again.png", "b.png", "deep/c.png", "side/e.png"}
	failed := 5 // a.jpg and a.png, pipe, zero, gone
	if os.Getuid() != 0 {
		if err := os.Mkdir(filepath.Join(in, "closed"), 0); err != nil {
			t.Fatal(err)
		}
		failed++
	}
	r := program(t, dir, nil, "-task", "denoise", "-noise", "8", "-weights", w, "-r", "-format", "png", "-json", "link", "out")
	if r.code != exitUsage || strings.Count(r.stderr, "\n") != failed+2 || !strings.Contains(r.stderr, "1 file passed over, not PNG, JPEG, TIFF, WebP or DNG by name: 1 .heic") {
		t.Errorf("exit code %d, stderr %s", r.code, r.stderr)
	}
	for _, words := range []string{"pipe.png: not a regular file", "zero.png: not a regular file", "gone.png: cannot open", "would both become"} {
		if !strings.Contains(r.stderr, words) {
			t.Errorf("stderr does not say %q: %s", words, r.stderr)
		}
	}
	if got := names(t, filepath.Join(dir, "out")); !slices.Equal(got, want) {
		t.Errorf("restored: %v, want %v", got, want)
	}
	r = program(t, dir, nil, "-task", "denoise", "-noise", "8", "-weights", w, "-r", "-no-links", "-format", "png", "in", "out2")
	if got := names(t, filepath.Join(dir, "out2")); r.code != exitUsage || !slices.Equal(got, []string{"b.png", "deep/c.png"}) || !strings.Contains(r.stderr, "-no-links refuses") {
		t.Errorf("-no-links: exit code %d, restored %v, stderr %s", r.code, got, r.stderr)
	}
	fails(t, filepath.Join(dir, "elsewhere"), nil, exitFailure, "-no-links refuses", "-task", "denoise", "-no-links", "../in/again.png", "o.png")
	// A link in the middle of a path counts if it leads out of its folder, also if the rest leads
	// back.
	link(t, "deep", filepath.Join(in, "below"))
	for _, name := range []string{"in/side/e.png", "in/deep/up/b.png", "in/side/../in/b.png", filepath.Join(in, "side", "e.png")} {
		r := program(t, dir, nil, "-task", "denoise", "-weights", w, "-no-links", name, "o.png") // not with fails, which would read the pipe
		if r.code != exitFailure || !strings.Contains(r.stderr, "out of its folder, which -no-links refuses") {
			t.Errorf("%s: exit code %d, stderr %s", name, r.code, r.stderr)
		}
	}
	if r := program(t, dir, nil, "-task", "denoise", "-noise", "8", "-weights", w, "-no-links", "in/below/c.png", "o.png"); r.code != exitOK {
		t.Errorf("a link that stays in its folder: exit code %d, stderr %s", r.code, r.stderr)
	}
	masks := filepath.Join(dir, "masks")
	if err := os.Mkdir(masks, 0o777); err != nil {
		t.Fatal(err)
	}
	link(t, "../elsewhere/e.png", filepath.Join(masks, "e.png"))
	r = program(t, dir, nil, "-task", "inpaint", "-noise", "8", "-weights", w, "-no-links", "-mask", "masks", "elsewhere", "out3")
	if r.code != exitUsage && r.code != exitFailure || !strings.Contains(r.stderr, "e.png: it is a symbolic link, which -no-links refuses") {
		t.Errorf("a mask that is a link: exit code %d, stderr %s", r.code, r.stderr)
	}
}

// Links to inputs in the folder of outputs do not lead to inputs being replaced.
func TestFolderOntoInputs(t *testing.T) {
	dir, w := tree(t)
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o777); err != nil {
		t.Fatal(err)
	}
	link(t, "../in/b.JPG", filepath.Join(dir, "out", "a.png"))
	before, _ := os.ReadFile(filepath.Join(dir, "in", "b.JPG"))
	r := program(t, dir, nil, "-task", "denoise", "-noise", "8", "-weights", w, "-overwrite", "in", "out")
	after, _ := os.ReadFile(filepath.Join(dir, "in", "b.JPG"))
	if r.code != exitUsage || !strings.Contains(r.stderr, "would replace in/b.JPG") || string(before) != string(after) {
		t.Errorf("exit code %d, stderr %s", r.code, r.stderr)
	}
}

// Names may have any bytes: such pictures are restored, JSON has the exact name, and messages have
// no control characters.
func TestOddNames(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	odd := []string{"lat\xe9n.png", "esc\x1b[31m.png", "csi\u009b2J.png", "bidi\u202egnp.png", "quote\"\\.png", "\xed\xb3\xa9.png", "größer.png"}
	for i, n := range odd {
		path := filepath.Join(dir, "in", n)
		if err := os.WriteFile(path, nil, 0o644); errors.Is(err, syscall.EILSEQ) {
			t.Skip("this file system takes UTF-8 only")
		}
		if i%2 == 0 {
			put(t, path, photo(16, 12, false, 8, false))
		} // the others fail, as they are empty
	}
	r := program(t, dir, nil, "-task", "denoise", "-noise", "8", "-weights", w, "-json", "in", "out")
	for _, s := range []string{r.out, r.stderr} {
		if strings.ContainsAny(s, "\x1b\u009b\u202e") || strings.ToValidUTF8(s, "") != s {
			t.Errorf("raw bytes of names: %q", s)
		}
	}
	var seen []string
	for _, text := range strings.Split(strings.TrimSpace(r.out), "\n") {
		var l struct{ In, Status string }
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		seen = append(seen, l.In)
	}
	if len(seen) != len(odd) || !strings.Contains(r.out, `lat\udce9n.png`) || !strings.Contains(r.out, `\udced\udcb3\udca9.png`) || !slices.Contains(seen, "in/bidi\u202egnp.png") || !slices.Contains(seen, "in/quote\"\\.png") {
		t.Errorf("%d lines: %s", len(seen), r.out)
	}
}

// A failure to write to stdout is a failure of the command.
func TestFullStdout(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "a.png"), photo(24, 20, false, 8, false))
	write(t, filepath.Join(dir, "a.y4m"), append([]byte("YUV4MPEG2 W16 H12\nFRAME\n"), make([]byte, 16*12*3/2)...))
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "in", "a.png"), photo(24, 20, false, 8, false))
	for _, args := range []string{
		"help", "-help", "help video", "version", "devices", "devices -v", "man", "completion bash", "completion zsh", "completion fish", "compare a.png a.png",
		"weights info " + w, "weights verify " + w, "inspect a.png", "inspect -json a.png", "video -task denoise -noise 5 -weights " + w + " a.y4m -",
		"bench -size 16 -train=false -weights " + w, "bench -size 16 -train=false -json -weights " + w,
		"-task denoise -noise 5 -json -weights " + w + " in out",
		"-task denoise -noise 5 -json -weights " + w + " a.png o.png", "-task denoise -noise 5 -weights " + w + " a.png -",
	} {
		self, _ := os.Executable()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, strings.Fields(args)...)
		var stderr strings.Builder
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), asProgram+"=1"), full, &stderr
		cmd.Run()
		full.Close()
		if cmd.ProcessState.ExitCode() != exitFailure || !strings.HasPrefix(stderr.String(), "restore: stdout: ") {
			t.Errorf("%s: exit code %d, stderr %q", args, cmd.ProcessState.ExitCode(), stderr.String())
		}
	}
}

// A program that waits for input ends at the first signal. It ignores signals that were ignored
// when it was started.
func TestSignals(t *testing.T) {
	dir := t.TempDir()
	mkfifo(t, filepath.Join(dir, "pipe.png"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a.png"), photo(16, 12, false, 8, false))
	write(t, filepath.Join(dir, "a.y4m"), append([]byte("YUV4MPEG2 W16 H12\nFRAME\n"), make([]byte, 16*12*3/2)...))
	for _, args := range [][]string{
		{"-task", "denoise", "pipe.png", "o.png"}, {"-task", "denoise", "-", "o.png"}, {"video", "-task", "denoise", "-", "o.y4m"}, {"video", "-task", "denoise", "pipe.png", "o.y4m"},
		{"-task", "inpaint", "-mask", "pipe.png", "a.png", "o.png"}, {"-task", "motion-deblur", "-kernel", "pipe.png", "a.png", "o.png"}, {"compare", "a.png", "pipe.png"}, {"compare", "pipe.png", "a.png"},
		{"inspect", "pipe.png"}, {"inspect", "-"}, {"degrade", "-task", "denoise", "pipe.png", "o.png"}, {"video", "-task", "inpaint", "-mask", "pipe.png", "a.y4m", "o.y4m"},
	} {
		for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, os.Interrupt} {
			if signal.Ignored(s) {
				continue // as under nohup
			}
			cmd := exec.Command(self, args...)
			var stderr strings.Builder
			cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), asProgram+"=1", announce+"=1"), &stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			ready, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ready.Read(make([]byte, 1)) // it handles signals from now on
			cmd.Process.Signal(s)
			cmd.Wait()
			in.Close()
			if cmd.ProcessState.ExitCode() != exitFailure || stderr.String() != "restore: interrupted\n" {
				t.Errorf("%v, %v: %v, stderr %q", args, s, cmd.ProcessState, stderr.String())
			}
		}
	}
}

// An output that is a link to a file that does not exist yet creates that file.
func TestDanglingOutput(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(24, 20, false, 8, false))
	link(t, "new.png", filepath.Join(dir, "out.png"))
	link(t, "nowhere/new.png", filepath.Join(dir, "bad.png"))
	succeeds(t, dir, "-task", "denoise", "-noise", "8", "-weights", w, "in.png", "out.png")
	if p, err := picture.DecodeFile(filepath.Join(dir, "new.png"), picture.Limits{}); err != nil || p.W != 24 {
		t.Error(err)
	}
	fails(t, dir, nil, exitFailure, "where no file can be", "-task", "denoise", "-weights", w, "in.png", "bad.png")
}

// Frames too large for memory are refused in one line, and no output is left.
func TestHugeVideo(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	write(t, filepath.Join(dir, "in.y4m"), []byte("YUV4MPEG2 W8192 H8192 C444\n"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	r := execute(t, dir, nil, "sh", "-c", "ulimit -v 16000000; exec "+self+" video -task super-resolve -weights "+w+" in.y4m out.y4m")
	failed(t, r, exitFailure, "not enough memory: a stream of 8192×8192 pixels", nil)
	unchanged(t, dir, before, nil)
}

// If no cache can be written, the driver works without one and prints nothing.
func TestDriverIsQuiet(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(24, 20, false, 8, false))
	for _, env := range []string{"XDG_CACHE_HOME=in.png", "XDG_CACHE_HOME=none/none", "MESA_SHADER_CACHE_DIR=in.png"} {
		if r := program(t, dir, []string{env}, "-task", "denoise", "-noise", "8", "-weights", w, "in.png", "out.png"); r.code != exitOK || r.stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", env, r.code, r.stderr)
		}
	}
}

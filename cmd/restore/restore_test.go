package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// needDevice skips tests that need a device.
func needDevice(t *testing.T) {
	t.Helper()
	if _, err := gpu.List(); err != nil {
		t.Skip(err)
	}
}

// Every task through files: the size and the kind of picture are right, alpha is untouched, the
// same seed gives the same bytes.
func TestRestoreEveryTask(t *testing.T) {
	needDevice(t)
	kinds := []struct {
		gray  bool
		depth int
		alpha bool
	}{{false, 8, false}, {true, 8, false}, {false, 16, true}, {true, 16, true}}
	for i, name := range task.Names() {
		tk, _ := task.Parse(name)
		kind := kinds[i%len(kinds)]
		dir := t.TempDir()
		in := photo(45, 38, kind.gray, kind.depth, kind.alpha)
		put(t, filepath.Join(dir, "in.png"), in)
		args := []string{"-task", name, "-weights", someWeights(t, dir), "in.png", "out.png"}
		if tk.Masked() {
			missing := make([]bool, 45*38)
			for i := range missing {
				missing[i] = i%5 == 0
			}
			put(t, filepath.Join(dir, "mask.png"), picture.FromMask(missing, 45, 38))
			args = append(args, "-mask", "mask.png")
		}
		if out := succeeds(t, dir, args...); out != "" {
			t.Errorf("%s prints %q", name, out)
		}
		out := get(t, filepath.Join(dir, "out.png"))
		if out.W != 45*tk.Scale() || out.H != 38*tk.Scale() || out.Gray != kind.gray || out.Depth != kind.depth || (out.Alpha != nil) != kind.alpha {
			t.Fatalf("%s of %+v: got %d×%d gray %v depth %d alpha %v", name, kind, out.W, out.H, out.Gray, out.Depth, out.Alpha != nil)
		}
		in = get(t, filepath.Join(dir, "in.png"))
		if tk.Scale() == 1 {
			for i := range in.Alpha {
				if in.Alpha[i] != out.Alpha[i] {
					t.Fatalf("%s: alpha changed", name)
				}
			}
		}
		if i > 0 {
			continue
		}
		once, _ := os.ReadFile(filepath.Join(dir, "out.png"))
		succeeds(t, dir, args...)
		if again, _ := os.ReadFile(filepath.Join(dir, "out.png")); !bytes.Equal(once, again) {
			t.Errorf("%s: another picture the second time", name)
		}
	}
}

func TestRestoreSamples(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.jpg"), photo(33, 40, false, 8, false))
	args := strings.Fields("-task denoise in.jpg out.jpg -samples 3 -mean m.png -std s.png -samples-dir all -seed 5 -noise 10 -weights " + someWeights(t, dir))
	succeeds(t, dir, args...)
	want := []string{"all/sample-001.jpg", "all/sample-002.jpg", "all/sample-003.jpg", "m.png", "s.png", "out.jpg"}
	first := map[string][]byte{}
	for _, name := range want {
		p := get(t, filepath.Join(dir, name))
		if p.W != 33 || p.H != 40 || p.Gray != (name == "s.png") {
			t.Errorf("%s: %d×%d gray %v", name, p.W, p.H, p.Gray)
		}
		first[name], _ = os.ReadFile(filepath.Join(dir, name))
	}
	if n := len(contents(t, dir)); n != len(want)+4 { // the input, the weights, their directory and the new one
		t.Errorf("%d entries in the directory", n)
	}
	if bytes.Equal(first[want[0]], first[want[1]]) {
		t.Error("two samples are the same")
	}
	for _, v := range get(t, filepath.Join(dir, "s.png")).Pix {
		if v > -1 {
			goto spread
		}
	}
	t.Error("the standard deviation is zero everywhere")
spread:
	succeeds(t, dir, append(args, "-seed", "6")...)
	other, _ := os.ReadFile(filepath.Join(dir, want[0]))
	if bytes.Equal(other, first[want[0]]) {
		t.Error("another seed gives the same sample")
	}
}

func TestRestoreVerbose(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(20, 20, false, 8, false))
	r := program(t, dir, nil, "-v", "-weights", someWeights(t, dir), "-task", "denoise", "-noise", "7.5",
		"-samples", "2", "-temperature", "0", "-mean", "m.png", "in.png", "out.png")
	if r.code != 0 || !strings.Contains(r.stderr, "20×20 pixels, noise 7.50 of 255") {
		t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
	}
	// Without spread, all samples are the picture of the mean latent.
	out, mean := get(t, filepath.Join(dir, "out.png")), get(t, filepath.Join(dir, "m.png"))
	if d := deviation(out, mean); d > 0.5 {
		t.Errorf("at temperature 0 the mean of samples is %.2f levels from the picture", d)
	}
}

// Degrade, restore, compare: the noise is estimated, and most of it is removed.
func TestRestoreDenoises(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	m := planar.FromNRGBA(synth.Photo(7, 200, 150))
	put(t, filepath.Join(dir, "clean.png"), picture.New(m.W, m.H, m.Pix))
	succeeds(t, dir, "degrade", "-task", "denoise", "-noise", "20", "clean.png", "bad.png")
	succeeds(t, dir, "-task", "denoise", "-weights", someWeights(t, dir), "bad.png", "good.png")
	psnr := func(name string) float64 {
		var v float64
		if _, err := fmt.Sscanf(succeeds(t, dir, "compare", "clean.png", name), "PSNR %f dB", &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if before, after := psnr("bad.png"), psnr("good.png"); before < 20 || before > 24 || after < before+2 {
		t.Errorf("PSNR %.2f dB before, %.2f dB after", before, after)
	}
}

// An interrupt ends the work, with the same one line and no file.
func TestRestoreInterrupted(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(600, 500, false, 8, false))
	w := someWeights(t, dir)
	before := contents(t, dir)
	var stderr bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	t.Chdir(dir)
	args := []string{"-task", "denoise", "-weights", w, "-samples", "1000", "-mean", "m.png", "in.png", "out.png"}
	a := &app{ctx: ctx, out: &bytes.Buffer{}, err: &stderr}
	if code := a.main(args); code != exitFailure || stderr.String() != "restore: interrupted\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
	unchanged(t, dir, before, args)
}

// -explain writes the pictures of the method, with those of the samples if there are any.
func TestExplain(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(33, 40, false, 8, false))
	args := strings.Fields("-task gaussian-deblur -noise 6 -project in.png out.png -explain why -weights " + someWeights(t, dir))
	succeeds(t, dir, args...)
	if n := len(contents(t, filepath.Join(dir, "why"))); n != 3 { // itself, mu and sigma
		t.Errorf("without samples: %d entries", n)
	}
	succeeds(t, dir, "-task", "motion-deblur", "-noise", "12", "in.png", "shaken.png", "-explain", "shake", "-weights", args[len(args)-1])
	if p := get(t, filepath.Join(dir, "shake", "kernel.png")); p.W != 244 || p.H != 244 || slices.Max(p.Pix) != 1 || slices.Min(p.Pix) != -1 {
		t.Errorf("kernel: %d×%d, from %v to %v", p.W, p.H, slices.Min(p.Pix), slices.Max(p.Pix))
	}
	succeeds(t, dir, append(args, "-samples", "2", "-times", "1,0.4,0")...)
	for _, name := range []string{"mu", "sigma", "z-001", "z-002", "sample-001", "sample-002", "mean", "std"} {
		p := get(t, filepath.Join(dir, "why", name+".png"))
		if p.W != 33 || p.H != 40 {
			t.Errorf("%s: %d×%d", name, p.W, p.H)
		}
		lo, hi := p.Pix[0], p.Pix[0]
		for _, v := range p.Pix {
			lo, hi = min(lo, v), max(hi, v)
		}
		if lo == hi && name != "sigma" { // σ of the untrained adapter is the same everywhere
			t.Errorf("%s is of one colour", name)
		}
	}
}

func TestSampleCommand(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	w := someWeights(t, dir)
	succeeds(t, dir, "sample", "-size", "40x24", "-weights", w, "-n", "2", "-steps", "2", "s.png")
	a, b := get(t, filepath.Join(dir, "s-001.png")), get(t, filepath.Join(dir, "s-002.png"))
	if a.W != 40 || a.H != 24 || deviation(a, b) < 1 {
		t.Errorf("%d×%d, and the two differ by %.2f levels", a.W, a.H, deviation(a, b))
	}
	succeeds(t, dir, "sample", "-size", "40x24", "-weights", w, "-times", "1,0.5,0", "one.png")
	if one := get(t, filepath.Join(dir, "one.png")); deviation(a, one) > 0.01 {
		t.Error("the first of two pictures is not the one picture of the same seed")
	}
}

// Large pictures, which are held as levels, give the same bytes as other pictures.
func TestLargePicturesAreTheSame(t *testing.T) {
	needDevice(t)
	before := largePixels
	defer func() { largePixels = before }()
	dir := t.TempDir()
	in, mask := filepath.Join(dir, "in.png"), filepath.Join(dir, "mask.png")
	put(t, in, photo(45, 38, false, 8, true))
	missing := make([]bool, 45*38)
	for i := range missing {
		missing[i] = i%4 == 0
	}
	put(t, mask, picture.FromMask(missing, 45, 38))
	weights := someWeights(t, dir)
	for _, name := range task.Names() {
		for _, kind := range [][]string{{".png", "0"}, {".png", "16"}, {".tif", "0"}} {
			var files [2][]byte
			for i, from := range []int64{1 << 40, 1} {
				largePixels = from
				out := filepath.Join(dir, fmt.Sprint(i, kind[0]))
				args := []string{"-task", name, "-weights", filepath.Join(dir, weights), "-tile", kind[1], in, out}
				if tk, _ := task.Parse(name); tk.Masked() {
					args = append(args, "-mask", mask)
				}
				var stderr bytes.Buffer
				a := &app{ctx: t.Context(), out: &bytes.Buffer{}, err: &stderr}
				if err := a.restore(args); err != nil {
					t.Fatal(err)
				}
				files[i], _ = os.ReadFile(out)
			}
			if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) {
				t.Errorf("%s, %v: %d bytes and %d, or others", name, kind, len(files[0]), len(files[1]))
			}
		}
	}
}

// asLarge runs the restoration of big.png in dir in tiles, as a large picture.
func asLarge(t *testing.T, dir, out string, ctx context.Context, stderr io.Writer) error {
	t.Helper()
	before := largePixels
	defer func() { largePixels = before }()
	largePixels = 1
	a := &app{ctx: ctx, out: &bytes.Buffer{}, err: stderr, terminal: true}
	return a.restore([]string{"-task", "denoise", "-noise", "5", "-weights", filepath.Join(dir, someWeights(t, dir)), "-tile", "16", filepath.Join(dir, "big.png"), out})
}

// interrupter calls f when a progress line names a tile.
type interrupter struct {
	tile string
	f    func()
}

func (i *interrupter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), i.tile) {
		i.f()
	}
	return len(b), nil
}

// A restoration that is interrupted after its first rows were written leaves the old file.
func TestLargePictureInterrupted(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "big.png"), photo(200, 150, false, 16, false))
	someWeights(t, dir)
	out := filepath.Join(dir, "out.png")
	write(t, out, []byte("an older picture"))
	before := contents(t, dir)
	for _, tile := range []string{"tile 1 of", "tile 90 of", "tile 200 of"} {
		ctx, cancel := context.WithCancel(t.Context())
		begun := 0
		err := asLarge(t, dir, out, ctx, &interrupter{tile, func() {
			begun = len(contents(t, dir)) - len(before)
			cancel()
		}})
		if err == nil || err.Error() != "interrupted" {
			t.Errorf("%s: %v", tile, err)
		}
		if begun != 0 && tile == "tile 1 of" || begun != 1 && tile == "tile 200 of" {
			t.Errorf("%s: %d files were begun", tile, begun)
		}
		unchanged(t, dir, before, []string{tile})
	}
	if err := asLarge(t, dir, out, t.Context(), io.Discard); err != nil {
		t.Error(err)
	}
	if p := get(t, out); p.W != 200 || p.H != 150 || len(contents(t, dir)) != len(before) {
		t.Errorf("%d×%d, and %d files", p.W, p.H, len(contents(t, dir)))
	}
}

// If the file cannot be written, the restoration ends with the error of the file. If the
// restoration fails, the file is removed and the error is that of the restoration.
func TestRowWriter(t *testing.T) {
	dir := t.TempDir()
	p := photo(40, 30, false, 8, false)
	p.Levels = picture.NewLevels(8, len(p.Pix))
	p.Levels.Write(0, p.Pix)
	p.Pix = nil
	ctx, cancel := context.WithCancel(t.Context())
	b := newRowWriter(&staging{}, output{path: filepath.Join(dir, "no", "a.png"), format: picture.PNG}, cancel)
	b.rowsReady(p, 3)
	<-ctx.Done()
	if err := b.finish(ctx.Err()); err == nil || !strings.Contains(err.Error(), "there is no directory") {
		t.Errorf("no directory: %v", err)
	}
	s := &staging{}
	b = newRowWriter(s, output{path: filepath.Join(dir, "a.png"), format: picture.PNG}, func() {})
	b.rowsReady(p, 3)
	gone := errors.New("gone")
	if err := b.finish(gone); err != gone {
		t.Errorf("the restoration failed: %v", err)
	}
	s.abort()
	if n := len(contents(t, dir)); n != 1 {
		t.Errorf("%d files are left", n-1)
	}
	if err := newRowWriter(s, output{}, nil).finish(gone); err != gone {
		t.Errorf("before any row: %v", err)
	}
}

// -threads and -pace do not change the results, of pictures and of video.
func TestLoadFlags(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(70, 50, false, 8, false))
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	base := []string{"-task", "denoise", "-noise", "8", "-weights", w}
	succeeds(t, dir, append(base, "in.png", "all.png")...)
	if r := program(t, dir, nil, append(base, "-threads", "1", "-pace", "0.5", "in.png", "part.png")...); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	if !bytes.Equal(read("all.png"), read("part.png")) {
		t.Error("another picture")
	}
	frames := "YUV4MPEG2 W16 H8 F25:1 C420mpeg2\n"
	for i := range 3 {
		frames += "FRAME\n" + strings.Repeat(string(rune('A'+i)), 16*8*3/2)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.y4m"), []byte(frames), 0o666); err != nil {
		t.Fatal(err)
	}
	base = append([]string{"video"}, base...)
	succeeds(t, dir, append(base, "in.y4m", "all.y4m")...)
	if r := program(t, dir, nil, append(base, "-threads", "1", "-pace", "0.5", "in.y4m", "part.y4m")...); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	if !bytes.Equal(read("all.y4m"), read("part.y4m")) {
		t.Error("another video")
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/weights"
)

func TestHelp(t *testing.T) {
	main := succeeds(t, t.TempDir(), "help")
	for _, args := range [][]string{{"-help"}, {"-h"}, {"--help"}, {"help", "help"}, {"-task", "denoise", "a", "-help"}} {
		if got := succeeds(t, t.TempDir(), args...); got != main {
			t.Errorf("%q prints something else than help", args)
		}
	}
	for _, name := range task.Names() {
		if !strings.Contains(main, name) {
			t.Errorf("help does not name task %s", name)
		}
	}
	for _, text := range []string{main, succeeds(t, t.TempDir(), "help", "sample")} {
		if !strings.Contains(text, fmt.Sprintf("at most %d", restore.MaxSamples)) {
			t.Errorf("help does not tell how many samples there may be: %s", text)
		}
	}
	for _, c := range commands() {
		if !strings.Contains(main, c.name) {
			t.Errorf("help does not name command %s", c.name)
		}
		if c.name == "help" {
			continue
		}
		text := succeeds(t, t.TempDir(), "help", c.name)
		if text != succeeds(t, t.TempDir(), c.name, "-help") || !strings.Contains(text, "usage: restore "+c.name) {
			t.Errorf("help of %s: %q", c.name, text)
		}
	}
}

// Flags may come anywhere, and names after -- may look like flags.
func TestFlagOrder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "-a.png"), photo(20, 20, false, 8, false))
	put(t, filepath.Join(dir, "a.png"), get(t, filepath.Join(dir, "-a.png")))
	var first []byte
	for i, line := range []string{
		"degrade -task denoise -seed 7 a.png out.png", "degrade a.png out.png -task denoise -seed 7",
		"degrade a.png -task=denoise out.png --seed=7", "degrade -task denoise -seed 7 -- -a.png out.png",
		"degrade -task denoise -seed 7 a.png -- out.png",
	} {
		succeeds(t, dir, strings.Fields(line)...)
		b, err := os.ReadFile(filepath.Join(dir, "out.png"))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Errorf("%s: another picture", line)
		}
		os.Remove(filepath.Join(dir, "out.png"))
	}
}

func TestDegradeEveryTask(t *testing.T) {
	for _, name := range task.Names() {
		tk, _ := task.Parse(name)
		for _, kind := range []struct {
			gray  bool
			depth int
			alpha bool
		}{{false, 8, false}, {true, 8, false}, {false, 16, true}, {true, 16, true}} {
			dir := t.TempDir()
			clean := photo(131, 87, kind.gray, kind.depth, kind.alpha)
			put(t, filepath.Join(dir, "clean.png"), clean)
			args := []string{"degrade", "-task", name, "-seed", "3", "clean.png", "bad.png"}
			if tk.Masked() {
				args = append(args, "-mask-out", "mask.png")
			}
			if out := succeeds(t, dir, args...); out != "" {
				t.Errorf("%s prints %q", name, out)
			}
			bad := get(t, filepath.Join(dir, "bad.png"))
			w, h := (131+tk.Scale()-1)/tk.Scale(), (87+tk.Scale()-1)/tk.Scale()
			if bad.W != w || bad.H != h || bad.Gray != kind.gray || bad.Depth != kind.depth || (bad.Alpha != nil) != kind.alpha {
				t.Fatalf("%s of %+v: got %d×%d gray %v depth %d alpha %v", name, kind, bad.W, bad.H, bad.Gray, bad.Depth, bad.Alpha != nil)
			}
			if tk == task.Denoise {
				clean = get(t, filepath.Join(dir, "clean.png"))
				if got := deviation(clean, bad); math.Abs(got-paperNoise) > 0.4 {
					t.Errorf("%+v: noise of %.2f levels, want %.2f", kind, got, paperNoise)
				}
			}
			if tk.Masked() {
				checkMask(t, bad, get(t, filepath.Join(dir, "mask.png")))
			}
			once, _ := os.ReadFile(filepath.Join(dir, "bad.png"))
			succeeds(t, dir, args...)
			again, _ := os.ReadFile(filepath.Join(dir, "bad.png"))
			args[4] = "4"
			succeeds(t, dir, args...)
			other, _ := os.ReadFile(filepath.Join(dir, "bad.png"))
			if !bytes.Equal(once, again) || bytes.Equal(once, other) {
				t.Errorf("%s: the seed does not decide the picture", name)
			}
		}
	}
}

// deviation returns the standard deviation of b − a in 8-bit levels, without pixels near black or
// white.
func deviation(a, b *picture.Picture) float64 {
	s, n := 0.0, 0
	for i, v := range a.Pix {
		if math.Abs(float64(v)) < 0.75 {
			d := float64(v-b.Pix[i]) * 127.5
			s, n = s+d*d, n+1
		}
	}
	return math.Sqrt(s / float64(n))
}

func checkMask(t *testing.T, bad, mask *picture.Picture) {
	t.Helper()
	missing, err := mask.Mask(bad.W, bad.H)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for i, m := range missing {
		if m {
			count++
			if math.Abs(float64(bad.Pix[i])) > 0.01 {
				t.Fatalf("missing pixel %d is %g, not middle grey", i, bad.Pix[i])
			}
		}
	}
	if count == 0 || count == len(missing) {
		t.Errorf("%d of %d pixels missing", count, len(missing))
	}
}

func TestDegradeWithoutNoiseAndScale(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "clean.png"), photo(70, 60, false, 8, false))
	clean := get(t, filepath.Join(dir, "clean.png"))
	succeeds(t, dir, "degrade", "-task", "denoise", "-noise", "0", "clean.png", "same.png")
	if deviation(clean, get(t, filepath.Join(dir, "same.png"))) != 0 {
		t.Error("denoise without noise changed the picture")
	}
	succeeds(t, dir, "degrade", "-task", "motion-deblur", "-noise", "0", "-scale", "0.15", "clean.png", "little.png")
	succeeds(t, dir, "degrade", "-task", "motion-deblur", "-noise", "0", "clean.png", "much.png")
	little, much := deviation(clean, get(t, filepath.Join(dir, "little.png"))), deviation(clean, get(t, filepath.Join(dir, "much.png")))
	if little == 0 || little >= much {
		t.Errorf("a small blur is off by %.2f levels, a large one by %.2f", little, much)
	}
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	a := photo(50, 40, false, 16, false)
	b := photo(50, 40, false, 16, false)
	for i := range a.Pix {
		a.Pix[i] *= 0.9
		b.Pix[i] = a.Pix[i] + 0.1*float32(i%2*2-1) // MSE 0.01 at a range of 2: 26.02 dB
	}
	put(t, filepath.Join(dir, "a.png"), a)
	put(t, filepath.Join(dir, "b.png"), b)
	out := succeeds(t, dir, "compare", "a.png", "b.png")
	var psnr, ssim float64
	if n, err := fmt.Sscanf(out, "PSNR %f dB\nSSIM %f\n", &psnr, &ssim); n != 2 || err != nil {
		t.Fatalf("printed %q", out)
	}
	if math.Abs(psnr-26.02) > 0.02 || ssim <= 0 || ssim >= 1 {
		t.Errorf("printed %q", out)
	}
	if out = succeeds(t, dir, "compare", "a.png", "a.png"); out != "PSNR inf dB (the pictures are equal)\nSSIM 1.0000\n" {
		t.Errorf("equal pictures: %q", out)
	}
}

func TestVersion(t *testing.T) {
	out := succeeds(t, t.TempDir(), "version")
	if !strings.HasPrefix(out, "restore ") || !strings.Contains(out, "\nweights: ") {
		t.Errorf("printed %q", out)
	}
	// A program without the kernel network says so, and prints everything else.
	var b strings.Builder
	(&app{out: &b}).describeKernels(nil, errors.New("built without\nit"))
	if !strings.HasPrefix(b.String(), "kernels of motion blur: none: built without") || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("without kernels: %q", b.String())
	}
}

func TestDevices(t *testing.T) {
	r := program(t, t.TempDir(), nil, "devices", "-v")
	if r.code == exitNoVulkan {
		t.Skip("no Vulkan here:", r.stderr)
	}
	if r.code != 0 || !strings.HasPrefix(r.out, "0: ") || !strings.Contains(r.out, "subgroup") {
		t.Errorf("exit code %d, printed %q %q", r.code, r.out, r.stderr)
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("a\nb\r\n\nc\n"); got != "a; b; c" {
		t.Errorf("got %q", got)
	}
	var stderr bytes.Buffer
	a := &app{ctx: context.Background(), out: &bytes.Buffer{}, err: &stderr}
	if code := a.main([]string{"-task", "a\nb", "x", "y"}); code != exitUsage || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := progress{w: &b, on: true}
	p.update(1, 1)
	if p.clear(); b.Len() != 0 {
		t.Errorf("one tile printed %q", b.String())
	}
	p.update(1, 3)
	p.update(3, 3)
	if !strings.Contains(b.String(), "\rtile 3 of 3 (100 %)") || strings.Contains(b.String(), "\n") {
		t.Errorf("printed %q", b.String())
	}
	p.clear()
	if !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Errorf("not cleared: %q", b.String())
	}
	b.Reset()
	p.on = false
	p.update(1, 3)
	if b.Len() != 0 {
		t.Errorf("no terminal, printed %q", b.String())
	}
}

func TestNoiseFlag(t *testing.T) {
	var n noise
	for s, want := range map[string]noise{"auto": {auto: true}, "0": {}, "6.375": {levels: 6.375}, "127.5": {levels: 127.5}} {
		if err := n.Set(s); err != nil || n != want || n.String() != s {
			t.Errorf("%s: %+v, %v", s, n, err)
		}
	}
	for _, s := range []string{"", "Auto", "-1", "inf", "nan", "1e9", "6,4"} {
		if n.Set(s) == nil {
			t.Errorf("%q accepted", s)
		}
	}
}

func TestWeightsCommand(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	if out := succeeds(t, dir, "weights", "verify", w); !strings.HasPrefix(out, "sound") {
		t.Errorf("verify: %q", out)
	}
	// All embedded files are checked, also that of the kernel network.
	if out := succeeds(t, dir, "weights", "verify"); strings.Count(out, "sound: ") != 2+len(weights.Specials()) || !strings.Contains(out, "kernels of motion blur") {
		t.Errorf("verify of the embedded weights: %q", out)
	}
	out := succeeds(t, dir, "weights", "info", w)
	for _, words := range []string{"widths [8]", "as F32", "as F16", "kFLOP per pixel", "tasks:       denoise, inpaint-random", "training:    unknown"} {
		if !strings.Contains(out, words) {
			t.Errorf("info does not say %q: %s", words, out)
		}
	}
	f, err := weights.Load(filepath.Join(dir, w))
	if err != nil {
		t.Fatal(err)
	}
	made := (*trainhost.Origin)(nil).Began("train", trainhost.DataPrint{Folder: "photos", Pictures: 7, Digest: "0123456789abcdef"},
		trainhost.Host{Version: "v1", Device: "a \x1b[31mcard", Driver: "a driver 2"})
	prov, err := json.Marshal(trainhost.Provenance{Runs: []trainhost.Stage{{Origin: made}}, Packer: "v3"})
	if err != nil {
		t.Fatal(err)
	}
	f.Meta[weights.KeyProvenance] = string(prov)
	if err := weights.Save(filepath.Join(dir, "told.vfm"), f); err != nil {
		t.Fatal(err)
	}
	out = succeeds(t, dir, "weights", "info", "told.vfm")
	for _, words := range []string{"by trainhost v3", `7 pictures of "photos", fingerprint 0123456789abcdef`, "trainhost v1 on a ", "card, driver a driver 2"} {
		if !strings.Contains(out, words) {
			t.Errorf("info does not say %q: %s", words, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("info obeys the file: %q", out)
	}
	if out := succeeds(t, dir, "weights", "info"); !strings.Contains(out, "updates") || !strings.Contains(out, "run 1:") || !strings.Contains(out, "ATTRIBUTION") {
		t.Errorf("info of the embedded weights: %s", out)
	}
	b, err := os.ReadFile(filepath.Join(dir, w))
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	write(t, filepath.Join(dir, "harmed.vfm"), b)
	fails(t, dir, nil, exitFailure, "harmed.vfm", "weights", "verify", "harmed.vfm")
	fails(t, dir, nil, exitUsage, "info or verify", "weights")
	fails(t, dir, nil, exitUsage, "info or verify", "weights", "eat", w)
	fails(t, dir, nil, exitUsage, "one file at most", "weights", "info", w, w)
}

// -blur sets the defocus, -v and -json print it, and defocus is another name of gaussian-deblur.
func TestBlurFlag(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(45, 38, false, 8, false))
	w := someWeights(t, dir)
	for blur, want := range map[string]string{
		"3":        `"blur":{"verdict":"blurred","shape":"gaussian","width":3,"given":true`,
		"disc:2.5": `"blur":{"verdict":"blurred","shape":"disc","width":2.5,"given":true`,
		"none":     `"blur":{"verdict":"sharp","given":true`,
	} {
		out := succeeds(t, dir, "-task", "defocus", "-blur", blur, "-weights", w, "-json", "-overwrite", "in.png", "out.png")
		if !strings.Contains(out, want) {
			t.Errorf("-blur %s prints %s", blur, out)
		}
	}
	// The pictures of tests are too small for a blur to be found with certainty.
	out := succeeds(t, dir, "-task", "gaussian-deblur", "-weights", w, "-json", "in.png", "found.png")
	if !strings.Contains(out, `"blur":{"verdict":"`) || !strings.Contains(out, `"given":false`) || strings.Contains(out, "motion_blur") {
		t.Errorf("without -blur: %s", out)
	}
}

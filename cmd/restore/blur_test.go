package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// scene is a rendered photograph of w×h pixels.
func scene(w, h int) *picture.Picture {
	x := planar.FromNRGBA(synth.Photo(3, w, h))
	p := picture.New(w, h, x.Pix)
	p.Depth = 8
	return p
}

// pathOfLight is a path, as brightness of 9×9 pixels, that is different after half a turn.
func pathOfLight() [9][9]float64 {
	var k [9][9]float64
	for i := range 7 {
		k[1][1+i] = 1
		k[1+i][1] = 0.5
	}
	k[7][2] = 2
	return k
}

// smear convolves the picture with the path, by the definition of convolution, with edge pixels
// repeated.
func smear(p *picture.Picture, k [9][9]float64) *picture.Picture {
	sum := 0.0
	for _, row := range k {
		for _, v := range row {
			sum += v
		}
	}
	out := make([]float32, len(p.Pix))
	for c := range 3 {
		for y := range p.H {
			for x := range p.W {
				v := 0.0
				for a := range 9 {
					for b := range 9 {
						from := (c*p.H+min(max(y-a+4, 0), p.H-1))*p.W + min(max(x-b+4, 0), p.W-1)
						v += k[a][b] / sum * float64(p.Pix[from])
					}
				}
				out[(c*p.H+y)*p.W+x] = float32(v)
			}
		}
	}
	q := picture.New(p.W, p.H, out)
	q.Depth = 8
	return q
}

// -kernel takes the path of a point of light, not its half turn, and -kernel-out writes it again.
func TestKernelThatIsKnown(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	clean, k := scene(160, 120), pathOfLight()
	put(t, filepath.Join(dir, "in.png"), smear(clean, k))
	drawn := make([]float32, 3*81)
	for i := range drawn {
		drawn[i] = float32(k[i%81/9][i%9]) - 1 // 2 is white
	}
	kernel := picture.New(9, 9, drawn)
	kernel.Depth = 8
	put(t, filepath.Join(dir, "k.png"), kernel)
	succeeds(t, dir, "-task", "motion-deblur", "-noise", "0", "-kernel", "k.png", "-kernel-out", "out-k.png", "in.png", "out.png")
	psnr := func(name string) float64 {
		v, err := metric.PSNR(clean.Planar(), get(t, filepath.Join(dir, name)).Planar())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if before, after := psnr("in.png"), psnr("out.png"); after < before+4 {
		t.Errorf("%.2f dB before, %.2f after", before, after)
	}
	again := get(t, filepath.Join(dir, "out-k.png"))
	if again.W != 9 || again.H != 9 {
		t.Fatalf("the kernel comes back as %d×%d", again.W, again.H)
	}
	for i := range 81 {
		if math.Abs(float64(again.Pix[i]-drawn[i])) > 2.0/255 {
			t.Fatalf("pixel %d of the kernel is %v, was %v", i, again.Pix[i], drawn[i])
		}
	}
}

// -kernel and -kernel-out refuse bad kernels and other tasks.
func TestKernelMistakes(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(20, 20, false, 8, false))
	dark := make([]float32, 3*25)
	for i := range dark {
		dark[i] = -1
	}
	black := picture.New(5, 5, dark)
	black.Depth = 8
	put(t, filepath.Join(dir, "black.png"), black)
	put(t, filepath.Join(dir, "large.png"), photo(130, 20, false, 8, false))
	for _, c := range []struct {
		code  int
		words string
		args  []string
	}{
		{exitFailure, "is black", []string{"-task", "motion-deblur", "-kernel", "black.png"}},
		{exitFailure, "more than 129", []string{"-task", "motion-deblur", "-kernel", "large.png"}},
		{exitFailure, "none.png", []string{"-task", "motion-deblur", "-kernel", "none.png"}},
		{exitUsage, "only for motion-deblur", []string{"-task", "denoise", "-kernel", "black.png"}},
		{exitUsage, "only for motion-deblur", []string{"-task", "denoise", "-kernel-out", "k.png"}},
		{exitUsage, "-explain needs a task", []string{"-task", "auto", "-explain", "e"}},
	} {
		fails(t, dir, nil, c.code, c.words, append(c.args, "in.png", "out.png")...)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.png")); err == nil {
		t.Error("there is an output")
	}
}

// inspect prints size, quality and noise, as text and as JSON. -task auto does what inspect
// recommends: here nothing, and denoising.
func TestInspectAndAuto(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	flat := photo(96, 80, false, 8, false)
	for i := range flat.Pix {
		flat.Pix[i] = float32(i%96)/192 - 0.5
	}
	put(t, filepath.Join(dir, "sound.png"), flat)
	noisy := picture.New(96, 80, append([]float32(nil), flat.Pix...))
	noisy.Depth = 8
	state := uint64(1)
	for i := range noisy.Pix { // uniform noise of 12 levels' deviation
		state = state*6364136223846793005 + 1442695040888963407
		noisy.Pix[i] += float32((float64(state>>40)/(1<<24) - 0.5) * math.Sqrt(12) * 12 / 127.5)
	}
	put(t, filepath.Join(dir, "noisy.png"), noisy)
	var f struct {
		In            string
		Width, Height int
		Quality       int     `json:"jpeg_quality"`
		Noise         float64 `json:"noise"`
		Steps         []string
	}
	look := func(name string) {
		t.Helper()
		if err := json.Unmarshal([]byte(succeeds(t, dir, "inspect", "-json", name)), &f); err != nil {
			t.Fatal(err)
		}
	}
	if look("sound.png"); f.Width != 96 || f.Height != 80 || f.Quality != 0 || len(f.Steps) != 0 {
		t.Errorf("sound: %+v", f)
	}
	if look("noisy.png"); math.Abs(f.Noise-12) > 3 || len(f.Steps) != 1 || f.Steps[0] != "denoise" {
		t.Errorf("noisy: %+v", f)
	}
	if text := succeeds(t, dir, "inspect", "noisy.png"); !strings.Contains(text, "96×80 pixels") || !strings.Contains(text, "-task denoise would help") {
		t.Errorf("inspect says %q", text)
	}
	auto := func(in, out, says string) {
		t.Helper()
		if r := program(t, dir, nil, "-task", "auto", in, out); r.code != 0 || r.stderr != in+": "+says+"\n" {
			t.Fatalf("-task auto %s: exit code %d, stderr %q", in, r.code, r.stderr)
		}
	}
	auto("sound.png", "a.png", "nothing needs to be done; the picture is copied")
	if a := get(t, filepath.Join(dir, "a.png")); !equalPix(a.Pix, get(t, filepath.Join(dir, "sound.png")).Pix) {
		t.Error("a sound picture was changed")
	}
	auto("noisy.png", "b.png", "denoise")
	if b := get(t, filepath.Join(dir, "b.png")); equalPix(b.Pix, get(t, filepath.Join(dir, "noisy.png")).Pix) {
		t.Error("a noisy picture was not changed")
	}
}

func equalPix(a, b []float32) bool {
	for i, v := range a {
		if v != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// The description says how sure the kernel is, and in a result what was done.
func TestMotionInfo(t *testing.T) {
	blurred := motionInfo{Verdict: "blurred", Width: 3.14, Windows: 8, Blurred: 8}
	probable, given := blurred, blurred
	probable.Probable, given.Given = true, true
	for _, c := range []struct {
		info            motionInfo
		summary, result string
	}{
		{blurred, "found, 3.1 pixels wide, in 8 of 8 windows", "found, 3.1 pixels wide, in 8 of 8 windows"},
		{probable, "probably found, 3.1 pixels wide, in 8 of 8 windows",
			"probably found, 3.1 pixels wide, in 8 of 8 windows; half of the result is a network's"},
		{given, "as given by -kernel", "as given by -kernel"},
		{motionInfo{Verdict: "sharp", Windows: 8}, "none that matters", "none that matters; the picture was denoised at most"},
		{motionInfo{Verdict: "untold"}, "unknown: too much noise", "kernel unknown: too much noise; the estimate from the spectrum was used"},
	} {
		if s, r := c.info.summary(), c.info.String(); s != c.summary || r != c.result {
			t.Errorf("%+v: %q and %q", c.info, s, r)
		}
	}
}

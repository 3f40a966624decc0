package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/y4m"
)

// clip returns a video of n frames of noise around grey, and its frames.
func clip(t *testing.T, head string, n int) (file []byte, h y4m.Header) {
	t.Helper()
	r, err := y4m.NewReader(strings.NewReader(head + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := y4m.NewWriter(&b, r.Header)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, r.FrameSize())
	for i := range n {
		for j := range frame {
			frame[j] = byte(100 + 10*i + (j*7919)%13)
			if r.Format.Bits > 8 && j%2 == 1 {
				frame[j] = 1 // below 512 of 1024
			}
		}
		if err := w.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes(), r.Header
}

// levels returns the mean of the first 64 luma samples of every frame of 8 bits.
func levels(t *testing.T, file []byte) (h y4m.Header, means []float64) {
	t.Helper()
	r, err := y4m.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, r.FrameSize())
	for {
		if err := r.Read(buf); err == io.EOF {
			return r.Header, means
		} else if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range buf[:64] {
			sum += float64(v) / 64
		}
		means = append(means, sum)
	}
}

// All frames come out, in order, with their brightness, for every format, through files and pipes.
func TestVideo(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	for name, head := range map[string]string{
		"420": "YUV4MPEG2 W36 H20 F25:1 Ip A1:1 C420jpeg", "422": "YUV4MPEG2 W17 H20 F25:1 C422", "444 10 bit": "YUV4MPEG2 W16 H16 F25:1 C444p10", "grey": "YUV4MPEG2 W20 H20 Cmono XCOLORRANGE=FULL",
	} {
		in, h := clip(t, head, 5)
		write(t, filepath.Join(dir, "in.y4m"), in)
		succeeds(t, dir, "video", "-task", "denoise", "-noise", "4", "-weights", w, "in.y4m", "out.y4m")
		out, err := os.ReadFile(filepath.Join(dir, "out.y4m"))
		if err != nil {
			t.Fatal(err)
		}
		got, means := levels(t, out)
		if got.W != h.W || got.H != h.H || got.Space != h.Space || strings.Join(got.Other, " ") != strings.Join(h.Other, " ") || len(means) != 5 {
			t.Errorf("%s: %d frames of %+v from %+v", name, len(means), got, h)
		}
		_, want := levels(t, in)
		for i := range means {
			if h.Format.Bits == 8 && (means[i]-want[i] > 3 || want[i]-means[i] > 3) {
				t.Errorf("%s: frame %d has luma %g, had %g", name, i, means[i], want[i])
			}
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "video", "-task", "denoise", "-noise", "4", "-frames", "1", "-weights", w, "-", "-")
		cmd.Dir, cmd.Env, cmd.Stdin = dir, append(os.Environ(), asProgram+"=1"), bytes.NewReader(in)
		piped, err := cmd.Output()
		if err != nil || !bytes.Equal(piped, out) {
			t.Errorf("%s: through a pipe: %v, %d bytes, want the same %d", name, err, len(piped), len(out))
		}
	}
}

func TestVideoGrows(t *testing.T) {
	dir := t.TempDir()
	in, _ := clip(t, "YUV4MPEG2 W18 H10 C420mpeg2", 2)
	write(t, filepath.Join(dir, "in.y4m"), in)
	succeeds(t, dir, "video", "-task", "super-resolve", "-weights", someWeights(t, dir), "in.y4m", "out.y4m")
	out, err := os.ReadFile(filepath.Join(dir, "out.y4m"))
	if err != nil {
		t.Fatal(err)
	}
	if h, means := levels(t, out); h.W != 72 || h.H != 40 || len(means) != 2 {
		t.Errorf("%d frames of %+v", len(means), h)
	}
}

// Every mistake gives one line and no file.
func TestVideoFails(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	in, _ := clip(t, "YUV4MPEG2 W16 H16 C420jpeg", 3)
	write(t, filepath.Join(dir, "cut.y4m"), in[:len(in)-5])
	write(t, filepath.Join(dir, "good.y4m"), in)
	write(t, filepath.Join(dir, "inter.y4m"), []byte("YUV4MPEG2 W16 H16 It C420jpeg\n"))
	write(t, filepath.Join(dir, "none.y4m"), []byte("this is no video at all, whatever its name says"))
	put(t, filepath.Join(dir, "mask.png"), photo(8, 8, true, 8, false))
	for _, x := range []struct {
		code  int
		words string
		args  []string
	}{
		{1, "frame 3: the stream ends after", []string{"-task", "denoise", "cut.y4m", "o.y4m"}},
		{1, "interlaced", []string{"-task", "denoise", "inter.y4m", "o.y4m"}},
		{1, "not YUV4MPEG2", []string{"-task", "denoise", "none.y4m", "o.y4m"}},
		{1, "no such file", []string{"-task", "denoise", "missing.y4m", "o.y4m"}},
		{1, "mask.png", []string{"-task", "inpaint", "-mask", "mask.png", "good.y4m", "o.y4m"}},
		{2, "task inpaint needs -mask", []string{"-task", "inpaint", "good.y4m", "o.y4m"}},
		{2, "-frames", []string{"-task", "denoise", "-frames", "0", "good.y4m", "o.y4m"}},
		{2, "601", []string{"-task", "denoise", "-matrix", "600", "good.y4m", "o.y4m"}},
		{2, "no -task", []string{"good.y4m", "o.y4m"}},
		{2, "one to write", []string{"-task", "denoise", "good.y4m"}},
		{1, "nowhere", []string{"-task", "denoise", "good.y4m", "nowhere/o.y4m"}},
	} {
		fails(t, dir, nil, x.code, x.words, append([]string{"video", "-weights", w}, x.args...)...)
	}
}

// The colour matrix of an enlarged video follows its new height; with -matrix it is that of the
// flag.
func TestVideoMatrix(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	const rows = 184 // 736 when enlarged
	var b bytes.Buffer
	r, err := y4m.NewReader(strings.NewReader("YUV4MPEG2 W16 H184 C444\n"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := y4m.NewWriter(&b, r.Header)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte{120}, 16*rows)
	data = append(append(data, bytes.Repeat([]byte{100}, 16*rows)...), bytes.Repeat([]byte{160}, 16*rows)...)
	if err := in.Write(data); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "in.y4m"), b.Bytes())
	// rgb is the middle pixel of the enlarged frame, read with a matrix.
	rgb := func(m frame.Matrix, args ...string) [3]float32 {
		t.Helper()
		succeeds(t, dir, append(append([]string{"video", "-task", "super-resolve", "-noise", "0", "-weights", w}, args...), "in.y4m", "out.y4m")...)
		file, err := os.Open(filepath.Join(dir, "out.y4m"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		out, err := y4m.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, out.FrameSize())
		if err := out.Read(buf); err != nil {
			t.Fatal(err)
		}
		out.Format.Matrix = m
		c, err := frame.NewConverter(out.Format, out.W, out.H)
		if err != nil {
			t.Fatal(err)
		}
		n := out.W * out.H
		pix := make([]float32, 3*n)
		c.ToRGB(pix, buf)
		i := n/2 + out.W/2
		return [3]float32{pix[i], pix[n+i], pix[2*n+i]}
	}
	// The weights are random, so only runs can be compared: both have the same RGB values inside.
	told := rgb(frame.BT601, "-matrix", "601")
	followed := rgb(frame.BT709)
	other := rgb(frame.BT601)
	for c := range told {
		if d := told[c] - followed[c]; d < -0.03 || d > 0.03 {
			t.Errorf("channel %d is %g by its height, %g when told", c, followed[c], told[c])
		}
	}
	if d := told[0] - other[0] + told[1] - other[1]; d > -0.02 && d < 0.02 {
		t.Errorf("the test is empty: %v and %v", told, other)
	}
}

// Inpainting changes only codes near missing pixels; all others stay, to the bit. Chroma is not
// averaged again, and colours outside of RGB stay.
func TestVideoKeepsCodes(t *testing.T) {
	needDevice(t)
	dir := t.TempDir()
	mask := photo(40, 24, true, 8, false)
	for i := range mask.Pix {
		mask.Pix[i] = -1
		if i%(40*24) == 0 {
			mask.Pix[i] = 1
		}
	}
	put(t, filepath.Join(dir, "mask.png"), mask)
	rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for _, head := range []string{"C420mpeg2", "C420jpeg XCOLORRANGE=FULL", "C422p10", "C444", "Cmono"} {
		file, h := clip(t, "YUV4MPEG2 W40 H24 F25:1 "+head, 2)
		r, err := y4m.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w, err := y4m.NewWriter(&b, h)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, r.FrameSize())
		var frames [][]byte
		for range 2 {
			for i := range data {
				data[i] = byte(rng.Uint32())
				if h.Format.Bits > 8 && i%2 == 1 {
					data[i] &= 3
				}
			}
			frames = append(frames, bytes.Clone(data))
			if err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "in.y4m"), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		succeeds(t, dir, "video", "-task", "inpaint-random", "-mask", "mask.png", "-noise", "0", "-weights", someWeights(t, dir), "in.y4m", "out.y4m")
		out, err := os.ReadFile(filepath.Join(dir, "out.y4m"))
		if err != nil {
			t.Fatal(err)
		}
		if r, err = y4m.NewReader(bytes.NewReader(out)); err != nil {
			t.Fatal(err)
		}
		for i, want := range frames {
			if err := r.Read(data); err != nil {
				t.Fatal(err)
			}
			changed := 0
			for k := range data {
				if data[k] != want[k] {
					changed++
				}
			}
			if changed > 8 { // the missing pixel's luma, and the chroma that it shares
				t.Errorf("%s: %d of %d bytes of frame %d have changed", head, changed, len(data), i)
			}
		}
	}
}

// With -single a frame of denoise is the same as in a video of one frame. Without it, it is
// averaged with the frame before.
func TestVideoSingle(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	const head = "YUV4MPEG2 W24 H16 Cmono\n"
	rng := rand.New(rand.NewPCG(1, 2))
	frame := func() string {
		b := make([]byte, 24*16)
		for i := range b {
			b[i] = byte(90 + i%24*3 + rng.IntN(9))
		}
		return "FRAME\n" + string(b)
	}
	first, second := frame(), frame()
	write(t, filepath.Join(dir, "both.y4m"), []byte(head+first+second))
	write(t, filepath.Join(dir, "second.y4m"), []byte(head+second))
	last := func(args ...string) string {
		succeeds(t, dir, slices.Concat([]string{"video", "-task", "denoise", "-noise", "12", "-weights", w, "-overwrite"}, args, []string{"out.y4m"})...)
		b, err := os.ReadFile(filepath.Join(dir, "out.y4m"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b[len(b)-24*16:])
	}
	alone, single, averaged := last("second.y4m"), last("-single", "both.y4m"), last("both.y4m")
	if single != alone {
		t.Error("with -single the frame before has changed a frame")
	}
	if averaged == alone {
		t.Error("without -single the frame before has not changed a frame")
	}
	fails(t, dir, nil, 2, "-single has no meaning for task super-resolve, only for denoise", "video", "-task", "super-resolve", "-single", "both.y4m", "no.y4m")
}

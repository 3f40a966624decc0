package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// launcher runs pipelines with the element that was built.
type launcher struct {
	dir string
	env []string
}

// launch runs gst-launch-1.0 with the words of a pipeline and returns its output.
func (l launcher) launch(t *testing.T, pipeline string) string {
	t.Helper()
	return runWith(t, l.env, "gst-launch-1.0", append([]string{"-v"}, strings.Fields(pipeline)...)...)
}

// refused is launch for pipelines that must fail.
func (l launcher) refused(t *testing.T, pipeline, words string) {
	t.Helper()
	cmd := exec.Command(l.path("play"), strings.Fields(pipeline)...)
	cmd.Env = append(os.Environ(), l.env...)
	out, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("%s: %v\n%s", pipeline, err, out)
	}
	if !strings.Contains(string(out), words) {
		t.Errorf("%s: it does not say %q:\n%s", pipeline, words, out)
	}
}

// compile builds a program of gstreamer/test.
func (l launcher) compile(t *testing.T, name, module string) {
	t.Helper()
	run(t, "sh", "-c", "cc -std=gnu11 -Wall -Wextra -Werror gstreamer/test/"+name+".c -o '"+l.path(name)+"' $(pkg-config --cflags --libs "+module+")")
}

func (l launcher) path(name string) string { return filepath.Join(l.dir, name) }

func (l launcher) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(l.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// element builds the GStreamer element in build, next to the library, installs it as users do, and
// runs pipelines with it, if GStreamer is installed.
func element(t *testing.T, build, root, prefix string) {
	if testing.Short() {
		t.Skip("the race detector has nothing to look at in other programs")
	}
	if exec.Command("../../scripts/gstreamer.sh", "available").Run() != nil {
		t.Skip("no GStreamer to build with")
	}
	for _, tool := range []string{"gst-launch-1.0", "gst-inspect-1.0"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no", tool)
		}
	}
	for _, name := range []string{"videotestsrc", "rawvideoparse"} {
		if exec.Command("gst-inspect-1.0", "--exists", name).Run() != nil {
			t.Skip("no", name)
		}
	}
	runWith(t, []string{"CFLAGS=-Werror", "VERSION=v1.4.2"}, "../../scripts/gstreamer.sh", "build", build)
	runWith(t, []string{"DESTDIR=" + root, "PREFIX=" + prefix}, "../../scripts/gstreamer.sh", "install", build)
	dir := t.TempDir()
	l := launcher{dir, []string{"GST_PLUGIN_PATH=" + filepath.Join(root, prefix, "lib", "gstreamer-1.0"), "GST_REGISTRY=" + filepath.Join(dir, "registry")}}
	if out := runWith(t, l.env, "gst-inspect-1.0", "vfmrestore"); !strings.Contains(out, "v1.4.2") {
		t.Errorf("the element is of another version:\n%s", out)
	}
	l.compile(t, "play", "gstreamer-1.0")
	t.Run("formats", func(t *testing.T) { elementFormats(t, l) })
	t.Run("noise", func(t *testing.T) { elementNoise(t, l) })
	t.Run("sizes", func(t *testing.T) { elementSizes(t, l) })
	t.Run("times", func(t *testing.T) { elementTimes(t, l) })
	t.Run("errors", func(t *testing.T) { elementErrors(t, l) })
	t.Run("life", func(t *testing.T) { elementLife(t, l) })
}

// elementNoise sends noisy frames of NV12 with padded rows. Their noise is found, and most of it is
// removed.
func elementNoise(t *testing.T, l launcher) {
	const stride, frames = elementW + 32, 8
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var clean, noisy bytes.Buffer
	for range frames {
		for y := range elementH * 3 / 2 {
			for x := range stride {
				v := 60 + float64(x) + float64(y)
				if y >= elementH {
					v = 128
				} else {
					clean.WriteByte(byte(v))
					v += 15 * rnd.NormFloat64()
				}
				if x >= elementW {
					v = 255
				}
				noisy.WriteByte(byte(max(0, min(v, 255))))
			}
		}
	}
	if err := os.WriteFile(l.path("noisy"), noisy.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	l.launch(t, fmt.Sprintf("filesrc location=%s ! rawvideoparse format=nv12 width=%d height=%d framerate=25/1 plane-strides=<%d,%d> plane-offsets=<0,%d> frame-size=%d ! vfmrestore ! filesink location=%s",
		l.path("noisy"), elementW, elementH, stride, stride, stride*elementH, stride*elementH*3/2, l.path("quiet")))
	quiet := l.read(t, "quiet")
	if want := frames * elementW * elementH * 3 / 2; len(quiet) != want {
		t.Fatalf("%d bytes, not %d", len(quiet), want)
	}
	before, after := 0.0, 0.0
	for f := range frames {
		for y := range elementH {
			for x := range elementW {
				want := float64(clean.Bytes()[(f*elementH+y)*stride+x])
				b := float64(noisy.Bytes()[(f*elementH*3/2+y)*stride+x]) - want
				a := float64(quiet[(f*elementH*3/2+y)*elementW+x]) - want
				before, after = before+b*b, after+a*a
			}
		}
	}
	if !(after < before/4) {
		t.Errorf("the squared error of luma became %.3f of what it was", after/before)
	}
}

// elementSizes enlarges frames, with the size given on either side, and sends frames of changing
// size.
func elementSizes(t *testing.T, l launcher) {
	const src = "videotestsrc num-buffers=3 ! video/x-raw,format=I420"
	out := l.launch(t, src+",width=12,height=8 ! vfmrestore task=super-resolve ! filesink location="+l.path("larger"))
	if b := l.read(t, "larger"); len(b) != 3*48*32*3/2 {
		t.Errorf("3 frames of 48×32 have %d bytes", len(b))
	}
	if !strings.Contains(out, "width=(int)48, height=(int)32") {
		t.Errorf("the caps do not tell the size:\n%s", out)
	}
	l.launch(t, src+" ! vfmrestore task=super-resolve ! video/x-raw,width=48,height=32 ! filesink location="+l.path("asked"))
	if !bytes.Equal(l.read(t, "asked"), l.read(t, "larger")) {
		t.Error("where the result's size is asked for, other frames come out")
	}
	l.refused(t, src+" ! vfmrestore task=super-resolve ! video/x-raw,width=50,height=32 ! fakesink", "stream error") // 50 is not a multiple of 4
	l.launch(t, "concat name=c ! vfmrestore ! filesink location="+l.path("changing")+" "+src+",width=32,height=24 ! c. "+src+",width=40,height=16 ! c.")
	if b := l.read(t, "changing"); len(b) != 3*(32*24+40*16)*3/2 {
		t.Errorf("3 frames of 32×24 and 3 of 40×16 have %d bytes", len(b))
	}
}

// elementTimes checks the times of frames.
func elementTimes(t *testing.T, l launcher) {
	const src = "videotestsrc num-buffers=6 timestamp-offset=3000000000 ! video/x-raw,format=RGB,width=16,height=16,framerate=50/1"
	times := regexp.MustCompile(`chain .*(dts: .*offset_end: +\d+)`)
	find := func(pipeline string) (all []string) {
		for _, m := range times.FindAllStringSubmatch(l.launch(t, pipeline), -1) {
			all = append(all, m[1])
		}
		return all
	}
	want := find(src + " ! identity silent=false ! fakesink")
	if len(want) != 6 || !strings.Contains(want[5], "pts: 0:00:03.100000000, duration: 0:00:00.020000000") {
		t.Fatalf("the source gives %q", want)
	}
	for _, inFlight := range []int{1, 3} {
		got := find(fmt.Sprintf("%s ! vfmrestore in-flight=%d ! identity silent=false ! fakesink", src, inFlight))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("with %d frames in flight, times %q became %q", inFlight, want, got)
		}
	}
}

// elementErrors checks that errors are posted with the library's text.
func elementErrors(t *testing.T, l launcher) {
	const src = "videotestsrc num-buffers=2 ! video/x-raw,width=16,height=16"
	l.refused(t, src+" ! vfmrestore weights=/nowhere/to.vfm ! fakesink", "/nowhere/to.vfm")
	l.refused(t, src+" ! vfmrestore device=abacus ! fakesink", `"abacus"`)
	l.refused(t, src+",interlace-mode=interleaved ! vfmrestore ! fakesink", "put deinterlace before")
	l.refused(t, src+",format=I420,colorimetry=smpte240m ! vfmrestore ! fakesink", "BT.601")
	l.refused(t, src+" ! vfmrestore task=sharpen ! fakesink", "sharpen")
}

// elementLife seeks, stops and starts, and checks that nothing is leaked.
func elementLife(t *testing.T, l launcher) {
	if exec.Command("pkg-config", "gstreamer-app-1.0").Run() != nil {
		t.Skip("no gstreamer-app")
	}
	l.compile(t, "life", "gstreamer-app-1.0 gstreamer-video-1.0")
	out := runWith(t, append(l.env, "GST_TRACERS=leaks", "GST_DEBUG=GST_TRACER:7"), l.path("life"))
	for _, words := range []string{"seeks and stops are survived", "the end brings all frames", "live pipelines are told the latency", "frames that are cut off are refused"} {
		if !strings.Contains(out, words) {
			t.Errorf("it does not say %q:\n%s", words, out)
		}
	}
	if left := regexp.MustCompile(`object-alive, type-name=\(string\)[A-Z].*`).FindAllString(out, -1); left != nil {
		t.Errorf("objects are left over: %s", strings.Join(left, "\n"))
	}
}

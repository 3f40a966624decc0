package gpu

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// variants returns shaders that do the same with work groups of different sizes, so that the driver
// translates each of them.
func variants(t *testing.T, n int) (list []PipelineDesc) {
	for k := range n {
		code := slices.Clone(scaleCode)
		size := uint32(4 + k)
		changed := 0
		for i := range code[:len(code)-3] {
			mode := code[i] == 0x60010 && code[i+2] == modeLocalSize
			constant := code[i] == 0x4002b && code[i+3] == 0x20
			if mode || constant {
				code[i+3] = size
				changed++
			}
		}
		if changed != 2 {
			t.Fatalf("%d places with the size of a work group", changed)
		}
		list = append(list, PipelineDesc{Name: fmt.Sprint("scale ", size), Code: code, PushBytes: 24})
	}
	return list
}

// Pipelines that this machine has not seen are translated once, if there are enough of them.
func TestPrime(t *testing.T) {
	dir := t.TempDir()
	list := func() string {
		files, _ := filepath.Glob(filepath.Join(dir, "*.primed"))
		if len(files) == 0 {
			return ""
		}
		b, err := os.ReadFile(files[0])
		ok(t, err)
		return string(b)
	}
	d := openTest(t, Options{CacheDir: dir})
	if !d.Info().Caps.Lavapipe || runtime.GOMAXPROCS(0) < 2 {
		t.Skip("priming is for lavapipe with two cores or more")
	}
	descs := append(variants(t, primeFrom), PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8})
	var told [][2]int
	d.Watch(func(done, total int) { told = append(told, [2]int{done, total}) })
	few := must[[]*Pipeline](t)(d.NewPipelines(descs[:primeFrom-1]))
	if list() != "" {
		t.Error("a few pipelines were primed")
	}
	pipes := must[[]*Pipeline](t)(d.NewPipelines(descs))
	if n := len(strings.Fields(list())); n != len(descs) {
		t.Errorf("%d pipelines were noted, not %d", n, len(descs))
	}
	// Kernels are counted as they are translated: never more than there are, and all of them in the
	// end.
	for _, total := range []int{primeFrom - 1, len(descs)} {
		last := -1
		for len(told) > 0 && last < total {
			if told[0][1] != total || told[0][0] <= last {
				t.Errorf("%d of %d kernels reported after %d of %d", told[0][0], told[0][1], last, total)
			}
			last, told = told[0][0], told[1:]
		}
		if last != total {
			t.Errorf("%d of %d kernels reported at the end", last, total)
		}
	}
	if len(told) > 0 {
		t.Errorf("reported beyond the end: %v", told)
	}
	for _, p := range append(few, pipes...) {
		p.Free()
	}
	before := list()
	d.Close()

	again := openTest(t, Options{CacheDir: dir})
	for _, p := range must[[]*Pipeline](t)(again.NewPipelines(descs)) {
		p.Free()
	}
	if list() != before {
		t.Error("what was known was primed again")
	}
}

// If nothing is translated ahead, kernels are counted when they are built.
func TestWatch(t *testing.T) {
	d := openTest(t, Options{CacheDir: "-"})
	descs := variants(t, 3)
	last := -1
	d.Watch(func(done, total int) {
		if total != len(descs) || done != last+1 {
			t.Errorf("%d of %d kernels reported after %d of %d", done, total, last, len(descs))
		}
		last = done
	})
	for _, p := range must[[]*Pipeline](t)(d.NewPipelines(descs)) {
		p.Free()
	}
	if last != len(descs) {
		t.Errorf("%d of %d kernels reported", last, len(descs))
	}
	d.Watch(nil)
	for _, p := range must[[]*Pipeline](t)(d.NewPipelines(descs)) {
		p.Free()
	}
}

// A device may be closed while pipelines are being translated.
func TestPrimeAndClose(t *testing.T) {
	d := openTest(t, Options{CacheDir: t.TempDir()})
	done := make(chan error)
	go func() {
		_, err := d.NewPipelines(variants(t, primeFrom+4))
		done <- err
	}()
	d.Close()
	<-done // it may or may not return an error
}

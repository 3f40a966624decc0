package restore

import (
	"errors"
	"math"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/task"
)

// Restorations with float16 and float32 in the device's memory differ by rounding only, in any
// tiles.
func TestFloat16(t *testing.T) {
	if !testDev.Info().Caps.Storage16 {
		t.Skip("the device has no 16-bit storage")
	}
	rnd := newRand(t)
	p := randomPicture(rnd, 75, 42)
	req := request(rnd, task.Denoise, p)
	restoredAt := func(precision Precision, tile int) *Result {
		m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Shared: testDev, Portable: true, Precision: precision, Tile: tile})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		return restored(t, m, p, req)
	}
	full, half, tiled := restoredAt(Float32, 0), restoredAt(Float16, 0), restoredAt(Float16, 16)
	sum := 0.0
	for i, v := range full.Picture.Pix {
		d := float64(v - half.Picture.Pix[i])
		sum += d * d
		if half.Picture.Pix[i] != tiled.Picture.Pix[i] {
			t.Fatalf("value %d is %g in one tile, %g in tiles", i, half.Picture.Pix[i], tiled.Picture.Pix[i])
		}
	}
	if rms := math.Sqrt(sum / float64(len(full.Picture.Pix))); rms == 0 || !(rms < 0.004) { // half a level of 255
		t.Errorf("root mean square of the difference: %g", rms)
	}
}

// A precision that the device cannot have gives an error with the reason. Auto is float16 on GPUs
// only.
func TestPrecisions(t *testing.T) {
	for _, p := range []Precision{-1, 3} {
		if m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Shared: testDev, Precision: p}); err == nil {
			m.Close()
			t.Errorf("%v was accepted", p)
		}
	}
	lacking := gpu.Info{Name: "old", Type: gpu.Discrete}
	var ce *ConfigError
	if err := (Config{Precision: Float16}).checkPrecision(lacking); !errors.As(err, &ce) {
		t.Errorf("fp16 without 16-bit storage: %v", err)
	}
	for _, c := range []struct {
		info gpu.Info
		want bool
	}{
		{gpu.Info{Type: gpu.Discrete, Caps: gpu.Caps{Storage16: true}}, true},
		{gpu.Info{Type: gpu.Integrated, Caps: gpu.Caps{Storage16: true}}, true},
		{gpu.Info{Type: gpu.Discrete}, false},
		{gpu.Info{Type: gpu.CPU, Caps: gpu.Caps{Storage16: true}}, false},
	} {
		if got := compile.GainsByHalf(c.info); got != c.want {
			t.Errorf("%v with 16-bit storage %v: half %v", c.info.Type, c.info.Caps.Storage16, got)
		}
	}
	for _, p := range []Precision{AutoPrecision, Float32, Float16} {
		if got, err := ParsePrecision(p.String()); got != p || err != nil {
			t.Errorf("%v reads as %v, %v", p, got, err)
		}
	}
	if _, err := ParsePrecision("int8"); err == nil {
		t.Error("int8 was accepted")
	}
}

package restore

import (
	"errors"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/task"
)

// A Model on a device of the program's own gives what a Model on a device of its own gives. With
// none of the device's features it gives the same but for rounding. The device is left as it was.
func TestBorrowedDevice(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 70, 50)
	req := Request{Task: task.Denoise, Noise: 15}
	cfg := Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Margin: NoMargin, CacheDir: "-"}
	want := restored(t, sharedModel(t, 0, NoMargin), p, req)
	for _, features := range []bool{true, false} {
		cfg.Borrowed = testDev.Lend()
		if !features {
			cfg.Borrowed.Features = gpu.Features{}
		}
		m, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := restored(t, m, p, req)
		if features && !slices.Equal(got.Picture.Pix, want.Picture.Pix) {
			t.Error("the results differ")
		}
		if d := apart(got.Picture.Pix, want.Picture.Pix); !(d < 1e-4) {
			t.Errorf("features %v: the results are %g apart", features, d)
		}
		if err := m.engine.Renew(t.Context(), m.engine.Generation()); err == nil {
			t.Error("the program's device was opened anew")
		}
		m.Close()
	}
	again := restored(t, sharedModel(t, 0, NoMargin), p, req)
	if !slices.Equal(again.Picture.Pix, want.Picture.Pix) {
		t.Error("afterwards the device gives another result")
	}
	for _, spoil := range []func(c *Config){
		func(c *Config) { c.Shared = testDev },
		func(c *Config) { c.Device = "0" },
		func(c *Config) { c.Validation = true },
	} {
		c := cfg
		spoil(&c)
		var e *ConfigError
		if _, err := Open(c); !errors.As(err, &e) || e.Field != "Borrowed" {
			t.Errorf("two devices: %v", err)
		}
	}
	c := cfg
	c.Borrowed = &gpu.Borrowed{}
	var e *gpu.BorrowedError
	if _, err := Open(c); !errors.As(err, &e) {
		t.Errorf("no device: %v", err)
	}
}

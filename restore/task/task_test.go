package task

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// fresh returns a generator of its own seed, which is printed if the test fails.
func fresh(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return NewRand(seed, 7)
}

func randomImage(rng *rand.Rand, w, h int) *planar.Image {
	m := planar.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = 2*rng.Float32() - 1
	}
	return m
}

func TestNames(t *testing.T) {
	for i, name := range Names() {
		got, err := Parse("  " + strings.ToUpper(name) + " ")
		if err != nil || got != Task(i) || got.String() != name {
			t.Errorf("%q parsed to %v, %v", name, got, err)
		}
		b, err := json.Marshal(got)
		var back Task
		if err != nil || json.Unmarshal(b, &back) != nil || back != got {
			t.Errorf("%v through JSON: %s %v", got, b, err)
		}
	}
	for i, c := range All() {
		if c.Class() != i {
			t.Errorf("%v has class %d, not %d", c, c.Class(), i)
		}
	}
	_, err := Parse("sharpen")
	var u *UnknownTaskError
	if !errors.As(err, &u) || u.Name != "sharpen" {
		t.Fatalf("unknown name: %v", err)
	}
	for _, name := range Names() {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not list %s", err, name)
		}
	}
	if Inpaint.Class() != 1 || SuperResolve.Scale() != 4 || Denoise.Scale() != 1 || !InpaintBox.Masked() || MotionDeblur.Masked() {
		t.Error("properties of tasks")
	}
	if Task(99).Valid() || Task(-1).Valid() {
		t.Error("invalid tasks pass")
	}
}

func TestOperatorErrors(t *testing.T) {
	var size *SizeError
	var missing *MissingError
	var unknown *UnknownTaskError
	good := &Kernel{Size: 3, W: []float32{0, 0, 0, 0, 1, 0, 0, 0, 0}}
	cases := []struct {
		t    Task
		w, h int
		p    Params
		want any
	}{
		{Denoise, 0, 4, Params{}, &size},
		{InpaintBox, 4, 4, Params{}, &missing},
		{Inpaint, 4, 4, Params{Mask: make([]float32, 15)}, &size},
		{MotionDeblur, 4, 4, Params{}, &missing},
		{MotionDeblur, 4, 4, Params{Kernel: &Kernel{Size: 3, W: make([]float32, 4)}}, &size},
		{Task(17), 4, 4, Params{}, &unknown},
	}
	for _, c := range cases {
		_, err := NewOperator(c.t, c.w, c.h, c.p)
		if err == nil || !errors.As(err, c.want) || err.Error() == "" {
			t.Errorf("%v: %v", c.t, err)
		}
	}
	for _, k := range []*Kernel{{Size: 4, W: make([]float32, 16)}, {Size: 3, W: make([]float32, 9)}} {
		if _, err := NewOperator(MotionDeblur, 4, 4, Params{Kernel: k}); err == nil {
			t.Errorf("kernel %v accepted", k)
		}
	}
	op, err := NewOperator(MotionDeblur, 5, 4, Params{Kernel: good})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*planar.Image{planar.New(4, 5), {W: 5, H: 4, Pix: make([]float32, 7)}} {
		if _, err := op.Apply(m); err == nil {
			t.Errorf("Apply took %d×%d with %d values", m.W, m.H, len(m.Pix))
		}
		if _, err := op.Adjoint(m); err == nil {
			t.Errorf("Adjoint took %d×%d with %d values", m.W, m.H, len(m.Pix))
		}
	}
}

package task

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
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
	for _, bad := range []Task{99, -1} {
		if bad.Valid() || bad.Class() != -1 || bad.Scale() != 1 || bad.Masked() || bad.Takes(OptionMask) {
			t.Errorf("%v passes", bad)
		}
	}
}

// Every descriptor is complete, and its parts agree.
func TestDescriptors(t *testing.T) {
	seen := map[string]bool{}
	for i, d := range descriptors {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			if got, err := Parse(name); err != nil || got != Task(i) || seen[name] {
				t.Errorf("%q is the name of %v, %v", name, got, err)
			}
			seen[name] = true
		}
		if d.Class < 0 || d.Class >= Classes || d.Help == "" || d.Scale < 1 || d.Operator == nil {
			t.Errorf("%s is not complete: %+v", d.Name, d)
		}
		if (d.Draw != nil) != (d.Needs != NeedsNothing) {
			t.Errorf("%s draws parameters that it does not need, or needs some that it does not draw", d.Name)
		}
		if (d.Needs == NeedsMask) != d.Takes(OptionMask) || d.masked() != (d.View == ViewFilled) {
			t.Errorf("%s: mask, -mask and the filled view do not go together", d.Name)
		}
		if (d.Scale == Factor) != (d.View == ViewEnlarged) {
			t.Errorf("%s: scale and view do not go together", d.Name)
		}
		for _, o := range d.Options {
			if !d.Takes(o) || !slices.Contains(Takers(o), d.Name) {
				t.Errorf("%s does not take -%s", d.Name, o)
			}
		}
	}
}

// A mask per channel fills every channel by its own mask.
func TestViewOfChannelMasks(t *testing.T) {
	rng := fresh(t)
	w, h := 1+rng.IntN(30), 1+rng.IntN(30)
	n := w * h
	d := Descriptor{Name: "channels", Needs: NeedsChannelMask, Scale: 1, View: ViewFilled}
	y, mask := randomImage(rng, w, h), make([]float32, 3*n)
	for i := range mask {
		mask[i] = float32(rng.IntN(2))
	}
	v, err := d.NewViewer(w, h, mask)
	if err != nil {
		t.Fatal(err)
	}
	got := planar.New(w, h)
	for range 2 { // the second time with used memory
		v.View(got.Pix, y.Pix)
	}
	for c := range 3 {
		want, err := PushPull(y, mask[c*n:(c+1)*n])
		if err != nil {
			t.Fatal(err)
		}
		if rms(got.Plane(c), want.Plane(c)) != 0 {
			t.Errorf("channel %d is not filled by its own mask", c)
		}
	}
	for i, k := range v.Known() {
		if want := (mask[i] + mask[n+i] + mask[2*n+i]) / 3; k-want > 1e-6 || want-k > 1e-6 {
			t.Fatalf("pixel %d is known by %v, want %v", i, k, want)
		}
	}
	var size *SizeError
	if _, err := d.NewViewer(w, h, mask[:n]); !errors.As(err, &size) {
		t.Errorf("a mask for one channel: %v", err)
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

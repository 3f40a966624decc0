package restore

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// A given blur is undone by the network if that was trained for it, else by deconvolution of the
// denoised picture. If the given blur is none, the picture is denoised.
func TestGivenBlur(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 61, 54)
	req := Request{Task: task.GaussianDeblur, Noise: 3, Temperature: 1}
	given := func(b defocus.Blur) *Result {
		req.Blur = &b
		r := restored(t, m, p, req)
		if r.Task != task.GaussianDeblur || r.Blur == nil || !r.Blur.Given || r.Blur.Defocus != b {
			t.Fatalf("%v: task %v, blur %+v", b, r.Task, r.Blur)
		}
		return r
	}
	network := given(TrainedBlur)
	if near := given(defocus.Blur{Shape: defocus.Gaussian, Width: 2.8}); !slices.Equal(near.Picture.Pix, network.Picture.Pix) {
		t.Error("2.8 pixels are not undone by the network of 3 pixels")
	}
	for _, b := range []defocus.Blur{{Shape: defocus.Gaussian, Width: 1.5}, {Shape: defocus.Disc, Width: 4}} {
		clean := restored(t, m, p, Request{Task: task.Denoise, Noise: 3})
		y := deblur.Picture{W: p.W, H: p.H, Row: tile.Planes{W: p.W, H: p.H, Data: clean.Picture.Pix}.Row}
		field := blind.UniformField(p.W, p.H, b.Kernel())
		seen := deblur.Picture{W: p.W, H: p.H, Row: tile.PlanesOf(p).Row}
		if err := seen.SetLight(context.Background(), field); err != nil {
			t.Fatal(err)
		}
		want, err := deblur.Deconvolve(context.Background(), y, field, noise.White(residualNoise*task.Sigma(3)), true)
		if err != nil {
			t.Fatal(err)
		}
		got := given(b)
		for i, v := range want {
			if math.Abs(float64(min(max(v, -1), 1)-got.Picture.Pix[i])) > 1e-6 {
				t.Fatalf("%v, value %d is %g, deconvolution gives %g", b, i, got.Picture.Pix[i], v)
			}
		}
		rows := 0
		req.Rows = func(_ *picture.Picture, n int) { rows = n }
		req.Samples = 2
		if r := given(b); len(r.Samples) != 2 || r.Std == nil || rows != p.H || !slices.Equal(r.Picture.Pix, got.Picture.Pix) {
			t.Errorf("%v with samples: %d samples, %d rows, or another picture", b, len(r.Samples), rows)
		}
		req.Rows, req.Samples = nil, 0
		if got.Blur.Kernel == nil || got.Blur.Verdict != blind.Blurred {
			t.Errorf("%v: %+v", b, got.Blur)
		}
	}
	want := restored(t, m, p, Request{Task: task.Denoise, Noise: 3, Temperature: 1})
	if got := given(defocus.Blur{}); !slices.Equal(got.Picture.Pix, want.Picture.Pix) || got.Blur.Verdict != blind.Sharp {
		t.Errorf("no blur: not as denoised, or %+v", got.Blur)
	}
}

// A blur that is not given is estimated.
func TestFoundBlur(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	sharp := planar.FromNRGBA(synth.Photo(702, 160, 160))
	blurred := func(b defocus.Blur) *picture.Picture {
		out := planar.New(sharp.W, sharp.H)
		for c := range 3 {
			plane := blind.NewPlane(sharp.W, sharp.H)
			for i, v := range sharp.Plane(c) {
				plane.Pix[i] = float64(v)
			}
			for i, v := range b.Apply(plane).Pix {
				out.Plane(c)[i] = float32(v)
			}
		}
		return &picture.Picture{W: sharp.W, H: sharp.H, Pix: out.Pix, Depth: 8}
	}
	req := Request{Task: task.GaussianDeblur, Noise: 0.5, Temperature: 1}
	r := restored(t, m, blurred(defocus.Blur{Shape: defocus.Gaussian, Width: 2}), req)
	if b := r.Blur; b.Verdict != blind.Blurred || b.Given || math.Abs(b.Defocus.Deviation()/2-1) > 0.25 || b.Kernel == nil || b.Field == nil {
		t.Errorf("a Gaussian of 2 pixels is found as %+v", b)
	}
	if r = restored(t, m, blurred(defocus.Blur{}), req); r.Blur.Verdict == blind.Blurred || r.Blur.Kernel != nil {
		t.Errorf("a sharp picture is found as %+v", r.Blur)
	}
	// So is the one that the network was trained for, as there is little noise.
	if r = restored(t, m, blurred(TrainedBlur), req); r.Blur.Verdict != blind.Blurred || r.Blur.Kernel == nil {
		t.Errorf("a Gaussian of 3 pixels is found as %+v", r.Blur)
	}
	// The blur is not estimated again for the other orientations.
	req.Ensemble = 2
	if r := restored(t, m, blurred(defocus.Blur{Shape: defocus.Gaussian, Width: 2}), req); r.Blur.Verdict != blind.Blurred || r.Blur.Given {
		t.Errorf("with an ensemble: %+v", r.Blur)
	}
}

// The network undoes an estimated blur if that is certainly the one that it was trained for, and if
// there is noise.
func TestNetworkApplies(t *testing.T) {
	sure := defocus.Certainty{Spread: 0.1}
	for name, c := range map[string]struct {
		blur      defocus.Blur
		certainty defocus.Certainty
		noise     float64
		want      bool
	}{
		"noisy":        {TrainedBlur, sure, 5.1, true},
		"clean":        {TrainedBlur, sure, 4.9, false},
		"another":      {defocus.Blur{Shape: defocus.Gaussian, Width: 2}, sure, 6, false},
		"a disc":       {defocus.Blur{Shape: defocus.Disc, Width: 3}, sure, 6, false},
		"maybe a disc": {TrainedBlur, defocus.Certainty{Disc: 0.1, Spread: 0.1}, 6, false},
		"unsure":       {TrainedBlur, defocus.Certainty{Spread: 0.2}, 6, false},
	} {
		b := &Blur{Defocus: c.blur, Certainty: c.certainty}
		if got := b.networkApplies(c.noise); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBlurErrors(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(newRand(t), 40, 40)
	for name, req := range map[string]Request{
		"another task":       {Task: task.Denoise, Blur: &TrainedBlur},
		"not a number":       {Task: task.GaussianDeblur, Blur: &defocus.Blur{Shape: defocus.Gaussian, Width: math.NaN()}},
		"too wide":           {Task: task.GaussianDeblur, Blur: &defocus.Blur{Shape: defocus.Disc, Width: 99}},
		"an unknown shape":   {Task: task.GaussianDeblur, Blur: &defocus.Blur{Shape: 7, Width: 2}},
		"another projection": {Task: task.GaussianDeblur, Blur: &defocus.Blur{Shape: defocus.Disc, Width: 4}, Project: true},
	} {
		var bad *RequestError
		if _, err := m.Restore(context.Background(), p, req); !errors.As(err, &bad) || bad.Field != "blur" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

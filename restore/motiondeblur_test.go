package restore

import (
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// If no kernel can be estimated, the network for movement does motion-deblur, at the noise that
// denoise would use. It has no effect on other tasks, nor if the kernel is given, or if noise that
// is given hides it.
func TestMovement(t *testing.T) {
	rnd := newRand(t)
	special := tinyNetwork(t, otherForm(), sharedSeed+1)
	special.SetMovement()
	if special.Meta[weights.KeyTasks] != "movement" {
		t.Fatalf("tasks are written as %q", special.Meta[weights.KeyTasks])
	}
	f, err := special.File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	if special, err = NetworkFromFile(f); err != nil {
		t.Fatal(err)
	}
	both := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{special}, Margin: 8})
	defer both.Close()
	if !slices.Equal(both.Tasks(), task.All()) {
		t.Errorf("tasks are %v", both.Tasks())
	}
	delete(special.Meta, weights.KeyTasks)
	alone := open(t, Config{Network: special, Margin: 8})
	defer alone.Close()

	p := randomPicture(rnd, 48, 40) // which tells no kernel
	req := Request{Task: task.MotionDeblur, Noise: 2, Samples: 1, Temperature: 1}
	got := restored(t, both, p, req)
	if got.Task != task.MotionDeblur || got.Blur == nil || got.Blur.Verdict != blind.Untold {
		t.Fatalf("task %v, blur %+v", got.Task, got.Blur)
	}
	req.Task = task.Denoise
	want := restored(t, alone, p, req)
	if !slices.Equal(got.Picture.Pix, want.Picture.Pix) || !slices.Equal(got.Samples[0].Pix, want.Samples[0].Pix) {
		t.Error("what moved is not left to the network for movement")
	}
	req.Noise = NoNoise // a network that is there does its work without noise too
	want = restored(t, alone, p, req)
	if req.Task = task.MotionDeblur; !slices.Equal(restored(t, both, p, req).Picture.Pix, want.Picture.Pix) {
		t.Error("without noise nothing is done")
	}
	// Much noise that is estimated may be texture. If there is no blur behind it, the picture is
	// only denoised.
	p = randomPicture(rnd, 96, 96)
	for i := range p.Pix {
		p.Pix[i] = float32(0.15 * rnd.NormFloat64())
	}
	req = Request{Task: task.MotionDeblur, Samples: 1}
	got = restored(t, both, p, req)
	if req.Task = task.Denoise; got.Noise <= maxBlindNoise {
		t.Fatalf("noise of %g is found in noise", got.Noise)
	}
	want = restored(t, both, p, req)
	if got.Task != task.MotionDeblur || got.Blur == nil || got.Blur.Verdict == blind.Blurred || !slices.Equal(got.Picture.Pix, want.Picture.Pix) || !slices.Equal(got.Samples[0].Pix, want.Samples[0].Pix) {
		t.Errorf("a picture of much noise is not denoised alone: task %v, blur %+v", got.Task, got.Blur)
	}
	for name, req := range map[string]Request{"noise": {Task: task.MotionDeblur, Noise: 2 * maxBlindNoise}, "denoise": {Task: task.Denoise, Noise: 3}} {
		if !slices.Equal(restored(t, both, p, req).Picture.Pix, restored(t, sharedModel(t, 0, 8), p, req).Picture.Pix) {
			t.Errorf("%s: the network for movement has changed it", name)
		}
	}
}

// If a kernel is only probable, the result is the mean of the deconvolution and of what is done
// without a kernel.
func TestDeblurProbable(t *testing.T) {
	m := sharedModel(t, 0, 8)
	p := rectangles(newRand(t), 153, 142)
	k := &task.Kernel{Size: 7, W: make([]float32, 49)}
	for i := range 7 {
		k.W[3*7+i] = 1.0 / 7
	}
	deblurred := func(probable bool) *Result {
		f := blind.UniformField(p.W, p.H, k)
		f.Probable = probable
		return restored(t, m, p, Request{
			Task: task.MotionDeblur, Noise: 2, Samples: 1, Temperature: 1,
			foundBlur: &Blur{Verdict: blind.Blurred, Field: f, Kernel: k},
		})
	}
	sure, got := deblurred(false), deblurred(true)
	without := restored(t, m, p, Request{Task: task.Denoise, Noise: 2, Samples: 1, Temperature: 1})
	var mean, want []float32
	for i, v := range sure.Picture.Pix {
		if v > -1 && v < 1 { // values are clamped after the mean
			mean = append(mean, got.Picture.Pix[i])
			want = append(want, (v+without.Picture.Pix[i])/2)
		}
	}
	if off := apart(mean, want); off > 2e-3 {
		t.Errorf("off by %g", off)
	}
	if moved := apart(sure.Picture.Pix, without.Picture.Pix); moved < 0.1 {
		t.Errorf("deconvolution changes only %g", moved)
	}
	if got.Task != task.MotionDeblur || !got.Blur.Field.Probable || len(got.Samples) != 1 {
		t.Errorf("task %v, blur %+v, %d samples", got.Task, got.Blur, len(got.Samples))
	}
}

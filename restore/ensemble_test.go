package restore

import (
	"testing"

	"github.com/disintegration/imaging"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// The mean of all eight orientations does not depend on the picture's own orientation. A single
// restoration does.
func TestEnsemble(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	for _, what := range []task.Task{task.Denoise, task.SuperResolve, task.InpaintRandom} {
		p := randomPicture(rnd, 21, 14)
		turned := orientation(4 + 2).picture(p) // a quarter turn
		req := request(rnd, what, p)
		req.Ensemble = 8
		if what == task.InpaintRandom {
			req.Noise = NoNoise // known pixels are kept
		}
		last, total := 0, 0
		req.Progress = func(done, all int) {
			if done != last+1 {
				t.Errorf("%v: progress from %d to %d of %d", what, last, done, all)
			}
			last, total = done, all
		}
		res := restored(t, m, p, req)
		if last != total || total < 8 {
			t.Errorf("%v: progress ended at %d of %d", what, last, total)
		}
		for i, missing := range req.Mask {
			for c := 0; c < 3 && !missing; c++ {
				if k := c*p.W*p.H + i; res.Picture.Pix[k] != p.Pix[k] {
					t.Fatalf("known pixel %d changed from %v to %v", i, p.Pix[k], res.Picture.Pix[k])
				}
			}
		}
		req.Progress = nil
		single := req
		single.Ensemble = 1
		one := restored(t, m, p, single)
		tr := req
		if req.Mask != nil {
			tr.Mask = make([]bool, len(req.Mask))
			orientation(4+2).each(p.W, p.H, func(now, was int) { tr.Mask[now] = req.Mask[was] })
		}
		other := restored(t, m, turned, tr)
		if d := apart(orientation(4+2).picture(res.Picture).Pix, other.Picture.Pix); !(d < 1e-5) {
			t.Errorf("%v: turned, the result is off by %g", what, d)
		}
		if d := apart(one.Picture.Pix, res.Picture.Pix); what != task.InpaintRandom && d < 1e-3 {
			t.Errorf("%v: the ensemble changes only %g", what, d)
		}
	}
}

// The orientations are those of an independent implementation, each once.
func TestOrientations(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 5, 3)
	img := planar.Image{W: p.W, H: p.H, Pix: p.Pix}
	n := img.ToNRGBA()
	p = picture.New(5, 3, planar.FromNRGBA(n).Pix)
	want := []*planar.Image{
		planar.FromNRGBA(n), planar.FromNRGBA(imaging.FlipH(n)), planar.FromNRGBA(imaging.FlipV(n)), planar.FromNRGBA(imaging.Rotate180(n)),
		planar.FromNRGBA(imaging.Transpose(n)), planar.FromNRGBA(imaging.Rotate90(n)), planar.FromNRGBA(imaging.Rotate270(n)), planar.FromNRGBA(imaging.Transverse(n)),
	}
	seen := map[int]bool{}
	for o := range orientation(orientations) {
		got := o.picture(p)
		for i, w := range want {
			if w.W == got.W && apart(got.Pix, w.Pix) == 0 {
				if seen[i] {
					t.Errorf("orientation %d is there twice", o)
				}
				seen[i] = true
			}
		}
	}
	if len(seen) != orientations {
		t.Errorf("%d of %d orientations", len(seen), orientations)
	}
}

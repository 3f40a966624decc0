package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// orientations is the number of ways in which a square can lie.
const orientations = 8

// orientation is one of them: bit 0 mirrors from left to right, bit 1 from top to bottom, bit 2 swaps the axes before.
type orientation int

// turned gives the sides of a w×h picture in this orientation.
func (o orientation) turned(w, h int) (int, int) {
	if o&4 != 0 {
		return h, w
	}
	return w, h
}

// from gives the index in a w×h picture as it was of pixel (x, y) as it lies now.
func (o orientation) from(x, y, w, h int) int {
	if o&4 != 0 {
		x, y = y, x
	}
	if o&1 != 0 {
		x = w - 1 - x
	}
	if o&2 != 0 {
		y = h - 1 - y
	}
	return y*w + x
}

// each calls f with the index of every pixel of a w×h picture as it lies now and as it was.
func (o orientation) each(w, h int, f func(now, was int)) {
	tw, th := o.turned(w, h)
	for y := range th {
		for x := range tw {
			f(y*tw+x, o.from(x, y, w, h))
		}
	}
}

// picture turns the colours of a picture with Pix.
func (o orientation) picture(p *picture.Picture) *picture.Picture {
	n := p.W * p.H
	pix := make([]float32, 3*n)
	o.each(p.W, p.H, func(now, was int) {
		for c := range 3 {
			pix[c*n+now] = p.Pix[c*n+was]
		}
	})
	w, h := o.turned(p.W, p.H)
	return &picture.Picture{W: w, H: h, Pix: pix, Gray: p.Gray, Depth: p.Depth}
}

// ensemble restores a picture in several orientations; the mean of what comes out replaces the picture of z = μ. All else is of the picture as it lies.
func (m *Model) ensemble(ctx context.Context, pic *picture.Picture, req Request) (*Result, error) {
	if err := check(pic, req); err != nil {
		return nil, err
	}
	n := req.Ensemble
	pic = pic.Unpacked()
	turn := func(o orientation, pic *picture.Picture, req Request) (*Result, error) {
		req.Ensemble, req.Rows, req.skipFinish = 0, nil, true
		if show := req.Progress; show != nil {
			req.Progress = func(done, total int) { show(int(o)*total+done, n*total) }
		}
		return m.Restore(ctx, pic, req)
	}
	result, err := turn(0, pic, req)
	if err != nil {
		return nil, err
	}
	seen, err := fillHidden(pic, req.isKnown)
	if err != nil {
		return nil, err
	}
	sum := result.Picture
	hidden := slices.Clone(sum.Pix)
	pixels := sum.W * sum.H
	for o := orientation(1); int(o) < n; o++ {
		// The class and the noise level that were found, not what would be found again.
		again := Request{Task: result.Task, Profile: &result.Profile, Steps: req.Steps, Times: req.Times, Project: req.Project, Progress: req.Progress, Below: req.Below, Above: req.Above}
		if result.Task == task.GaussianDeblur {
			again.Blur = &result.Blur.Defocus
		}
		if k := req.Kernel; k != nil {
			again.Kernel = &task.Kernel{Size: k.Size, W: make([]float32, len(k.W))}
			o.each(k.Size, k.Size, func(now, was int) { again.Kernel.W[now] = k.W[was] })
		}
		if req.Mask != nil {
			again.Mask = make([]bool, len(req.Mask))
			o.each(pic.W, pic.H, func(now, was int) { again.Mask[now] = req.Mask[was] })
		}
		r, err := turn(o, o.picture(seen), again)
		if err != nil {
			return nil, err
		}
		// The running mean: equal values, such as those of known pixels, stay as they are, bit for bit.
		share := 1 / float32(o+1)
		o.each(sum.W, sum.H, func(now, was int) {
			for c := range 3 {
				mean := &sum.Pix[c*pixels+was]
				*mean += (r.Picture.Pix[c*pixels+now] - *mean) * share
			}
		})
	}
	for i := range pixels {
		if !visible(sum, i) { // as it was in the picture that lay as it was given
			for c := range 3 {
				sum.Pix[c*pixels+i] = hidden[c*pixels+i]
			}
		}
	}
	if req.Mask != nil { // the mean of several fillings would be none
		req.Profile = &result.Profile // which was found
		j, err := m.newCheckedJob(pic, req)
		if err == nil {
			err = j.fillHoles(ctx, sum, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	if result.Task == task.Denoise && (pic.Blocks != nil || req.Grain != [2]float64{}) {
		req.Profile = &result.Profile // which was found
		j, err := m.newCheckedJob(pic, req)
		if err != nil {
			return nil, err
		}
		j.finishRows(&resultCanvas{Planes: tile.Planes{W: sum.W, H: sum.H, Data: sum.Pix}}, sum.H)
	}
	if req.Rows != nil {
		req.Rows(sum, sum.H)
	}
	return result, nil
}

package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// orientations is the number of ways in which a square can lie.
const orientations = 8

// orientation is one of them. Bit 0 mirrors from left to right and bit 1 from top to bottom; bit 2
// swaps the axes before that.
type orientation int

// turned returns the sides of a w×h picture in this orientation.
func (o orientation) turned(w, h int) (int, int) {
	if o&4 != 0 {
		return h, w
	}
	return w, h
}

// from returns the index, in a w×h picture before it is turned, of the pixel (x, y) after.
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

// each calls f with the index of every pixel of a w×h picture after it is turned and before.
func (o orientation) each(w, h int, f func(after, before int)) {
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
	o.each(p.W, p.H, func(after, before int) {
		for c := range 3 {
			pix[c*n+after] = p.Pix[c*n+before]
		}
	})
	w, h := o.turned(p.W, p.H)
	return &picture.Picture{W: w, H: h, Pix: pix, Gray: p.Gray, Depth: p.Depth}
}

// compressionGrid is the side in pixels of the blocks of JPEG's chroma, at half the size. The network
// that undoes JPEG expects that the blocks begin at the corner of the picture.
const compressionGrid = 16

// extended continues a picture with Pix by reflection, on the right and below, until its sides are
// multiples of grid. Then the blocks begin at the corner in all orientations.
func extended(p *picture.Picture, grid int) *picture.Picture {
	w, h := tile.RoundUp(p.W, grid), tile.RoundUp(p.H, grid)
	pix := make([]float32, 0, 3*w*h)
	for c := range 3 {
		for y := range h {
			row := p.Pix[(c*p.H+planar.Mirror(y, p.H))*p.W:][:p.W]
			for x := range w {
				pix = append(pix, row[planar.Mirror(x, p.W)])
			}
		}
	}
	return &picture.Picture{W: w, H: h, Pix: pix, Gray: p.Gray, Depth: p.Depth}
}

// ensemble restores a picture in several orientations. The mean of these replaces the picture of
// z = μ. Everything else is that of the picture's own orientation.
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
	filled, err := fillHidden(pic, req.isKnown)
	if err != nil {
		return nil, err
	}
	_, _, compressed := m.networkFor(compression)
	compressed = compressed && result.Task == task.Denoise && isStronglyCompressed(pic, req) &&
		!isCameraFile(pic, result.Profile)
	if compressed {
		filled = extended(filled, compressionGrid)
	}
	sum := result.Picture
	hidden := slices.Clone(sum.Pix)
	pixels := sum.W * sum.H
	for o := orientation(1); int(o) < n; o++ {
		// With the task and the noise that were found in the first orientation.
		again := Request{
			Task: result.Task, Profile: &result.Profile, Steps: req.Steps, Times: req.Times,
			Project: req.Project, Progress: req.Progress, Below: req.Below, Above: req.Above,
			byCompressionNetwork: compressed,
		}
		if result.Task == task.GaussianDeblur {
			again.Blur = &result.Blur.Defocus
		}
		if k := req.Kernel; k != nil {
			again.Kernel = &task.Kernel{Size: k.Size, W: make([]float32, len(k.W))}
			o.each(k.Size, k.Size, func(after, before int) { again.Kernel.W[after] = k.W[before] })
		}
		if req.Mask != nil {
			again.Mask = make([]bool, len(req.Mask))
			o.each(pic.W, pic.H, func(after, before int) { again.Mask[after] = req.Mask[before] })
		}
		r, err := turn(o, o.picture(filled), again)
		if err != nil {
			return nil, err
		}
		// The running mean. Equal values, such as those of known pixels, stay the same bit for bit.
		share := 1 / float32(o+1)
		w, h, all := sum.W, sum.H, r.Picture.W*r.Picture.H
		if compressed {
			w, h = filled.W, filled.H
		}
		o.each(w, h, func(after, before int) {
			x, y := before%w, before/w
			if x >= sum.W || y >= sum.H {
				return
			}
			for c := range 3 {
				mean := &sum.Pix[c*pixels+y*sum.W+x]
				*mean += (r.Picture.Pix[c*all+after] - *mean) * share
			}
		})
	}
	for i := range pixels {
		if !visible(sum, i) { // as in the picture's own orientation
			for c := range 3 {
				sum.Pix[c*pixels+i] = hidden[c*pixels+i]
			}
		}
	}
	if req.Mask != nil { // after the mean: a mean of several fillings would be blurred
		req.Profile = &result.Profile
		j, err := m.newCheckedJob(pic, req)
		if err == nil {
			err = j.fillHoles(ctx, sum, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	if result.Task == task.Denoise && (pic.Blocks != nil || req.Grain != [2]float64{}) {
		req.Profile = &result.Profile
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

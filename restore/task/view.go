package task

import (
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// View returns what the networks' adapter sees of an observation y, in the size of the restored
// picture, and a plane that is 1 where this shows measured pixels and 0 where it is a guess (one
// value per pixel):
//
//   - denoise and the blurs: y as it is, all 1;
//   - inpainting: y with its missing pixels filled by PushPull, and the mask;
//   - super-resolve: y enlarged by 4 with the bicubic kernel (UpMatrix), all 1.
//
// Inpainting needs a mask (*MissingError without, *SizeError for another size); other tasks ignore
// it. The results share no memory with the arguments.
func View(t Task, y *planar.Image, mask []float32) (view *planar.Image, known []float32, err error) {
	if err := y.Check(); err != nil {
		return nil, nil, err
	}
	v, err := NewViewer(t, y.W, y.H, mask)
	if err != nil {
		return nil, nil, err
	}
	view = planar.New(v.Size())
	v.View(view.Pix, y.Pix)
	return view, v.Known(), nil
}

// Viewer makes the View of one observation after another, all of one size and mask, without
// allocating. It is not safe for concurrent use.
type Viewer struct {
	w, h    int
	known   []float32
	fill    *pyramid    // if missing values are filled by one mask for all channels
	fills   [3]*pyramid // by a mask per channel
	scratch []float32   // three planes, for fills
	enlarge *resampler
}

// NewViewer returns a Viewer for observations of w×h pixels. Errors as of View.
func NewViewer(t Task, w, h int, mask []float32) (*Viewer, error) {
	if !t.Valid() {
		return nil, &UnknownTaskError{Name: t.String()}
	}
	return t.Descriptor().NewViewer(w, h, mask)
}

// NewViewer returns a Viewer for observations of w×h pixels. Errors as of View. With a mask per
// channel every channel is filled by its own mask, and the plane of known pixels is the mean of the
// three.
func (d *Descriptor) NewViewer(w, h int, mask []float32) (*Viewer, error) {
	if w < 1 || h < 1 {
		return nil, &SizeError{What: "picture", W: w, H: h}
	}
	if d.masked() {
		if err := d.checkMask(len(mask), w, h); err != nil {
			return nil, err
		}
	}
	v := &Viewer{w: w, h: h}
	switch {
	case d.View == ViewFilled && d.Needs == NeedsChannelMask:
		v.fillChannels(mask)
		return v, nil
	case d.View == ViewFilled:
		v.known = append([]float32(nil), mask...)
		v.fill = newPyramid(team.New(0), v.known, w, h)
		return v, nil
	case d.View == ViewEnlarged:
		v.enlarge = newResampler(team.New(0), upFilter(w), upFilter(h))
		v.w, v.h = v.enlarge.across.m, v.enlarge.down.m
	}
	v.known = make([]float32, v.w*v.h)
	for i := range v.known {
		v.known[i] = 1
	}
	return v, nil
}

// fillChannels prepares filling by a mask of three planes.
func (v *Viewer) fillChannels(mask []float32) {
	n := v.w * v.h
	v.known, v.scratch = make([]float32, n), make([]float32, 3*n)
	weights := append([]float32(nil), mask...)
	for c := range v.fills {
		own := weights[c*n : (c+1)*n]
		v.fills[c] = newPyramid(team.New(0), own, v.w, v.h)
		for i, m := range own {
			v.known[i] += m / 3
		}
	}
}

// Size returns width and height of the view.
func (v *Viewer) Size() (w, h int) { return v.w, v.h }

// Known returns the plane of View that is 1 where a pixel was measured. The Viewer owns it.
func (v *Viewer) Known() []float32 { return v.known }

// View writes the view of y to dst, three planes each. It panics if dst or y is too short.
func (v *Viewer) View(dst, y []float32) {
	m := v.w * v.h
	_ = dst[3*m-1]
	if v.enlarge != nil {
		n := len(y) / 3
		for c := range 3 {
			v.enlarge.apply(dst[c*m:(c+1)*m], y[c*n:(c+1)*n])
		}
		return
	}
	copy(dst, y[:3*m])
	if v.fill != nil {
		v.fill.fill(dst)
	}
	for c, p := range v.fills {
		if p != nil {
			copy(v.scratch, y[:3*m])
			p.fill(v.scratch)
			copy(dst[c*m:(c+1)*m], v.scratch[c*m:])
		}
	}
}

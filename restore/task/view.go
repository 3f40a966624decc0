package task

import (
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// View returns what the networks' adapter sees of an observation y, in the size of the restored picture, and a plane that is 1 where
// that shows measured pixels and 0 where it is a guess (one value per pixel):
//
//   - denoise and the blurs: y as it is, all 1;
//   - inpainting: y with its missing pixels filled by PushPull, and the mask;
//   - super-resolve: y enlarged by 4 with the bicubic kernel (UpMatrix), all 1.
//
// mask is needed for inpainting only (*MissingError without, *SizeError for another size) and otherwise ignored. The results share no
// memory with the arguments.
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

// Viewer makes View of one observation after the other, of one size and mask, without allocating. It is for one goroutine at a time.
type Viewer struct {
	w, h    int
	known   []float32
	pyramid *pyramid   // inpainting
	enlarge *resampler // super-resolution
}

// NewViewer returns a Viewer for observations of w×h pixels; errors as of View.
func NewViewer(t Task, w, h int, mask []float32) (*Viewer, error) {
	if w < 1 || h < 1 {
		return nil, &SizeError{What: "picture", W: w, H: h}
	}
	v := &Viewer{w: w, h: h}
	switch {
	case !t.Valid():
		return nil, &UnknownTaskError{Name: t.String()}
	case t.Masked():
		if err := checkMask(t, mask, w, h); err != nil {
			return nil, err
		}
		v.known = append([]float32(nil), mask...)
		v.pyramid = newPyramid(team.New(0), v.known, w, h)
		return v, nil
	case t == SuperResolve:
		v.enlarge = newResampler(team.New(0), upFilter(w), upFilter(h))
		v.w, v.h = v.enlarge.across.m, v.enlarge.down.m
	}
	v.known = make([]float32, v.w*v.h)
	for i := range v.known {
		v.known[i] = 1
	}
	return v, nil
}

// Size returns width and height of the view.
func (v *Viewer) Size() (w, h int) { return v.w, v.h }

// Known returns the plane of View that is 1 where a pixel was measured; it is the Viewer's own.
func (v *Viewer) Known() []float32 { return v.known }

// View writes the view of y to dst, three planes each. It panics on other lengths.
func (v *Viewer) View(dst, y []float32) {
	_ = dst[3*v.w*v.h-1]
	if v.enlarge != nil {
		n, m := len(y)/3, v.w*v.h
		for c := range 3 {
			v.enlarge.apply(dst[c*m:(c+1)*m], y[c*n:(c+1)*n])
		}
		return
	}
	copy(dst, y[:3*v.w*v.h])
	if v.pyramid != nil {
		v.pyramid.fill(dst)
	}
}

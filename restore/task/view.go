package task

import "github.com/vfmrestore/restore/restore/planar"

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
	switch {
	case !t.Valid():
		return nil, nil, &UnknownTaskError{Name: t.String()}
	case t.Masked():
		if err := checkMask(t, mask, y.W, y.H); err != nil {
			return nil, nil, err
		}
		view, err = PushPull(y, mask)
		return view, append([]float32(nil), mask...), err
	case t == SuperResolve:
		view = upsample(y)
	default:
		view = y.Clone()
	}
	known = make([]float32, view.W*view.H)
	for i := range known {
		known[i] = 1
	}
	return view, known, nil
}

func upsample(y *planar.Image) *planar.Image {
	across, down := upFilter(y.W), upFilter(y.H)
	out := &planar.Image{W: across.m, H: down.m}
	out.Pix = planes(y.Pix, out.W*out.H, func(p []float32) []float32 {
		return filterColumns(down, filterRows(across, p, y.H), out.W)
	})
	return out
}

package restore

import (
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/restore/temporal"
)

// averager returns a function that averages restored frames with those before them. Pixels that
// alpha hides stay as they are.
func (s *Stream) averager() func(*slot) error {
	var filter temporal.Filter
	return func(f *slot) error {
		w, h := f.format.w, f.format.h
		if err := filter.Apply(s.ctx, f.out, w, h, task.Sigma(f.info.Noise)); err != nil {
			return err
		}
		for i, a := range f.alpha {
			if a == 0 {
				for c := range 3 {
					f.out[c*w*h+i] = f.pix[c*w*h+i]
				}
			}
		}
		return nil
	}
}

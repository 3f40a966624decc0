package restore

import (
	"fmt"
	"runtime/debug"

	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/restore/temporal"
)

// average takes restored frames through the filter in time.
func (s *Stream) average() {
	var filter temporal.Filter
	for {
		var f *slot
		var open bool
		select {
		case f, open = <-s.raw:
		case <-s.ctx.Done():
			return
		}
		if !open {
			close(s.ready)
			return
		}
		if f.err == nil {
			f.err = s.averaged(&filter, f)
		}
		s.ready <- f
	}
}

// averaged filters a frame. Pixels that alpha hides stay as they are. A panic is the frame's error,
// as in restore.
func (s *Stream) averaged(filter *temporal.Filter, f *slot) (err error) {
	defer func() {
		if p := recover(); p != nil {
			filter.Reset()
			err = fmt.Errorf("restore: a fault of this program: %v\n%s", p, debug.Stack())
		}
	}()
	if err := filter.Apply(s.ctx, f.out, f.format.w, f.format.h, task.Sigma(f.info.Noise)); err != nil {
		return err
	}
	n := f.format.w * f.format.h
	for i, a := range f.alpha {
		if a == 0 {
			for c := range 3 {
				f.out[c*n+i] = f.pix[c*n+i]
			}
		}
	}
	return nil
}

package restore

import (
	"context"
	"time"
)

// rest keeps a Model to its share of the device's time (Config.Pace): after a run the device is
// left alone for as long as the share asks for, before the next one. It belongs to whoever has the
// turn.
type rest struct {
	share float64 // 1: no rest
	until time.Time
	busy  time.Duration // of all runs
	timer *time.Timer   // kept, so that no frame allocates one
}

func newRest(pace float64) *rest {
	if pace == 0 {
		pace = 1
	}
	return &rest{share: pace}
}

// note takes a run that ended at a time.
func (r *rest) note(end time.Time, took time.Duration) {
	r.busy += took
	r.until = end.Add(time.Duration(float64(took) * (1/r.share - 1)))
}

// wait waits until the next run may begin. It gives up when ctx ends or closed is closed, which the
// caller looks at anyway.
func (r *rest) wait(ctx context.Context, closed <-chan struct{}) {
	if r.share == 1 {
		return
	}
	left := time.Until(r.until)
	if left <= 0 {
		return
	}
	if r.timer == nil {
		r.timer = time.NewTimer(left)
	} else {
		r.timer.Reset(left)
	}
	select {
	case <-r.timer.C:
	case <-ctx.Done():
	case <-closed:
	}
	r.timer.Stop()
}

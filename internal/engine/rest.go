package engine

import (
	"context"
	"sync"
	"time"
)

// rest keeps an Engine to its share of the device's time (Options.Share): after a run the device is
// left alone for as long as the share asks for, before the next one.
type rest struct {
	share float64     // 1: no rest
	timer *time.Timer // kept, so that no frame allocates one; of whoever has the turn

	mu    sync.Mutex
	ended time.Time // the last run
	until time.Time
	busy  time.Duration // of all runs
}

func newRest(share float64) *rest {
	if share == 0 {
		share = 1
	}
	return &rest{share: share}
}

// note takes a run that was submitted at one time and had ended at another. It returns how long the
// device can have worked on it: from the submission, or the end of the run before.
func (r *rest) note(began, ended time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.After(began) {
		began = r.ended
	}
	took := max(0, ended.Sub(began))
	r.ended = ended
	r.busy += took
	r.until = ended.Add(time.Duration(float64(took) * (1/r.share - 1)))
	return took
}

// Busy is how long all runs together took.
func (e *Engine) Busy() time.Duration {
	e.rest.mu.Lock()
	defer e.rest.mu.Unlock()
	return e.rest.busy
}

// wait waits until the next run may begin. It gives up when ctx ends or closed is closed, which the
// caller checks anyway.
func (r *rest) wait(ctx context.Context, closed <-chan struct{}) {
	if r.share == 1 {
		return
	}
	r.mu.Lock()
	left := time.Until(r.until)
	r.mu.Unlock()
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

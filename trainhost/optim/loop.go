package optim

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Schedule says when a run stops, and what is done between its steps. The zero value trains to the
// last step.
type Schedule struct {
	Deadline time.Time // when to stop; zero: never
	Every    uint64    // steps between reports; 0 is 1
	// AfterStep is called after each step with the number of steps done; an error ends the run. It
	// may be nil.
	AfterStep func(done uint64) error
	// Checkpoint is called when Interval has passed since the last time. An error is printed, and
	// the run goes on: the next checkpoint may succeed. It may be nil.
	Checkpoint func() error
	Interval   time.Duration
}

// Loop trains one step after another. While the device computes a step, the host makes the batch of
// the next one.
type Loop[B any] struct {
	Schedule
	// Batch makes the batch of a step, counted from 0. It is called on a goroutine, for one step at
	// a time, in order. It may be nil.
	Batch func(step uint64) (B, error)
	// Train trains on the batch of a step.
	Train func(step uint64, batch B) error
	// Report is called every Every steps and after the last one; it may be nil.
	Report func(Progress)
}

// Progress says how far a run is.
type Progress struct {
	Step, Steps uint64        // steps done, and of the whole run
	Seconds     float64       // per step, since the last report
	Left        time.Duration // estimate of the time to the last step or the deadline
}

// Run does the steps from first up to, not including, steps. It returns whether the run is
// complete: it is not when the deadline has passed, when ctx is done (the error is ctx.Err()), or
// after an error.
func (l Loop[B]) Run(ctx context.Context, first, steps uint64) (complete bool, err error) {
	type prepared struct {
		batch B
		err   error
	}
	next, pending := make(chan prepared, 1), false
	prepare := func(step uint64) {
		pending = true
		go func() {
			var p prepared
			if l.Batch != nil {
				p.batch, p.err = l.Batch(step)
			}
			next <- p
		}()
	}
	defer func() { // no goroutine outlives the run
		if pending {
			<-next
		}
	}()
	if first < steps {
		prepare(first)
	}
	saved, mark, reported := time.Now(), time.Now(), first
	for step := first; step < steps; step++ {
		p := <-next
		pending = false
		if p.err != nil {
			return false, p.err
		}
		if ctx.Err() != nil || !l.Deadline.IsZero() && time.Now().After(l.Deadline) {
			return false, ctx.Err()
		}
		if step+1 < steps {
			prepare(step + 1)
		}
		if err := l.Train(step, p.batch); err != nil {
			return false, err
		}
		done := step + 1
		if l.Report != nil && (done%max(1, l.Every) == 0 || done == steps) {
			seconds := time.Since(mark).Seconds() / float64(done-reported)
			l.Report(Progress{Step: done, Steps: steps, Seconds: seconds, Left: timeLeft(steps-done, seconds, l.Deadline)})
			mark, reported = time.Now(), done
		}
		if l.AfterStep != nil {
			if err := l.AfterStep(done); err != nil {
				return false, err
			}
		}
		if l.Checkpoint != nil && l.Interval > 0 && time.Since(saved) > l.Interval {
			if err := l.Checkpoint(); err != nil {
				fmt.Fprintln(os.Stderr, "trainhost: checkpoint not saved:", err)
			}
			saved = time.Now()
		}
	}
	return true, nil
}

// timeLeft estimates the time of so many steps of so many seconds each, but at most to the deadline
// (zero: none).
func timeLeft(steps uint64, seconds float64, deadline time.Time) time.Duration {
	left := time.Duration(min(float64(steps)*seconds, 1e9) * float64(time.Second))
	if !deadline.IsZero() {
		left = max(0, min(left, time.Until(deadline)))
	}
	return left
}

package engine

import (
	"context"
	"testing"
	"time"
)

func TestRest(t *testing.T) {
	now := time.Now()
	for pace, want := range map[float64]time.Duration{0: 0, 1: 0, 0.5: time.Second, 0.25: 3 * time.Second, 0.1: 9 * time.Second} {
		r := newRest(pace)
		if r.note(now.Add(-time.Second), now); r.until.Sub(now).Round(time.Millisecond) != want {
			t.Errorf("a pace of %g rests for %v after a second, want %v", pace, r.until.Sub(now), want)
		}
	}
	// Resting ends with whoever waits, and with the Model.
	r := newRest(1e-6)
	r.note(time.Now().Add(-time.Hour), time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.wait(ctx, nil)
	closed := make(chan struct{})
	close(closed)
	r.wait(context.Background(), closed)
}

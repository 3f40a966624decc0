package optim

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// Batches come in order, one for each step; reports and checkpoints are called when they should be.
func TestLoop(t *testing.T) {
	var steps, reports []uint64
	saves := 0
	l := Loop[uint64]{
		Batch: func(step uint64) (uint64, error) { return 10 * step, nil },
		Train: func(step, batch uint64) error {
			if batch != 10*step {
				t.Errorf("step %d gets batch %d", step, batch)
			}
			steps = append(steps, step)
			return nil
		},
		Report: func(p Progress) { reports = append(reports, p.Step) },
	}
	l.Every, l.Interval = 3, time.Nanosecond
	l.Checkpoint = func() error { saves++; return errors.New("no space left on device") }
	if done, err := l.Run(t.Context(), 2, 10); err != nil || !done {
		t.Fatal(done, err)
	}
	if !slices.Equal(steps, []uint64{2, 3, 4, 5, 6, 7, 8, 9}) || !slices.Equal(reports, []uint64{3, 6, 9, 10}) || saves != 8 {
		t.Errorf("steps %v, reports %v, %d checkpoints", steps, reports, saves)
	}
	if done, err := l.Run(t.Context(), 10, 10); err != nil || !done || len(steps) != 8 {
		t.Errorf("a complete run: %v, %v, steps %v", done, err, steps)
	}
}

// A run stops where it should, and says whether it is complete.
func TestLoopStops(t *testing.T) {
	bad := errors.New("bad")
	var trained int
	run := func(change func(*Loop[int], context.CancelFunc)) (bool, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l := Loop[int]{Train: func(uint64, int) error { trained++; return nil }}
		change(&l, cancel)
		trained = 0
		return l.Run(ctx, 0, 5)
	}
	for name, c := range map[string]struct {
		change func(*Loop[int], context.CancelFunc)
		want   error
		steps  int
	}{
		"deadline": {func(l *Loop[int], _ context.CancelFunc) { l.Deadline = time.Now().Add(-time.Second) }, nil, 0},
		"cancelled": {func(l *Loop[int], cancel context.CancelFunc) {
			l.AfterStep = func(uint64) error { cancel(); return nil }
		}, context.Canceled, 1},
		"after a step": {func(l *Loop[int], _ context.CancelFunc) { l.AfterStep = func(uint64) error { return bad } }, bad, 1},
		"batch": {func(l *Loop[int], _ context.CancelFunc) {
			l.Batch = func(step uint64) (int, error) {
				if step == 2 {
					return 0, bad
				}
				return 0, nil
			}
		}, bad, 2},
	} {
		if done, err := run(c.change); done || !errors.Is(err, c.want) || trained != c.steps {
			t.Errorf("%s: complete %v after %d steps, error %v; want %d steps and %v", name, done, trained, err, c.steps, c.want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	if d := timeLeft(120, 0.5, time.Time{}); d != time.Minute {
		t.Errorf("120 steps of half a second take %v", d)
	}
	if d := timeLeft(7200, 1, time.Now().Add(time.Hour)); d > time.Hour || d <= 0 {
		t.Errorf("with an hour left, %v", d)
	}
	if d := timeLeft(7200, 1, time.Now().Add(-time.Hour)); d != 0 {
		t.Errorf("after the deadline, %v", d)
	}
}

// The learning rate rises linearly and falls along a cosine, or stays.
func TestRate(t *testing.T) {
	a := AdamW{LR: 2, Warmup: 4, Steps: 100}
	for step, want := range map[uint64]float64{0: 0.5, 50: 1, 100: 0} {
		if got := a.Rate(step); got > want+1e-12 || got < want-1e-12 {
			t.Errorf("rate %g at step %d, want %g", got, step, want)
		}
	}
	a.Constant = true
	if a.Rate(0) != 0.5 || a.Rate(70) != 2 {
		t.Errorf("constant: %g, %g", a.Rate(0), a.Rate(70))
	}
}

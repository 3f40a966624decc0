package team

import (
	"context"
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 8} {
		team := New(workers)
		for _, count := range []int{0, 1, 2, 7, 1000} {
			seen := make([]atomic.Int32, count)
			busy := make([]atomic.Int32, team.Workers())
			if err := team.Each(context.Background(), count, func(w, i int) {
				if busy[w].Add(1) != 1 {
					t.Errorf("worker %d does two things at once", w)
				}
				seen[i].Add(1)
				busy[w].Add(-1)
			}); err != nil {
				t.Fatal(err)
			}
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Fatalf("%d workers, %d of %d: %d calls", workers, i, count, n)
				}
			}
		}
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var n atomic.Int32
	err := New(2).Each(ctx, 1000, func(_, i int) {
		if n.Add(1) == 5 {
			cancel()
		}
	})
	if err != context.Canceled || n.Load() > 6 {
		t.Errorf("%v after %d calls", err, n.Load())
	}
}

func TestAllocatesNothing(t *testing.T) {
	team, sum := New(4), make([]int, 4)
	job := func(w, i int) { sum[w] += i }
	if n := testing.AllocsPerRun(50, func() {
		_ = team.Each(context.Background(), 20,
			job)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Package team runs loops on several goroutines without allocating memory per loop, for work that
// is done for every frame.
package team

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Team runs loops on a number of workers, one loop at a time. Workers exist only while a loop runs,
// so a Team needs no Close.
type Team struct {
	ctx   context.Context
	next  atomic.Int64
	count int
	job   func(worker, i int)
	wait  sync.WaitGroup
	run   []func() // stored once: a go statement with arguments would allocate
}

// New returns a Team of the given number of workers; 0 or less means one per core.
func New(workers int) *Team {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := &Team{}
	for w := range workers {
		t.run = append(t.run, func() {
			defer t.wait.Done()
			t.work(w)
		})
	}
	return t
}

// Workers is the number of workers.
func (t *Team) Workers() int { return len(t.run) }

// Each calls job for every i in 0 … count−1 on the workers 0 … Workers()−1, and returns when all
// calls have returned. A larger i is taken only after the smaller ones. When ctx is done, no more calls
// begin, and Each returns ctx.Err(). A new closure as job would be allocated.
func (t *Team) Each(ctx context.Context, count int, job func(worker, i int)) error {
	t.ctx, t.count, t.job = ctx, count, job
	t.next.Store(0)
	for w := 1; w < min(len(t.run), count); w++ {
		t.wait.Add(1)
		go t.run[w]()
	}
	t.work(0)
	t.wait.Wait()
	t.ctx, t.job = nil, nil
	return ctx.Err()
}

func (t *Team) work(w int) {
	for {
		i := int(t.next.Add(1)) - 1
		if i >= t.count || t.ctx.Err() != nil {
			return
		}
		t.job(w, i)
	}
}

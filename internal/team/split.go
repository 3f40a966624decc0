package team

import (
	"runtime"
	"sync"
)

// Split calls f for contiguous parts of 0 … n−1, one per core and no more than most, at the same
// time, and returns when all calls have returned. It allocates; a Team does not.
func Split(n, most int, f func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n, most)
	if parts <= 1 {
		f(0, n)
		return
	}
	var wait sync.WaitGroup
	for p := range parts {
		wait.Go(func() { f(p*n/parts, (p+1)*n/parts) })
	}
	wait.Wait()
}

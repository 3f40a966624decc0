package gpu

import (
	"runtime"
	"sync"
)

// queue is a VkQueue, which only one thread at a time may use.
type queue struct {
	handle vkQueue
	mu     sync.Mutex
	users  int // Devices on a borrowed queue; guarded by borrowedQueues.mu
}

// lockQueue keeps all others from the queue until unlockQueue, which the same goroutine calls.
func (d *Device) lockQueue() {
	d.queue.mu.Lock()
	if b := d.borrowed; b != nil && b.Lock != nil {
		runtime.LockOSThread() // a mutex of C is unlocked by the thread that locked it
		b.Lock()
	}
}

func (d *Device) unlockQueue() {
	if b := d.borrowed; b != nil && b.Unlock != nil {
		b.Unlock()
		runtime.UnlockOSThread()
	}
	d.queue.mu.Unlock()
}

// borrowedQueues are the programs' queues in use, so that several Devices on one queue take turns.
var borrowedQueues struct {
	mu   sync.Mutex
	held map[vkQueue]*queue
}

// borrowQueue begins the use of a program's queue, which giveBack ends.
func borrowQueue(h vkQueue) *queue {
	t := &borrowedQueues
	t.mu.Lock()
	defer t.mu.Unlock()
	q, ok := t.held[h]
	if !ok {
		q = &queue{handle: h}
		if t.held == nil {
			t.held = map[vkQueue]*queue{}
		}
		t.held[h] = q
	}
	q.users++
	return q
}

func (q *queue) giveBack() {
	t := &borrowedQueues
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.held, q.handle)
	}
}

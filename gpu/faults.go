package gpu

import "sync/atomic"

// Faults makes a device fail on purpose, for tests of the code that uses it. One Faults may serve
// several devices, one after the other: the counters keep their values.
type Faults struct {
	// Lose counts down with every Run. The Run that makes it 0 loses the device. 0: no Run does;
	// below 0: every Run does.
	Lose atomic.Int64
	// Memory counts down with every NewBuffer. The one that makes it 0 gets no memory. 0: all get
	// memory; below 0: none does.
	Memory atomic.Int64
}

// countDown counts down and reports whether this call fails.
func countDown(n *atomic.Int64) bool {
	v := n.Load()
	return v < 0 || v > 0 && n.Add(-1) == 0
}

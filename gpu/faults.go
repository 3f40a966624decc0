package gpu

import "sync/atomic"

// Faults makes a device fail on purpose, so that what is built on it can be tested. One Faults may serve several devices, one after the other: its
// counts go on.
type Faults struct {
	Lose   atomic.Int64 // the Run that this counts down to 0 with loses the device; 0: none, below 0: all do
	Memory atomic.Int64 // the NewBuffer that this counts down to 0 with gets no memory; 0: none, below 0: none does
}

// hit counts down.
func hit(n *atomic.Int64) bool {
	v := n.Load()
	return v < 0 || v > 0 && n.Add(-1) == 0
}

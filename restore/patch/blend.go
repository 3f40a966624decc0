package patch

import (
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// blend removes the step at a hole's edge. The differences between the known pixels there and what
// the patches propose for them are continued smoothly into the hole, and added.
func (m *matcher) blend() error {
	step, mask := planar.New(m.w, m.h), make([]float32, m.w*m.h)
	var votes [channels]float32
	for i, u := range m.unknown {
		if u || !m.votes(i, false, votes[:]) {
			continue
		}
		mask[i] = 1
		for c := range 3 {
			step.Plane(c)[i] = m.pix[i*channels+c] - votes[c]
		}
	}
	smooth, err := task.PushPull(step, mask)
	if err != nil {
		return err
	}
	for i, t := range m.target {
		if t {
			for c := range 3 {
				m.pix[i*channels+c] += smooth.Plane(c)[i]
			}
		}
	}
	return nil
}

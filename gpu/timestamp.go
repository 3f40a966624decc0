package gpu

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
)

// stampPools holds the time stamps of one command list, in query pools of a fixed size that are
// made as needed.
type stampPools struct {
	pools []vkQueryPool
	slot  []int // the slot of each index, -1 if it has none
	next  int   // number of slots in use
}

const poolStamps = 256

// Timestamp records, under the index i (0 or more), the time at which all commands before it are
// done. It fails with *LimitError if the device has no time stamps (Caps.Timestamps).
func (c *Commands) Timestamp(i int) {
	c.record("Timestamp", func() error {
		if i < 0 || i > 1<<20 {
			return fmt.Errorf("gpu: Timestamp: index %d", i)
		}
		if !c.d.info.Caps.Timestamps {
			return &LimitError{What: "Timestamp", Need: "time stamps", Device: c.d.info.Name}
		}
		s := &c.stamps
		if s.next%poolStamps == 0 {
			var h C.uint64_t
			if r := C.vfm_query_pool_create(c.d.c, poolStamps, &h); r < 0 {
				return c.d.fail(int(r), "vkCreateQueryPool", "time stamps")
			}
			s.pools = append(s.pools, typed[vkQueryPool](h))
			vkCmdResetQueryPool(c.cb, s.pools[len(s.pools)-1], 0, poolStamps)
		}
		for len(s.slot) <= i {
			s.slot = append(s.slot, -1)
		}
		s.slot[i] = s.next
		const bottomOfPipe = 0x2000
		vkCmdWriteTimestamp(c.cb, bottomOfPipe, s.pools[s.next/poolStamps], uint32(s.next%poolStamps))
		s.next++
		return nil
	})
}

// Timestamps returns the time stamps of the last run, by index, in nanoseconds since the first one
// recorded. The value of an index that was not recorded is NaN. It fails if the list has not been
// run.
func (c *Commands) Timestamps() ([]float64, error) {
	d := c.d
	if err := d.enter("Timestamps"); err != nil {
		return nil, err
	}
	defer d.leave()
	if !c.flight.TryLock() {
		return nil, errors.New("gpu: Timestamps: the list still runs; wait for it first")
	}
	defer c.flight.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if err := c.alive(); err != nil {
		return nil, err
	}
	if !c.ran {
		return nil, errors.New("gpu: Timestamps: the list has not been run")
	}
	s := &c.stamps
	ticks := make([]C.uint64_t, len(s.pools)*poolStamps)
	for k, p := range s.pools {
		n := min(poolStamps, s.next-k*poolStamps)
		if r := C.vfm_query_results(d.c, raw(p), C.uint32_t(n), &ticks[k*poolStamps]); r < 0 {
			return nil, d.fail(int(r), "vkGetQueryPoolResults", "time stamps")
		}
	}
	// Stamps have 36 to 64 valid bits, so differences are taken modulo that.
	mask := ^uint64(0)
	if bits := uint(d.cand.c.timestampBits); bits < 64 {
		mask = 1<<bits - 1
	}
	out := make([]float64, len(s.slot))
	for i, slot := range s.slot {
		out[i] = math.NaN()
		if slot >= 0 {
			out[i] = float64(uint64(ticks[slot]-ticks[0])&mask) * d.info.Caps.TimestampPeriod
		}
	}
	return out, nil
}

func (s *stampPools) destroy(h vkDevice) {
	for _, p := range s.pools {
		vkDestroyQueryPool(h, p, nil)
	}
	*s = stampPools{}
}

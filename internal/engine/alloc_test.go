package engine

import (
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
)

// Work that is repeated allocates nothing, in either kind of memory.
func TestNoAllocation(t *testing.T) {
	for _, separate := range []bool{false, true} {
		e := openEngine(t, Options{Shared: gputest.Open(t, gpu.Options{SeparateMemory: separate})})
		var s Session
		values, setting := make([]float32, 8*8*8), []float32{2}
		work := &Work{
			Recipe: newLine(8, 2), Count: 1, Pixels: 64,
			Fill: func(_ int, in *Slot) error {
				copy(in.Input("x"), values)
				in.Set("s", setting)
				return nil
			},
			Take: func(int, *Slot) error { return nil },
		}
		once := func() {
			if err := e.Run(t.Context(), &s, work); err != nil {
				t.Fatal(err)
			}
		}
		once()
		once()
		if n := testing.AllocsPerRun(200, once); n > 0 {
			t.Errorf("separate memory %v: %g allocations a run", separate, n)
		}
	}
}

package restore

import (
	"testing"

	"github.com/vfmrestore/restore/internal/small"
	"github.com/vfmrestore/restore/restore/task"
)

// Kernels for a single picture compute the same as the others.
func TestOnce(t *testing.T) {
	defer func(was bool) { small.Kernels = was }(small.Kernels)
	small.Kernels = false
	rnd := newRand(t)
	p := randomPicture(rnd, 75, 42)
	for _, what := range []task.Task{task.InpaintRandom, task.MotionDeblur} {
		req := request(rnd, what, p)
		var results [2]*Result
		for i, once := range []bool{false, true} {
			m := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Once: once})
			results[i] = restored(t, m, p, req)
			m.Close()
		}
		if d := apart(results[0].Picture.Pix, results[1].Picture.Pix); !(d < 1e-4) {
			t.Errorf("%v: %g apart", what, d)
		}
	}
}

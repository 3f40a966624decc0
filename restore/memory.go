package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/restore/temporal"
)

// MemoryError says that work needs more of the host's memory than there is. It is returned before
// the work begins, so the process survives a request that is too large. A device that is short of
// memory gives a *gpu.OutOfMemoryError.
type MemoryError = memory.Error

// Bytes per pixel of the result.
const (
	floatBytes  = 3 * 4 // three planes
	levelsBytes = 3     // of a picture with Levels of 8 bits
	motionBytes = 40    // of deconvolution: the second view, and its own planes and maps
)

// Memory is about how many bytes of the host's memory a picture of w×h pixels takes in addition to
// itself: its restoration and what else the request asks for. levels says whether the picture has
// Levels. It is a lower bound: what the device takes is not counted.
func (r *Request) Memory(w, h int, levels bool) int64 {
	side := r.Task.Scale()
	perPixel := floatBytes
	if levels && r.KeepsLevels() {
		perPixel = levelsBytes
	}
	if r.Samples > 0 || r.Explain {
		perPixel += 2 * floatBytes // μ and its deviation
	}
	if r.Samples > 0 {
		perPixel += 3 * floatBytes // the current sample, the mean and the deviation
		if !r.StatisticsOnly {
			perPixel += floatBytes * r.Samples
		}
	}
	if r.Task == task.MotionDeblur {
		perPixel += motionBytes
	}
	if r.Steps > 1 || r.Times != nil {
		perPixel += floatBytes
	}
	if r.Ensemble > 1 {
		perPixel += 2 * floatBytes
	}
	return memory.Bytes(w, side, h, side, perPixel)
}

// checkMemory returns a *MemoryError if a picture of w×h pixels does not fit the memory.
func (r *Request) checkMemory(w, h int, levels bool) error {
	return memory.Check(fmt.Sprintf("%v of %d×%d pixels", r.Task, w, h), r.Memory(w, h, levels))
}

// checkMemory returns a *MemoryError if the stream does not fit the memory. Each frame in flight
// has its planes, given and restored; the engine has those of the one tile that may hold a whole
// frame.
func (cfg *StreamConfig) checkMemory() error {
	side := cfg.Task.Scale()
	given, made := memory.Bytes(cfg.W, cfg.H, floatBytes), memory.Bytes(cfg.W, side, cfg.H, side, floatBytes)
	need := memory.Sum(given, made, made)
	for range cfg.InFlight {
		need = memory.Sum(need, given, made)
	}
	if cfg.Temporal {
		need = memory.Sum(need, memory.Bytes(cfg.W, cfg.H, temporal.BytesPerPixel))
	}
	return memory.Check(
		fmt.Sprintf("a stream of %d×%d pixels with %d frames on their way", cfg.W, cfg.H, cfg.InFlight), need)
}

// checkMemory returns a *MemoryError if the samples do not fit the memory.
func (r *SampleRequest) checkMemory() error {
	return memory.Check(fmt.Sprintf("%d samples of %d×%d pixels", r.Samples, r.W, r.H),
		memory.Sum(memory.Bytes(r.W, r.H, floatBytes, r.Samples), memory.Bytes(r.W, r.H, 4*floatBytes)))
}

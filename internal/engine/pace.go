package engine

import (
	"math"
	"sync"
	"time"

	"github.com/vfmrestore/restore/gpu"
)

// dispatchLimit is how long one dispatch may keep the device. A display that the same device draws
// stands still meanwhile, and the watchdogs of systems (2 s on Windows) reset a device whose driver
// does not answer.
const dispatchLimit = 200 * time.Millisecond

// firstPixels bounds the first tile on a device whose speed nobody knows and which may be very slow
// (an integrated GPU of an old phone): 512×512.
const firstPixels = 1 << 18

// Pace learns how large tiles may be so that no dispatch takes longer than the limit. Tiles only
// ever get smaller for it (but for the careful first one), and only after two slow runs in a row:
// another size means other programs, and one slow run may be the fault of another process.
type Pace struct {
	mu     sync.Mutex
	limit  time.Duration // of a dispatch
	first  int           // pixels of the first tile, at most, on a device that may be slow; 0 as soon as something is known
	slow   int           // number of runs in a row that were too slow
	pixels int           // of a tile, at most
}

func newPace(t gpu.DeviceType) *Pace {
	p := &Pace{limit: dispatchLimit, pixels: math.MaxInt}
	if t != gpu.Discrete && t != gpu.CPU {
		p.first = firstPixels
	}
	return p
}

// Force replaces what the Pace knows, for tests: the limit of a dispatch, the pixels of the first
// tile and of all tiles, 0 for none.
func (p *Pace) Force(limit time.Duration, first, pixels int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit, p.first, p.pixels = limit, first, pixels; pixels == 0 {
		p.pixels = math.MaxInt
	}
}

// note takes the time of a run over a tile of so many pixels whose heaviest dispatch has the given
// share of the work. A time that is not exact is an upper bound.
func (p *Pace) note(pixels int, share float64, took time.Duration, exact bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first = 0
	heaviest := share * float64(took)
	if heaviest <= float64(p.limit) {
		p.slow = 0
		return
	}
	if !exact {
		return
	}
	if p.slow++; p.slow >= 2 {
		p.slow = 0
		p.pixels = min(p.pixels, int(float64(pixels)*float64(p.limit)/heaviest))
	}
}

// Most is how many pixels a tile may have.
func (p *Pace) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first > 0 {
		return min(p.pixels, p.first)
	}
	return p.pixels
}

// Allows reports whether tiles of the given number of pixels may be used: they are not known to be
// too slow. Unlike Most, it does not apply the small limit for the first tile.
func (p *Pace) Allows(pixels int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return pixels <= p.pixels
}

package restore

import (
	"math"
	"sync"
	"time"

	"github.com/vfmrestore/restore/gpu"
)

// dispatchLimit is how long one dispatch may keep the device. A display that the same device draws stands still meanwhile, and the watchdogs of
// systems (2 s on Windows) reset a device whose driver does not answer.
const dispatchLimit = 200 * time.Millisecond

// firstPixels bounds the first tile on a device whose speed nobody knows and which may be very slow (an integrated GPU of an old phone): 512×512.
const firstPixels = 1 << 18

// pace learns how large tiles may be so that no dispatch takes longer than limit. Tiles only ever get smaller for it (but for the careful first one), and only
// after two slow runs on end: another size means other programs, and one slow run may be the fault of another process.
type pace struct {
	limit time.Duration

	mu     sync.Mutex
	first  int // pixels of the first tile, at most, on a device that may be slow; 0 as soon as something is known
	slow   int // runs on end that were too slow
	pixels int // of a tile, at most
}

func newPace(t gpu.DeviceType) *pace {
	p := &pace{limit: dispatchLimit, pixels: math.MaxInt}
	if t != gpu.Discrete && t != gpu.CPU {
		p.first = firstPixels
	}
	return p
}

// note takes the time of a run over a tile of so many pixels whose heaviest dispatch has the given share of the work.
func (p *pace) note(pixels int, share float64, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first = 0
	heaviest := share * float64(took)
	if heaviest <= float64(p.limit) {
		p.slow = 0
		return
	}
	if p.slow++; p.slow >= 2 {
		p.slow = 0
		p.pixels = min(p.pixels, int(float64(pixels)*float64(p.limit)/heaviest))
	}
}

// most is how many pixels a tile may have.
func (p *pace) most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first > 0 {
		return min(p.pixels, p.first)
	}
	return p.pixels
}

// allows reports whether tiles of the given number of pixels may be used: they are not known to be
// too slow. Unlike most, it does not apply the small limit for the first tile.
func (p *pace) allows(pixels int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return pixels <= p.pixels
}

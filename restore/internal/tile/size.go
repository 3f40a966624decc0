package tile

import (
	"math"
	"slices"
)

// Domains have few different sizes, because every size needs programs of its own, which some
// drivers take seconds to build. Sides of pictures up to maxPowerOfTwo pixels are rounded up to a
// power of two, larger ones to a multiple of domainStep.
const (
	minDomain     = 64
	maxPowerOfTwo = 1024
	domainStep    = 64
)

const (
	// MaxPixels bounds the tiles that are chosen by speed: no single dispatch may keep a display
	// driver waiting, nor a user who wants to cancel.
	MaxPixels = 1 << 21
	// sideStep is what the sides of such tiles are multiples of, so that their sizes are few too.
	sideStep = 256
)

// RoundUp returns the smallest multiple of step that is at least n.
func RoundUp(n, step int) int { return (n + step - 1) / step * step }

// DomainSide is the side of the domain, without margins, of a picture with n pixels along that
// side. It is a multiple of align.
func DomainSide(n, align int) int {
	if n > maxPowerOfTwo {
		return RoundUp(RoundUp(n, domainStep), align)
	}
	side := minDomain
	for side < n {
		side *= 2
	}
	return RoundUp(side, align)
}

// Tiling says how to choose the size of tiles.
type Tiling struct {
	Halo      int // pixels that a network needs around what it computes; a multiple of Align
	Align     int // sides of tiles are multiples
	MaxOwn    int // upper bound for the sides of own parts; 0: none
	MaxPixels int // upper bound for the pixels of a tile
}

// Size returns the sides of the tiles for a domain: those with the least work within the limit,
// work on the halos included. Among large tiles with hardly more work it takes those that need the
// least memory. If even the smallest tiles exceed the limit, it returns these, and ok is false.
func (t Tiling) Size(dom Rect) (w, h int, ok bool) {
	widths, heights := t.sides(dom.W), t.sides(dom.H)
	each := func(f func(w, h, work int)) {
		for _, w := range widths {
			for _, h := range heights {
				if w*h <= t.MaxPixels {
					f(w, h, countAxis(dom.W, w, t.Halo)*w*countAxis(dom.H, h, t.Halo)*h)
				}
			}
		}
	}
	best := math.MaxInt
	each(func(tw, th, work int) {
		if work < best || work == best && tw*th > w*h { // of equal work, the fewest tiles
			best, w, h, ok = work, tw, th, true
		}
	})
	if !ok {
		return slices.Min(widths), slices.Min(heights), false
	}
	// The memory of a tile on device and host, and of the band of μ, which is once or twice as high
	// as the tile. The unit is the band's twelve bytes per pixel.
	memory := func(w, h int) int { return 17*w*h + dom.W*h }
	each(func(tw, th, work int) {
		if min(tw*th, w*h) >= MaxPixels/2 && work <= best+best/64 && memory(tw, th) < memory(w, h) {
			w, h = tw, th
		}
	})
	return w, h, true
}

// sides lists the sides that a tile may have along an interval of n pixels.
func (t Tiling) sides(n int) (list []int) {
	widest := n
	if t.MaxOwn > 0 {
		widest = min(n, max(t.Align, t.MaxOwn/t.Align*t.Align)+2*t.Halo)
	}
	list = append(list, widest)
	if t.MaxOwn == 0 {
		for side := sideStep; side < widest; side += sideStep {
			if side > 2*t.Halo && side%t.Align == 0 {
				list = append(list, side)
			}
		}
	}
	// Small ones, for devices that are short of memory.
	for own := t.Align; own < 2*sideStep; own *= 2 {
		if side := own + 2*t.Halo; side < widest {
			list = append(list, side)
		}
	}
	return list
}

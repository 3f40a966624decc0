package restore

import (
	"math"
	"slices"
)

// rect is a rectangle of pixels. Its place is relative to the picture's first pixel and may be negative.
type rect struct{ x, y, w, h int }

// tile is what one run of a program computes (at) and the part of it that is taken (own).
type tile struct{ at, own rect }

// Sizes of domains: few, because every size means programs of its own, which some drivers take seconds to build. Pictures up to
// largestWhole pixels wide round up to a power of two, larger ones to a multiple of domainStep.
const (
	smallestDomain = 64
	largestWhole   = 1024
	domainStep     = 64
)

// tileStep and tilePixels bound the tiles that are chosen by speed: sides are multiples of tileStep (again, to be few), and no
// single dispatch may keep a display driver waiting, nor a user who wants to cancel.
const (
	tileStep   = 256
	tilePixels = 1 << 21
)

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// domainSide is how far the domain of n pixels reaches, without margins. It is a multiple of align.
func domainSide(n, align int) int {
	if n > largestWhole {
		return roundUp(roundUp(n, domainStep), align)
	}
	side := smallestDomain
	for side < n {
		side *= 2
	}
	return roundUp(side, align)
}

// cutAxis cuts the interval of n pixels that begins at from into tiles of length pixels. It calls f with the beginning of each
// and with the part that it owns: all that is at least halo away from the tile's ends, and at the interval's own ends
// everything. The parts follow each other. Either length is n, or it is more than twice the halo.
func cutAxis(from, n, length, halo int, f func(at, own, ownLen int)) {
	end := from + n
	for at, own := from, from; ; {
		if at+length >= end {
			f(end-length, own, end-own) // slid back to end with the interval
			return
		}
		next := at + length - halo
		f(at, own, next-own)
		own, at = next, next-halo
	}
}

// cutRect cuts a domain into tiles of w×h pixels.
func cutRect(dom rect, w, h, halo int) (ts []tile) {
	cutAxis(dom.y, dom.h, h, halo, func(y, ownY, ownH int) {
		cutAxis(dom.x, dom.w, w, halo, func(x, ownX, ownW int) {
			ts = append(ts, tile{rect{x, y, w, h}, rect{ownX, ownY, ownW, ownH}})
		})
	})
	return ts
}

// countAxis is the number of tiles that cutAxis makes.
func countAxis(n, length, halo int) int {
	if length >= n {
		return 1
	}
	stride := length - 2*halo
	return 1 + (n-length+stride-1)/stride
}

// tiling is how tiles are to be chosen.
type tiling struct {
	halo, align int
	inner       int // what a tile gives at most, per side; 0: free
	limit       int // pixels of a tile, at most
}

// choose returns the sides of the tiles for a domain: those with the least work within the limit, surroundings included, and of large tiles with hardly more
// those that need the least memory. If not even the smallest keeps to the limit, these are returned and ok is false.
func (t tiling) choose(dom rect) (w, h int, ok bool) {
	widths, heights := t.lengths(dom.w), t.lengths(dom.h)
	each := func(f func(w, h, work int)) {
		for _, w := range widths {
			for _, h := range heights {
				if w*h <= t.limit {
					f(w, h, countAxis(dom.w, w, t.halo)*w*countAxis(dom.h, h, t.halo)*h)
				}
			}
		}
	}
	best := math.MaxInt
	each(func(tw, th, work int) {
		if work < best || work == best && tw*th > w*h { // the fewer the better
			best, w, h, ok = work, tw, th, true
		}
	})
	if !ok {
		return slices.Min(widths), slices.Min(heights), false
	}
	// Memory of the tile on device and host, and of μ's band, which is as high as the tile or twice that, in units of the latter's twelve bytes.
	memory := func(w, h int) int { return 17*w*h + dom.w*h }
	each(func(tw, th, work int) {
		if min(tw*th, w*h) >= tilePixels/2 && work <= best+best/64 && memory(tw, th) < memory(w, h) {
			w, h = tw, th
		}
	})
	return w, h, true
}

// lengths lists the sides that a tile may have along an interval of n pixels.
func (t tiling) lengths(n int) (ls []int) {
	widest := n
	if t.inner > 0 {
		widest = min(n, max(t.align, t.inner/t.align*t.align)+2*t.halo)
	}
	ls = append(ls, widest)
	if t.inner == 0 {
		for l := tileStep; l < widest; l += tileStep {
			if l > 2*t.halo && l%t.align == 0 {
				ls = append(ls, l)
			}
		}
	}
	// Small ones, for devices short of memory.
	for inner := t.align; inner < 2*tileStep; inner *= 2 {
		if l := inner + 2*t.halo; l < widest {
			ls = append(ls, l)
		}
	}
	return ls
}

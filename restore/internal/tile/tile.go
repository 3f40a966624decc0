// Package tile is the geometry of tiles: how a picture's domain is cut into them, in which order
// two networks work through it, and how tiles are read from and written to whole pictures.
//
// The domain is the picture, continued by reflection to sides that suit the networks and to a
// margin. All lengths are in pixels. Positions are relative to the picture's first pixel, so those
// in the margin are negative.
package tile

// Rect is a rectangle of pixels.
type Rect struct{ X, Y, W, H int }

// Right is the first column to the right of the rectangle.
func (r Rect) Right() int { return r.X + r.W }

// Bottom is the first row below the rectangle.
func (r Rect) Bottom() int { return r.Y + r.H }

// Tile is one run of a network's program. At is what the program computes. Own is the part of it
// that is used: the rest lies too close to At's sides, where the program lacks its surroundings.
type Tile struct{ At, Own Rect }

// Cut cuts a domain into tiles of w×h pixels, in rows from top to bottom, each from left to right.
// The own parts cover the domain without overlap. A tile reaches halo pixels beyond its own part on
// every side, or ends where the domain ends. Along each axis the tile is as long as the domain, or
// longer than twice the halo.
func Cut(dom Rect, w, h, halo int) (tiles []Tile) {
	cutAxis(dom.Y, dom.H, h, halo, func(y, ownY, ownH int) {
		cutAxis(dom.X, dom.W, w, halo, func(x, ownX, ownW int) {
			tiles = append(tiles, Tile{Rect{x, y, w, h}, Rect{ownX, ownY, ownW, ownH}})
		})
	})
	return tiles
}

// cutAxis cuts the interval of n pixels that begins at from into tiles of length pixels. It calls f
// with the beginning of each tile, and with the beginning and the length of its own part.
func cutAxis(from, n, length, halo int, f func(at, own, ownLen int)) {
	end := from + n
	for at, own := from, from; ; {
		if at+length >= end {
			f(end-length, own, end-own) // the last tile is moved back to end with the interval
			return
		}
		next := at + length - halo
		f(at, own, next-own)
		own, at = next, next-halo
	}
}

// countAxis is the number of tiles that cutAxis makes.
func countAxis(n, length, halo int) int {
	if length >= n {
		return 1
	}
	stride := length - 2*halo
	return 1 + (n-length+stride-1)/stride
}

// Whole is a tile that owns all that it computes.
func Whole(r Rect) Tile { return Tile{At: r, Own: r} }

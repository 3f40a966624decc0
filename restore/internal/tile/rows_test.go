package tile

import (
	"math"
	"testing"
)

// Everything that a following row reads is in the band and not yet overwritten.
func TestBand(t *testing.T) {
	rnd := newRand(t)
	for range 300 {
		halo := 8 * (1 + rnd.IntN(5))
		dom := Rect{-8 * rnd.IntN(9), -8 * rnd.IntN(9), 64 + 8*rnd.IntN(30), 64 + 8*rnd.IntN(100)}
		side := func(n int) int { return min(n, 2*halo+8*(1+rnd.IntN(12))) }
		lead := Rows(Cut(dom, side(dom.W), side(dom.H), halo))
		then := FollowingRows(lead, dom, halo)
		most := BandHeight(lead, then, halo)
		h := lead[0][0].At.H
		if len(then) > len(lead) || most > min(dom.H, 2*h) {
			t.Fatalf("%d rows follow %d, in a band of %d", len(then), len(lead), most)
		}
		if late := len(lead) > 1 && then[0][0].Own.H < lead[0][0].Own.H; late && most != h {
			t.Errorf("a band of %d rows for tiles of %d", most, h)
		}
		made, next, owned := make([]int, most), 0, dom.Y // which row of pixels each row of the band holds
		for i := range made {
			made[i] = math.MinInt
		}
		at := func(y int) *int { return &made[(y-dom.Y)%most] }
		for _, row := range lead {
			for y := row[0].Own.Y; y < row[0].Own.Bottom(); y++ {
				*at(y) = y
			}
			for ; next < len(then) && Ready(then[next], row, dom, halo); next++ {
				for i, x := range then[next] {
					if x.At.Y != then[next][0].At.Y || x.Own.Y != owned || x.Own.H != then[next][0].Own.H || x.At.H != h || x.At.W != row[i].At.W || x.Own.W != row[i].Own.W {
						t.Fatalf("tile %+v in a row of %+v", x, then[next][0])
					}
					checkAxis(t, x.At.Y, x.At.H, x.Own.Y, x.Own.H, dom.Y, dom.Bottom(), halo)
				}
				x := then[next][0]
				owned = x.Own.Bottom()
				for y := x.At.Y; y < min(owned+halo, dom.Bottom()); y++ {
					if *at(y) != y {
						t.Fatalf("domain %v, halo %d: row %d of tiles reads row %d of pixels, and finds %d", dom, halo, next, y, *at(y))
					}
				}
			}
		}
		if next != len(then) || owned != dom.Bottom() {
			t.Errorf("%d of %d rows of tiles, which own up to %d of %v", next, len(then), owned, dom)
		}
	}
}

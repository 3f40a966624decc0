package tile

// Two networks work through a domain together: the adapter (which leads) and the flow map (which
// follows) run one row of tiles each in turn. So of the adapter's output only a band of rows of
// pixels is in memory. A row of tiles is a []Tile with the same At.Y, At.H, Own.Y and Own.H.

// Rows splits the tiles of Cut into rows.
func Rows(tiles []Tile) (rows [][]Tile) {
	for i, t := range tiles {
		if i == 0 || t.At.Y != tiles[i-1].At.Y {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], t)
	}
	return rows
}

// FollowingRows returns the rows of tiles for the network that follows, of the same size as the
// rows that lead.
//
// If it used the same rows, each would reach a halo beyond what the leading network has finished.
// It would have to wait for the next leading row, and the band would have to hold nearly two rows.
// So the following rows lie a halo higher and end where the leading network has got to. The first
// row cannot lie higher and owns less instead: what it reads below is not finished, but that does
// not reach what it owns. If this needs one row more, the leading rows are returned.
func FollowingRows(lead [][]Tile, dom Rect, halo int) (rows [][]Tile) {
	done, end := dom.Y, dom.Bottom()
	for _, row := range lead {
		h, to := row[0].At.H, row[0].Own.Bottom()
		if to < end {
			to -= halo
		}
		for done < to {
			y := max(dom.Y, min(done-halo, end-h))
			own := to
			if y+h < end {
				own = min(own, y+h-halo)
			}
			rows = append(rows, moved(row, y, done, own-done))
			done = own
		}
	}
	if len(rows) > len(lead) {
		return lead
	}
	return rows
}

// moved returns a row of tiles at another height.
func moved(row []Tile, y, ownY, ownH int) []Tile {
	var tiles []Tile
	for _, t := range row {
		t.At.Y, t.Own.Y, t.Own.H = y, ownY, ownH
		tiles = append(tiles, t)
	}
	return tiles
}

// Ready reports whether a following row can run as soon as the row done of the leading network is
// finished.
func Ready(row, done []Tile, dom Rect, halo int) bool {
	return min(row[0].Own.Bottom()+halo, dom.Bottom()) <= done[0].Own.Bottom()
}

// BandHeight is the number of rows of pixels that the band must hold: from the top of what the next
// following row reads to the bottom of what the leading network finished last.
func BandHeight(lead, following [][]Tile, halo int) (height int) {
	next := 0
	last := lead[len(lead)-1][0].Own
	dom := Rect{Y: lead[0][0].At.Y, H: last.Bottom() - lead[0][0].At.Y}
	for _, row := range lead {
		height = max(height, row[0].Own.Bottom()-following[next][0].At.Y)
		for next < len(following) && Ready(following[next], row, dom, halo) {
			next++
		}
	}
	return height
}

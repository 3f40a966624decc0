package restore

// roll runs the adapter and the flow map over the domain side by side, from top to bottom: the flow map follows as soon as μ is there for a row of its
// tiles, and what lies above is forgotten. So of μ, which is as large as the picture in floats, only a band is held.
func (r *run) roll(adapter stage, flow func(mu *sites) stage) error {
	return r.shrinking(adapter.halo, 2, func(ts []tile) error {
		adapter.plan(ts)
		lead, next := byRow(ts), 0
		then := following(lead, r.dom, adapter.halo)
		mu := r.band(bandOf(lead, then, adapter.halo) / 4)
		first := adapter
		first.outputs = append(first.outputs[:len(first.outputs):len(first.outputs)], output{outMu, mu.write})
		second := flow(mu)
		for _, row := range lead {
			if err := r.pass(first, row); err != nil {
				return err
			}
			for ; next < len(then) && ready(then[next], row, r.dom, adapter.halo); next++ {
				if err := r.pass(second, then[next]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// band is a field of so many rows of sites.
func (r *run) band(ring int) *sites {
	if r.memory == nil {
		return newBand(r.dom, ring)
	}
	r.memory.band = sized(r.memory.band, bandSize(r.dom, ring))
	return &sites{r.dom, ring, r.memory.band}
}

// byRow splits tiles into rows of the same height.
func byRow(ts []tile) (rows [][]tile) {
	for i, t := range ts {
		if i == 0 || t.at.y != ts[i-1].at.y {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], t)
	}
	return rows
}

// following gives rows of tiles for the flow map, of the size of the adapter's. Cut like those they would reach a halo beyond what the adapter has done, wait for
// its next row, and the band would have to hold nearly two. So they lie a halo higher and end where the adapter has come to; the first, which cannot lie
// higher, owns less, and what it reads below is not μ but does not reach what it owns. Where this takes a row more, they lie as the adapter's do.
func following(lead [][]tile, dom rect, halo int) (rows [][]tile) {
	done, end := dom.y, bottom(dom)
	for _, row := range lead {
		h, to := row[0].at.h, bottom(row[0].own)
		if to < end {
			to -= halo
		}
		for done < to {
			y := max(dom.y, min(done-halo, end-h))
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

// moved is a row of tiles at another height.
func moved(row []tile, y, ownY, ownH int) []tile {
	var ts []tile
	for _, t := range row {
		t.at.y, t.own.y, t.own.h = y, ownY, ownH
		ts = append(ts, t)
	}
	return ts
}

// ready tells whether a row of the flow map's tiles can be run once a row of the adapter's is.
func ready(row, done []tile, dom rect, halo int) bool {
	return min(bottom(row[0].own)+halo, bottom(dom)) <= bottom(done[0].own)
}

// bandOf is how many rows of pixels roll needs at a time, from the top of what a row reads to the bottom of what was made last.
func bandOf(lead, then [][]tile, halo int) (most int) {
	next := 0
	last := lead[len(lead)-1][0].own
	dom := rect{y: lead[0][0].at.y, h: bottom(last) - lead[0][0].at.y}
	for _, row := range lead {
		most = max(most, bottom(row[0].own)-then[next][0].at.y)
		for next < len(then) && ready(then[next], row, dom, halo) {
			next++
		}
	}
	return most
}

func bottom(r rect) int { return r.y + r.h }

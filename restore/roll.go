package restore

// roll runs the adapter and the flow map over the domain side by side, from top to bottom: the flow map follows as soon as μ is there for a row of its
// tiles, and what lies above is forgotten. So of μ, which is as large as the picture in floats, only a band is held.
func (r *run) roll(adapter stage, flow func(mu *sites) stage) error {
	return r.shrinking(adapter.halo, 2, func(ts []tile) error {
		rows := byRow(ts)
		mu := newBand(r.dom, bandOf(rows)/4)
		first := adapter
		first.outputs = append(first.outputs[:len(first.outputs):len(first.outputs)], output{outMu, mu.write})
		second := flow(mu)
		return follow(rows, func(i int) error { return r.pass(first, rows[i]) }, func(i int) error { return r.pass(second, rows[i]) })
	})
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

// follow calls lead for each row of tiles and, as soon as all that a row of the same tiles reads is owned by rows that lead has done, then for that row.
func follow(rows [][]tile, lead, then func(row int) error) error {
	next := 0
	for i, row := range rows {
		if err := lead(i); err != nil {
			return err
		}
		for done := bottom(row[0].own); next < len(rows) && bottom(rows[next][0].at) <= done; next++ {
			if err := then(next); err != nil {
				return err
			}
		}
	}
	return nil
}

// bandOf is how many rows of pixels follow needs at a time, from the top of what a row reads to the bottom of what was made last.
func bandOf(rows [][]tile) (most int) {
	next := 0
	_ = follow(rows, func(i int) error {
		most = max(most, bottom(rows[i][0].own)-rows[next][0].at.y)
		return nil
	}, func(int) error { next++; return nil })
	return most
}

func bottom(r rect) int { return r.y + r.h }

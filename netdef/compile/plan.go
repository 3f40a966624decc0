package compile

import "slices"

// plan places the values of regWork in one arena, so that values with overlapping lifetimes do not
// overlap in memory. It returns the size of the arena in units of 4 bytes.
func plan(steps []*step) int {
	var all []*value
	seen := map[*value]bool{}
	touch := func(v *value, i int) {
		r, _ := v.root()
		if r.reg != regWork {
			return
		}
		if !seen[r] {
			seen[r] = true
			r.first, r.last = i, i
			all = append(all, r)
		}
		r.last = max(r.last, i)
	}
	for i, s := range steps {
		for _, a := range s.args {
			touch(a, i)
		}
		if s.fill != nil {
			touch(s.fill, i)
		}
	}
	// Large values first, each at the lowest place that is free during its lifetime.
	slices.SortStableFunc(all, func(a, b *value) int { return b.extent() - a.extent() })
	var placed []*value
	total := 0
	for _, v := range all {
		size := v.extent()
		var busy [][2]int
		for _, p := range placed {
			if p.first <= v.last && v.first <= p.last {
				busy = append(busy, [2]int{p.off, p.off + p.extent()})
			}
		}
		slices.SortFunc(busy, func(a, b [2]int) int { return a[0] - b[0] })
		at := 0
		for _, b := range busy {
			if b[0]-at >= size {
				break
			}
			at = max(at, b[1])
		}
		v.off = at
		placed = append(placed, v)
		total = max(total, at+size)
	}
	return total
}

package nets

// Halo implements Architecture. The Haar transform and the adapter's skip connections need no more
// surroundings.
func (c EdgeConfig) Halo(steps int) int {
	from, to := 0, 0 // first and last site of the group at the tile's edge
	if n := len(c.Widths) - 1; n > 0 {
		to = 1<<n - 1
	}
	edge := to
	for range steps + 1 { // the flow maps, then the adapter
		if c.Fine > 0 { // two 3×3 convolutions at twice the resolution
			from, to = from-1, to+1
		}
		from, to = c.reach(0, from, to)
	}
	return 4 * max(-from, to-edge)
}

// reach returns the interval of sites that a U-Net reads, at a level, to compute the sites from ≤ i
// ≤ to of the same level.
func (c EdgeConfig) reach(level, from, to int) (int, int) {
	if level == len(c.Widths)-1 {
		return from - 2*c.Mid, to + 2*c.Mid // two 3×3 convolutions per block
	}
	b, up := 2*c.Blocks[level], 2*c.up(level)
	from, to = from-up, to+up
	// A site is computed from its parent (the skip connection reaches less far), and a parent from
	// two sites.
	f, t := c.reach(level+1, from>>1, to>>1)
	return 2*f - b, 2*t + 1 + b
}

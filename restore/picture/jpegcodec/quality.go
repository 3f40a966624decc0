package jpegcodec

// QualityOf is the quality, 1 to 100, whose usual table for luminance (ITU-T T.81, annex K, scaled
// as libjpeg does) is nearest to a table of quantisation: its 64 values in zig-zag order.
func QualityOf(table []byte) (quality int) {
	least := -1
	for q := 1; q <= 100; q++ {
		apart := 0
		for i, v := range unscaledQuant[quantIndexLuminance] {
			d := scaled(int(v), q) - int(table[i])
			apart += max(d, -d)
		}
		if least < 0 || apart <= least {
			least, quality = apart, q
		}
	}
	return quality
}

// scaled is a value of a table at a quality.
func scaled(v, quality int) int {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	return min(max((v*scale+50)/100, 1), 255)
}

// Natural is the place, by row and column, of the coefficient at a place in zig-zag order.
func Natural(zigzag int) int { return unzig[zigzag] }

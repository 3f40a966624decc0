package jpegcodec

// NearestQuality is the quality, 1 to 100, whose standard luminance table (ITU-T T.81, annex K,
// scaled as by libjpeg) is nearest to the given quantisation table of 64 values in zig-zag order.
func NearestQuality(table []byte) (quality int) {
	lowest := -1
	for q := 1; q <= 100; q++ {
		distance := 0
		for i, v := range unscaledQuant[quantIndexLuminance] {
			d := scaled(int(v), q) - int(table[i])
			distance += max(d, -d)
		}
		if lowest < 0 || distance <= lowest {
			lowest, quality = distance, q
		}
	}
	return quality
}

// scaled is a table value scaled to a quality.
func scaled(v, quality int) int {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	return min(max((v*scale+50)/100, 1), 255)
}

// Natural gives the index in row order, 8·row + column, of the coefficient with an index in zig-zag
// order.
func Natural(zigzag int) int { return unzig[zigzag] }

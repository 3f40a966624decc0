package jpegcodec

// Complete tells whether the scans of a file give every bit of every coefficient. In a truncated
// progressive file every scan may be complete and others missing. For a baseline file Complete is
// always true, as decoders notice a truncated scan.
func Complete(b []byte) bool {
	var open map[[2]int]bool // by component and coefficient: true until its last bit was read
	left := 0
	for s := range Segments(b) {
		body := s.Body
		switch {
		case s.Marker == 0xc2 && len(body) >= 6 && len(body) >= 6+3*int(body[5]):
			open = map[[2]int]bool{}
			for i := range int(body[5]) {
				for k := range blockSize {
					open[[2]int{int(body[6+3*i]), k}] = true
				}
			}
			left = len(open)
		case s.Marker == MarkerSOS && open != nil && len(body) >= 1 &&
			len(body) >= 4+2*int(body[0]):
			tail := body[1+2*int(body[0]):]
			if tail[2]&15 != 0 { // not the last bit
				continue
			}
			for i := range int(body[0]) {
				for k := int(tail[0]); k <= int(tail[1]); k++ {
					if key := [2]int{int(body[1+2*i]), k}; open[key] {
						open[key] = false
						left--
					}
				}
			}
		}
	}
	return left == 0
}

package blind

import "math"

// The loops of splitting, as those of rows.go. Rows wrap around.

// target moves the target t of the blurred picture's splitting (splitting.step).
func target(t, kx, seen, half []float32) {
	kx, seen, half = kx[:len(t)], seen[:len(t)], half[:len(t)]
	n := fastReals(len(t))
	if n > 0 {
		targetAVX(&t[0], &kx[0], &seen[0], &half[0], relaxation, n)
	}
	for i := n; i < len(t); i++ {
		k := kx[i]
		t[i] += relaxation * (k - t[i] + half[i]*(seen[i]+t[i]-2*k))
	}
}

// filterRows are a row of each filter's values: first differences along the row and along the
// column, second ones along both, and mixed ones.
type filterRows [5][]float32

// pointers are to the rows' second values.
func (f *filterRows) pointers() *[5]*float32 {
	var p [5]*float32
	for i := range p {
		p[i] = &f[i][1]
	}
	return &p
}

// apply sets the rows to the filters' values at a row of pixels.
func (f *filterRows) apply(above, row, below []float32) {
	above, below = above[:len(row)], below[:len(row)]
	n := fastReals(len(row) - 2)
	f.applyFrom(0, 1, above, row, below)
	if n > 0 {
		filtersAVX(f.pointers(), &above[1], &row[1], &below[1], n)
	}
	f.applyFrom(1+n, len(row), above, row, below)
}

// applyFrom is apply for the pixels from x on, up to and without end.
func (f *filterRows) applyFrom(x, end int, above, row, below []float32) {
	n := len(row)
	h, v, hh, vv, hv := f[0][:n], f[1][:n], f[2][:n], f[3][:n], f[4][:n]
	last := row[(x+n-1)%n]
	for ; x < end; x++ {
		m, b, next, diagonal := row[x], below[x], row[0], below[0]
		if x+1 < n {
			next, diagonal = row[x+1], below[x+1]
		}
		h[x], v[x], hh[x], vv[x], hv[x] = next-m, b-m, next-2*m+last, b-2*m+above[x], m-next-b+diagonal
		last = m
	}
}

// adjoint adds to three rows of pixels what apply's adjoint makes of the rows.
func (f *filterRows) adjoint(above, row, below []float32) {
	above, below = above[:len(row)], below[:len(row)]
	n := fastReals(len(row) - 2)
	f.adjointFrom(0, 1, above, row, below)
	if n > 0 {
		adjointAVX(&above[1], &row[1], &below[1], f.pointers(), n)
	}
	f.adjointFrom(1+n, len(row), above, row, below)
}

// adjointFrom is adjoint for the pixels from x on, up to and without end.
func (f *filterRows) adjointFrom(x, end int, above, row, below []float32) {
	n := len(row)
	h, v, hh, vv, hv := f[0][:n], f[1][:n], f[2][:n], f[3][:n], f[4][:n]
	before := (x + n - 1) % n
	left, leftHH, leftHV := h[before], hh[before], hv[before]
	for ; x < end; x++ {
		next := hh[0]
		if x+1 < n {
			next = hh[x+1]
		}
		above[x] += vv[x]
		row[x] += left - h[x] - v[x] + leftHH - 2*hh[x] + next - 2*vv[x] + hv[x] - leftHV
		below[x] += v[x] + vv[x] - hv[x] + leftHV
		left, leftHH, leftHV = h[x], hh[x], hv[x]
	}
}

// row replaces each v by argmin over w of scale^(2−p)·|w|^p + ½(w − v)². If divide and multiply are
// not nil, the values are multiplied by divide before, and by multiply after that.
func (s *shrinkage) row(row, divide, multiply []float32, scale float32) {
	n := fastReals(len(row))
	if n > 0 {
		var d, m *float32
		if divide != nil {
			d, m = &divide[:n][0], &multiply[:n][0]
		}
		shrinkAVX(&row[0], d, m, &s.table[0], 1/scale, scale, s.least, n)
	}
	if divide != nil {
		scaleRow(row[n:], divide[n:])
	}
	s.rest(row[n:], scale)
	if multiply != nil {
		scaleRow(row[n:], multiply[n:])
	}
}

// rest is row in Go.
func (s *shrinkage) rest(row []float32, scale float32) {
	inverse := 1 / scale
	least, sign := math.Float32bits(s.least), uint32(1<<31)
	for i, v := range row { // without branches, as no processor could predict them
		bits := math.Float32bits(v * inverse)
		a := bits &^ sign
		at := min(max(a, least)>>shrinkBits-shrinkBase, uint32(len(s.table)-2))
		low := s.table[at]
		t := float32(a&(1<<shrinkBits-1)) * (1.0 / (1 << shrinkBits))
		off := scale * (low + t*(s.table[at+1]-low))
		off = math.Float32frombits(math.Float32bits(off) | bits&sign)
		shrunk := math.Float32bits(v - off)
		if a < least {
			shrunk = 0
		}
		row[i] = math.Float32frombits(shrunk)
	}
}

// scaleRow multiplies a row by factors.
func scaleRow(row, by []float32) {
	by = by[:len(row)]
	for i, v := range by {
		row[i] *= v
	}
}

package blind

import "unsafe"

// transform is the Fourier transform of real planes of w×h values. A spectrum holds the frequencies
// of 0 … h/2 cycles along a column (the others are their conjugates) and of 0 … w−1 along a row.
// laneCount frequencies along a column form a block, and blocks follow each other. Within a block,
// the values with the same frequency along the row are next to each other. The last block is filled
// up with zeros, which stay zeros in products and sums.
//
// Both sides must be even, at least 16, and have no prime factors above 5 (see fastSize). A
// transform has its own memory and is for one goroutine at a time.
type transform struct {
	w, h       int
	rows, cols *lines
	a, b       []lanes
}

func newTransform(w, h int) *transform {
	n := max(w, h)
	return &transform{w: w, h: h, rows: newLines(w), cols: newLines(h), a: make([]lanes, n), b: make([]lanes, n)}
}

// size is the number of values of a spectrum.
func (t *transform) size() int { return t.blocks() * laneCount * t.w }

func (t *transform) blocks() int { return t.h/2/laneCount + 1 }

// at is the index of the frequency of fx < w cycles along a row and fy ≤ h/2 along a column.
func (t *transform) at(fx, fy int) int {
	return (fy/laneCount*t.w+fx)*laneCount + fy%laneCount
}

// block returns a block of a spectrum.
func (t *transform) block(s []complex64, i int) []lanes {
	n := t.w * laneCount
	return unsafe.Slice((*lanes)(unsafe.Pointer(unsafe.SliceData(s[i*n:(i+1)*n]))), t.w)
}

// pairs is the number of real columns that are transformed together, two in a complex one.
const pairs = 2 * laneCount

// strips calls do with the first of every pairs columns. The last ones may overlap those before.
func (t *transform) strips(do func(x int)) {
	for x := 0; x < t.w; x += pairs {
		do(min(x, t.w-pairs))
	}
}

// lanesAt is pairs real values as laneCount complex ones.
func lanesAt(p []float32) *lanes { return (*lanes)(unsafe.Pointer((*[pairs]float32)(p))) }

// forward sets dst to the transform of src: dst(f) = Σ src(x)·e^(−2πi f·x).
func (t *transform) forward(dst []complex64, src []float32) {
	t.strips(func(x int) {
		a := t.a[:t.h]
		for y := range a {
			a[y] = *lanesAt(src[y*t.w+x:])
		}
		t.split(dst, x, t.cols.forward(a, t.b[:t.h]))
	})
	for i := range t.blocks() {
		b := t.block(dst, i)
		if v := t.rows.forward(b, t.a[:t.w]); &v[0] != &b[0] {
			copy(b, v)
		}
	}
}

// inverse sets dst to the plane whose transform is src, and overwrites src. The inverse transform
// is the forward one, read backwards.
func (t *transform) inverse(dst []float32, src []complex64) {
	for i := range t.blocks() {
		b := t.block(src, i)
		if v := t.rows.forward(b, t.a[:t.w]); &v[0] != &b[0] {
			copy(b, v)
		}
	}
	scale := 1 / float32(t.w*t.h)
	t.strips(func(x int) {
		a := t.a[:t.h]
		t.join(a, src, x, scale)
		v := t.cols.forward(a, t.b[:t.h])
		*lanesAt(dst[x:]) = v[0]
		for y := 1; y < t.h; y++ {
			*lanesAt(dst[y*t.w+x:]) = v[t.h-y]
		}
	})
}

// fastSize returns the least even number that is at least n and 16 and has no prime factors but 2,
// 3 and 5. Transforms of such sizes are fast.
func fastSize(n int) int {
	n = max(n, pairs)
	for n += n % 2; ; n += 2 {
		m := n
		for _, p := range []int{2, 3, 5} {
			for m%p == 0 {
				m /= p
			}
		}
		if m == 1 {
			return n
		}
	}
}

package task

import "github.com/vfmrestore/restore/restore/planar"

// Push-pull fills missing pixels from a pyramid of averages. With P the 2×2 average pooling (PoolMatrix on both axes), U the
// bilinear enlargement by 2 (UpPool2Matrix on both axes), x₀ the picture and w₀ its mask (1 known, 0 missing):
//
//	pull, l = 0 … L−1:   d = P w_l,   x_{l+1} = P(w_l·x_l) / max(d, pullFloor),   w_{l+1} = min(1, PullGain·d)
//	push, l = L−1 … 0:   x_l ← w_l·x_l + (1 − w_l)·U x_{l+1}
//
// L = PullLevels(W, H) brings the picture down to 1×1 (a picture that is 1×1 already becomes w₀·x₀). With masks of 0 and 1 every
// w_l is 0 or 1 too: a coarse pixel knows as soon as one of its four does. Missing pixels may hold anything finite, known pixels
// stay exactly as they are, and where nothing is known at all the result is 0.
const (
	// PullGain says how much of a coarse pixel must be known for it to be trusted fully: a share of 1/PullGain.
	PullGain = 4
	// PullFloor keeps the division of pixels that know nothing at 0.
	PullFloor = 1e-6
)

// PullLevels returns how many times a picture of w×h pixels is halved (rounding up) until it is 1×1: ⌈log₂ max(w, h)⌉.
func PullLevels(w, h int) int {
	l := 0
	for n := max(w, h); n > 1; n = (n + 1) / 2 {
		l++
	}
	return l
}

// PushPull returns img with its missing pixels filled in. mask has one value per pixel, 1 known and 0 missing (between: blended).
// A mask of another length is a *SizeError.
func PushPull(img *planar.Image, mask []float32) (*planar.Image, error) {
	if err := img.Check(); err != nil {
		return nil, err
	}
	if len(mask) != img.W*img.H {
		return nil, &SizeError{What: "mask", W: len(mask), WantW: img.W, WantH: img.H}
	}
	out := img.Clone()
	if img.W == 1 && img.H == 1 {
		for c := range out.Pix {
			out.Pix[c] *= mask[0]
		}
	}
	pushPull(out.Pix, mask, img.W, img.H)
	return out, nil
}

// pushPull fills three planes x of w×h values in place.
func pushPull(x, weight []float32, w, h int) {
	if w == 1 && h == 1 {
		return
	}
	n := w * h
	pw, ph := poolFilter(w), poolFilter(h)
	pool := func(p []float32) []float32 { return filterColumns(ph, filterRows(pw, p, h), pw.m) }
	m := pw.m * ph.m
	share := pool(weight)
	coarse := make([]float32, 3*m)
	product := make([]float32, n)
	for c := 0; c < 3; c++ {
		for i, v := range x[c*n : (c+1)*n] {
			product[i] = v * weight[i]
		}
		for i, v := range pool(product) {
			coarse[c*m+i] = v / max(share[i], PullFloor)
		}
	}
	for i, v := range share {
		share[i] = min(1, PullGain*v)
	}
	pushPull(coarse, share, pw.m, ph.m)

	uw, uh := spreadFilter(w), spreadFilter(h)
	for c := 0; c < 3; c++ {
		fill := filterColumns(uh, filterRows(uw, coarse[c*m:(c+1)*m], ph.m), w)
		for i, v := range x[c*n : (c+1)*n] {
			x[c*n+i] = weight[i]*v + (1-weight[i])*fill[i]
		}
	}
}

// poolFilter averages pairs: n → ⌈n/2⌉ values.
func poolFilter(n int) *filter {
	f := newFilter(n, (n+1)/2)
	for i := 0; i < n; i++ {
		f.add(i, i/2, 0.5)
	}
	return f
}

// spreadFilter interpolates ⌈n/2⌉ values to n.
func spreadFilter(n int) *filter {
	m := (n + 1) / 2
	f := newFilter(m, n)
	for i := 0; i < n; i++ {
		near := i / 2
		far := near - 1 + 2*(i%2)
		f.add(near, i, 0.75)
		f.add(min(max(far, 0), m-1), i, 0.25)
	}
	return f
}

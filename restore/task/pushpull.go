package task

import (
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// Push-pull fills missing pixels from a pyramid of averages. With P the 2×2 average pooling
// (PoolMatrix on both axes), U the bilinear enlargement by 2 (UpPool2Matrix on both axes), x₀ the
// picture and w₀ its mask (1 known, 0 missing):
//
//	pull, l = 0 … L−1:   d = P w_l,   x_{l+1} = P(w_l·x_l) / max(d, pullFloor),   w_{l+1} = min(1, PullGain·d)
//	push, l = L−1 … 0:   x_l ← w_l·x_l + (1 − w_l)·U x_{l+1}
//
// L = PullLevels(W, H) brings the picture down to 1×1 (a picture that is 1×1 already becomes
// w₀·x₀). With masks of 0 and 1 every w_l is 0 or 1 too: a coarse pixel is known if one of its four
// is. Missing pixels may hold any finite value. Known pixels stay exactly as they are. If nothing
// is known, the result is 0.
const (
	// PullGain sets the share of a coarse pixel that must be known for a full weight: 1/PullGain.
	PullGain = 4
	// PullFloor avoids division by 0 for coarse pixels without a known one.
	PullFloor = 1e-6
)

// PullLevels returns how many times a picture of w×h pixels is halved (rounding up) until it is
// 1×1: ⌈log₂ max(w, h)⌉.
func PullLevels(w, h int) int {
	l := 0
	for n := max(w, h); n > 1; n = (n + 1) / 2 {
		l++
	}
	return l
}

// PushPull returns img with its missing pixels filled in. mask has one value per pixel, 1 known and
// 0 missing (between: blended). A mask of another length is a *SizeError.
func PushPull(img *planar.Image, mask []float32) (*planar.Image, error) {
	if err := img.Check(); err != nil {
		return nil, err
	}
	if len(mask) != img.W*img.H {
		return nil, &SizeError{What: "mask", W: len(mask), WantW: img.W, WantH: img.H}
	}
	out := img.Clone()
	newPyramid(team.New(0), mask, img.W, img.H).fill(out.Pix)
	return out, nil
}

// pyramid is a level of push-pull for one mask: all that does not depend on the picture, and memory
// for what does.
type pyramid struct {
	weight       []float32 // of each pixel of this level
	share        []float32 // known share of each pixel of the next level, at least PullFloor
	fine, coarse []float32 // one plane of this level's size, three of the next one's
	pool, spread *resampler
	next         *pyramid
}

func newPyramid(t *team.Team, weight []float32, w, h int) *pyramid {
	p := &pyramid{weight: weight}
	if w == 1 && h == 1 {
		return p
	}
	pw, ph := poolFilter(w), poolFilter(h)
	p.pool = newResampler(t, pw, ph)
	p.spread = newResampler(t, spreadFilter(w), spreadFilter(h))
	m := pw.m * ph.m
	known := make([]float32, m)
	p.share = make([]float32, m)
	p.pool.apply(known, weight)
	trust(p.share, known)
	p.fine, p.coarse = make([]float32, w*h), make([]float32, 3*m)
	p.next = newPyramid(t, known, pw.m, ph.m)
	return p
}

// fill fills three planes in place.
func (p *pyramid) fill(x []float32) {
	n, m := len(p.weight), len(p.share)
	if p.next == nil { // a single pixel
		for c := range x {
			x[c] *= p.weight[0]
		}
		return
	}
	for c := range 3 {
		weigh(p.fine, x[c*n:(c+1)*n], p.weight)
		coarse := p.coarse[c*m : (c+1)*m]
		p.pool.apply(coarse, p.fine)
		average(coarse, p.share)
	}
	if p.next.next != nil { // the single pixel at the top is known, or 0 already
		p.next.fill(p.coarse)
	}
	for c := range 3 {
		p.spread.apply(p.fine, p.coarse[c*m:(c+1)*m])
		blend(x[c*n:(c+1)*n], p.fine, p.weight)
	}
}

// The functions below are the steps of pull and push for every pixel. Pieces uses them too, so its
// results have the same bits.

// weigh writes w·x to dst.
func weigh(dst, x, w []float32) {
	for i, w := range w {
		dst[i] = x[i] * w
	}
}

// trust turns d = P w, which is in known, into the weights of the next level, and writes the shares
// to divide by.
func trust(share, known []float32) {
	for i, v := range known {
		share[i] = max(v, PullFloor)
		known[i] = min(1, PullGain*v)
	}
}

// average divides P(w·x) by the shares.
func average(x, share []float32) {
	for i, s := range share {
		x[i] /= s
	}
}

// blend replaces x by above where it is not known.
func blend(x, above, w []float32) {
	for i, w := range w {
		x[i] = w*x[i] + (1-w)*above[i]
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

// Package temporal reduces noise in restored frames of a video by averaging over time.
//
// A frame is averaged with the motion-compensated average so far. The weight of the average depends
// on how well it fits at a pixel. What appears, changes or cannot be followed is taken from the new
// frame alone, so that moving objects leave no trails.
package temporal

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// memory is the largest weight of the average, relative to a new frame. Eight frames reduce the
// noise to a quarter of its deviation. A change of light that is too weak to be noticed in one
// frame appears fully after eight frames, too.
const memory = 7

// shortMemory is the same for motion by fractions of pixels, because each interpolation blurs the
// average.
const shortMemory = 2

// Limits of the distance of a pixel's neighbourhood from the average, as shares of the noise before
// restoration. Below fullTrust the average counts in full, above noTrust not at all. In restored
// frames about a fifth of the noise is left.
const (
	fullTrust = 0.35
	noTrust   = 0.7
)

// fractionPenalty multiplies distances for motion by fractions of pixels, because interpolation
// smooths differences away.
const fractionPenalty = 1.4

// maxPull limits how far the average may change a value of the new frame, as a share of the noise.
// It also limits trails behind moving objects.
const maxPull = 0.6

// Quiet is the noise, as a standard deviation of values in [-1, 1], below which frames are not
// changed: one level of 8 bits.
const Quiet = 1 / 127.5

// BytesPerPixel is the approximate memory of a Filter for each pixel of a frame.
const BytesPerPixel = 4 * 13

// reach is half the side of the square over which differences are averaged.
const reach = 2

// Filter averages the frames of one video. The zero value is ready to use. It is not safe for
// concurrent use. After two frames of a size it allocates no more memory.
type Filter struct {
	w, h     int
	started  bool
	average  []float32    // three planes
	moved    []float32    // the average, warped to the frame
	weight   [2][]float32 // number of frames in each pixel of average, and of moved
	distance []float32    // of the frame from moved, per pixel
	sums     []float32    // means of distance over 2·reach+1 pixels of a row
	match    matcher
	team     *team.Team
	frame    []float32
	noise    float32
	rows     [4]func(worker, i int) // stored once: closures would be allocated
}

// Apply replaces a restored frame (three planes of h rows of w values in about [-1, 1]) by its
// average with those before it. noise is the standard deviation of the noise before restoration, in
// the same units. Frames with less than Quiet stay unchanged, and averaging starts again after
// them, as after a change of size. Apply fails only with ctx's error; the frame may then be partly
// averaged.
func (f *Filter) Apply(ctx context.Context, frame []float32, w, h int, noise float64) error {
	if w != f.w || h != f.h {
		f.fit(w, h)
	}
	if !(noise >= Quiet) {
		f.started = false
		return nil
	}
	f.frame, f.noise = frame, float32(noise)
	defer func() { f.frame = nil }()
	if !f.started {
		f.store()
		for i := range f.weight[0] {
			f.weight[0][i] = 1
		}
		f.started = true
		return nil
	}
	f.started = false // in case of an error
	f.match.load(frame)
	if err := f.match.search(ctx, f.team, f.noise); err != nil {
		return err
	}
	for _, job := range f.rows {
		if err := f.team.Each(ctx, (h+side-1)/side, job); err != nil {
			return err
		}
	}
	f.weight[0], f.weight[1] = f.weight[1], f.weight[0]
	f.store()
	f.started = true
	return nil
}

// store makes the frame the average for the next one.
func (f *Filter) store() {
	copy(f.average, f.frame)
	f.match.swap(f.frame)
}

func (f *Filter) fit(w, h int) {
	f.w, f.h, f.started = w, h, false
	f.average, f.moved = make([]float32, 3*w*h), make([]float32, 3*w*h)
	f.weight = [2][]float32{make([]float32, w*h), make([]float32, w*h)}
	f.distance, f.sums = make([]float32, w*h), make([]float32, w*h)
	f.match.fit(w, h)
	if f.team == nil {
		f.team = team.New(0)
		f.rows = [4]func(int, int){
			func(_, i int) { f.move(i) },
			func(_, i int) { f.each(i, f.across) },
			func(_, i int) { f.each(i, f.down) },
			func(_, i int) { f.each(i, f.blend) },
		}
	}
}

// each calls job for the pixel rows of a row of blocks.
func (f *Filter) each(blocks int, job func(y int)) {
	for y := blocks * side; y < min((blocks+1)*side, f.h); y++ {
		job(y)
	}
}

// across averages the distances of a row over 2·reach+1 pixels, fewer at the border.
func (f *Filter) across(y int) {
	from, to := f.distance[y*f.w:][:f.w], f.sums[y*f.w:][:f.w]
	sum := float32(0)
	for x := range min(reach, f.w) {
		sum += from[x]
	}
	for x := range to {
		if x+reach < f.w {
			sum += from[x+reach]
		}
		to[x] = max(sum, 0) / float32(min(x+reach, f.w-1)-max(x-reach, 0)+1)
		if x >= reach {
			sum -= from[x-reach]
		}
	}
}

// down averages sums over 2·reach+1 rows, fewer at the border, into distance.
func (f *Filter) down(y int) {
	to := f.distance[y*f.w:][:f.w]
	first, last := max(y-reach, 0), min(y+reach, f.h-1)
	copy(to, f.sums[first*f.w:][:f.w])
	for k := first + 1; k <= last; k++ {
		for x, v := range f.sums[k*f.w:][:f.w] {
			to[x] += v
		}
	}
	share := 1 / float32(last-first+1)
	for x := range to {
		to[x] *= share
	}
}

// blend averages a row with the moved average.
func (f *Filter) blend(y int) {
	n := f.w * f.h
	low, width, most := fullTrust*f.noise, (noTrust-fullTrust)*f.noise, maxPull*f.noise
	for i := y * f.w; i < (y+1)*f.w; i++ {
		trust := min(max(1-(f.distance[i]-low)/width, 0), 1)
		old := min(f.weight[1][i]*trust, memory)
		share := old / (old + 1)
		for c := range 3 {
			at := c*n + i
			f.frame[at] += min(max(share*(f.moved[at]-f.frame[at]), -most), most)
		}
		f.weight[1][i] = old + 1
	}
}

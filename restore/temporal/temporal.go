// Package temporal takes from restored frames of a video the noise that differs from frame to frame.
//
// A frame is averaged with the average so far, which is moved to where its things are now. How much
// of the average a pixel takes depends on how well it fits there: what appears, changes or cannot be
// followed is taken from the new frame alone, so that nothing trails behind what moves.
package temporal

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// memory is the largest weight of the average against a new frame: eight frames settle the noise to
// a quarter of its deviation, and a change of light that is too weak to be seen in one is there
// after as many.
const memory = 7

// shortMemory is the same for what moves by fractions of pixels: each such move blurs the average.
const shortMemory = 2

// Limits of how far a pixel's surroundings may differ from the average, in shares of the noise of
// the frames before they were restored: below the first the average counts in full, above the second
// not at all. Of restored frames the noise that is left is about a fifth of what it was.
const (
	fits  = 0.35
	fails = 0.7
)

// strict is by how much larger differences count where things moved by fractions of pixels, as
// interpolation makes pictures alike that are not.
const strict = 1.4

// pull is how far the average may draw a value away from the new frame's, as a share of the noise:
// what trails behind something that moved is no more than that in one frame.
const pull = 0.6

// Quiet is the noise, as a standard deviation of values in [-1, 1], below which frames pass as they
// are: one level of 8 bits.
const Quiet = 1 / 127.5

// BytesPerPixel is about what a Filter takes, for each pixel of a frame.
const BytesPerPixel = 4 * 13

// reach is half the side of the square over which differences are averaged.
const reach = 2

// Filter averages the frames of one video. The zero value is ready; it must not be used by two
// goroutines at once. Once it has seen two frames of a size it allocates no memory for more.
type Filter struct {
	w, h    int
	begun   bool
	average []float32    // three planes
	moved   []float32    // the same where it is seen now
	weight  [2][]float32 // how many frames each pixel of the average stands for, and where it is now
	differs []float32    // how far the frame is from the moved average
	sums    []float32    // the same over rows of 2·reach+1 pixels
	match   matcher
	team    *team.Team
	frame   []float32
	noise   float32
	rows    [4]func(worker, i int) // made values once
}

// Apply replaces a restored frame (three planes of h rows of w values in about [-1, 1]) by its
// average with those before it. noise is the standard deviation of the noise before the frame was
// restored, in the same units; frames of less than Quiet stay as they are. Another size begins anew.
// It fails only with ctx's error; the frame may be half averaged then.
func (f *Filter) Apply(ctx context.Context, frame []float32, w, h int, noise float64) error {
	if w != f.w || h != f.h {
		f.fit(w, h)
	}
	if !(noise >= Quiet) {
		f.begun = false
		return nil
	}
	f.frame, f.noise = frame, float32(noise)
	defer func() { f.frame = nil }()
	if !f.begun {
		f.keep()
		for i := range f.weight[0] {
			f.weight[0][i] = 1
		}
		f.begun = true
		return nil
	}
	f.begun = false // until all is done
	f.match.see(frame)
	if err := f.match.search(ctx, f.team, f.noise); err != nil {
		return err
	}
	for _, job := range f.rows {
		if err := f.team.Each(ctx, (h+side-1)/side, job); err != nil {
			return err
		}
	}
	f.weight[0], f.weight[1] = f.weight[1], f.weight[0]
	f.keep()
	f.begun = true
	return nil
}

// keep makes the frame the average of what was before it, to be looked at from the next one.
func (f *Filter) keep() {
	copy(f.average, f.frame)
	f.match.swap(f.frame)
}

func (f *Filter) fit(w, h int) {
	f.w, f.h, f.begun = w, h, false
	f.average, f.moved = make([]float32, 3*w*h), make([]float32, 3*w*h)
	f.weight = [2][]float32{make([]float32, w*h), make([]float32, w*h)}
	f.differs, f.sums = make([]float32, w*h), make([]float32, w*h)
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

// each calls job for the rows of a row of blocks.
func (f *Filter) each(blocks int, job func(y int)) {
	for y := blocks * side; y < min((blocks+1)*side, f.h); y++ {
		job(y)
	}
}

// across sums the differences of a row over 2·reach+1 pixels, or as many as there are.
func (f *Filter) across(y int) {
	from, to := f.differs[y*f.w:][:f.w], f.sums[y*f.w:][:f.w]
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

// down averages the rows' sums over as many rows, into differs.
func (f *Filter) down(y int) {
	to := f.differs[y*f.w:][:f.w]
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
	low, width, most := fits*f.noise, (fails-fits)*f.noise, pull*f.noise
	for i := y * f.w; i < (y+1)*f.w; i++ {
		trust := min(max(1-(f.differs[i]-low)/width, 0), 1)
		old := min(f.weight[1][i]*trust, memory)
		share := old / (old + 1)
		for c := range 3 {
			at := c*n + i
			f.frame[at] += min(max(share*(f.moved[at]-f.frame[at]), -most), most)
		}
		f.weight[1][i] = old + 1
	}
}

package trainhost

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/planar"
)

// Movement makes blur that no single kernel describes, as in pictures of moving people or of a
// camera that rotates: means of a video's frames, and photographs whose whole and a part move in
// different ways. A network for denoising that is trained on it (Trainer.Movement) learns to
// sharpen what moved and to leave alone what is sharp.
type Movement struct {
	frames []rgb // of a video, in their order
	photos *Pictures
}

// NewMovement reads the frames of a video (see VideoFrames), which stay in memory with 3 bytes per
// pixel. It fails if a frame cannot be read, or if the frames differ in size or have fewer than
// side pixels a side.
func NewMovement(photos *Pictures, paths []string, side int) (*Movement, error) {
	m := &Movement{frames: make([]rgb, len(paths)), photos: photos}
	errs := openPictures(paths, func(i int, img *image.NRGBA, _ fileSum) { m.frames[i] = toRGB(imaging.Clone(img)) })
	for i, f := range m.frames {
		switch first := m.frames[0]; {
		case errs[i] != nil:
			return nil, fmt.Errorf("frame %s: %w", paths[i], errs[i])
		case f.w != first.w || f.h != first.h:
			return nil, fmt.Errorf("frame %s has %d×%d pixels, the first has %d×%d", paths[i], f.w, f.h, first.w, first.h)
		case min(f.w, f.h) < side:
			return nil, fmt.Errorf("frame %s has %d×%d pixels, fewer than %d a side", paths[i], f.w, f.h, side)
		}
	}
	return m, nil
}

// The distribution of movement, as shares of the draws. The rest is moved by movePicture.
const (
	shareStill       = 0.15 // not moved
	shareFrameMeans  = 0.37 // means of frames
	shareStillFrames = 0.40 // of the still and moved pictures, frames instead of photographs
)

// draw draws a square picture, and the same blurred by movement, with the noise of good light and,
// half of the time, compressed.
func (m *Movement) draw(rng *rand.Rand, side int) (degraded, error) {
	source := m.photos.crops(rng, sizeShares)
	if rng.Float64() < shareStillFrames {
		source = m.frameCrops(rng)
	}
	// A picture that was made smaller is sharper, and its movement is shorter.
	reduce, need := 0.0, side
	if rng.Float64() < 0.25 {
		reduce = 1 + rng.Float64()
		need = sideBefore(side, reduce)
	}
	var x, y *planar.Image
	switch u := rng.Float64(); {
	case u < shareStill:
		if x = source(need); x != nil {
			y = x.Clone()
		}
	case u < shareStill+shareFrameMeans:
		x, y = m.mean(rng, need)
	default:
		x, y = movePicture(rng, source, need)
	}
	if x == nil { // no picture is large enough
		reduce = 0
		if x = source(side); x == nil {
			return degraded{}, fmt.Errorf("movement: no picture has %d pixels a side", side)
		}
		y = x.Clone()
	}
	clean, _, err := camera.Camera{Reduce: reduce}.Degrade(rng, x.Clamp())
	if err != nil {
		return degraded{}, err
	}
	c := camera.Camera{Reduce: reduce, White: 0.03 * rng.Float64() * rng.Float64(), Round: true}
	if rng.Float64() < 0.2 {
		c.White = 0.08 * rng.Float64()
	}
	if rng.Float64() < 0.5 {
		c.Quality, c.Subsampling = 75+rng.IntN(26), camera.Sub420
	}
	_, noisy, err := c.Degrade(rng, y.Clamp())
	if err != nil {
		return degraded{}, err
	}
	d := degraded{clean: clean, noisy: noisy, estimate: true}
	err = d.crop(image.Point{}, side)
	return d, err
}

// frameCrops gives crops of frames.
func (m *Movement) frameCrops(rng *rand.Rand) cropSource {
	return func(side int) *planar.Image { return m.frames[rng.IntN(len(m.frames))].square(rng, side) }
}

// mean gives the middle one of 3 to 15 neighbouring frames, and their mean: half of the time of
// linear light, else of the display values. Both are nil if the frames are too small.
func (m *Movement) mean(rng *rand.Rand, side int) (x, y *planar.Image) {
	n := min(3+2*rng.IntN(7), len(m.frames)-1|1)
	first := rng.IntN(len(m.frames) - n + 1)
	var place uint64
	linear := rng.IntN(2) == 0
	if f := &m.frames[0]; min(f.w, f.h) < side {
		return nil, nil
	}
	// Large parts of a video may show only a floor or a sky.
	part := planar.New(side, side)
	best := -1.0
	for range places {
		p := rng.Uint64()
		m.frames[first].crop(rand.New(rand.NewPCG(p, 0)), side, part.Pix)
		if d := contrast(part); d > best {
			best, place = d, p
		}
	}
	frames := frameMean{linear: linear}
	for i := range n {
		// The same place and orientation in every frame.
		m.frames[first+i].crop(rand.New(rand.NewPCG(place, 0)), side, part.Pix)
		if i == n/2 {
			x = part.Clone()
		}
		frames.add(part, n)
	}
	return x, frames.result()
}

// frameMean is the mean of pictures of one size.
type frameMean struct {
	linear bool // of linear light; else of display values
	sum    *planar.Image
}

// add adds one of n pictures.
func (f *frameMean) add(p *planar.Image, n int) {
	if f.sum == nil {
		f.sum = planar.New(p.W, p.H)
	}
	for k, v := range p.Pix {
		if f.linear {
			v = camera.Light(v)
		}
		f.sum.Pix[k] += v / float32(n)
	}
}

// result returns the mean in display values.
func (f *frameMean) result() *planar.Image {
	if f.linear {
		toDisplay(f.sum)
	}
	return f.sum
}

// places is how many places in a frame are drawn. The one with the highest contrast is taken.
const places = 6

// contrast is the sum of the absolute differences of green over 2 pixels. Each counts at most 0.2,
// so that no single one decides.
func contrast(p *planar.Image) (sum float64) {
	g := p.Plane(1)
	for y := 2; y < p.H; y += 2 {
		for x := 2; x < p.W; x += 2 {
			i := y*p.W + x
			sum += min(0.2, math.Abs(float64(g[i]-g[i-2]))+math.Abs(float64(g[i]-g[i-2*p.W])))
		}
	}
	return sum
}

// toDisplay converts linear light to display values.
func toDisplay(y *planar.Image) {
	for i, v := range y.Pix {
		y.Pix[i] = camera.Display(v)
	}
}

// maxExtent is the extent of the longest path, in pixels. It is also the margin that a picture
// needs around the part that is shown.
const maxExtent = 30

// movePicture gives a picture, and the same moved while the shutter is open. All of it moves along
// a path. Half of the time it also rotates about a point, and half of the time a shape in front
// moves along a path of its own. Three of four are exposed in linear light. Both are nil if the
// source has no picture that is large enough.
func movePicture(rng *rand.Rand, source cropSource, side int) (x, y *planar.Image) {
	back := source(side + 2*maxExtent)
	if back == nil {
		return nil, nil
	}
	drawExtent := func() float64 { return 1.5 * math.Pow(maxExtent/1.5, rng.Float64()) }
	extent := drawExtent()
	layers := []movingLayer{{picture: back, path: drawPath(rng, extent, float64(side))}}
	if rng.IntN(2) == 0 {
		if front := source(side + 2*maxExtent); front != nil {
			extent = max(extent, drawExtent())
			layers = append(layers, movingLayer{front, drawShape(rng, side+2*maxExtent), drawPath(rng, extent, float64(side))})
		}
	}
	linear := rng.IntN(4) > 0
	if linear {
		for _, l := range layers {
			for k, v := range l.picture.Pix {
				l.picture.Pix[k] = camera.Light(v)
			}
		}
	}
	steps := int(max(5, min(25, extent)))/2*2 + 1
	x, y = planar.New(side, side), planar.New(side, side)
	now := planar.New(side, side)
	for i := range steps {
		clear(now.Pix)
		t := float64(i)/float64(steps-1) - 0.5
		for _, l := range layers {
			l.draw(now, t)
		}
		if i == steps/2 {
			copy(x.Pix, now.Pix)
		}
		for k, v := range now.Pix {
			y.Pix[k] += v / float32(steps)
		}
	}
	if linear {
		toDisplay(x)
		toDisplay(y)
	}
	return x, y
}

package trainhost

import (
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// MotionPairs are sharp pictures and the same with real kinds of motion blur, each with its
// restoration by package deblur: training pairs for motion-deblur. Estimating a kernel takes longer
// than a training step, so the pairs are made before the training, which draws crops of them.
type MotionPairs struct {
	Side int // pixels
	list []motionPair
}

// motionPair is a sharp picture, the blurred one, and the second view of the network: three planes
// each.
type motionPair struct {
	sharp, blurred []uint8
	guess          []int16 // 1/guessUnit of planar.Image's units
	sigma          float32 // estimated standard deviation of the noise, in planar.Image's units
}

// MotionPairsConfig says what MakeMotionPairs draws.
type MotionPairsConfig struct {
	Count   int
	Seed    uint64
	Side    int // pixels
	Workers int // goroutines; 0: one per core
	// Progress is called after every 20 pairs, on any goroutine; it may be nil.
	Progress func(done, total int)
}

// Shares of the pairs. The rest is blurred by camera shake.
const (
	shareSharp = 0.15 // not blurred
	shareVideo = 0.20 // means of a video's frames, if there is one
)

// MakeMotionPairs draws pairs from photographs and, if frames is not empty, from the frames of a
// video, whose paths are given in order. It fails if the photographs are too small, if a frame
// cannot be read, and with ctx.Err().
func MakeMotionPairs(ctx context.Context, pics *Pictures, frames []string, c MotionPairsConfig) (*MotionPairs, error) {
	if pics.largest() < c.Side+maxShake {
		return nil, fmt.Errorf("motion pairs: no photograph has %d pixels on both sides", c.Side+maxShake)
	}
	s := &MotionPairs{Side: c.Side, list: make([]motionPair, c.Count)}
	err := drawAll(ctx, team.New(c.Workers), c.Count, func(_, i int) (err error) {
		rng := rand.New(rand.NewPCG(c.Seed, uint64(i)))
		s.list[i], err = drawMotionPair(ctx, rng, pics, frames, c.Side)
		if c.Progress != nil && (i+1)%20 == 0 {
			c.Progress(i+1, c.Count)
		}
		return err
	})
	return s, err
}

// maxShake is the extent of the longest path of camera shake, in pixels.
const maxShake = 61

// drawMotionPair draws one pair.
func drawMotionPair(ctx context.Context, rng *rand.Rand, pics *Pictures, frames []string, side int) (s motionPair, err error) {
	var x, y *planar.Image
	switch u := rng.Float64(); {
	case u < shareSharp:
		if x = largeCrop(pics, rng, side); x != nil {
			y = x.Clone()
		}
	case u < shareSharp+shareVideo && len(frames) > 0:
		if x, y, err = meanOfFrames(rng, frames, side); err != nil {
			return s, err
		}
	default:
		big := largeCrop(pics, rng, side+maxShake)
		if big == nil {
			break
		}
		// Most paths are short: log-uniform from 4 to 41 pixels, and a few up to 61.
		extent := 4 * math.Pow(41.0/4, rng.Float64())
		if rng.Float64() < 0.05 {
			extent = 61
		}
		x, y = shakePicture(rng, big, camera.HandShake(rng, extent), side)
	}
	if x == nil {
		return s, fmt.Errorf("motion pairs: no photograph has %d pixels on both sides", side+maxShake)
	}
	// Mostly the noise of good light. Half of the pictures are compressed as by cameras and
	// programs.
	c := camera.Camera{White: 2 * 0.016 * rng.Float64() * rng.Float64(), Round: true}
	if rng.Float64() < 0.5 {
		c.Quality, c.Subsampling = 80+rng.IntN(21), camera.Sub420
	}
	if _, y, err = c.Degrade(rng, y.Clamp()); err != nil {
		return s, err
	}
	level := new(noise.Estimator).Estimate(noise.ImageSource(y, nil))
	seen := deblur.Picture{W: side, H: side, Row: func(dst []float32, c, v, u int) { copy(dst, y.Plane(c)[v*side+u:]) }}
	f, err := deblur.Find(ctx, seen)
	if err != nil {
		return s, err
	}
	guess := y.Pix
	if f.Verdict() == blind.Blurred {
		if guess, err = deblur.Deconvolve(ctx, seen, f, level, false); err != nil {
			return s, err
		}
	}
	s = motionPair{bytesOf(x.Pix), bytesOf(y.Pix), make([]int16, len(guess)), float32(level.Sigma())}
	for i, v := range guess {
		s.guess[i] = int16(max(-32767, min(32767, math.Round(float64(v)*guessUnit))))
	}
	return s, nil
}

// guessUnit is the value 1.0 of planar.Image in motionPair.guess.
const guessUnit = 8192

// largeCrop gives a square crop, nil if hardly any picture is large enough.
func largeCrop(pics *Pictures, rng *rand.Rand, side int) (x *planar.Image) {
	for tries := 0; x == nil && tries < 50; tries++ {
		x = pics.crops(rng, sizeShares)(side)
	}
	return x
}

// bytesOf rounds values in [-1,1] to 8 bits.
func bytesOf(pix []float32) []uint8 {
	b := make([]uint8, len(pix))
	for i, v := range pix {
		b[i] = uint8(max(0, min(255, math.Round(float64(v)*127.5+127.5))))
	}
	return b
}

// shakePicture blurs the middle of a picture by a kernel: three of four in linear light by sRGB's
// curve, the others in display values. In half of the first, white is up to four times as bright as
// it is displayed, so that clipped lights leave trails.
func shakePicture(rng *rand.Rand, big *planar.Image, k *task.Kernel, side int) (x, y *planar.Image) {
	light, linear := big, rng.Float64() < 0.75
	if linear {
		light = big.Clone()
		more := float32(0)
		if rng.Float64() < 0.5 {
			more = 3 * rng.Float32()
		}
		for i, v := range light.Pix {
			light.Pix[i] = camera.Light(v) * (1 + more*max(0, v-0.96)/0.04)
		}
	}
	x, y = planar.New(side, side), planar.New(side, side)
	x0, y0 := (big.W-side)/2, (big.H-side)/2
	sum := make([]float32, side)
	for c := range 3 {
		p, q := big.Plane(c), light.Plane(c)
		for v := range side {
			copy(x.Plane(c)[v*side:][:side], p[(y0+v)*big.W+x0:])
			clear(sum)
			for a := range k.Size {
				// Beyond the edge the picture continues with its last row and column.
				row := min(max(y0+v+a-k.Size/2, 0), big.H-1) * big.W
				for b := range k.Size {
					w := k.W[a*k.Size+b]
					if w == 0 {
						continue
					}
					from := x0 + b - k.Size/2
					for u := range sum {
						sum[u] += w * q[row+min(max(from+u, 0), big.W-1)]
					}
				}
			}
			copy(y.Plane(c)[v*side:], sum)
		}
	}
	if linear {
		toDisplay(y)
	}
	return x, y
}

// meanOfFrames gives the middle one of 5 to 15 neighbouring frames and their mean in linear light,
// at one place of the picture.
func meanOfFrames(rng *rand.Rand, frames []string, side int) (x, y *planar.Image, err error) {
	n := min(5+2*rng.IntN(6), len(frames)-1|1)
	first := rng.IntN(len(frames) - n + 1)
	mean := frameMean{linear: true}
	at := [2]float64{rng.Float64(), rng.Float64()}
	for i := range n {
		img, _, err := openPicture(frames[first+i])
		if err != nil {
			return nil, nil, fmt.Errorf("frame %s: %w", frames[first+i], err)
		}
		b := img.Bounds()
		if min(b.Dx(), b.Dy()) < side {
			return nil, nil, fmt.Errorf("frame %s: %d×%d pixels, fewer than %d a side", frames[first+i], b.Dx(), b.Dy(), side)
		}
		x0, y0 := b.Min.X+int(at[0]*float64(b.Dx()-side)), b.Min.Y+int(at[1]*float64(b.Dy()-side))
		part := planar.FromNRGBA(imaging.Crop(img, image.Rect(x0, y0, x0+side, y0+side)))
		if i == n/2 {
			x = part
		}
		mean.add(part, n)
	}
	return x, mean.result(), nil
}

// crop draws a crop of a pair, in any of eight orientations, for x, y and guess: three planes each.
// It returns the estimated standard deviation of the noise.
func (s *MotionPairs) crop(rng *rand.Rand, side int, x, y, guess []float32) float32 {
	p := &s.list[rng.IntN(len(s.list))]
	x0, y0, o := rng.IntN(s.Side-side+1), rng.IntN(s.Side-side+1), drawOrientation(rng)
	if o.transpose { // the first version transposed before it mirrored, and runs resume exactly
		o.mirrorX, o.mirrorY = o.mirrorY, o.mirrorX
	}
	o.each(side, side-1, func(to, u, v int) {
		for c := range 3 {
			from, to := (c*s.Side+y0+v)*s.Side+x0+u, c*side*side+to
			x[to] = float32(p.sharp[from])/127.5 - 1
			y[to] = float32(p.blurred[from])/127.5 - 1
			guess[to] = float32(p.guess[from]) / guessUnit
		}
	})
	return p.sigma
}

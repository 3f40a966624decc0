package trainhost

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Shakes are pictures of real kinds of motion blur with what package motion makes of them: the training pairs of motion-deblur. Finding
// kernels takes longer than a training step, so they are made before, and crops of them are drawn.
type Shakes struct {
	Side int // pixels
	list []shaken
}

// shaken is a sharp picture, the blurred one, and the second view of the network: three planes each.
type shaken struct {
	sharp, blurred []uint8
	guess          []int16 // in 1/8192 of planar.Image's units
	sigma          float32 // of the noise found
}

// ShakesConfig says what MakeShakes draws.
type ShakesConfig struct {
	Count   int
	Seed    uint64
	Side    int // pixels
	Workers int // goroutines; 0: as many as there are cores
	// Progress is called now and then, if it is not nil, on any goroutine.
	Progress func(done, total int)
}

// Shares of the pairs, of one: what remains is blurred by a hand's shake.
const (
	shareSharp = 0.15 // not blurred
	shareVideo = 0.20 // means of a video's frames, if there is one
)

// MakeShakes draws pairs from photographs and, if there are any, from the frames of a video, which are the paths of its pictures in their
// order. It fails if the photographs are too small, if a frame cannot be read, and with ctx.Err().
func MakeShakes(ctx context.Context, pics *Pictures, frames []string, c ShakesConfig) (*Shakes, error) {
	if pics.largest() < c.Side+mostShake {
		return nil, fmt.Errorf("shakes: no photograph has %d pixels on both sides", c.Side+mostShake)
	}
	s := &Shakes{Side: c.Side, list: make([]shaken, c.Count)}
	errs := make([]error, c.Count)
	err := team.New(c.Workers).Each(ctx, c.Count, func(_, i int) {
		rng := rand.New(rand.NewPCG(c.Seed, uint64(i)))
		s.list[i], errs[i] = drawShaken(ctx, rng, pics, frames, c.Side)
		if c.Progress != nil && (i+1)%20 == 0 {
			c.Progress(i+1, c.Count)
		}
	})
	if err == nil {
		err = errors.Join(errs...)
	}
	return s, err
}

// mostShake is the extent of the longest path, in pixels.
const mostShake = 61

// drawShaken draws one pair.
func drawShaken(ctx context.Context, rng *rand.Rand, pics *Pictures, frames []string, side int) (s shaken, err error) {
	var x, y *planar.Image
	switch u := rng.Float64(); {
	case u < shareSharp:
		if x = squareOf(pics, rng, side); x != nil {
			y = x.Clone()
		}
	case u < shareSharp+shareVideo && len(frames) > 0:
		if x, y, err = meanOfFrames(rng, frames, side); err != nil {
			return s, err
		}
	default:
		big := squareOf(pics, rng, side+mostShake)
		if big == nil {
			break
		}
		// Most paths are short: log-uniform from 4 to 41 pixels, and a few up to 61.
		extent := 4 * math.Pow(41.0/4, rng.Float64())
		if rng.Float64() < 0.05 {
			extent = 61
		}
		x, y = shakeInLight(rng, big, camera.HandShake(rng, extent), side)
	}
	if x == nil {
		return s, fmt.Errorf("shakes: no photograph has %d pixels on both sides", side+mostShake)
	}
	// Noise of good light mostly, and half of the pictures compressed as cameras and programs do it.
	c := camera.Camera{White: 2 * 0.016 * rng.Float64() * rng.Float64(), Round: true}
	if rng.Float64() < 0.5 {
		c.Quality, c.Subsampling = 80+rng.IntN(21), camera.Sub420
	}
	if _, y, err = c.Degrade(rng, y.Clamp()); err != nil {
		return s, err
	}
	level := new(noise.Estimator).Estimate(noise.Of(y, nil))
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
	s = shaken{bytesOf(x.Pix), bytesOf(y.Pix), make([]int16, len(guess)), float32(level.Sigma())}
	for i, v := range guess {
		s.guess[i] = int16(max(-32767, min(32767, math.Round(float64(v)*guessUnit))))
	}
	return s, nil
}

const guessUnit = 8192

// squareOf gives a square crop; nil where hardly any picture is so large.
func squareOf(pics *Pictures, rng *rand.Rand, side int) (x *planar.Image) {
	for tries := 0; x == nil && tries < 50; tries++ {
		x = pics.source(rng, sizeShares)(side)
	}
	return x
}

// bytesOf rounds values to 8 bits.
func bytesOf(pix []float32) []uint8 {
	b := make([]uint8, len(pix))
	for i, v := range pix {
		b[i] = uint8(max(0, min(255, math.Round(float64(v)*127.5+127.5))))
	}
	return b
}

// shakeInLight blurs the middle of a picture by a kernel: three of four in light by sRGB's curve, others in display values. White is
// brighter than it looks in half of the first, up to four times, so that clipped lights leave trails.
func shakeInLight(rng *rand.Rand, big *planar.Image, k *task.Kernel, side int) (x, y *planar.Image) {
	light, inLight := big, rng.Float64() < 0.75
	if inLight {
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
				// A path that reaches beyond the surroundings sees their edge.
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
	if inLight {
		display(y)
	}
	return x, y
}

// meanOfFrames gives the middle one of 5 to 15 neighbouring frames, and their mean in light, of a place in the picture.
func meanOfFrames(rng *rand.Rand, frames []string, side int) (x, y *planar.Image, err error) {
	n := min(5+2*rng.IntN(6), len(frames)-1|1)
	first := rng.IntN(len(frames) - n + 1)
	y = planar.New(side, side)
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
		for k, v := range part.Pix {
			y.Pix[k] += camera.Light(v) / float32(n)
		}
	}
	display(y)
	return x, y, nil
}

// Frames lists the pictures of a folder in the order of their names, for MakeShakes.
func Frames(folder string) ([]string, error) {
	list, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, d := range list {
		if !d.IsDir() {
			paths = append(paths, filepath.Join(folder, d.Name()))
		}
	}
	slices.Sort(paths)
	if len(paths) < 5 {
		return nil, fmt.Errorf("%s: holds %d frames; 5 are needed", folder, len(paths))
	}
	return paths, nil
}

// Len is how many pairs there are.
func (s *Shakes) Len() int { return len(s.list) }

// crop draws a crop of a pair, in any of eight orientations, of which x, y and guess take three planes each. It gives the noise found.
func (s *Shakes) crop(rng *rand.Rand, side int, x, y, guess []float32) float32 {
	p := &s.list[rng.IntN(len(s.list))]
	x0, y0 := rng.IntN(s.Side-side+1), rng.IntN(s.Side-side+1)
	turn := rng.IntN(8)
	for c := range 3 {
		for v := range side {
			for u := range side {
				a, b := u, v
				if turn&4 != 0 {
					a, b = b, a
				}
				if turn&1 != 0 {
					a = side - 1 - a
				}
				if turn&2 != 0 {
					b = side - 1 - b
				}
				from, to := (c*s.Side+y0+b)*s.Side+x0+a, (c*side+v)*side+u
				x[to] = float32(p.sharp[from])/127.5 - 1
				y[to] = float32(p.blurred[from])/127.5 - 1
				guess[to] = float32(p.guess[from]) / guessUnit
			}
		}
	}
	return p.sigma
}

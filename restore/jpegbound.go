package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/jpegbound"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// maxStrongQuality is the JPEG quality up to which JPEG's artefacts are most of a picture's damage.
const maxStrongQuality = 75

// isStronglyCompressed reports whether denoise should use the network that undoes JPEG: the file
// says that it was compressed strongly, its blocks begin at the picture's corner, as that network
// expects them, and the request gives no noise.
func isStronglyCompressed(p *picture.Picture, req Request) bool {
	_, given := requestedNoise(req.Noise)
	b := p.Blocks
	return b != nil && b.X == 0 && b.Y == 0 && p.JPEGQuality <= maxStrongQuality &&
		!given && (req.Profile == nil || req.Profile.Found)
}

// minNoisyQuality is the least JPEG quality at which a file with coarse noise is denoised by the
// network for noise. Below, JPEG's artefacts are most of the damage of noisy pictures too: on noisy
// training pictures of quality 60 the network for compression is 0.1 dB better, at 75 it is equal.
const minNoisyQuality = 70

// The limits of hasCoarseNoise: the noise of luminance in the detail of 8×8 blocks, in 8-bit levels,
// and its ratio to the noise of the finest diagonal detail. JPEG's artefacts in training pictures
// without noise stay below one of them (all of 16 at quality 75 and 85, 15 at 92). Half of the cameras
// in training exceed both.
const minCoarseNoise, minCoarseRatio = 2, 1.8

// hasCoarseNoise reports whether noise is coarser than the artefacts of JPEG, as it is in pictures
// from cameras that have reduced their noise.
func hasCoarseNoise(n noise.Profile) bool {
	return n.Luma[noise.Coarse] > max(task.Sigma(minCoarseNoise), minCoarseRatio*n.Luma[noise.Diagonal])
}

// isCameraFile reports whether a file that isStronglyCompressed should rather be denoised by the
// network for noise.
func isCameraFile(p *picture.Picture, n noise.Profile) bool {
	return p.JPEGQuality >= minNoisyQuality && hasCoarseNoise(n)
}

// noiseMargin is the factor by which the noise before compression is taken to be stronger than it
// is estimated. Noise that is mistaken for JPEG's error comes back in part: with 1.5, a file of
// quality 92 with noise of 5 levels lost 0.3 dB; with 5, files without noise gain a quarter less.
const noiseMargin = 4

// blockSide is the side of JPEG's blocks, in pixels.
const blockSide = 8

// prepareBound prepares to keep the result within what a JPEG file says of its picture. That is
// done if denoise estimates the noise, and the picture is as the file had it. Coarse noise is an
// exception: the bounds allow for white noise only, and would bring its low frequencies back.
func (j *job) prepareBound() {
	b := j.pic.Blocks
	if b == nil || j.task != task.Denoise || !j.profile.Found || j.original != nil || j.req.byMovementNetwork ||
		hasCoarseNoise(j.profile) {
		return
	}
	g := jpegbound.Grid(*b)
	errors := jpegbound.NoiseNetwork
	if j.byCompressionNetwork {
		errors = jpegbound.JPEGNetwork
	}
	blockRow := func(dst []float32, y int) [3][]float32 {
		return readRows(j.input(), tile.Rect{Y: y, W: j.w, H: blockSide}, dst)
	}
	j.bound = jpegbound.New(g, errors, noiseMargin*jpegbound.Noise(g, j.w, j.h, blockRow))
}

// finishesRows reports whether the rows of a canvas need finishRows.
func (j *job) finishesRows(c *resultCanvas) bool {
	return j.bound != nil && (c.sample || !j.req.skipFinish)
}

// finishRows does the last work on the rows of a canvas, from the first unfinished one to end: it
// brings complete rows of blocks within the file's bounds, if there are any, and puts grain back.
// It returns the number of finished rows. That is less than end if a block continues below.
func (j *job) finishRows(c *resultCanvas, end int) int {
	first, height := 0, c.H
	if j.bound != nil {
		first, height = j.bound.Grid().Y, blockSide
	}
	var strips []tile.Rect
	at := c.finished
	for at < end {
		h := height
		if at < first {
			h = first
		}
		if at+h > end && end < c.H {
			break
		}
		h = min(h, end-at)
		strips = append(strips, tile.Rect{Y: at, W: c.W, H: h})
		at += h
	}
	c.finished = at
	_ = team.New(0).Each(context.Background(), len(strips), func(_, i int) { j.finishStrip(c, strips[i]) })
	return at
}

// finishStrip is finishRows for one rectangle of whole rows.
func (j *job) finishStrip(c *resultCanvas, r tile.Rect) {
	n := r.W * r.H
	pix := make([]float32, 3*n)
	result := readRows(c.Planes, r, pix)
	if j.bound != nil && r.H == blockSide {
		given := readRows(j.input(), r, make([]float32, 3*n))
		j.bound.Strip(given, result, r.W, c.sample)
		j.limitValues(pix)
	}
	j.putGrain(tile.Whole(r), pix)
	c.Write(tile.Whole(r), pix)
}

// readRows reads a rectangle of whole rows into dst, and returns its three planes.
func readRows(p tile.Planes, r tile.Rect, dst []float32) (planes [3][]float32) {
	n := r.W * r.H
	p.Read(dst[:3*n], r)
	for c := range planes {
		planes[c] = dst[c*n:][:n]
	}
	return planes
}

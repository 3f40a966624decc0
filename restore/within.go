package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/jpegbound"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// strongJPEG is the quality up to which JPEG's artefacts are most of what is wrong with a picture.
const maxStrongQuality = 75

// mostlyCompressed tells whether denoising is best done by the network that undoes JPEG: the file
// says that it was compressed much, its blocks begin at the picture's corner, as that network knows
// them, and nobody told the noise.
func isStronglyCompressed(p *picture.Picture, req Request) bool {
	_, told := requestedNoise(req.Noise)
	b := p.Blocks
	return b != nil && b.X == 0 && b.Y == 0 && p.JPEGQuality <= maxStrongQuality && !told && (req.Profile == nil || req.Profile.Found)
}

// noiseMargin is how many times as strong noise is taken to be as it is found to be before
// compression. What is taken for JPEG's fault and is noise comes back in part: with 1.5 a file of
// quality 92 with noise of 5 levels lost 0.3 dB, with 5 a quarter less is gained of files without.
const noiseMargin = 4

// blockSide is the side of JPEG's blocks, in pixels.
const blockSide = 8

// within prepares that the result stays within what a JPEG file says of its picture: for denoising
// of noise that was found, in pictures that are as the file had them.
func (j *job) prepareBound() {
	b := j.pic.Blocks
	if b == nil || j.task != task.Denoise || !j.profile.Found || j.original != nil || j.req.byMovementNetwork {
		return
	}
	g := jpegbound.Grid(*b)
	given := j.input()
	errors := jpegbound.NoiseNetwork
	if j.byCompressionNetwork {
		errors = jpegbound.JPEGNetwork
	}
	j.bound = jpegbound.New(g, errors, noiseMargin*jpegbound.Noise(g, j.w, j.h, func(dst []float32, y int) [3][]float32 {
		return readRows(given, tile.Rect{0, y, j.w, blockSide}, dst)
	}))
}

// finishes tells whether the rows of a canvas wait for finishRows.
func (j *job) finishesRows(c *resultCanvas) bool {
	return j.bound != nil && (c.sample || !j.req.skipFinish)
}

// finishRows does what is left to do with the rows of a canvas, from the first that it was not done
// with to end: it brings whole rows of blocks within the file's bounds, if there are any, and puts
// grain back. It gives the number of rows that are done: where blocks go on below end, not all.
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
		strips = append(strips, tile.Rect{0, at, c.W, h})
		at += h
	}
	c.finished = at
	_ = team.New(0).Each(context.Background(), len(strips), func(_, i int) { j.finishStrip(c, strips[i]) })
	return at
}

// finishStrip is finishRows of some rows.
func (j *job) finishStrip(c *resultCanvas, r tile.Rect) {
	n := r.W * r.H
	pix := make([]float32, 3*n)
	result := readRows(c.Planes, r, pix)
	if j.bound != nil && r.H == blockSide {
		j.bound.Strip(readRows(j.input(), r, make([]float32, 3*n)), result, r.W, c.sample)
		j.limitValues(pix)
	}
	j.putGrain(tile.Tile{r, r}, pix)
	c.Write(tile.Tile{r, r}, pix)
}

// readRows reads rows of planes into dst, and gives its three parts.
func readRows(p tile.Planes, r tile.Rect, dst []float32) (parts [3][]float32) {
	for c := range parts {
		parts[c] = dst[c*r.W*r.H:][:r.W*r.H]
		for y := range r.H {
			p.Row(parts[c][y*r.W:][:r.W], c, r.Y+y, 0)
		}
	}
	return parts
}

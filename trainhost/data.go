// Package trainhost trains the networks on photographs with the same kernels
// that restore runs, keeps checkpoints that resume exactly, and evaluates and
// packs weights.
package trainhost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Pictures is a training set in memory: 8-bit RGB, large pictures also reduced
// by 2 and 4.
type Pictures struct {
	list [][]rgb // by picture: full size first, then reduced
	// Skipped has an error for each file that could not be read.
	Skipped []error
	print   DataPrint
}

// Print identifies the set. It has no digest if the pictures come from no folder.
func (p *Pictures) Print() DataPrint { return p.print }

// sizeShares are the shares of crops from full-size, halved and quartered pictures, for those that
// are large enough. Most crops have full size: reduced pictures are sharper than photographs at
// their own size, and a network that sees many of them blurs less and sharpens less than it should.
var sizeShares = [3]float64{0.8, 0.15, 0.05}

// noiseShares are the shares for denoising. Nothing is sharpened there. Reduced pictures have less
// noise and compression of their own, and full detail in colour.
var noiseShares = [3]float64{0.55, 0.35, 0.1}

// rgb is a picture with three bytes per pixel.
type rgb struct {
	w, h int
	pix  []uint8
}

// LoadPictures reads every picture in a folder and the folders in it (JPEG, PNG, TIFF, WebP), in
// the order of their paths. Those that cannot be read are left out and listed in Skipped. It fails
// if no picture has at least minSide pixels on both sides.
func LoadPictures(folder string, minSide int) (*Pictures, error) {
	paths, err := listFiles(folder, true, isPicture)
	if err != nil {
		return nil, fmt.Errorf("training pictures: %w", err)
	}
	sets, sums := make([][]rgb, len(paths)), make([]fileSum, len(paths))
	errs := openPictures(paths, func(i int, img *image.NRGBA, sum fileSum) {
		sets[i], sums[i] = reductions(img, minSide), sum
	})
	p := &Pictures{}
	all := sha256.New()
	for i, path := range paths {
		if errs[i] != nil {
			p.Skipped = append(p.Skipped, fmt.Errorf("training picture %s: %w", path, errs[i]))
			continue
		}
		if len(sets[i]) > 0 {
			p.list = append(p.list, sets[i])
			all.Write(sums[i][:])
		}
	}
	name := filepath.Base(folder)
	if abs, err := filepath.Abs(folder); err == nil {
		name = filepath.Base(abs)
	}
	p.print = DataPrint{name, len(p.list), fmt.Sprintf("%x", all.Sum(nil)[:8])}
	if len(p.list) == 0 {
		return nil, fmt.Errorf("training pictures: %s holds no picture (JPEG, PNG, TIFF, WebP) of at least %d×%d pixels", folder, minSide, minSide)
	}
	return p, nil
}

// maxPixels is the size of the largest picture that is read. A file of a few kilobytes can claim to
// hold more, and one picture per core is decoded at a time.
const maxPixels = 200_000_000

// checkHeader reports whether the header of a file is that of a picture that can be read. It does
// not decode the pixels.
func checkHeader(path string) error {
	right := errors.New("the header is valid")
	_, err := picture.DecodeFile(path, picture.Limits{Regular: true, MaxPixels: maxPixels, Check: func(int, int) error { return right }})
	if errors.Is(err, right) {
		return nil
	}
	return err
}

// fileSum is the hash of a picture's file.
type fileSum = [sha256.Size]byte

// openPicture reads a picture as the program does (with its EXIF orientation applied and subsampled
// chroma interpolated), and the hash of its file. A decoder that repeats subsampled chroma instead
// would teach the networks that colour has no detail of 2×2 pixels.
func openPicture(path string) (img *image.NRGBA, sum fileSum, err error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, sum, errors.New("it is not a regular file")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, sum, err
	}
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{MaxPixels: maxPixels})
	if err != nil {
		return nil, sum, err
	}
	return (&planar.Image{W: p.W, H: p.H, Pix: p.Pix}).ToNRGBA(), sha256.Sum256(b), nil
}

// openPictures opens pictures on all cores and calls use for each that can be read. It returns an
// error or nil for each path.
func openPictures(paths []string, use func(i int, img *image.NRGBA, sum fileSum)) []error {
	errs := make([]error, len(paths))
	_ = team.New(0).Each(context.Background(), len(paths), func(_, i int) {
		img, sum, err := openPicture(paths[i])
		if errs[i] = err; err == nil {
			use(i, img, sum)
		}
	})
	return errs
}

// NewPictures makes a training set of pictures in memory.
func NewPictures(minSide int, imgs ...image.Image) *Pictures {
	p := &Pictures{}
	for _, img := range imgs {
		if set := reductions(img, minSide); len(set) > 0 {
			p.list = append(p.list, set)
		}
	}
	return p
}

// reductions gives a picture and its reductions by 2 and 4, as far as they are large enough.
func reductions(img image.Image, minSide int) []rgb {
	var out []rgb
	for f := 1; f <= 4; f *= 2 {
		b := img.Bounds()
		w, h := b.Dx()/f, b.Dy()/f
		if min(w, h) < minSide {
			break
		}
		scaled := img
		if f > 1 {
			scaled = imaging.Resize(img, w, h, imaging.CatmullRom)
		}
		out = append(out, toRGB(imaging.Clone(scaled)))
	}
	return out
}

func toRGB(m *image.NRGBA) rgb {
	r := rgb{w: m.Rect.Dx(), h: m.Rect.Dy()}
	r.pix = make([]uint8, 0, 3*r.w*r.h)
	for y := 0; y < r.h; y++ {
		row := m.Pix[y*m.Stride:]
		for x := 0; x < r.w; x++ {
			r.pix = append(r.pix, row[4*x], row[4*x+1], row[4*x+2])
		}
	}
	return r
}

// Len is the number of pictures.
func (p *Pictures) Len() int { return len(p.list) }

// draw picks a picture and one of its sizes, by their shares.
func (p *Pictures) draw(rng *rand.Rand, shares [3]float64) *rgb {
	sizes := p.list[rng.IntN(len(p.list))]
	u, i := rng.Float64(), 0
	for i+1 < len(sizes) && u >= shares[i] {
		u -= shares[i]
		i++
	}
	return &sizes[i]
}

// largest is the side of the largest square that fits into a picture.
func (p *Pictures) largest() (side int) {
	for _, sizes := range p.list {
		side = max(side, min(sizes[0].w, sizes[0].h))
	}
	return side
}

// Crop writes a random crop, in one of the eight orientations of the square, to
// dst: three planes of side² values in [-1,1].
func (p *Pictures) Crop(rng *rand.Rand, side int, dst []float32) {
	p.draw(rng, sizeShares).crop(rng, side, dst)
}

// crops gives crops of pictures whose sizes are drawn by shares. It gives nil after 20 draws of
// pictures that are too small.
func (p *Pictures) crops(rng *rand.Rand, shares [3]float64) cropSource {
	return func(side int) *planar.Image {
		for range 20 {
			if x := p.draw(rng, shares).square(rng, side); x != nil {
				return x
			}
		}
		return nil
	}
}

// square is a random crop of one picture, nil if that is too small.
func (m *rgb) square(rng *rand.Rand, side int) *planar.Image {
	if min(m.w, m.h) < side {
		return nil
	}
	x := planar.New(side, side)
	m.crop(rng, side, x.Pix)
	return x
}

// crop is Pictures.Crop of one picture, which must be large enough.
func (m *rgb) crop(rng *rand.Rand, side int, dst []float32) {
	x0, y0, o := rng.IntN(m.w-side+1), rng.IntN(m.h-side+1), drawOrientation(rng)
	o.each(side, side-1, func(to, x, y int) {
		at := 3 * ((y0+y)*m.w + x0 + x)
		for c := range 3 {
			dst[c*side*side+to] = float32(m.pix[at+c])/127.5 - 1
		}
	})
}

// Package trainhost trains the networks on photographs with the same kernels
// that restore runs, keeps checkpoints that resume exactly, and evaluates and
// packs weights.
package trainhost

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Pictures is a training set in memory: 8-bit RGB, large pictures also reduced
// by 2 and 4.
type Pictures struct {
	list  [][]rgb // by picture: full size first, then reduced
	Names []string
	// Skipped tells which files could not be read, and why.
	Skipped []error
	print   DataPrint
}

// Print tells the set from others; without a digest for pictures that come from no folder.
func (p *Pictures) Print() DataPrint { return p.print }

// Shares of crops from full-size, halved and quartered pictures, for those that
// are large enough. Most are taken as they are: reduced pictures are sharper than
// photographs at their own size, and a network that sees many of them blurs less
// and sharpens less than it should.
var sizeShares = [3]float64{0.8, 0.15, 0.05}

// noiseShares are those of denoising. Nothing is sharpened there, and reduced pictures hold less of
// the noise and compression of their own, and colour in all its detail.
var noiseShares = [3]float64{0.55, 0.35, 0.1}

// rgb is a picture with three bytes per pixel.
type rgb struct {
	w, h int
	pix  []uint8
}

// LoadPictures reads every picture below a folder (JPEG, PNG, TIFF, WebP), in name order. Those
// that cannot be read are left out and told by Skipped. It fails if there is none of at least
// minSide pixels on both sides.
func LoadPictures(folder string, minSide int) (*Pictures, error) {
	var paths []string
	name := filepath.Base(folder)
	if abs, err := filepath.Abs(folder); err == nil {
		name = filepath.Base(abs)
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil { // a link to a folder is a folder
		folder = real
	}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if isPicture(path) && !d.IsDir() {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("training pictures: %w", err)
	}
	slices.Sort(paths)
	sets := make([][]rgb, len(paths))
	sums := make([][sha256.Size]byte, len(paths))
	errs := make([]error, len(paths))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, path := range paths {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			img, sum, err := openPicture(path)
			if err != nil {
				errs[i] = fmt.Errorf("training picture %s: %w", path, err)
				return
			}
			sets[i], sums[i] = pyramid(img, minSide), sum
		}()
	}
	wg.Wait()
	p := &Pictures{}
	all := sha256.New()
	for i := range paths {
		if errs[i] != nil {
			p.Skipped = append(p.Skipped, errs[i])
			continue
		}
		if len(sets[i]) > 0 {
			p.Names = append(p.Names, filepath.Base(paths[i]))
			p.list = append(p.list, sets[i])
			all.Write(sums[i][:])
		}
	}
	p.print = DataPrint{name, len(p.list), fmt.Sprintf("%x", all.Sum(nil)[:8])}
	if len(p.list) == 0 {
		return nil, fmt.Errorf("training pictures: %s holds no picture (JPEG, PNG, TIFF, WebP) of at least %d×%d pixels", folder, minSide, minSide)
	}
	return p, nil
}

// isPicture tells by the ending of a name whether it is one that is read.
func isPicture(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// mostPixels is the size of the largest picture that is read: a few kilobytes can say that they are
// more, and as many as there are cores are unpacked at a time.
const mostPixels = 200_000_000

// checkHeader tells whether a file begins like a picture that can be read, without its pixels.
func checkHeader(path string) error {
	right := errors.New("the header is in order")
	_, err := picture.DecodeFile(path, picture.Limits{Regular: true, MaxPixels: mostPixels, Check: func(int, int) error { return right }})
	if errors.Is(err, right) {
		return nil
	}
	return err
}

// openPicture reads a picture as the program reads it (turned the way up that it is meant to be
// seen, colour that is halved in the file interpolated), and the hash of its file. A decoder that
// repeats halved colour instead would teach the networks that colour has no detail of 2×2 pixels.
func openPicture(path string) (img *image.NRGBA, sum [sha256.Size]byte, err error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, sum, errors.New("it is not a regular file")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, sum, err
	}
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{MaxPixels: mostPixels})
	if err != nil {
		return nil, sum, err
	}
	return (&planar.Image{W: p.W, H: p.H, Pix: p.Pix}).ToNRGBA(), sha256.Sum256(b), nil
}

// NewPictures makes a training set of pictures in memory.
func NewPictures(minSide int, imgs ...image.Image) *Pictures {
	p := &Pictures{}
	for i, img := range imgs {
		if set := pyramid(img, minSide); len(set) > 0 {
			p.list, p.Names = append(p.list, set), append(p.Names, fmt.Sprint(i))
		}
	}
	return p
}

// pyramid gives a picture and its reductions by 2 and 4, as far as they are large enough.
func pyramid(img image.Image, minSide int) []rgb {
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

// Crop writes a random crop, in one of the eight orientations of the square, to
// dst: three planes of side² values in [-1,1].
func (p *Pictures) Crop(rng *rand.Rand, side int, dst []float32) {
	p.draw(rng, sizeShares).crop(rng, side, dst)
}

// crop is Crop of one picture, which must be as large.
func (m *rgb) crop(rng *rand.Rand, side int, dst []float32) {
	x0, y0, o := rng.IntN(m.w-side+1), rng.IntN(m.h-side+1), rng.IntN(8)
	for y := 0; y < side; y++ {
		for x := 0; x < side; x++ {
			u, v := x, y
			if o&1 != 0 {
				u = side - 1 - u
			}
			if o&2 != 0 {
				v = side - 1 - v
			}
			if o&4 != 0 {
				u, v = v, u
			}
			at := 3 * ((y0+v)*m.w + x0 + u)
			for c := 0; c < 3; c++ {
				dst[(c*side+y)*side+x] = float32(m.pix[at+c])/127.5 - 1
			}
		}
	}
}

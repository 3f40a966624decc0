package camera

import (
	"bytes"
	"fmt"
	"image"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
	"github.com/vfmrestore/restore/restore/planar"
)

// Subsampling is the resolution of chroma, compared with that of luminance.
type Subsampling int

const (
	Sub444 Subsampling = iota // full resolution
	Sub422                    // half the width
	Sub420                    // half the width and height
)

// String gives the usual name.
func (s Subsampling) String() string { return [...]string{"444", "422", "420"}[s] }

// compress applies JPEG, or chroma subsampling and rounding to 8 bits. It may change img, and may
// return another picture.
func (c Camera) compress(img *planar.Image) (*planar.Image, error) {
	if c.Quality > 0 {
		out, err := shiftedJPEG(img, c.Quality, c.Subsampling, c.SecondX, c.SecondY)
		if err == nil && c.SecondQuality > 0 {
			out, err = viaJPEG(out, c.SecondQuality, Sub420)
		}
		return out, err
	}
	if c.Subsampling != Sub444 {
		img.Clamp()
		subsample(img, c.Subsampling)
	}
	if c.Round {
		img.Clamp()
		for i, v := range img.Pix {
			img.Pix[i] = float32(level(v))/127.5 - 1
		}
	}
	return img, nil
}

// level is the 8-bit level of a value in [-1,1].
func level(v float32) uint8 { return uint8(min(max(v*127.5+128, 0), 255)) }

// shiftedJPEG is viaJPEG with blocks that begin dx pixels left of the picture and dy pixels above
// it.
func shiftedJPEG(img *planar.Image, quality int, sub Subsampling, dx, dy int) (*planar.Image,
	error) {
	if dx == 0 && dy == 0 {
		return viaJPEG(img, quality, sub)
	}
	wide := planar.New(img.W+dx, img.H+dy)
	for c := range 3 {
		p, q := img.Plane(c), wide.Plane(c)
		for y := range wide.H {
			row := p[max(0, y-dy)*img.W:][:img.W]
			to := q[y*wide.W:][:wide.W]
			copy(to[dx:], row)
			for x := range dx {
				to[x] = row[0]
			}
		}
	}
	wide, err := viaJPEG(wide, quality, sub)
	if err != nil {
		return nil, err
	}
	return wide.Crop(image.Rect(dx, dy, wide.W, wide.H))
}

// viaJPEG encodes a picture and decodes it again.
func viaJPEG(img *planar.Image, quality int, sub Subsampling) (*planar.Image, error) {
	var file bytes.Buffer
	as := map[Subsampling]jpegcodec.Subsampling{Sub444: jpegcodec.Sub444, Sub422: jpegcodec.Sub422,
		Sub420: jpegcodec.Sub420}[sub]
	err := jpegcodec.EncodeRows(&file, img.W, img.H,
		jpegcodec.Options{Quality: quality, Subsampling: as}, func(y int, rgb []uint8) error {
			for c := range 3 {
				for x, v := range img.Plane(c)[y*img.W : (y+1)*img.W] {
					rgb[3*x+c] = level(v)
				}
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("camera: JPEG: %w", err)
	}
	d, err := jpegcodec.Decode(&file)
	if err != nil {
		return nil, fmt.Errorf("camera: JPEG: %w", err)
	}
	out := planar.New(img.W, img.H)
	for c := range 3 {
		p := out.Plane(c)
		for i := range p {
			p[i] = float32(d.Pix[c*len(p)+i])/127.5 - 1
		}
	}
	return out, nil
}

// subsample reduces chroma as video does and enlarges it again, in place. It averages the pixels,
// and interpolates linearly with chroma sited between them (MPEG-1, JPEG).
func subsample(img *planar.Image, sub Subsampling) {
	toYCbCr(img)
	for c := 1; c < 3; c++ {
		halveAndEnlarge(img.Plane(c), img.W, img.H, 1, img.W)
		if sub == Sub420 {
			halveAndEnlarge(img.Plane(c), img.H, img.W, img.W, 1)
		}
	}
	fromYCbCr(img)
}

// halveAndEnlarge brings lines to half their length and back, in place. Each of the lines has n
// values, step apart; the lines begin next apart.
func halveAndEnlarge(p []float32, n, lines, step, next int) {
	if n < 2 {
		return
	}
	half := make([]float32, (n+1)/2)
	for l := range lines {
		at := l * next
		for i := range half {
			half[i] = (p[at+2*i*step] + p[at+min(2*i+1, n-1)*step]) / 2
		}
		for i := range n {
			other := max(0, min(i/2-1+2*(i&1), len(half)-1))
			p[at+i*step] = 0.75*half[i/2] + 0.25*half[other]
		}
	}
}

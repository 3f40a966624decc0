package synth

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Drawing draws a picture of w×h pixels unlike a photograph: a page of text, lines and areas, a
// gradient, or a starry night. Half of the pages are black on white. The picture depends only on
// rng.
func Drawing(rng *rand.Rand, w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	paper, ink := colours(rng)
	draw.Draw(img, img.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	switch u := rng.Float64(); {
	case u < 0.5:
		text(rng, img, ink)
	case u < 0.8:
		shapes(rng, img)
		if rng.IntN(2) == 0 {
			text(rng, img, ink)
		}
	case u < 0.9:
		gradient(rng, img)
		if rng.IntN(2) == 0 {
			shapes(rng, img)
		}
	default:
		draw.Draw(img, img.Rect, image.NewUniform(greyLevel(rng.IntN(12)*rng.IntN(2))),
			image.Point{}, draw.Src)
		stars(rng, img)
	}
	return img
}

func greyLevel(v int) color.NRGBA { return color.NRGBA{uint8(v), uint8(v), uint8(v), 255} }

func anyColour(rng *rand.Rand) color.NRGBA {
	return color.NRGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), 255}
}

// colours draws the colours of paper and ink.
func colours(rng *rand.Rand) (paper, ink color.NRGBA) {
	switch u := rng.Float64(); {
	case u < 0.5:
		return greyLevel(255), greyLevel(0)
	case u < 0.6:
		return greyLevel(0), greyLevel(255)
	case u < 0.8:
		v := 200 + rng.IntN(56)
		return greyLevel(v), greyLevel(rng.IntN(80))
	}
	return anyColour(rng), anyColour(rng)
}

var fonts = sync.OnceValue(func() (faces []font.Face) {
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF, gomono.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("synth: " + err.Error()) // the fonts are embedded
		}
		for _, size := range []float64{8, 9, 10, 11, 12, 14, 17, 22, 30} {
			face, err := opentype.NewFace(f,
				&opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
			if err != nil {
				panic("synth: " + err.Error())
			}
			faces = append(faces, face)
		}
	}
	return faces
})

// fontMutex is held while a face is used, because faces have buffers.
var fontMutex sync.Mutex

// text fills the picture with lines of random words.
func text(rng *rand.Rand, img *image.NRGBA, ink color.NRGBA) {
	fontMutex.Lock()
	defer fontMutex.Unlock()
	faces := fonts()
	face := faces[rng.IntN(len(faces))]
	step := int(float64(face.Metrics().Height.Ceil()) * (1 + 0.6*rng.Float64()))
	left := rng.IntN(1 + img.Rect.Dx()/4)
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: face}
	for y := rng.IntN(step) + 2; y < img.Rect.Dy()+step; y += step {
		if rng.IntN(8) == 0 {
			continue // begin a new paragraph
		}
		d.Dot = fixed.P(left, y)
		for d.Dot.X.Ceil() < img.Rect.Dx() {
			d.DrawString(word(rng) + " ")
			if rng.IntN(24) == 0 {
				break // end of a paragraph
			}
		}
	}
}

func word(rng *rand.Rand) string {
	const letters = "eeeetttaaoooinnshrrdlcumwfgypbvkjxqzETAOINSHR0123456789.,;:-()"
	b := make([]byte, 1+rng.IntN(9))
	for i := range b {
		b[i] = letters[rng.IntN(len(letters))]
	}
	return string(b)
}

// shapes draws discs, rectangles and lines with smooth edges.
func shapes(rng *rand.Rand, img *image.NRGBA) {
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	for range 2 + rng.IntN(10) {
		x, y := w*rng.Float64(), h*rng.Float64()
		size := math.Exp(math.Log(3) + rng.Float64()*math.Log(max(w, h)/4))
		angle := 2 * math.Pi * rng.Float64()
		thin := 1 + 2*rng.Float64()
		var inside func(u, v float64) float64 // how far inside, in pixels
		c, s := math.Cos(angle), math.Sin(angle)
		switch rng.IntN(4) {
		case 0:
			inside = func(u, v float64) float64 { return size - math.Hypot(u, v) }
		case 1:
			inside = func(u, v float64) float64 { return thin - math.Abs(size-math.Hypot(u, v)) }
		case 2:
			inside = func(u, v float64) float64 {
				return min(size-math.Abs(c*u+s*v),
					size/2-math.Abs(c*v-s*u))
			}
		default:
			inside = func(u, v float64) float64 {
				return min(4*size-math.Abs(c*u+s*v),
					thin/2-math.Abs(c*v-s*u))
			}
		}
		paint(img, anyColour(rng), func(px, py float64) float64 { return inside(px-x, py-y) })
	}
}

// paint blends in a colour where inside is positive, with an edge one pixel wide.
func paint(img *image.NRGBA, col color.NRGBA, inside func(x, y float64) float64) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			a := min(max(inside(float64(x), float64(y))+0.5, 0), 1)
			if a == 0 {
				continue
			}
			p := img.Pix[img.PixOffset(x, y):]
			for k, v := range [3]uint8{col.R, col.G, col.B} {
				p[k] = uint8(math.Round((1-a)*float64(p[k]) + a*float64(v)))
			}
		}
	}
}

// gradient fills the picture from one colour to another.
func gradient(rng *rand.Rand, img *image.NRGBA) {
	from, to := anyColour(rng), anyColour(rng)
	angle := 2 * math.Pi * rng.Float64()
	c, s := math.Cos(angle), math.Sin(angle)
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	length := math.Abs(c)*w + math.Abs(s)*h
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			t := 0.5 + (c*(float64(x)-w/2)+s*(float64(y)-h/2))/length
			p := img.Pix[img.PixOffset(x, y):]
			for k, v := range [3][2]uint8{{from.R, to.R}, {from.G, to.G}, {from.B, to.B}} {
				p[k] = uint8(math.Round((1-t)*float64(v[0]) + t*float64(v[1])))
			}
			p[3] = 255
		}
	}
}

// stars adds points of light, a few of them large.
func stars(rng *rand.Rand, img *image.NRGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for range 1 + w*h/(200+rng.IntN(2000)) {
		x, y, r := float64(w)*rng.Float64(), float64(h)*rng.Float64(), 0.5+0.4*rng.ExpFloat64()
		bright := 255 * math.Sqrt(rng.Float64())
		for v := max(0, int(y-4*r)); v < min(h, int(y+4*r)+1); v++ {
			for u := max(0, int(x-4*r)); u < min(w, int(x+4*r)+1); u++ {
				d := (math.Pow(float64(u)-x, 2) + math.Pow(float64(v)-y, 2)) / (2 * r * r)
				p := img.Pix[img.PixOffset(u, v):]
				for k := range 3 {
					p[k] = uint8(min(255, float64(p[k])+bright*math.Exp(-d)))
				}
			}
		}
	}
}

package raw

import (
	"context"
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Rendering holds the options of development.
type Rendering struct {
	// Curve is contrast: the share, 0 to 1, of the S-curve 3v²−2v³ that follows sRGB's curve.
	Curve float64
	// Bilinear demosaics by averages of neighbours, not along edges.
	Bilinear bool
}

// DefaultRendering gives pictures like those of an ordinary camera.
var DefaultRendering = Rendering{Curve: 0.3}

func (r Rendering) demosaicing() camera.Demosaicing {
	if r.Bilinear {
		return camera.Bilinear
	}
	return camera.EdgeDirected
}

// depth is the number of bits per channel of developed pictures.
const depth = 16

// Develop develops the mosaic into an sRGB picture of 16 bits. Errors: *Error for an invalid mosaic
// or rendering, *memory.Error if there is not enough memory.
func (m *Mosaic) Develop(r Rendering) (*picture.Picture, error) { return m.develop(r, false) }

// develop is Develop. If packed is true, the picture has Levels.
func (m *Mosaic) develop(r Rendering, packed bool) (*picture.Picture, error) {
	if err := check(m, r); err != nil {
		return nil, err
	}
	perPixel := 12
	if packed {
		perPixel = 6
	}
	if err := memory.Check(fmt.Sprintf("developing %d×%d pixels", m.W, m.H),
		memory.Bytes(m.W, m.H, perPixel)); err != nil {
		return nil, err
	}
	p := picture.New(m.W, m.H, nil)
	p.Depth = depth
	if packed {
		p.Levels = picture.NewLevels(depth, 3*m.W*m.H)
	} else {
		p.Pix = make([]float32, 3*m.W*m.H)
	}
	d := NewDeveloper()
	d.pix, d.levels = p.Pix, p.Levels
	d.run(m, r)
	return p, nil
}

func check(m *Mosaic, r Rendering) error {
	if !(r.Curve >= 0 && r.Curve <= 1) {
		return wrong("a curve of %g; it is from 0 to 1", r.Curve)
	}
	return m.Check()
}

const (
	bandRows = 64
	// reach is at least the radius of demosaicing, and even, so that the pattern stays the same.
	reach = 4
)

// Developer develops a sequence of mosaics and reuses its memory, for streams. It is not safe for
// concurrent use.
type Developer struct {
	workers *team.Team
	job     func(worker, i int) // band, stored once because a new closure would be allocated
	bands   []planar.Image      // one per worker
	m       *Mosaic
	r       Rendering
	light   lights
	// The destination is one of these.
	pix    []float32
	levels *picture.Levels
}

// NewDeveloper makes a Developer that uses all cores.
func NewDeveloper() *Developer {
	d := &Developer{workers: team.New(0)}
	d.bands = make([]planar.Image, d.workers.Workers())
	d.job = d.band
	return d
}

// Develop is Mosaic.Develop into pix, which has 3·W·H values: three planes in [-1, 1]. Errors:
// *Error.
func (d *Developer) Develop(pix []float32, m *Mosaic, r Rendering) error {
	if err := check(m, r); err != nil {
		return err
	}
	if len(pix) != 3*len(m.Pix) {
		return wrong("a buffer of %d values for a picture of %d×%d pixels", len(pix), m.W, m.H)
	}
	d.pix, d.levels = pix, nil
	d.run(m, r)
	return nil
}

// run develops a mosaic in bands. The result is the same as in one piece.
func (d *Developer) run(m *Mosaic, r Rendering) {
	d.m, d.r, d.light = m, r, m.lights()
	_ = d.workers.Each(context.Background(), (m.H+bandRows-1)/bandRows, d.job)
	d.m, d.pix, d.levels = nil, nil, nil
}

func (d *Developer) band(worker, i int) {
	m := d.m
	y := i * bandRows
	rows := min(bandRows, m.H-y)
	first, last := max(0, y-reach), min(m.H, y+rows+reach)
	band := &d.bands[worker]
	band.W, band.H = m.W, last-first
	band.Pix = slices.Grow(band.Pix[:0], 3*m.W*band.H)[:3*m.W*band.H]
	for v := range band.H {
		for x, level := range m.Pix[(first+v)*m.W:][:m.W] {
			c := m.Pattern.colour(x, first+v)
			band.Pix[(c*band.H+v)*m.W+x] = float32(
				min(d.light.at(float64(level), x, first+v, c), 1))
		}
	}
	m.finish(d.r, band, first)
	for c := range 3 {
		values := band.Plane(c)[(y-first)*m.W:][:rows*m.W]
		if at := (c*m.H + y) * m.W; d.levels != nil {
			d.levels.Write(at, values)
		} else {
			copy(d.pix[at:], values)
		}
	}
}

// gains gives the gains of white balance, scaled so that the smallest is 1. Then highlights are
// clipped at the level at which the first colour is full, and white stays white.
func (m *Mosaic) gains() [3]float64 {
	if m.Gains == [3]float64{} {
		return [3]float64{1, 1, 1}
	}
	least := min(m.Gains[0], m.Gains[1], m.Gains[2])
	return [3]float64{m.Gains[0] / least, m.Gains[1] / least, m.Gains[2] / least}
}

// lights converts levels to light after white balance.
type lights struct {
	black [4]float64
	scale [4][3]float64
}

func (m *Mosaic) lights() (l lights) {
	l.black = m.Black
	gains := m.gains()
	for k, b := range m.Black {
		for c, g := range gains {
			l.scale[k][c] = g / (m.White - b)
		}
	}
	return l
}

// at is the light of a pixel of colour c. Callers clip values above 1. Values below black, which
// come from noise, stay negative, or the mean of dark areas would rise.
func (l *lights) at(level float64, x, y, c int) float64 {
	k := x&1 + 2*(y&1)
	return (level - l.black[k]) * l.scale[k][c]
}

// finish turns light into displayed colours, in place. The first row of img is row y of the mosaic.
func (m *Mosaic) finish(r Rendering, img *planar.Image, y int) {
	px, py := m.Pattern.shifted(0, y).phase()
	r.demosaicing().Interpolate(img, px, py)
	tone := camera.NewTone(r.Curve)
	exposure := m.Exposure
	if exposure == 0 {
		exposure = 1
	}
	var f [9]float32
	for i, v := range m.matrix() {
		f[i] = float32(v * exposure)
	}
	red, green, blue := img.Plane(0), img.Plane(1), img.Plane(2)
	for i := range red {
		a, b, c := red[i], green[i], blue[i]
		red[i] = tone.Display(f[0]*a + f[1]*b + f[2]*c)
		green[i] = tone.Display(f[3]*a + f[4]*b + f[5]*c)
		blue[i] = tone.Display(f[6]*a + f[7]*b + f[8]*c)
	}
}

func (m *Mosaic) matrix() [9]float64 {
	if m.Matrix == [9]float64{} {
		return [9]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}
	}
	return m.Matrix
}

// ToLinear converts a picture developed by r to linear light, in place: no light is -1, the light
// of white is 1. Its depth becomes 16 bits, and it gets a linear colour profile.
func (r Rendering) ToLinear(p *picture.Picture) {
	tone := camera.NewTone(r.Curve)
	row := make([]float32, p.W)
	for y := range 3 * p.H {
		if p.Levels != nil {
			p.Levels.Read(row, y*p.W)
		} else {
			row = p.Pix[y*p.W:][:p.W]
		}
		for x, v := range row {
			row[x] = 2*tone.Light(v) - 1
		}
		if p.Levels != nil {
			p.Levels.Write(y*p.W, row)
		}
	}
	p.Depth = depth
	p.SetLinear()
}

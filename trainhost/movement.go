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
	"github.com/vfmrestore/restore/restore/planar"
)

// Movement is blur that no kernel describes, as pictures of people and of cameras that turn have
// it: means of a video's frames, and photographs of which the whole and a part move in different
// ways. A network for denoising that is trained on it (Trainer.Movement) learns to sharpen what
// moved, and to leave alone what is sharp.
type Movement struct {
	frames []rgb // of a video, in their order
	photos *Pictures
}

// NewMovement reads the frames of a video (see Frames), which stay in memory with 3 bytes a pixel.
// It fails if one cannot be read, and if they are not of one size, of at least side pixels.
func NewMovement(photos *Pictures, paths []string, side int) (*Movement, error) {
	m := &Movement{frames: make([]rgb, len(paths)), photos: photos}
	errs := make([]error, len(paths))
	err := team.New(0).Each(context.Background(), len(paths), func(_, i int) {
		img, _, err := openPicture(paths[i])
		if errs[i] = err; err == nil {
			m.frames[i] = toRGB(imaging.Clone(img))
		}
	})
	if err != nil {
		return nil, err
	}
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

// The law of movement, as shares of the draws. What remains is moved by moved.
const (
	shareStill  = 0.15 // not moved
	shareFrames = 0.37 // means of frames
	frameShare  = 0.40 // of the still and moved pictures, frames instead of photographs
)

// shoot draws a square picture, and the same blurred by movement, with the noise of good light and,
// half of the time, compressed.
func (m *Movement) shoot(rng *rand.Rand, side int) (observed, error) {
	source := m.photos.source(rng, sizeShares)
	if rng.Float64() < frameShare {
		source = m.still(rng)
	}
	// A picture that was made smaller is sharper, and its movement shorter.
	reduce, need := 0.0, side
	if rng.Float64() < 0.25 {
		reduce = 1 + rng.Float64()
		need = int(float64(side+1)*reduce) + 1
	}
	var x, y *planar.Image
	switch u := rng.Float64(); {
	case u < shareStill:
		if x = source(need); x != nil {
			y = x.Clone()
		}
	case u < shareStill+shareFrames:
		x, y = m.mean(rng, need)
	default:
		x, y = moved(rng, source, need)
	}
	if x == nil { // no picture is so large
		reduce = 0
		if x = source(side); x == nil {
			return observed{}, fmt.Errorf("movement: no picture has %d pixels a side", side)
		}
		y = x.Clone()
	}
	clean, _, err := camera.Camera{Reduce: reduce}.Degrade(rng, x.Clamp())
	if err != nil {
		return observed{}, err
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
		return observed{}, err
	}
	if noisy.W != side || noisy.H != side {
		part := image.Rect(0, 0, side, side)
		if noisy, err = noisy.Crop(part); err == nil {
			clean, err = clean.Crop(part)
		}
		if err != nil {
			return observed{}, err
		}
	}
	ob := observed{clean: clean, noisy: noisy}
	ob.profile.Found = true
	return ob, nil
}

// still gives crops of frames.
func (m *Movement) still(rng *rand.Rand) func(side int) *planar.Image {
	return func(side int) *planar.Image {
		f := &m.frames[rng.IntN(len(m.frames))]
		if min(f.w, f.h) < side {
			return nil
		}
		x := planar.New(side, side)
		f.crop(rng, side, x.Pix)
		return x
	}
}

// mean gives the middle one of 3 to 15 neighbouring frames, and their mean, half of the time in
// light.
func (m *Movement) mean(rng *rand.Rand, side int) (x, y *planar.Image) {
	n := min(3+2*rng.IntN(7), len(m.frames)-1|1)
	first := rng.IntN(len(m.frames) - n + 1)
	var place uint64
	inLight := rng.IntN(2) == 0
	if f := &m.frames[0]; min(f.w, f.h) < side {
		return nil, nil
	}
	// Most of a video's picture may be a floor or a sky.
	part := planar.New(side, side)
	best := -1.0
	for range places {
		p := rng.Uint64()
		m.frames[first].crop(rand.New(rand.NewPCG(p, 0)), side, part.Pix)
		if d := contrast(part); d > best {
			best, place = d, p
		}
	}
	y = planar.New(side, side)
	for i := range n {
		// The same place and orientation in every frame.
		m.frames[first+i].crop(rand.New(rand.NewPCG(place, 0)), side, part.Pix)
		if i == n/2 {
			x = part.Clone()
		}
		for k, v := range part.Pix {
			if inLight {
				v = camera.Light(v)
			}
			y.Pix[k] += v / float32(n)
		}
	}
	if inLight {
		display(y)
	}
	return x, y
}

// places is how many places in a frame are drawn, of which the one with most to see is taken.
const places = 6

// contrast is the sum of the differences of green that are 2 pixels apart, of which no single one
// counts much.
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

// display takes light back to what is displayed.
func display(y *planar.Image) {
	for i, v := range y.Pix {
		y.Pix[i] = camera.Display(v)
	}
}

// mostMoved is the extent of the longest path, in pixels, and margin what a picture has to spare
// around it.
const (
	mostMoved = 30
	margin    = mostMoved
)

// moved gives a picture and the same moved while the shutter is open: all of it along a path, half
// of the time turning about a point, and half of the time with something in front that moves along
// its own. Three of four in light. nil if the source has none so large.
func moved(rng *rand.Rand, source func(side int) *planar.Image, side int) (x, y *planar.Image) {
	back := source(side + 2*margin)
	if back == nil {
		return nil, nil
	}
	extent := func() float64 { return 1.5 * math.Pow(mostMoved/1.5, rng.Float64()) }
	most := extent()
	sheets := []sheet{{picture: back, path: drawPath(rng, most, float64(side))}}
	if rng.IntN(2) == 0 {
		if front := source(side + 2*margin); front != nil {
			most = max(most, extent())
			sheets = append(sheets, sheet{front, blob(rng, side+2*margin), drawPath(rng, most, float64(side))})
		}
	}
	inLight := rng.IntN(4) > 0
	if inLight {
		for i := range sheets {
			for k, v := range sheets[i].picture.Pix {
				sheets[i].picture.Pix[k] = camera.Light(v)
			}
		}
	}
	steps := int(max(5, min(25, most)))/2*2 + 1
	x, y = planar.New(side, side), planar.New(side, side)
	now := planar.New(side, side)
	for i := range steps {
		clear(now.Pix)
		t := float64(i)/float64(steps-1) - 0.5
		for _, l := range sheets {
			l.draw(now, t)
		}
		if i == steps/2 {
			copy(x.Pix, now.Pix)
		}
		for k, v := range now.Pix {
			y.Pix[k] += v / float32(steps)
		}
	}
	if inLight {
		display(x)
		display(y)
	}
	return x, y
}

// sheet is a picture that moves; cover says how much of what is behind it hides at each of its
// pixels, nil for all.
type sheet struct {
	picture *planar.Image
	cover   []float32
	path    path
}

// path is a movement over the time from -½ to ½ that is at rest in the middle of it: a curve, and a
// turn about a point.
type path struct {
	wave           [3][4]float64 // amplitudes along x and y, frequency, phase
	line           [4]float64    // velocity and acceleration along x and y
	turn           float64       // radians over all
	aboutX, aboutY float64       // pixels from the middle of the picture
}

// drawPath draws a path whose larger extent is about so many pixels.
func drawPath(rng *rand.Rand, extent, side float64) path {
	var p path
	angle := 2 * math.Pi * rng.Float64()
	p.line[1], p.line[0] = math.Sincos(angle)
	bend := rng.NormFloat64() * rng.Float64()
	p.line[2], p.line[3] = -bend*p.line[1], bend*p.line[0]
	if rng.Float64() < 0.4 { // a hand that trembles
		for i := range p.wave {
			p.wave[i] = [4]float64{0.3 * rng.NormFloat64(), 0.3 * rng.NormFloat64(), 0.5 + 2*rng.Float64(), 2 * math.Pi * rng.Float64()}
		}
	}
	lo, hi := [2]float64{}, [2]float64{}
	for i := range 33 {
		x, y := p.at(float64(i)/32 - 0.5)
		lo, hi = [2]float64{min(lo[0], x), min(lo[1], y)}, [2]float64{max(hi[0], x), max(hi[1], y)}
	}
	scale := extent / max(hi[0]-lo[0], hi[1]-lo[1], 1e-9)
	for i := range p.line {
		p.line[i] *= scale
	}
	for i := range p.wave {
		p.wave[i][0] *= scale
		p.wave[i][1] *= scale
	}
	if rng.IntN(2) == 0 {
		p.turn = extent / 300 * rng.NormFloat64()
		p.turn = max(-0.1, min(0.1, p.turn))
		p.aboutX, p.aboutY = side*(4*rng.Float64()-2), side*(4*rng.Float64()-2)
	}
	return p
}

// at is the place on the path at a time.
func (p *path) at(t float64) (x, y float64) {
	x, y = p.line[0]*t+p.line[2]*t*t, p.line[1]*t+p.line[3]*t*t
	for _, w := range p.wave {
		s := math.Sin(2*math.Pi*w[2]*t+w[3]) - math.Sin(w[3])
		x, y = x+w[0]*s, y+w[1]*s
	}
	return x, y
}

// draw puts the sheet, as it is at a time, in front of what is there.
func (l *sheet) draw(dst *planar.Image, t float64) {
	dx, dy := l.path.at(t)
	sin, cos := math.Sincos(l.path.turn * t)
	src := l.picture
	middle := float64(dst.W) / 2
	mx, my := middle+l.path.aboutX, middle+l.path.aboutY
	ox, oy := float64(src.W-dst.W)/2, float64(src.H-dst.H)/2
	n, size := dst.W*dst.H, src.W*src.H
	for v := range dst.H {
		for u := range dst.W {
			a, b := float64(u)-mx, float64(v)-my
			fx := min(max(cos*a-sin*b+mx+ox+dx, 0), float64(src.W)-1.001)
			fy := min(max(sin*a+cos*b+my+oy+dy, 0), float64(src.H)-1.001)
			x, y := int(fx), int(fy)
			wx, wy := float32(fx-float64(x)), float32(fy-float64(y))
			k := y*src.W + x
			w := [4]float32{(1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy}
			at := func(p []float32) float32 { return w[0]*p[k] + w[1]*p[k+1] + w[2]*p[k+src.W] + w[3]*p[k+src.W+1] }
			cover := float32(1)
			if l.cover != nil {
				if cover = at(l.cover); cover == 0 {
					continue
				}
			}
			for c := range 3 {
				d := &dst.Pix[c*n+v*dst.W+u]
				*d += cover * (at(src.Pix[c*size:]) - *d)
			}
		}
	}
}

// blob draws the form of something in front: ellipses that overlap, with an edge of two pixels.
func blob(rng *rand.Rand, side int) []float32 {
	cover := make([]float32, side*side)
	s := float64(side)
	cx, cy := s*(0.2+0.6*rng.Float64()), s*(0.2+0.6*rng.Float64())
	for range 1 + rng.IntN(4) {
		a, b := s*(0.06+0.2*rng.Float64()), s*(0.06+0.2*rng.Float64())
		sin, cos := math.Sincos(math.Pi * rng.Float64())
		x0, y0 := cx+a*rng.NormFloat64(), cy+b*rng.NormFloat64()
		for v := range side {
			for u := range side {
				dx, dy := float64(u)-x0, float64(v)-y0
				r := math.Hypot((cos*dx+sin*dy)/a, (cos*dy-sin*dx)/b)
				in := float32(max(0, min(1, 0.5+(1-r)*min(a, b)/2)))
				cover[v*side+u] = max(cover[v*side+u], in)
			}
		}
	}
	return cover
}

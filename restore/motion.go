package restore

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/shake/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// Motion blur is undone in one of three ways, whichever the picture allows:
//
//   - The kernel can be told, or was given: the picture is deconvolved with it (package blind), and the network's second view is the
//     result.
//   - The picture is sharp, or nothing tells its kernel though there is little noise: it is denoised, and else left alone.
//   - There is too much noise for edges to tell a kernel: the second view is made from the posterior over kernels that the spectrum
//     gives (package shake), which does not need one that is certain.

// mostBlindNoise is the noise, in 8-bit levels, up to which edges tell a kernel.
const mostBlindNoise = 5

// Blur is what a Result tells about a picture's blur.
type Blur struct {
	Verdict blind.Verdict
	// Kernel is what the picture was deconvolved with, nil if it was not.
	Kernel *task.Kernel
	// Given says that the kernel came with the request.
	Given bool
	// Certainty is what the verdict was made from; zero if the kernel was given, or not looked for because of the noise.
	Certainty blind.Certainty
}

// findBlur tells how the job's picture is blurred.
func (j *job) findBlur(ctx context.Context) (Blur, error) {
	if j.req.Kernel != nil {
		return Blur{Verdict: blind.Blurred, Kernel: j.req.Kernel, Given: true}, nil
	}
	if j.noise > mostBlindNoise {
		return Blur{}, nil
	}
	y, clipped := j.brightness()
	r, err := blind.Estimate(ctx, y, blind.Options{Unknown: clipped, Workers: 2})
	if err != nil {
		return Blur{}, err
	}
	b := Blur{Verdict: r.Certainty.Verdict, Certainty: r.Certainty}
	if b.Verdict == blind.Blurred {
		b.Kernel = r.Kernel
	}
	return b, nil
}

// nearWhite is where values count as clipped, as a share of white.
const nearWhite = 253.5 / 255

// brightness is the mean of the picture's channels, from 0 to 1, and where it tells nothing: where a channel is clipped or nothing can be
// seen.
func (j *job) brightness() (y *blind.Plane, unknown []bool) {
	y = blind.NewPlane(j.pic.W, j.pic.H)
	unknown = make([]bool, len(y.Pix))
	given, row := j.given(), make([]float32, j.pic.W)
	for c := range 3 {
		for v := range j.pic.H {
			given.row(row, c, v, 0)
			for x, p := range row {
				i := v*j.pic.W + x
				value := (float64(p) + 1) / 2
				y.Pix[i] += value / 3
				unknown[i] = unknown[i] || value >= nearWhite
			}
		}
	}
	if j.covered != nil {
		for i := range unknown {
			unknown[i] = unknown[i] || !visible(j.covered, i)
		}
	}
	return y, unknown
}

// deconvolve undoes a blur plane by plane, with luminance and colour apart, and gives three planes as Picture.Pix has them.
func (j *job) deconvolve(ctx context.Context, k *task.Kernel) ([]float32, error) {
	_, unknown := j.brightness()
	w, h := j.pic.W, j.pic.H
	n := w * h
	out := make([]float32, 3*n)
	given := j.given()
	for y := range h {
		for c := range 3 {
			given.row(out[c*n+y*w:][:w], c, y, 0)
		}
	}
	opponent(out)
	for c := range 3 {
		if c > 0 && j.pic.Gray {
			break
		}
		p := blind.NewPlane(w, h)
		for i := range p.Pix {
			p.Pix[i] = float64(out[c*n+i]) / 2
		}
		level := j.profile.Luma
		if c > 0 {
			level = j.profile.Chroma
		}
		sigma := 0.0
		for _, v := range level {
			sigma = max(sigma, v/2)
		}
		x, err := blind.Deconvolve(ctx, p, k, blind.Deconvolution{Noise: max(sigma, leastNoise), Unknown: unknown})
		if err != nil {
			return nil, err
		}
		for i, v := range x.Pix {
			out[c*n+i] = float32(2 * v)
		}
	}
	fromOpponent(out)
	return out, nil
}

// leastNoise is the noise of 8 bits and of a kernel that is not quite right, in units of blind.Plane.
const leastNoise = 0.003

// opponent turns three planes into their components along (1,1,1)/√3, (1,−1,0)/√2 and (1,1,−2)/√6, in place. The transform is
// orthonormal: white noise stays as it is.
func opponent(pix []float32) {
	n := len(pix) / 3
	r, g, b := pix[:n], pix[n:2*n], pix[2*n:]
	for i := range r {
		x, y, z := float64(r[i]), float64(g[i]), float64(b[i])
		r[i] = float32((x + y + z) / math.Sqrt(3))
		g[i] = float32((x - y) / math.Sqrt2)
		b[i] = float32((x + y - 2*z) / math.Sqrt(6))
	}
}

// fromOpponent is the inverse.
func fromOpponent(pix []float32) {
	n := len(pix) / 3
	r, g, b := pix[:n], pix[n:2*n], pix[2*n:]
	for i := range r {
		x, y, z := float64(r[i])/math.Sqrt(3), float64(g[i])/math.Sqrt2, float64(b[i])/math.Sqrt(6)
		r[i], g[i], b[i] = float32(x+y+z), float32(x-y+z), float32(x-2*z)
	}
}

var _ = picture.Picture{}
var _ = planar.Image{}

package levin

import (
	"math"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

const (
	margin   = 20 // pixels that are left out on every side
	maxShift = 10 // pixels; a kernel that is shifted shifts the result
)

// PSNR is the PSNR of x to the truth in dB, for values clamped to [0,1] and after the best shift:
// by up to 10 whole pixels, and with fine also by quarters of a pixel. 20 pixels on every side are
// left out.
func PSNR(x, truth *blind.Plane, fine bool) float64 {
	c := clamped(x)
	best, bx, by := math.Inf(1), 0, 0
	for dy := -maxShift; dy <= maxShift; dy++ {
		for dx := -maxShift; dx <= maxShift; dx++ {
			if e := mse(c, truth, dx, dy); e < best {
				best, bx, by = e, dx, dy
			}
		}
	}
	if fine {
		for qy := -2; qy <= 2; qy++ {
			for qx := -2; qx <= 2; qx++ {
				if qx != 0 || qy != 0 {
					best = min(best, mse(shifted(c, float64(qx)/4, float64(qy)/4), truth, bx, by))
				}
			}
		}
	}
	return -10 * math.Log10(best)
}

func clamped(x *blind.Plane) *blind.Plane {
	out := blind.NewPlane(x.W, x.H)
	for i, v := range x.Pix {
		out.Pix[i] = min(max(v, 0), 1)
	}
	return out
}

func mse(x, truth *blind.Plane, dx, dy int) float64 {
	sum := 0.0
	for y := margin; y < truth.H-margin; y++ {
		a, b := x.Pix[(y+dy)*x.W+dx:], truth.Pix[y*truth.W:]
		for i := margin; i < truth.W-margin; i++ {
			d := a[i] - b[i]
			sum += d * d
		}
	}
	return sum / float64((truth.W-2*margin)*(truth.H-2*margin))
}

// shifted is the plane shifted to the left by fx and up by fy, with Lanczos' windowed sinc over six
// pixels. Pixels near the edge keep their values.
func shifted(x *blind.Plane, fx, fy float64) *blind.Plane {
	weights := func(f float64) (w [6]float64) {
		sum := 0.0
		for i := range w {
			t := float64(i-2) - f
			w[i] = 1
			if t != 0 {
				w[i] = 3 * math.Sin(math.Pi*t) * math.Sin(math.Pi*t/3) / (math.Pi * math.Pi * t * t)
			}
			sum += w[i]
		}
		for i := range w {
			w[i] /= sum
		}
		return w
	}
	wx, wy := weights(fx), weights(fy)
	rows, out := blind.NewPlane(x.W, x.H), blind.NewPlane(x.W, x.H)
	copy(rows.Pix, x.Pix)
	for y := range x.H {
		for i := 2; i < x.W-3; i++ {
			s := 0.0
			for j, w := range wx {
				s += w * x.Pix[y*x.W+i+j-2]
			}
			rows.Pix[y*x.W+i] = s
		}
	}
	copy(out.Pix, rows.Pix)
	for y := 2; y < x.H-3; y++ {
		for i := range x.W {
			s := 0.0
			for j, w := range wy {
				s += w * rows.Pix[(y+j-2)*x.W+i]
			}
			out.Pix[y*x.W+i] = s
		}
	}
	return out
}

package restore

import (
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Latent is the adapter's proposal for a picture, q(z|y) = N(μ, diag σ²), shown in pixels. The
// latents of flow space go back through the inverse of the front end's orthonormal transform, which
// keeps white noise white. Under the prior N(0, I) every pixel of z has mean 0 and standard
// deviation 1. Where the observation determines z, σ is below 1.
type Latent struct {
	W, H int
	Mu   []float32 // μ, three planes of W×H as Picture.Pix, in units of the prior's standard deviation
	// Sigma is σ of every pixel of z, three planes. Correlations between the pixels of a 4×4 block
	// are left out.
	Sigma []float32
	Z     [][]float32 // the z of each sample; empty with StatisticsOnly
	// Kernel is, for motion blur, the kernel of the adapter's second view: the kernel that was
	// found or given, or the mean of the posterior over kernels (restore/motionblur). That mean
	// shows a kernel and its half-turn, because the picture's spectrum cannot tell them apart. nil
	// for other tasks, and for networks without that view.
	Kernel *task.Kernel
}

func newLatent(j *job, mu, logvar *tile.Field) *Latent {
	variance := tile.NewField(logvar.Domain)
	for i, v := range logvar.Data {
		variance.Data[i] = float32(math.Exp(float64(v)))
	}
	l := &Latent{W: j.w, H: j.h, Kernel: j.kernel, Mu: zPicture(j, mu), Sigma: pixels(j, variance, &squaredHaar)}
	for i, v := range l.Sigma {
		l.Sigma[i] = float32(math.Sqrt(float64(v)))
	}
	return l
}

// zPicture returns z in pixels.
func zPicture(j *job, z *tile.Field) []float32 { return pixels(j, z, &nets.HaarMatrix) }

type matrix = [nets.FlowChannels][nets.FlowChannels]float64

// squaredHaar takes variances of flow space to variances of pixels.
var squaredHaar = func() (m matrix) {
	for i, row := range nets.HaarMatrix {
		for k, v := range row {
			m[i][k] = v * v
		}
	}
	return m
}()

// pixels returns Mᵀ·s at every site, as planes of the result's size.
func pixels(j *job, s *tile.Field, m *matrix) []float32 {
	out := make([]float32, 3*j.w*j.h)
	for y := range j.h {
		for x := range j.w {
			site := s.Site(x, y)
			at := ((y-s.Domain.Y)%4*4 + (x-s.Domain.X)%4) * 3
			for c := range 3 {
				v := 0.0
				for i, a := range site {
					v += m[i][at+c] * float64(a)
				}
				out[(c*j.h+y)*j.w+x] = float32(v)
			}
		}
	}
	return out
}

// LatentPicture shows values around middle as a picture: middle becomes grey, middle + spread white
// and middle − spread black. Use 0 and 3 for Mu and Z, 0.5 and 0.5 for Sigma.
func LatentPicture(pix []float32, w, h int, middle, spread float64) *picture.Picture {
	out := make([]float32, len(pix))
	for i, v := range pix {
		out[i] = float32(min(max((float64(v)-middle)/spread, -1), 1))
	}
	return picture.New(w, h, out)
}

// KernelPicture shows a kernel, every weight as a square of side pixels. Black is 0, white the
// largest weight.
func KernelPicture(k *task.Kernel, side int) *picture.Picture {
	n, top := k.Size*side, float32(1e-30)
	for _, w := range k.W {
		top = max(top, w)
	}
	out := make([]float32, 3*n*n)
	for i := range out {
		x, y := i%n/side, i/n%n/side
		out[i] = 2*max(k.W[y*k.Size+x], 0)/top - 1
	}
	return picture.New(n, n, out)
}

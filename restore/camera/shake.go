package camera

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vfmrestore/restore/restore/task"
)

// HandShake draws a blur kernel from the path of a hand while the shutter is open. The hand's
// velocity keeps its direction for a while, is pulled back to the middle, trembles, and jerks at
// times. The path is scaled so that its larger extent is size pixels, centred on its centre of
// mass, and drawn with a Gaussian pen of about half a pixel. The kernel sums to 1.
func HandShake(rng *rand.Rand, size float64) *task.Kernel {
	const steps = 1000
	var xs, ys [steps]float64
	turn := func() (float64, float64) {
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		return c,
			s
	}
	vx, vy := turn()
	x, y := 0.0, 0.0
	tremor := 0.01 + 0.05*rng.Float64()
	pull := 0.0002 + 0.003*rng.Float64()*rng.Float64()
	jerk := 0.0005 + 0.004*rng.Float64()
	for i := range steps {
		if rng.Float64() < jerk {
			s := 0.5 + rng.Float64()
			c, d := turn()
			vx, vy = vx*0.3+s*c, vy*0.3+s*d
		}
		vx += tremor*rng.NormFloat64() - pull*x
		vy += tremor*rng.NormFloat64() - pull*y
		s := 1 - 0.02*(math.Hypot(vx, vy)-1) // back to a speed of 1
		vx, vy = vx*s, vy*s
		x, y = x+vx, y+vy
		xs[i], ys[i] = x, y
	}
	extent := max(slices.Max(xs[:])-slices.Min(xs[:]), slices.Max(ys[:])-slices.Min(ys[:]))
	mx, my := 0.0, 0.0
	for i := range xs {
		mx, my = mx+xs[i]/steps, my+ys[i]/steps
	}
	reach := 0.0
	for i := range xs {
		xs[i], ys[i] = (xs[i]-mx)*(size-2)/extent, (ys[i]-my)*(size-2)/extent
		reach = max(reach, math.Abs(xs[i]), math.Abs(ys[i]))
	}
	n := 2*int(math.Ceil(reach+1.5)) + 1
	w, sum := make([]float64, n*n), 0.0
	pen := 0.3 + 0.3*rng.Float64()
	for i := range xs {
		cx, cy := xs[i]+float64(n/2), ys[i]+float64(n/2)
		for a := max(int(cy)-2, 0); a <= min(int(cy)+3, n-1); a++ {
			for b := max(int(cx)-2, 0); b <= min(int(cx)+3, n-1); b++ {
				dx, dy := float64(b)-cx, float64(a)-cy
				v := math.Exp(-(dx*dx + dy*dy) / (2 * pen * pen))
				w[a*n+b] += v
				sum += v
			}
		}
	}
	k := &task.Kernel{Size: n, W: make([]float32, n*n)}
	for i, v := range w {
		k.W[i] = float32(v / sum)
	}
	return k
}

package task

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// Kernel is a blur kernel: Size rows of Size weights, Size odd, the centre at (Size/2, Size/2).
// Blurring is correlation: y[i, j] = Σ_ab W[a·Size+b] · x[i+a−Size/2, j+b−Size/2].
type Kernel struct {
	Size int
	W    []float32
}

// maxMotionSide is the largest side for which the line of MotionKernel is one pixel wide, as it is
// for the paper's 61.
const maxMotionSide = 105

// Check returns an error unless the kernel is square and odd, finite, and of sum 1 to within 1e-3.
func (k *Kernel) Check() error {
	if k.Size < 1 || k.Size%2 == 0 {
		return fmt.Errorf("kernel side %d: must be odd and at least 1", k.Size)
	}
	if len(k.W) != k.Size*k.Size {
		return &SizeError{What: "kernel", W: len(k.W), WantW: k.Size, WantH: k.Size}
	}
	sum := 0.0
	for _, v := range k.W {
		sum += float64(v)
	}
	if !(math.Abs(sum-1) <= 1e-3) {
		return fmt.Errorf("kernel weights sum to %v; must be 1", sum)
	}
	return nil
}

// Strided returns Size rows of the weights, each filled up with zeros to stride values, as GPU
// kernels need them.
func (k *Kernel) Strided(stride int) []float32 {
	out := make([]float32, k.Size*stride)
	for a := 0; a < k.Size; a++ {
		copy(out[a*stride:(a+1)*stride], k.W[a*k.Size:(a+1)*k.Size])
	}
	return out
}

// Embed returns the kernel centred in a larger array of zeros, which is the same blur. It panics if
// side is even or below Size.
func (k *Kernel) Embed(side int) *Kernel {
	if side < k.Size || side%2 == 0 {
		panic(fmt.Sprintf("kernel of side %d embedded in side %d", k.Size, side))
	}
	out := &Kernel{Size: side, W: make([]float32, side*side)}
	off := (side - k.Size) / 2
	for a := 0; a < k.Size; a++ {
		copy(out.W[(a+off)*side+off:], k.W[a*k.Size:(a+1)*k.Size])
	}
	return out
}

// MotionKernel draws a camera-shake kernel by the recipe of the field's motionblur generator
// (METHOD §4), in an array of side×side with the path confined to the middle support×support pixels
// (support = side for the paper's law). side must be odd and at most 105, support in 3..side,
// intensity in [0, 1] (0 nearly straight, 1 tangled; the paper uses 0.5).
//
// In canvas units of half a pixel, with D = √2·2·support: the path is 0.75·D·(U(0,1) + U(0,
// intensity²)) long, made of steps of length Beta(1, 30)·(1 − intensity + 0.1)·D and direction θ,
// whose magnitude is triangular (0, intensity·m, m + 0.1) for one m ~ U(0, intensity·π) and whose
// sign changes with probability Beta(2, 20). The path is centred on its centre of mass and rotated
// by U(0, π). It is drawn one canvas pixel wide, blurred with a Gaussian of one canvas pixel,
// halved by a Lanczos-3 filter, and normalised to sum 1. As in the original, whose pictures have 8
// bits, weights below half of 1/255 of full ink are 0 and none is negative.
func MotionKernel(rng *rand.Rand, side, support int, intensity float64) (*Kernel, error) {
	if side < 3 || side > maxMotionSide || side%2 == 0 || support < 3 || support > side {
		return nil, fmt.Errorf("motion kernel of side %d and support %d: side must be odd, 3..%d, and support 3..side", side, support, maxMotionSide)
	}
	if !(intensity >= 0 && intensity <= 1) {
		return nil, fmt.Errorf("motion kernel of intensity %v: must lie in [0, 1]", intensity)
	}
	n := 2 * side
	// A support that is even while the side is odd is centred between pixels, which the canvas of
	// half pixels allows.
	xs, ys := motionPath(rng, support, intensity)
	small := penOf(side).draw(drawPath(xs, ys, n, n/2-support, n/2+support))
	sum := 0.0
	for i, v := range small {
		if v < 0.5/255 {
			small[i] = 0
		}
		sum += small[i]
	}
	k := &Kernel{Size: side, W: make([]float32, side*side)}
	for i, v := range small {
		k.W[i] = float32(v / sum)
	}
	return k, nil
}

// motionPath draws the points of a path around the origin, in canvas units (half pixels).
func motionPath(rng *rand.Rand, support int, intensity float64) (xs, ys []float64) {
	const slack = 0.1 // the original's ε, in both the step and the triangular law
	d := math.Sqrt2 * 2 * float64(support)
	length := 0.75 * d * (rng.Float64() + intensity*intensity*rng.Float64())
	unit := (1 - intensity + slack) * d
	// Steps are Beta(1, 30) conditioned to be shorter than the whole path. The original rejects
	// longer ones. Here the inverse of the conditioned distribution function is used, which also
	// ends for the shortest paths.
	cdf := func(v float64) float64 { return -math.Expm1(30 * math.Log1p(-v)) }
	top := cdf(min(1, length/unit))
	var steps []float64
	for sum := 0.0; sum < length && len(steps) < 4096; {
		s := -math.Expm1(math.Log1p(-top*rng.Float64())/30) * unit
		steps = append(steps, s)
		sum += s
	}
	maxAngle := intensity * math.Pi * rng.Float64()
	jitter := betaInt(rng, 2, 20)
	var x, y, mx, my float64
	angle := maxAngle * (2*rng.Float64() - 1)
	for i, s := range steps {
		if i > 0 {
			next := triangular(rng, intensity*maxAngle, maxAngle+slack)
			if (angle < 0) != (rng.Float64() < jitter) {
				next = -next
			}
			angle = next
		}
		sin, cos := math.Sincos(angle)
		x, y = x+s*cos, y+s*sin
		xs, ys = append(xs, x), append(ys, y)
		mx, my = mx+x, my+y
	}
	n := float64(max(1, len(xs)))
	sin, cos := math.Sincos(math.Pi * rng.Float64())
	for i := range xs {
		dx, dy := xs[i]-mx/n, ys[i]-my/n
		xs[i], ys[i] = dx*cos-dy*sin, dx*sin+dy*cos
	}
	if len(xs) == 0 { // a path of length 0: no shake
		return []float64{0}, []float64{0}
	}
	return xs, ys
}

// betaInt draws Beta(a, b) for whole a, b ≥ 1: the a-th smallest of a+b−1 uniform numbers.
func betaInt(rng *rand.Rand, a, b int) float64 {
	u := make([]float64, a+b-1)
	for i := range u {
		u[i] = rng.Float64()
	}
	sort.Float64s(u)
	return u[a-1]
}

// triangular draws from the triangular distribution on [0, high] with the given mode, by the
// inverse of its distribution function.
func triangular(rng *rand.Rand, mode, high float64) float64 {
	u := rng.Float64()
	if u*high < mode {
		return math.Sqrt(u * high * mode)
	}
	return high - math.Sqrt((1-u)*high*(high-mode))
}

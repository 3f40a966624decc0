package trainhost

import (
	"context"
	"math/rand/v2"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// batch holds the inputs of one training step.
type batch map[string][]float32

// classTask gives the task of each class, in the order of METHOD §4.
var classTask = task.All()

// kernelScale is the size of the motion kernels relative to the paper's 61×61,
// for crops of the given side: full from 128 pixels on.
func kernelScale(side int) float64 { return min(1, float64(side)/128) }

// drawSigma draws the noise level of a picture: for denoising U(0, 0.4), up to 51
// levels of 255, half of the time U(0, 0.2), as weak noise is what pictures mostly
// have; for the other tasks 0.05 half of the time, else U(0, 0.1).
func drawSigma(rng *rand.Rand, class int) float64 {
	if class == clsDenoise {
		if rng.Float64() < 0.5 {
			return 0.2 * rng.Float64()
		}
		return 0.4 * rng.Float64()
	}
	if rng.Float64() < 0.5 {
		return 0.05
	}
	return 0.1 * rng.Float64()
}

// makeBatch draws the inputs of step number step. They depend on the seed and the step only, so a
// resumed run sees the same data. With shaken the motion-blurred observations are made here; see
// batch.guess. With real, denoising's pictures are those of shoot. With shakes two thirds of the motion-blurred pictures are theirs.
func makeBatch(p *Pictures, shakes *Shakes, shoot shooting, seed, step uint64, per Counts, side int, shaken, real bool) (batch, error) {
	rng := rand.New(rand.NewPCG(seed, step))
	var eye observer
	n := per.Total()
	scale := kernelScale(side)
	ks := task.MotionSide(scale)
	stride := (ks + 7) / 8 * 8
	plane := side * side
	b := batch{
		inX: make([]float32, n*3*plane), inSigma: make([]float32, n),
		inMask: make([]float32, 0, (per[clsRandom]+per[clsBox])*plane), inKernel: make([]float32, 0, per[clsMotion]*ks*stride),
	}
	if real {
		b[inNoise], b[inNoisy] = make([]float32, n*nets.NoiseNumbers), make([]float32, per[clsDenoise]*3*plane)
	}
	if shakes != nil {
		b[inGuess], b[inMade] = make([]float32, per[clsMotion]*3*plane), make([]float32, per[clsMotion])
		b[inShaken] = make([]float32, 0, per[clsMotion]*3*plane)
	}
	for i := 0; i < n; i++ {
		class := per.Class(i)
		if shakes != nil && class == clsMotion && rng.Float64() < shareShakes {
			b.pair(shakes, rng, i, len(b[inShaken]), side)
			b[inKernel] = append(b[inKernel], make([]float32, ks*stride)...)
			continue
		}
		if real && class == clsDenoise {
			if err := b.observe(&eye, rng, p, shoot, i, side); err != nil {
				return nil, err
			}
			continue
		}
		x := &planar.Image{W: side, H: side, Pix: b[inX][i*3*plane : (i+1)*3*plane]}
		p.Crop(rng, side, x.Pix)
		b[inSigma][i] = float32(drawSigma(rng, class))
		w, err := task.DrawLaw(rng, classTask[class], task.Law{W: side, H: side, Clean: x, Scale: scale, Training: true})
		if err != nil {
			return nil, err
		}
		switch classTask[class].Descriptor().Needs {
		case task.NeedsMask:
			b[inMask] = append(b[inMask], w.Mask...)
		case task.NeedsKernel:
			b[inKernel] = append(b[inKernel], w.Kernel.Strided(stride)...)
			if !shaken {
				break
			}
			if err := b.shake(rng, x, w, float64(b[inSigma][i])); err != nil {
				return nil, err
			}
		}
	}
	b[inKey] = netdef.Key{Seed: seed, Sample: uint32(step) * uint32(n), Y0: uint32(step>>32) << 16}.Float32()
	return b, nil
}

// observe makes picture i, of denoising, by the law of shoot; see observer.
func (b batch) observe(o *observer, rng *rand.Rand, p *Pictures, shoot shooting, i, side int) error {
	ob, err := o.observe(func() (observed, error) { return shoot(rng, p, side) })
	if err != nil {
		return err
	}
	size := 3 * side * side
	copy(b[inX][i*size:], ob.clean.Pix)
	copy(b[inNoisy][i*size:], ob.noisy.Pix)
	b[inSigma][i] = float32(ob.profile.Sigma())
	ob.profile.Vector(b[inNoise][i*nets.NoiseNumbers:])
	return nil
}

// shareShakes is the share of motion-blurred pictures that are of Shakes; the others are by the paper's law.
const shareShakes = 2.0 / 3

// pair takes a crop of a pair of Shakes for picture i, of motion blur, whose observation begins at at. Its kernel is not known, so there
// is no observation term (Objective.Obs).
func (b batch) pair(s *Shakes, rng *rand.Rand, i, at, side int) {
	size := 3 * side * side
	b[inShaken] = b[inShaken][:at+size]
	b[inSigma][i] = s.crop(rng, side, b[inX][i*size:(i+1)*size], b[inShaken][at:], b[inGuess][at:at+size])
	b[inMade][at/size] = 1
}

// shake adds a motion-blurred observation of x.
func (b batch) shake(rng *rand.Rand, x *planar.Image, w task.Params, sigma float64) error {
	op, err := task.NewOperator(task.MotionDeblur, x.W, x.H, w)
	if err != nil {
		return err
	}
	y, err := op.Observe(rng, x, sigma)
	if err != nil {
		return err
	}
	b[inShaken] = append(b[inShaken], y.Pix...)
	return nil
}

// guess adds what the estimator makes of the motion-blurred observations, of side pixels, that have no guess yet.
func (b batch) guess(e *motionblur.Estimator, per Counts, side int) error {
	size := 3 * side * side
	guesses, made := b[inGuess], b[inMade]
	if guesses == nil {
		guesses = make([]float32, len(b[inShaken]))
	}
	for i, k := 0, 0; i < per.Total(); i++ {
		if per.Class(i) != clsMotion {
			continue
		}
		if made != nil && made[k] == 1 {
			k++
			continue
		}
		y := &planar.Image{W: side, H: side, Pix: b[inShaken][k*size : (k+1)*size]}
		if err := e.Deblur(context.Background(), guesses[k*size:(k+1)*size], y, float64(b[inSigma][i])); err != nil {
			return err
		}
		k++
	}
	b[inGuess] = guesses
	return nil
}

// Statistics gives the mean and standard deviation of every flow channel over
// random crops of the training set, of side pixels (a multiple of 4, at most the
// minimum the set was loaded with).
func (p *Pictures) Statistics(seed uint64, crops, side int) (mean, sd [nets.FlowChannels]float32) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var sum, sq [nets.FlowChannels]float64
	pix := make([]float32, 3*side*side)
	count := 0.0
	for i := 0; i < crops; i++ {
		p.Crop(rng, side, pix)
		for y := 0; y < side; y += 4 {
			for x := 0; x < side; x += 4 {
				count++
				for c := range nets.HaarMatrix {
					v := 0.0
					for j, w := range nets.HaarMatrix[c] {
						d, col := j/3, j%3
						v += w * float64(pix[(col*side+y+d/4)*side+x+d%4])
					}
					sum[c] += v
					sq[c] += v * v
				}
			}
		}
	}
	for c := range sum {
		m := sum[c] / count
		mean[c] = float32(m)
		sd[c] = float32(sqrt(sq[c]/count - m*m))
	}
	return mean, sd
}

package trainhost

import (
	"context"
	"math/rand/v2"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// batch holds the inputs of one training step, by name.
type batch map[string][]float32

// classTask gives the task of each class, in the order of METHOD §4.
var classTask = task.All()

// kernelScale is the size of the motion kernels relative to the paper's 61×61,
// for crops of the given side: full from 128 pixels on.
func kernelScale(side int) float64 { return min(1, float64(side)/128) }

// drawSigma draws the noise level of a picture in [-1,1]. Denoising gets U(0, 0.4), which is up to
// 51 levels of 255, but half of the time U(0, 0.2), as most pictures have weak noise. The other
// tasks get 0.05 half of the time, else U(0, 0.1).
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

// batchSource draws the inputs of training steps.
type batchSource struct {
	pictures *Pictures
	pairs    *MotionPairs // nil: all motion blur has the paper's distribution
	degrade  degradation  // with noiseOnHost: makes the pictures of denoising
	seed     uint64
	counts   Counts
	side     int // of the crops, pixels
	// blurOnHost makes the motion-blurred observations on the host, for batch.guess.
	blurOnHost bool
	// coarse is how often the pictures of denoising are halved, if noiseOnHost; see batch.addHalves.
	coarse int
	// noiseOnHost makes the pictures of denoising on the host, with the shape of their noise.
	noiseOnHost bool
}

// sharePairs is the share of motion-blurred pictures that are crops of MotionPairs, if there are
// any. The others have the paper's distribution.
const sharePairs = 2.0 / 3

// batch draws the inputs of a step. They depend on the seed and the step only, so a resumed run
// sees the same data.
func (s batchSource) batch(step uint64) (batch, error) {
	rng := rand.New(rand.NewPCG(s.seed, step))
	var estimator noise.Estimator
	var profiles []noise.Profile // of denoising
	n, per, side := s.counts.Total(), s.counts, s.side
	scale := kernelScale(side)
	kernelSide := task.MotionSide(scale)
	stride := (kernelSide + 7) / 8 * 8
	plane := side * side
	b := batch{
		inX: make([]float32, n*3*plane), inSigma: make([]float32, n),
		inMask: make([]float32, 0, (per[clsRandom]+per[clsBox])*plane), inKernel: make([]float32, 0, per[clsMotion]*kernelSide*stride),
	}
	if s.noiseOnHost {
		b[inNoise], b[inNoisy] = make([]float32, n*nets.NoiseNumbers), make([]float32, per[clsDenoise]*3*plane)
	}
	if s.pairs != nil {
		b[inGuess], b[inGuessed] = make([]float32, per[clsMotion]*3*plane), make([]float32, per[clsMotion])
		b[inBlurred] = make([]float32, 0, per[clsMotion]*3*plane)
	}
	for i := range n {
		class := per.Class(i)
		if s.pairs != nil && class == clsMotion && rng.Float64() < sharePairs {
			b.addPair(s.pairs, rng, i, side)
			b[inKernel] = append(b[inKernel], make([]float32, kernelSide*stride)...)
			continue
		}
		if s.noiseOnHost && class == clsDenoise {
			d, err := s.degrade(rng, s.pictures, side)
			if err != nil {
				return nil, err
			}
			d.estimateNoise(&estimator)
			b.addNoisy(d, i, side)
			profiles = append(profiles, d.profile)
			continue
		}
		x := &planar.Image{W: side, H: side, Pix: b[inX][i*3*plane : (i+1)*3*plane]}
		s.pictures.Crop(rng, side, x.Pix)
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
			if !s.blurOnHost {
				break
			}
			if err := b.addBlurred(rng, x, w, float64(b[inSigma][i])); err != nil {
				return nil, err
			}
		}
	}
	if s.coarse > 0 {
		b.addHalves(rng, profiles, side, s.coarse)
	}
	b[inKey] = netdef.Key{Seed: s.seed, Sample: uint32(step) * uint32(n), Y0: uint32(step>>32) << 16}.Float32()
	return b, nil
}

// addNoisy makes d picture i, which is one of denoising.
func (b batch) addNoisy(d degraded, i, side int) {
	size := 3 * side * side
	copy(b[inX][i*size:], d.clean.Pix)
	copy(b[inNoisy][i*size:], d.noisy.Pix)
	b[inSigma][i] = float32(d.profile.Sigma())
	d.profile.Vector(b[inNoise][i*nets.NoiseNumbers:])
}

// addPair makes a crop of a pair picture i, which is the next one of motion blur. Its kernel is
// not known, so the objective must have no observation term (Objective.Obs).
func (b batch) addPair(p *MotionPairs, rng *rand.Rand, i, side int) {
	size, at := 3*side*side, len(b[inBlurred])
	b[inBlurred] = b[inBlurred][:at+size]
	b[inSigma][i] = p.crop(rng, side, b[inX][i*size:(i+1)*size], b[inBlurred][at:], b[inGuess][at:at+size])
	b[inGuessed][at/size] = 1
}

// addBlurred adds a motion-blurred observation of x.
func (b batch) addBlurred(rng *rand.Rand, x *planar.Image, w task.Params, sigma float64) error {
	op, err := task.NewOperator(task.MotionDeblur, x.W, x.H, w)
	if err != nil {
		return err
	}
	y, err := op.Observe(rng, x, sigma)
	if err != nil {
		return err
	}
	b[inBlurred] = append(b[inBlurred], y.Pix...)
	return nil
}

// guess adds the estimator's restoration of the motion-blurred observations that have no guess yet.
// Their side is in pixels.
func (b batch) guess(e *motionblur.Estimator, per Counts, side int) error {
	size := 3 * side * side
	if b[inGuess] == nil {
		b[inGuess] = make([]float32, len(b[inBlurred]))
	}
	for k := range per[clsMotion] {
		if b[inGuessed] != nil && b[inGuessed][k] == 1 {
			continue
		}
		y := &planar.Image{W: side, H: side, Pix: b[inBlurred][k*size : (k+1)*size]}
		sigma := float64(b[inSigma][per.Start(clsMotion)+k])
		if err := e.Deblur(context.Background(), b[inGuess][k*size:(k+1)*size], y, sigma); err != nil {
			return err
		}
	}
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
	for range crops {
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

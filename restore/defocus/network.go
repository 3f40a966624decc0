package defocus

import (
	_ "embed"
	"math"

	"github.com/vfmrestore/restore/internal/perceptron"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// Features is the number of inputs of the network: the spectrum's rings and level, the values of
// the edges, and the noise.
const Features = spectral + 1 + edgePairs*edgeValues + 1

// The network returns the probabilities of no blur, and of Gaussians and discs whose deviations
// grow by a constant ratio.
const (
	firstDeviation = 0.4
	ratio          = 1.12
	gaussians      = 25 // up to a standard deviation of 6.07
	discs          = 22 // up to a radius of 8.64
	Outputs        = 1 + gaussians + discs
)

// hidden is the width of the two hidden layers.
const hidden = 48

// Network is a small perceptron that computes the probabilities of blurs from the statistics of a
// picture. With s(v) = v·sigmoid(v), and x̂ the inputs scaled to mean 0 and standard deviation 1,
// they are the softmax of
//
//	y = C·s(B·s(A·x̂ + a) + b) + c
type Network struct {
	Mean, Scale [Features]float32
	A           [hidden][Features]float32
	BiasA       [hidden]float32
	B           [hidden][hidden]float32
	BiasB       [hidden]float32
	C           [Outputs][hidden]float32
	BiasC       [Outputs]float32
}

//go:embed estimator.bin
var embeddedBytes []byte

// embeddedNetwork is the network that the program contains. `trainhost defocus` trained it.
var embeddedNetwork = perceptron.Embedded[Network]("defocus", embeddedBytes)

// Bytes is the embedded form of a network: its fields in order as little-endian float32.
func (n *Network) Bytes() []byte { return perceptron.Bytes(n) }

// Run computes the probabilities from Features inputs. Their sum is 1.
func (n *Network) Run(x []float32) (y [Outputs]float32) {
	var in [Features]float32
	var p, q [hidden]float32
	for i := range in {
		in[i] = (x[i] - n.Mean[i]) * n.Scale[i]
	}
	for i := range p {
		p[i] = perceptron.SiLU(perceptron.Dot(n.A[i][:], in[:]) + n.BiasA[i])
	}
	for i := range q {
		q[i] = perceptron.SiLU(perceptron.Dot(n.B[i][:], p[:]) + n.BiasB[i])
	}
	most := float32(math.Inf(-1))
	for i := range y {
		y[i] = perceptron.Dot(n.C[i][:], q[:]) + n.BiasC[i]
		most = max(most, y[i])
	}
	sum := float32(0)
	for i, v := range y {
		y[i] = float32(math.Exp(float64(v - most)))
		sum += y[i]
	}
	for i := range y {
		y[i] /= sum
	}
	return y
}

// blurAt is the blur that output i stands for.
func blurAt(i int) Blur {
	switch {
	case i == 0:
		return Blur{}
	case i <= gaussians:
		return Blur{Gaussian, firstDeviation * math.Pow(ratio, float64(i-1))}
	}
	return Blur{Disc, 2 * firstDeviation * math.Pow(ratio, float64(i-1-gaussians))}
}

// Targets are the probabilities that the network should return for a known blur: it is divided
// between the two nearest blurs.
func Targets(b Blur) (y [Outputs]float32) {
	s := b.Deviation()
	if b.Shape == None || s <= 0 {
		y[0] = 1
		return y
	}
	first, n := 1, gaussians
	if b.Shape == Disc {
		first, n = 1+gaussians, discs
	}
	if s < firstDeviation {
		y[0], y[first] = float32(1-s/firstDeviation), float32(s/firstDeviation)
		return y
	}
	at := min(math.Log(s/firstDeviation)/math.Log(ratio), float64(n-1))
	i := min(int(at), n-2)
	t := float32(at - float64(i))
	y[first+i], y[first+i+1] = 1-t, t
	return y
}

// Describe sets x to the network's inputs for a picture's brightness. It reads the whole picture,
// which should not be large. unknown marks pixels whose values say nothing, and may be nil.
func Describe(y *blind.Plane, unknown []bool, x *[Features]float32) {
	describe(cut(y, unknown, 0, 0, y.W, y.H), x)
}

func describe(p *plane, x *[Features]float32) {
	noise := p.noise()
	dst := p.spectrum(x[:0])
	dst = p.edges(dst, noise)
	_ = append(dst, float32(math.Log(noise+0.25/255)))
}

package noise

import (
	_ "embed"

	"github.com/vfmrestore/restore/internal/perceptron"
)

// Outputs is the number of outputs of the network: logLevel of Luma and Chroma per band, and the
// logarithm of Tone.
const Outputs = 2*Bands + Tones

// hidden is the width of its two hidden layers.
const hidden = 48

// Network is a small perceptron that computes the noise of a picture from statistics of its
// windows. It has learnt from photographs how texture looks at each scale. With s(v) =
// v·sigmoid(v), and x̂ the inputs scaled to mean 0 and standard deviation 1, its outputs are
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

// embeddedNetwork is the network that the program contains. `trainhost noise` trained it.
var embeddedNetwork = perceptron.Embedded[Network]("noise", embeddedBytes)

// Bytes is the embedded form of a network: its fields in order as little-endian float32.
func (n *Network) Bytes() []byte { return perceptron.Bytes(n) }

// Run computes the outputs from Features inputs.
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
	for i := range y {
		y[i] = perceptron.Dot(n.C[i][:], q[:]) + n.BiasC[i]
	}
	return y
}

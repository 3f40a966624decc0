package trainhost

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// perceptron is a network of three layers (noise.Network, defocus.Network) in float64, with
// gradients and Adam's moments.
type perceptron struct {
	mean, scale []float32 // of the inputs; scale is the inverse of the standard deviation
	layers      [3]layer
	steps       int
}

// layer is y = W·x + b.
type layer struct {
	in, out      int
	p, g, m, v   []float64 // parameters (W row by row, then b), gradients, moments
	x, y, dx, dy []float64 // of one sample; x is the input, y the output before the nonlinearity
}

// newPerceptron measures the mean and the standard deviation of the inputs, and draws the weights.
// sizes are the numbers of inputs, hidden values and outputs.
func newPerceptron(rng *rand.Rand, samples []statistics, sizes [4]int) *perceptron {
	w := &perceptron{}
	w.mean, w.scale = normalisation(samples, sizes[0])
	for i := range w.layers {
		l := &w.layers[i]
		l.in, l.out = sizes[i], sizes[i+1]
		n := l.in*l.out + l.out
		l.p, l.g, l.m, l.v = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		l.x, l.dx, l.y, l.dy = make([]float64, l.in), make([]float64, l.in), make([]float64, l.out), make([]float64, l.out)
		for k := range l.in * l.out {
			l.p[k] = rng.NormFloat64() * math.Sqrt(1/float64(l.in))
		}
	}
	return w
}

func (w *perceptron) zero() {
	for i := range w.layers {
		clear(w.layers[i].g)
	}
}

// huber adds the gradient of weight·Σ h(y−target), where h is Huber's loss: it grows linearly
// beyond 1, so that pictures without a clear answer do not dominate.
func (w *perceptron) huber(x, target []float32, weight float64) {
	last := w.forward(x)
	for o, v := range last.y {
		last.dy[o] = weight * min(max(v-float64(target[o]), -1), 1)
	}
	w.backward()
}

// crossEntropy adds the gradient of −weight·Σ target·log softmax(y), where the targets are shares
// of sum 1.
func (w *perceptron) crossEntropy(x, target []float32, weight float64) {
	last := w.forward(x)
	largest, sum := slices.Max(last.y), 0.0
	for o, v := range last.y {
		last.dy[o] = math.Exp(v - largest)
		sum += last.dy[o]
	}
	for o, v := range last.dy {
		last.dy[o] = weight * (v/sum - float64(target[o]))
	}
	w.backward()
}

// forward computes all values of one sample and returns the last layer.
func (w *perceptron) forward(x []float32) *layer {
	first := &w.layers[0]
	for i, v := range x {
		first.x[i] = (float64(v) - float64(w.mean[i])) * float64(w.scale[i])
	}
	for i := range w.layers {
		l := &w.layers[i]
		for o := range l.out {
			s := l.p[l.in*l.out+o]
			for k, v := range l.x {
				s += l.p[o*l.in+k] * v
			}
			l.y[o] = s
		}
		if i+1 < len(w.layers) {
			for o, v := range l.y {
				w.layers[i+1].x[o] = v / (1 + math.Exp(-v))
			}
		}
	}
	return &w.layers[len(w.layers)-1]
}

// backward adds the gradients that follow from dy of the last layer.
func (w *perceptron) backward() {
	for i := len(w.layers) - 1; i >= 0; i-- {
		l := &w.layers[i]
		clear(l.dx)
		for o, d := range l.dy {
			l.g[l.in*l.out+o] += d
			for k, v := range l.x {
				l.g[o*l.in+k] += d * v
				l.dx[k] += d * l.p[o*l.in+k]
			}
		}
		if i > 0 {
			before := &w.layers[i-1]
			for k, v := range before.y {
				s := 1 / (1 + math.Exp(-v))
				before.dy[k] = l.dx[k] * s * (1 + v*(1-s))
			}
		}
	}
}

// update is one step of Adam.
func (w *perceptron) update(lr float64) {
	w.steps++
	const b1, b2 = 0.9, 0.99
	c1, c2 := 1-math.Pow(b1, float64(w.steps)), 1-math.Pow(b2, float64(w.steps))
	for i := range w.layers {
		l := &w.layers[i]
		for k, g := range l.g {
			l.m[k] = b1*l.m[k] + (1-b1)*g
			l.v[k] = b2*l.v[k] + (1-b2)*g*g
			l.p[k] -= lr * l.m[k] / c1 / (math.Sqrt(l.v[k]/c2) + 1e-8)
		}
	}
}

// store writes the network to a pointer to a struct of float32 arrays: mean and scale of the
// inputs, then weights and bias of each layer.
func (w *perceptron) store(net any) {
	all := slices.Concat(w.mean, w.scale)
	for i := range w.layers {
		for _, v := range w.layers[i].p {
			all = append(all, float32(v))
		}
	}
	b, err := binary.Append(nil, binary.LittleEndian, all)
	if err == nil {
		_, err = binary.Decode(b, binary.LittleEndian, net)
	}
	if err != nil || binary.Size(net) != len(b) {
		panic(fmt.Sprintf("trainhost: a network of %d bytes for a struct of %d: %v", len(b), binary.Size(net), err))
	}
}

// normalisation returns the mean and the inverse of the standard deviation of n inputs.
func normalisation(samples []statistics, n int) (mean, scale []float32) {
	mean, scale = make([]float32, n), make([]float32, n)
	count := float64(len(samples))
	for i := range mean {
		sum, sq := 0.0, 0.0
		for _, s := range samples {
			v := float64(s.x[i])
			sum, sq = sum+v, sq+v*v
		}
		m := sum / count
		mean[i] = float32(m)
		scale[i] = float32(1 / max(math.Sqrt(max(sq/count-m*m, 0)), 1e-3))
	}
	return mean, scale
}

package trainhost

import (
	"math"
	"math/rand/v2"
	"slices"
)

// perceptron is a network of three layers (noise.Network, defocus.Network) in float64 with gradients and Adam's moments.
type perceptron struct {
	mean, scale []float64
	layers      [3]layer
	steps       int
}

// layer is y = W·x + b with W row by row.
type layer struct {
	in, out      int
	p, g, m, v   []float64 // W, then b
	x, y, dx, dy []float64 // of one sample; x is the input, y the output before the nonlinearity
}

// newPerceptron draws the weights of a network of these numbers of inputs, hidden values and outputs, whose inputs have a mean and the
// inverse of a standard deviation.
func newPerceptron(rng *rand.Rand, mean, scale []float32, sizes [4]int) *perceptron {
	w := &perceptron{}
	for i := range mean {
		w.mean, w.scale = append(w.mean, float64(mean[i])), append(w.scale, float64(scale[i]))
	}
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

// huber adds the gradient of weight·Σ(y−target)², with outputs far off counted by their distance only, so that the pictures
// that cannot be told do not rule.
func (w *perceptron) huber(x, target []float32, weight float64) {
	last := w.forward(x)
	for o, v := range last.y {
		last.dy[o] = weight * min(max(v-float64(target[o]), -1), 1)
	}
	w.backward()
}

// crossEntropy adds the gradient of −weight·Σ target·log softmax(y), where the targets are shares of sum 1.
func (w *perceptron) crossEntropy(x, target []float32, weight float64) {
	last := w.forward(x)
	most, sum := slices.Max(last.y), 0.0
	for o, v := range last.y {
		last.dy[o] = math.Exp(v - most)
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
		first.x[i] = (float64(v) - w.mean[i]) * w.scale[i]
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

// backward adds the gradient that the last layer's dy asks for.
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

// store writes the weights of a layer row by row.
func (l *layer) store(row func(o int) []float32, bias []float32) {
	for o := range l.out {
		for k, dst := 0, row(o); k < l.in; k++ {
			dst[k] = float32(l.p[o*l.in+k])
		}
		bias[o] = float32(l.p[l.in*l.out+o])
	}
}

// normal writes the mean and the inverse standard deviation of inputs, of which there are n.
func normal(mean, scale []float32, n int, input func(k int) []float32) {
	for i := range mean {
		sum, sq := 0.0, 0.0
		for k := range n {
			v := float64(input(k)[i])
			sum, sq = sum+v, sq+v*v
		}
		m := sum / float64(n)
		mean[i] = float32(m)
		scale[i] = float32(1 / max(math.Sqrt(max(sq/float64(n)-m*m, 0)), 1e-3))
	}
}

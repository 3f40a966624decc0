package shake

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/task"
)

const (
	// temper flattens the posterior: neighbouring frequencies are not independent, and photographs are not the mean spectrum.
	temper = 100
	// window is the side of the pieces whose periodograms are averaged, windowsMost per axis at most.
	window      = 256
	windowsMost = 4
	// negligible is the share below which a kernel is left out.
	negligible = 1e-3
	// doubt is the share of the prior in the posterior: real shake need not follow the law.
	doubt = 0.2
	// leastSigma stands for what is always there: rounding, compression.
	leastSigma = 0.004
)

// shape is what a picture's own spectrum may be, relative to the mean of photographs: gain·(f/0.05)^slope.
type shape struct{ gain, slope float64 }

var spectra = [...]shape{{0.3, -0.4}, {0.3, 0.3}, {1, -0.4}, {1, 0.3}}

func (s shape) at(fx, fy float64) float64 {
	return s.gain * math.Pow(math.Hypot(fx, fy)/0.05, s.slope) * Spectrum(fx, fy)
}

// posterior is what is known of a picture's kernel: moments under the weights of the library.
type posterior struct {
	mean []float64 // kernel with its half-turn, kernelSide rows of as many weights of sum 1
	auto []float64 // mean autocorrelation on scoreGrid
}

// candidate is a kernel of the library with its weight.
type candidate struct {
	index int
	w     float64
}

// estimate fills e.post by the picture, whose noise has standard deviation sigma.
func (e *Estimator) estimate(ctx context.Context, sigma float64) error {
	lib := e.lib
	e.periodogram()
	e.variance = square(max(sigma, leastSigma))
	e.cool = 1 / float64(temper) * min(1, float64(e.w*e.h)/(window*window))
	if err := e.team.Each(ctx, len(lib.kernels), e.scoreOne); err != nil {
		return err
	}

	top := math.Inf(-1)
	for _, s := range e.scores {
		top = max(top, s)
	}
	for i, s := range e.scores {
		e.order[i] = candidate{i, math.Exp(s - top)}
	}
	slices.SortFunc(e.order, func(a, b candidate) int { return cmp.Compare(b.w, a.w) })
	sum := 0.0
	for _, c := range e.order {
		sum += c.w
	}
	n := 0
	for n < len(e.order) && e.order[n].w > negligible*sum {
		n += 2
	}
	best := e.order[:n]
	sum = 0
	for _, c := range best {
		sum += c.w
	}
	p := &e.post
	clear(p.mean)
	clear(e.power)
	for i := 0; i < n; i += 2 {
		a, b := best[i], best[i+1]
		lib.kernels[a.index].addEven(p.mean, (1-doubt)*a.w/sum)
		lib.kernels[b.index].addEven(p.mean, (1-doubt)*b.w/sum)
		e.small.pair(lib.kernels[a.index], lib.kernels[b.index])
		e.small.addPowers(e.power, a.w/sum, b.w/sum)
	}
	e.small.autocorrelation(p.auto, e.power)
	for i, v := range lib.auto {
		p.auto[i] = (1-doubt)*p.auto[i] + doubt*v
	}
	for i, v := range lib.mean {
		p.mean[i] += doubt * v
	}
	return nil
}

// score sets the tempered log-likelihood of kernel i, the shapes of spectra combined. The likelihood has the heavy tails of a scale mixture: per
// bin, twice −2·log D − 4.5·log(1 + 2P/(2.5·D)) for power P where D = |K|²·S + σ² is expected.
func (e *Estimator) score(_, i int) {
	n := len(e.lib.bins)
	power := e.lib.power[i*n:][:n]
	var each [len(spectra)]float64
	top := math.Inf(-1)
	for s := range spectra {
		expected := e.expected[s][:n]
		// Sums of logarithms as logarithms of products of a few: values are within 1e-7 and 1e7.
		sumD, sumP := 0.0, 0.0
		at := 0
		for ; at+8 <= n; at += 8 {
			d, p := 1.0, 1.0
			for j := at; j < at+8; j++ {
				v := float64(power[j])*expected[j] + e.variance
				d *= v
				p *= v + 0.8*e.observed[j]
			}
			sumD += math.Log(d)
			sumP += math.Log(p)
		}
		for ; at < n; at++ {
			v := float64(power[at])*expected[at] + e.variance
			sumD += math.Log(v)
			sumP += math.Log(v + 0.8*e.observed[at])
		}
		each[s] = -2 * (4.5*sumP - 2.5*sumD) * e.cool
		top = max(top, each[s])
	}
	sum := 0.0
	for _, v := range each {
		sum += math.Exp(v - top)
	}
	e.scores[i] = top + math.Log(sum)
}

func square(v float64) float64 { return v * v }

// periodogram sets e.observed to the power of the brightness at every bin: Hann windows spread over the picture, averaged, and each bin with its
// neighbours.
func (e *Estimator) periodogram() {
	clear(e.observed)
	ww, wh := min(window, e.w), min(window, e.h)
	nx, ny := windows(e.w), windows(e.h)
	e.hx, e.hy = hann(e.hx, ww), hann(e.hy, wh)
	g := e.middle
	for j := range ny {
		for i := range nx {
			g.load(e.src, e.rows(0, ww), spread(i, nx, e.w-ww), spread(j, ny, e.h-wh), e.hx, e.hy)
			g.forward()
			for b, at := range e.lib.bins {
				sum := 0.0
				for dy := -1; dy <= 1; dy++ {
					for dx := -1; dx <= 1; dx++ {
						v := g.v[g.wrapped(2*at.fy+dy, 2*at.fx+dx)]
						sum += (real(v)*real(v) + imag(v)*imag(v)) / float64((1+dy*dy)*(1+dx*dx))
					}
				}
				e.observed[b] += sum / (4 * float64(ww*wh*nx*ny))
			}
		}
	}
	for b := range e.observed {
		e.observed[b] = max(e.observed[b], 1e-6)
	}
}

// windows is how many pieces an axis of n pixels gives.
func windows(n int) int {
	return min(windowsMost, 1+max(0, n-window+window/2-1)/(window/2))
}

// spread places i of n pieces evenly over room.
func spread(i, n, room int) int {
	if n == 1 {
		return room / 2
	}
	return i * room / (n - 1)
}

// load puts a windowed piece of the brightness into the grid, its weighted mean removed; hx and hy are the window's factors.
func (g *grid) load(src task.Source, rows [3][]float32, x0, y0 int, hx, hy []float64) {
	clear(g.v)
	var mean, weight float64
	for y, v := range hy {
		for c := range rows {
			src(rows[c], c, y0+y, x0)
		}
		for x, u := range hx {
			l := (float64(rows[0][x]) + float64(rows[1][x]) + float64(rows[2][x])) * axes[0][0]
			g.v[y*g.n+x] = complex(l, 0)
			mean += l * u * v
			weight += u * v
		}
	}
	mean /= weight
	for y, v := range hy {
		for x, u := range hx {
			at := y*g.n + x
			g.v[at] = complex((real(g.v[at])-mean)*u*v, 0)
		}
	}
}

// hann makes a Hann window of n places whose mean square is 1, in w if that is what it is already.
func hann(w []float64, n int) []float64 {
	if len(w) == n {
		return w
	}
	w = make([]float64, n)
	sq := 0.0
	for i := range w {
		w[i] = 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
		sq += w[i] * w[i]
	}
	for i := range w {
		w[i] /= math.Sqrt(sq / float64(n))
	}
	return w
}

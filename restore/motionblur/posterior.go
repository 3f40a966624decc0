package motionblur

import (
	"cmp"
	"context"
	"math"
	"slices"
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
	auto []float64 // mean autocorrelation, autoSide rows
}

// candidate is a kernel of the library with its weight.
type candidate struct {
	index int
	w     float64
}

// estimate fills e.post by the picture, whose noise has standard deviation sigma.
func (e *Estimator) estimate(ctx context.Context, sigma float64) error {
	e.variance = square(max(sigma, leastSigma))
	e.cool = 1 / float64(temper) * min(1, float64(e.w*e.h)/(window*window))
	if err := e.periodogram(ctx); err != nil {
		return err
	}
	var err error
	if e.remote != nil {
		err = e.remote.scores(ctx, e)
	} else {
		err = e.team.Each(ctx, len(e.lib.kernels), e.scoreOne)
	}
	if err != nil {
		return err
	}
	e.weigh()
	return nil
}

// weigh makes e.post of e.scores.
func (e *Estimator) weigh() {
	lib := e.lib
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
		n++
	}
	best := e.order[:n]
	sum = 0
	for _, c := range best {
		sum += c.w
	}
	p := &e.post
	for i, v := range lib.mean {
		p.mean[i] = doubt * v
	}
	for i, v := range lib.auto {
		p.auto[i] = doubt * v
	}
	for _, c := range best {
		share := (1 - doubt) * c.w / sum
		lib.kernels[c.index].addEven(p.mean, share)
		lib.kernels[c.index].addAuto(p.auto, share)
	}
}

// score sets the tempered log-likelihood of kernel i, the shapes of spectra combined. The likelihood has the heavy tails of a scale mixture: per
// bin, twice −2·log D − 4.5·log(1 + 2P/(2.5·D)) for power P where D = |K|²·S + σ² is expected; 2/2.5 is tail.
func (e *Estimator) score(_, i int) {
	n := len(e.lib.bins)
	power := e.lib.power[i*n:][:n]
	var each [len(spectra)]float64
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
				p *= v + tail*e.observed[j]
			}
			sumD += math.Log(d)
			sumP += math.Log(p)
		}
		for ; at < n; at++ {
			v := float64(power[at])*expected[at] + e.variance
			sumD += math.Log(v)
			sumP += math.Log(v + tail*e.observed[at])
		}
		each[s] = misfit(sumD, sumP)
	}
	e.scores[i] = logOfSum(each, -2*e.cool)
}

// misfit is half of the negative log-likelihood, from Σ log D and Σ log(D + tail·P).
func misfit(d, p float64) float64 { return 4.5*p - 2.5*d }

const tail = 0.8

// logOfSum is log Σ exp(factor·v).
func logOfSum(v [len(spectra)]float64, factor float64) float64 {
	top := math.Inf(-1)
	for _, v := range v {
		top = max(top, factor*v)
	}
	sum := 0.0
	for _, v := range v {
		sum += math.Exp(factor*v - top)
	}
	return top + math.Log(sum)
}

func square(v float64) float64 { return v * v }

// periodogram sets e.observed to the power of the brightness at every bin: Hann windows spread over the picture, averaged, and each bin with its
// neighbours. e.lens.smooth has the same of all frequencies.
func (e *Estimator) periodogram(ctx context.Context) error {
	for _, p := range e.spectrum {
		clear(p)
	}
	ww, wh := min(window, e.w), min(window, e.h)
	nx, ny := windows(e.w), windows(e.h)
	e.hx, e.hy = hann(e.hx, ww), hann(e.hy, wh)
	// Where pixels are left out, which are filled in smoothly, windows have less power; those with few others are passed over.
	shares := e.shares[:nx*ny]
	total, least := 0.0, leastShare
	for i := range shares {
		shares[i] = e.share(spread(i%nx, nx, e.w-ww), spread(i/nx, ny, e.h-wh))
		total += shares[i]
	}
	if slices.Max(shares) < least {
		least = 0
	}
	for _, s := range shares {
		if s < least {
			total -= s
		}
	}
	for i, s := range shares {
		if s < least {
			continue
		}
		e.load(spread(i%nx, nx, e.w-ww), spread(i/nx, ny, e.h-wh))
		if err := e.powers(ctx); err != nil {
			return err
		}
		for s, p := range e.spectrum {
			for j, v := range e.power[s] {
				p[j] += float64(v) / (float64(ww*wh) * max(total, 1e-3))
			}
		}
	}
	for s, smooth := range e.lens.smooth {
		for x := range powerSide {
			for y := range powerSide {
				smooth[x*powerSide+y] = e.around(s, x, y)
			}
		}
	}
	for b, at := range e.lib.bins {
		sign, y := 0, 2*at.fy
		if y < 0 {
			sign, y = 1, -y
		}
		e.observed[b] = max(e.lens.smooth[sign][2*at.fx*powerSide+y], 1e-6)
	}
	return nil
}

// leastShare is how much of a window must not be left out for it to count, if others have more.
const leastShare = 0.25

// share is how much of the window from (x0, y0) on is not left out, weighted as its power is.
func (e *Estimator) share(x0, y0 int) float64 {
	if e.hidden == nil {
		return 1
	}
	sum, all := 0.0, 0.0
	for y, v := range e.hy {
		for x, u := range e.hx {
			w := u * u * v * v
			all += w
			if !e.hidden((y0+y)*e.w + x0 + x) {
				sum += w
			}
		}
	}
	return sum / all
}

// around is the power at a frequency of the layout of e.power and its neighbours, weighted 1 to 2 to 1 both ways.
func (e *Estimator) around(sign, x, y int) float64 {
	sum := 0.0
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			s, fx, fy := sign, x+dx, y+dy
			if fx < 0 {
				s, fx = 1-s, -fx
			}
			if fy < 0 {
				s, fy = 1-s, -fy
			}
			sum += e.spectrum[s][min(fx, powerSide-1)*powerSide+min(fy, powerSide-1)] / float64((1+dx*dx)*(1+dy*dy))
		}
	}
	return sum / 4
}

// powers sets e.power to |V|² of e.piece, of frequencies of equal and of opposite sign, in cycles per window, in rows of those along x.
func (e *Estimator) powers(ctx context.Context) error {
	if e.remote != nil {
		return e.remote.run(ctx, Program{Kind: Power}, e.remote.powerIn, e.remote.powerOut)
	}
	g := e.middle
	for i, v := range e.piece {
		g.v[i] = complex(float64(v), 0)
	}
	g.forward()
	for x := range powerSide {
		for y := range powerSide {
			for i, fy := range [2]int{y, -y} {
				v := g.v[g.wrapped(fy, x)]
				e.power[i][x*powerSide+y] = float32(real(v)*real(v) + imag(v)*imag(v))
			}
		}
	}
	return nil
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

// load sets e.piece to the brightness from (x0, y0) on, its weighted mean removed and windowed.
func (e *Estimator) load(x0, y0 int) {
	clear(e.piece)
	rows := e.rows(0, len(e.hx))
	var mean, weight float64
	for y, v := range e.hy {
		for c := range rows {
			e.src(rows[c], c, y0+y, x0)
		}
		for x, u := range e.hx {
			l := (float64(rows[0][x]) + float64(rows[1][x]) + float64(rows[2][x])) * axes[0][0]
			e.piece[y*window+x] = float32(l)
			mean += l * u * v
			weight += u * v
		}
	}
	mean /= weight
	for y, v := range e.hy {
		line := e.piece[y*window:][:len(e.hx)]
		for x, u := range e.hx {
			line[x] = float32((float64(line[x]) - mean) * u * v)
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

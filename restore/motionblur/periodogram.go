package motionblur

import (
	"context"
	"math"
	"slices"
)

const (
	mostWindows = 4 // per axis of a picture
	// leastVisible is the part of a window that must not be excluded for the window to count, if
	// there are windows of which more is not excluded.
	leastVisible = 0.25
)

// periodogram measures the power spectrum of a picture's brightness: the mean of those of several
// windows (Welch's method). Spectra are laid out as in Backend.PowerSpectrum.
type periodogram struct {
	window   []float32                          // a piece of the picture, windowed
	power    [2][]float32                       // its power spectrum
	mean     [2][]float64                       // mean of the windows' spectra
	smooth   [2][]float64                       // mean, each frequency averaged with its neighbours
	observed []float64                          // smooth at the library's bins
	hx, hy   []float64                          // Hann windows along the axes
	visible  [mostWindows * mostWindows]float64 // part of each window that is not excluded
	rows     [3][]float32                       // a row of each plane
}

func newPeriodogram(bins int) periodogram {
	p := periodogram{window: make([]float32, WindowSide*WindowSide), observed: make([]float64, bins)}
	for i := range p.power {
		p.power[i] = make([]float32, PowerSide*PowerSide)
		p.mean[i], p.smooth[i] = make([]float64, PowerSide*PowerSide), make([]float64, PowerSide*PowerSide)
	}
	for c := range p.rows {
		p.rows[c] = make([]float32, WindowSide)
	}
	return p
}

// measure fills e.periodogram.
func (e *Estimator) measure(ctx context.Context) error {
	p := &e.periodogram
	for _, m := range p.mean {
		clear(m)
	}
	ww, wh := min(WindowSide, e.w), min(WindowSide, e.h)
	nx, ny := windowCount(e.w), windowCount(e.h)
	p.hx, p.hy = hann(p.hx, ww), hann(p.hy, wh)
	// Excluded pixels are filled in smoothly, so windows with many of them have less power. Windows
	// with few other pixels are skipped.
	visible := p.visible[:nx*ny]
	total, least := 0.0, leastVisible
	for i := range visible {
		visible[i] = e.visiblePart(windowStart(i%nx, nx, e.w-ww), windowStart(i/nx, ny, e.h-wh))
		total += visible[i]
	}
	if slices.Max(visible) < least {
		least = 0
	}
	for _, v := range visible {
		if v < least {
			total -= v
		}
	}
	for i, v := range visible {
		if v < least {
			continue
		}
		e.loadWindow(windowStart(i%nx, nx, e.w-ww), windowStart(i/nx, ny, e.h-wh))
		if err := e.backend.PowerSpectrum(ctx, p.window, p.power); err != nil {
			return err
		}
		for s, m := range p.mean {
			for j, v := range p.power[s] {
				m[j] += float64(v) / (float64(ww*wh) * max(total, 1e-3))
			}
		}
	}
	for s, smooth := range p.smooth {
		for x := range PowerSide {
			for y := range PowerSide {
				smooth[x*PowerSide+y] = p.average(s, x, y)
			}
		}
	}
	for b, at := range e.lib.bins { // two cycles per window are one cycle per scoreGrid pixels
		sign, y := 0, 2*at.fy
		if y < 0 {
			sign, y = 1, -y
		}
		p.observed[b] = max(p.smooth[sign][2*at.fx*PowerSide+y], 1e-6)
	}
	return nil
}

// visiblePart is the part of the window at (x0, y0) that is not excluded, weighted by the window's
// power.
func (e *Estimator) visiblePart(x0, y0 int) float64 {
	if e.excluded == nil {
		return 1
	}
	sum, all := 0.0, 0.0
	for y, v := range e.periodogram.hy {
		for x, u := range e.periodogram.hx {
			w := u * u * v * v
			all += w
			if !e.excluded((y0+y)*e.w + x0 + x) {
				sum += w
			}
		}
	}
	return sum / all
}

// average is the mean power at a frequency and its neighbours, with weights 1, 2, 1 along both
// axes.
func (p *periodogram) average(sign, x, y int) float64 {
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
			sum += p.mean[s][min(fx, PowerSide-1)*PowerSide+min(fy, PowerSide-1)] / float64((1+dx*dx)*(1+dy*dy))
		}
	}
	return sum / 4
}

// windowCount is the number of windows along an axis of n pixels.
func windowCount(n int) int {
	return min(mostWindows, 1+max(0, n-WindowSide+WindowSide/2-1)/(WindowSide/2))
}

// windowStart is where the i-th of n windows begins. The windows are spread evenly; room is how far
// the last one can move.
func windowStart(i, n, room int) int {
	if n == 1 {
		return room / 2
	}
	return i * room / (n - 1)
}

// loadWindow sets the window to the brightness at (x0, y0), less its weighted mean, times the Hann
// windows.
func (e *Estimator) loadWindow(x0, y0 int) {
	p := &e.periodogram
	clear(p.window)
	rows := p.rows
	for c := range rows {
		rows[c] = rows[c][:len(p.hx)]
	}
	var mean, weight float64
	for y, v := range p.hy {
		for c := range rows {
			e.src(rows[c], c, y0+y, x0)
		}
		for x, u := range p.hx {
			l := (float64(rows[0][x]) + float64(rows[1][x]) + float64(rows[2][x])) * ColourAxes[0][0]
			p.window[y*WindowSide+x] = float32(l)
			mean += l * u * v
			weight += u * v
		}
	}
	mean /= weight
	for y, v := range p.hy {
		line := p.window[y*WindowSide:][:len(p.hx)]
		for x, u := range p.hx {
			line[x] = float32((float64(line[x]) - mean) * u * v)
		}
	}
}

// hann is a Hann window of n values whose mean square is 1. It returns w if that has n values.
func hann(w []float64, n int) []float64 {
	if len(w) == n {
		return w
	}
	w = make([]float64, n)
	sum := 0.0
	for i := range w {
		w[i] = 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
		sum += w[i] * w[i]
	}
	for i := range w {
		w[i] /= math.Sqrt(sum / float64(n))
	}
	return w
}

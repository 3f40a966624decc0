package noise

import (
	"math"
	"slices"
)

// Features is the number of values that the estimating network reads.
const Features = 2*Bands*(len(ranks)+1) + Tones*2 + 7

// ranks are the quantiles over the windows: texture is in many windows, noise in all.
var ranks = [...]float64{0.02, 0.1, 0.4}

// floorLevel is a quarter of an 8-bit step: levels far below it are all the same.
const floorLevel = 0.25 / 127.5

// logLevel is the scale on which levels are compared.
func logLevel(v float64) float64 { return math.Log(v + floorLevel) }

// features describes a picture by its windows. dst has Features places.
func (e *Estimator) features(src Source, dst []float32) {
	dst = dst[:0]
	put := func(v float64) { dst = append(dst, float32(v)) }
	rank := func(share float64, n int) int { return min(int(share*float64(n)), n-1) }
	collect := func(colour, band, order, tone int) []float32 {
		e.list = e.list[:0]
		for i := range e.windows {
			if w := &e.windows[i]; tone < 0 || w.tone == tone {
				e.list = append(e.list, w.level[colour][band][order])
			}
		}
		slices.Sort(e.list)
		return e.list
	}
	low := func(list []float32, share float64) float64 {
		if len(list) == 0 {
			return logLevel(0)
		}
		return logLevel(float64(list[rank(share, len(list))]))
	}
	for colour := range 2 {
		for band := range Bands {
			list := collect(colour, band, half, -1)
			for _, r := range ranks {
				put(low(list, r))
			}
			put(low(collect(colour, band, most, -1), ranks[1]))
		}
	}
	for tone := range Tones {
		list := collect(0, int(Fine), most, tone)
		put(float64(len(list)) / float64(max(1, len(e.windows))))
		put(low(list, ranks[1]))
	}
	all := float64(max(1, len(e.windows)+e.flat))
	put(float64(e.flat) / all)
	put(e.black / all)
	put(e.white / all)
	visible, height := e.blocks(src)
	put(visible)
	put(logLevel(height))
	put(math.Log(float64(len(e.windows)+1)) / 4)
	put(1 / float64(len(e.windows)+1))
}

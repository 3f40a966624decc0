package noise

import (
	"math"
	"slices"
)

// Features is the number of inputs of the network.
const Features = 2*Bands*(len(windowQuantiles)+1) + Tones*2 + 7

// windowQuantiles are the quantiles over the windows. They are low because texture is in many
// windows, but noise is in all.
var windowQuantiles = [...]float64{0.02, 0.1, 0.4}

// floorLevel is a quarter of an 8-bit step. Differences between levels far below it do not matter.
const floorLevel = 0.25 / 127.5

// logLevel is the logarithmic scale on which levels are compared.
func logLevel(v float64) float64 { return math.Log(v + floorLevel) }

// features writes the Features inputs of the network for the measured windows of a picture to dst.
func (e *Estimator) features(src Source, dst []float32) {
	dst = dst[:0]
	put := func(v float64) { dst = append(dst, float32(v)) }
	rank := func(quantile float64, n int) int { return min(int(quantile*float64(n)), n-1) }
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
	level := func(list []float32, quantile float64) float64 {
		if len(list) == 0 {
			return logLevel(0)
		}
		return logLevel(float64(list[rank(quantile, len(list))]))
	}
	for colour := range 2 {
		for band := range Bands {
			list := collect(colour, band, median, -1)
			for _, r := range windowQuantiles {
				put(level(list, r))
			}
			put(level(collect(colour, band, upper, -1), windowQuantiles[1]))
		}
	}
	for tone := range Tones {
		list := collect(0, int(Fine), upper, tone)
		put(float64(len(list)) / float64(max(1, len(e.windows))))
		put(level(list, windowQuantiles[1]))
	}
	all := float64(max(1, len(e.windows)+e.clipped))
	put(float64(e.clipped) / all)
	put(e.black / all)
	put(e.white / all)
	visible, height := e.blocks(src)
	put(visible)
	put(logLevel(height))
	put(math.Log(float64(len(e.windows)+1)) / 4)
	put(1 / float64(len(e.windows)+1))
}

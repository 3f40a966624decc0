package motionblur

import (
	"math"
	"sync"
)

// PriorPower is E|K|² under the prior distribution, which the library is drawn from, at a frequency
// in cycles per WindowSide pixels. fx and fy are between −128 and 128.
func PriorPower(fx, fy int) float64 {
	if fx < 0 {
		fx, fy = -fx, -fy
	}
	return priorPowers()[fx*WindowSide+fy&(WindowSide-1)]
}

// priorPowers is the Fourier transform of the library's mean autocorrelation a at fx = 0 … 128, as
// [fx][fy], fy wrapped around. As a is even, the transform at (fx, fy) is
//
//	Σ_x a(x, 0)·cos(θx) + 2·Σ_{y>0} [cos(φy)·Σ_x a(x, y)·cos(θx) − sin(φy)·Σ_x a(x, y)·sin(θx)]
var priorPowers = sync.OnceValue(func() []float64 {
	auto := sharedLibrary().auto
	var cos, sin [WindowSide]float64
	for i := range cos {
		sin[i], cos[i] = math.Sincos(2 * math.Pi * float64(i) / WindowSide)
	}
	powers := make([]float64, (WindowSide/2+1)*WindowSide)
	var c, s [autoReach + 1]float64
	for fx := range WindowSide/2 + 1 {
		for y := range c {
			row, opposite := auto[(autoReach+y)*AutoSide:][:AutoSide], auto[(autoReach-y)*AutoSide:][:AutoSide]
			c[y], s[y] = 0, 0
			for i, v := range row {
				v += opposite[AutoSide-1-i] // the same but for rounding
				at := fx * (i - autoReach) & (WindowSide - 1)
				c[y] += v * cos[at]
				s[y] += v * sin[at]
			}
		}
		c[0] /= 2
		for fy := range WindowSide {
			sum := c[0]
			for y := 1; y <= autoReach; y++ {
				at := fy * y & (WindowSide - 1)
				sum += c[y]*cos[at] - s[y]*sin[at]
			}
			powers[fx*WindowSide+fy] = max(0, sum)
		}
	}
	return powers
})

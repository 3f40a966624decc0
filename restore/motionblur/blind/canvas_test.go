package blind

import (
	"math"
	"testing"
)

// The median of a line along which the speed changes is where half of the time is over, and no other
// point has a smaller sum of distances.
func TestMedian(t *testing.T) {
	rng := fresh(t)
	turn := rng.Float64()
	sin, cos := math.Sincos(turn)
	var line, cloud []massPoint
	for i := range 101 {
		s := float64(i*i) / 200 // the 51st of 101 is at 12.5
		line = append(line, massPoint{s * cos, s * sin, 0.01})
		cloud = append(cloud, massPoint{rng.NormFloat64() * 5, rng.NormFloat64() * 3, rng.Float64()})
	}
	if x, y := median(line); math.Hypot(x-12.5*cos, y-12.5*sin) > 0.3 {
		t.Errorf("%g, %g; want %g, %g", x, y, 12.5*cos, 12.5*sin)
	}
	sum := func(x, y float64) (s float64) {
		for _, p := range cloud {
			s += p.weight * math.Hypot(p.x-x, p.y-y)
		}
		return s
	}
	x, y := median(cloud)
	for range 20 {
		if u, v := x+rng.NormFloat64(), y+rng.NormFloat64(); sum(u, v) < sum(x, y)*(1-1e-3) {
			t.Errorf("sum %g at %g, %g; %g at %g, %g", sum(x, y), x, y, sum(u, v), u, v)
		}
	}
}

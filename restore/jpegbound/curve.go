package jpegbound

import "math"

// A curve maps the position of a coefficient in its cell, μ/Q − k, to the position of the estimate.
// It is a table from −reach to reach, and linear beyond.
type curve struct {
	table [curvePoints]float32
	slope float32 // beyond the table
}

const (
	curvePoints = 257
	reach       = 1.5
	spacing     = 2 * reach / (curvePoints - 1)
)

// newCurve makes the curve of E[x]. err and noise are the standard deviations of μ's error and of
// the noise, in steps.
func newCurve(err, noise float64) *curve {
	total := math.Hypot(err, noise)
	share := err * err / (total * total)
	c := &curve{slope: float32(1 - share)}
	c.fill(func(at float64) float64 { return at + share*(truncatedMean(at, total)-at) })
	return c
}

// newClip makes the curve of the nearest position in a cell that is wider by wider at both ends.
func newClip(wider float64) *curve {
	c := new(curve)
	c.fill(func(at float64) float64 { return min(max(at, -0.5-wider), 0.5+wider) })
	if wider > reach-0.5 {
		c.slope = 1 // nothing is clipped
	}
	return c
}

func (c *curve) fill(f func(at float64) float64) {
	for i := range c.table {
		c.table[i] = float32(f(-reach + spacing*float64(i)))
	}
}

// at reads the curve by linear interpolation.
func (c *curve) at(place float32) float32 {
	inside := min(max(place, -reach), reach)
	f := (inside + reach) / spacing
	i := min(int(f), curvePoints-2)
	f -= float32(i)
	return c.table[i] + f*(c.table[i+1]-c.table[i]) + c.slope*(place-inside)
}

// truncatedMean is the mean of z ~ N(mean, sd²) given −½ ≤ z ≤ ½.
func truncatedMean(mean, sd float64) float64 {
	if mean < 0 {
		return -truncatedMean(-mean, sd)
	}
	// Both ends relative to the mean. Erfc keeps precision if the mean is far outside of the cell.
	low, high := (-0.5-mean)/sd, (0.5-mean)/sd
	if high < -30 { // all mass is near the nearer end
		return 0.5 - sd/-high
	}
	inside := (math.Erfc(-high/math.Sqrt2) - math.Erfc(-low/math.Sqrt2)) / 2
	if inside < 1e-290 {
		return min(max(mean, -0.5), 0.5)
	}
	density := func(t float64) float64 { return math.Exp(-t*t/2) / math.Sqrt(2*math.Pi) }
	return min(max(mean+sd*(density(low)-density(high))/inside, -0.5), 0.5)
}

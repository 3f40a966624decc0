package restore

import "math"

// Fields of requests whose zero value does not mean zero have a constant that does. Both are far
// below what a picture can show, so that max(v, NoNoise) tells a level that was computed and may be
// 0.
const (
	// NoNoise as Request.Noise or StreamConfig.Noise says that there is no noise.
	NoNoise = 1e-9
	// NoSpread as a Temperature makes all samples like the picture of z = μ.
	NoSpread = 1e-9
)

// toldNoise is the level in 8-bit levels that a Noise tells, at most MaxNoise; ok is false where it
// is to be estimated.
func requestedNoise(noise float64) (level float64, ok bool) {
	switch {
	case !(noise > 0):
		return 0, false
	case noise <= NoNoise:
		return 0, true
	}
	return min(noise, MaxNoise), true
}

// spread is the temperature that a Temperature tells.
func temperatureOf(temperature float64) float64 {
	switch {
	case temperature == 0:
		return 1
	case temperature <= NoSpread:
		return 0
	}
	return temperature
}

// checkNoise tells what is wrong with a Noise.
func checkNoise(noise float64) error {
	if math.IsNaN(noise) || math.IsInf(noise, 0) {
		return badRequest("noise", "is %v, must be a level above 0, NoNoise, or 0 to estimate it", noise)
	}
	return nil
}

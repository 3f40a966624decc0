package restore

// partition is what Steps and Times of a request mean: K+1 times from 1 to 0.
func partition(steps int, times []float64) []float64 {
	if times != nil {
		return times
	}
	steps = max(steps, 1)
	times = make([]float64, steps+1)
	for k := range times {
		times[k] = 1 - float64(k)/float64(steps)
	}
	return times
}

// checkTimes holds the rules of Request.Steps and Request.Times.
func checkTimes(steps int, times []float64) error {
	if steps < 0 || steps > maxSteps {
		return badRequest("steps", "are %d, must be 1 to %d", steps, maxSteps)
	}
	if times == nil {
		return nil
	}
	n := len(times) - 1
	switch {
	case n < 1 || n > maxSteps:
		return badRequest("times", "are %d numbers, must be 2 to %d", len(times), maxSteps+1)
	case steps > 0 && steps != n:
		return badRequest("times", "are for %d steps, but %d are asked for", n, steps)
	case times[0] != 1 || times[n] != 0:
		return badRequest("times", "go from %g to %g, must go from 1 to 0", times[0], times[n])
	}
	for k := 1; k <= n; k++ {
		if !(times[k] < times[k-1]) {
			return badRequest("times", "must fall, but %g follows %g", times[k], times[k-1])
		}
	}
	return nil
}

// CheckTimes reports, as a *RequestError, a partition that Request.Times cannot be.
func CheckTimes(times []float64) error { return checkTimes(0, append([]float64{}, times...)) }

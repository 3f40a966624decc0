// Package motionblur estimates the blur kernel of a motion-blurred picture, as a probability
// distribution, and undoes what a linear filter can undo of the blur.
//
// A blurred picture y = k ⋆ x + ε tells about its blur kernel k through its spectrum. The mean |X|²
// of photographs is known well (Spectrum), so
//
//	E|Y(f)|² = |K(f)|²·S(f) + σ²
//
// and the dark lines that K leaves in |Y|² show direction, length and shape of the camera's path. A
// blur kernel is never certain, and filtering with the most likely one alone is worse than not
// filtering. So Estimator keeps the posterior's moments E[K] and E|K|². With these
//
//	G = conj(E[K])·S / (E|K|²·S + σ²)
//
// is the linear estimate of x with the least mean square error if k is uncertain. The magnitude of
// the spectrum is the same for a blur kernel and its half-turn. Both get the same weight, so E[K]
// and G are real and the filter is even.
//
// The moments are computed in two steps. First the blur kernels of a library, drawn from the
// training's distribution (task.MotionKernel), are weighted by their likelihood. This posterior is
// reliable, but no finer than the library. Then a network (nets.KernelMaps) sees the moments of
// that posterior, the picture's whitened autocorrelation and its cepstrum as maps of displacements
// (Estimator.Views), and returns better moments. Package trainhost trains it for the error of the
// linear estimate.
//
// An Estimator computes on a device (NewDeviceEstimator), by the programs of Program.Build. Package
// reference does the same on the host by fast Fourier transforms in float64, for tests.
//
// docs/QUALITY.md has measurements on 100 photographs of 256×256 pixels with the blur kernels and
// the noise of METHOD §4. The networks get the result as a second view of motion-blurred pictures
// (nets.EdgeConfig.Guess).
package motionblur

// Package motionblur estimates how the camera moved while a picture was taken, and undoes of that blur what a linear filter can.
//
// A blurred picture y = k ⋆ x + ε tells about its kernel k through its spectrum: of photographs |X|² is known well (Spectrum), so
//
//	E|Y(f)|² = |K(f)|²·S(f) + σ²
//
// and the dark lines that K leaves in |Y|² give away direction, length and form of the path. One kernel is never certain, and the most
// likely one alone deblurs worse than none; so Estimator keeps the posterior's moments E[K] and E|K|², with which
//
//	G = conj(E[K])·S / (E|K|²·S + σ²)
//
// is the linear estimate of x of least mean square error when k is uncertain. The spectrum's magnitude cannot tell a kernel from its half-turn,
// so both are given the same weight: E[K] and G are real, and the filter is even.
//
// The moments come in two steps. A library of kernels drawn from the law of the training (task.MotionKernel) is weighed by likelihood: a posterior that holds
// for certain, but no finer than the library. A network (nets.KernelMaps) then sees that posterior's moments, the picture's whitened autocorrelation and its
// cepstrum as maps of displacements (Estimator.Views), and gives the moments anew: trained by trainhost for the error that the linear estimate leaves.
//
// An Estimator computes on the host, without the network, by fast Fourier transforms in float64, or on a device (NewDeviceEstimator), by the programs of Program.Build.
//
// Measured on 100 photographs of 256×256 pixels with the kernels and the noise of METHOD §4: see docs/QUALITY.md. The networks get the
// result as a second view of motion-blurred pictures (nets.EdgeConfig.Guess).
package motionblur

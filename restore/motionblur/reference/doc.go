// Package reference computes what package motionblur computes on a device: on the host, by fast
// Fourier transforms in float64. Tests compare the two. The program does not contain it.
package reference

// Package small lets tests make all kernels small.
package small

// Kernels makes the kernels of all Programs of package compile as small as those of Programs that run once, whatever their Tuning. Most of the time of tests on a
// software driver goes into building kernels; package compile's own tests compare kernels of all sizes. It must be set before anything is compiled.
var Kernels bool

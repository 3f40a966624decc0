// Package small lets tests make all kernels small.
package small

// Kernels makes the kernels of all Programs of package compile as small as those of Programs that
// run once, for every Tuning. Tests on a software driver spend most of their time building kernels.
// Package compile's own tests compare kernels of all sizes. It must be set before anything is
// compiled.
var Kernels bool

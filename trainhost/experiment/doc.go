// Package experiment reproduces the paper's small experiments with the project's own kernels: the
// linear-Gaussian theory (Prop. 3.1, A.3–A.18) against closed forms, and the two-dimensional
// checkerboard (§4.1, B.1). On the checkerboard it also compares VFM's map with other one-step
// generators. Package restore does not need it.
package experiment

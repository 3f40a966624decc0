// Package task states the six inverse problems that restore solves: for each the forward operator A, its adjoint Aᵀ, a law for
// its random parameters ω, and the form in which the networks see an observation y.
//
//	task (CLI name)   class  A                                                        observation
//	denoise           0      identity                                                 as large as x
//	inpaint-random    1      single pixels dropped (all channels together)            as large as x, dropped pixels 0
//	inpaint-box       2      one rectangle dropped                                    as large as x, dropped pixels 0
//	super-resolve     3      antialiased bicubic reduction by 4                       ⌈W/4⌉ × ⌈H/4⌉
//	gaussian-deblur   4      61×61 Gaussian of standard deviation 3, reflected edges  as large as x
//	motion-deblur     5      61×61 motion kernel, reflected edges                     as large as x
//	inpaint           –      whatever the mask says; the name that people use
//
// y = A x + ε with ε ~ N(0, σ²) per value, in the units of planar.Image ([-1, 1]; σ = 0.05 in the paper, 6.4 in 8-bit levels).
//
// The operators act on any picture size from 1×1. Where a filter reaches beyond the picture it sees the picture reflected about
// its edge pixels, which are not repeated (… c b | a b c …), as often as it takes; the bicubic filters renormalise their weights
// instead. Everything separable is also to be had as small dense matrices (DownMatrix, GaussMatrix, …) so that a trainer can run
// the very same operators as matrix products on a GPU.
package task

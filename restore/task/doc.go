// Package task states the inverse problems that restore solves. For each it has the forward
// operator A, its adjoint Aᵀ, a law for its random parameters ω, and the form in which the networks
// see an observation y. A Descriptor holds all of this for one task; docs/NEW-TASK.md shows how to
// add one.
//
//	task              class  A                                                        size of y
//	denoise           0      identity                                                 that of x
//	inpaint-random    1      single pixels dropped (all channels together)            that of x, dropped pixels 0
//	inpaint-box       2      one rectangle dropped                                    that of x, dropped pixels 0
//	super-resolve     3      antialiased bicubic reduction by 4                       ⌈W/4⌉ × ⌈H/4⌉
//	gaussian-deblur   4      61×61 Gaussian of standard deviation 3, reflected edges  that of x
//	motion-deblur     5      61×61 motion kernel, reflected edges                     that of x
//	inpaint           –      as the mask says; the name that people use               that of x, missing pixels 0
//
// y = A x + ε with ε ~ N(0, σ²) per value, in the units of planar.Image: [-1, 1], and σ = 0.05 in
// the paper, which is 6.4 in 8-bit levels.
//
// The operators act on pictures of any size from 1×1. A blur that reaches beyond the picture sees
// it reflected about its edge pixels, which are not repeated (… c b | a b c …), as often as needed.
// The bicubic filters renormalise their weights instead. All separable operators also exist as
// small dense matrices (DownMatrix, GaussMatrix, …), so that a trainer can compute the same
// operators as matrix products on a GPU.
package task

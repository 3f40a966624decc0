// Package blind finds the kernel that blurred a photograph, with its direction, and undoes a blur whose kernel is known. It computes on the host, planes in float32 and
// sums in float64. All large steps are Fourier transforms of one size (fft.go) and arithmetic place by place.
//
// Estimate goes from coarse to fine over edges (edges.go), improves the kernel by evidence at full scale (evidence.go), both with one least-squares step for the kernel
// (level.go), does so for several windows, and judges: all windows end at the same noise, so their free energies may be compared, and the same energy without any kernel tells
// whether there is blur. A window whose kernel runs into its edge gives way to a larger one: alone, the energy takes the bright part of a long kernel for the whole.
//
// Deconvolve has a prior of sparse differences, and estimates what lies beyond the edges and under clipped pixels with the picture. It works in blocks, so that time is linear in
// pixels.
//
// # Measured
//
// By internal/cmd/blindeval (PSNR after the best move, 20 pixels of margin left out). The constants were chosen on photographs of the training set, shaken by drawn trajectories of 9 to 29
// pixels with noise of 0.004. Levin's set was looked at some ten times meanwhile, four of these on im01_ker04 alone, and led to four choices: thin pens for the drawn
// trajectories, windows up to 33 instead of 27, one noise for all windows, and that cut-off kernels give way. Its 24 other shakes were not looked at and are the fairer test.
//
//   - Levin's captured shakes (8 of 32: two pictures, four kernels), input 22.43 dB: blind 30.66 (31.79, 31.51, 33.32, 28.97; 30.43, 30.93, 31.82, 26.52). With the true kernel
//     32.02 (30.13 by a half-quadratic hyper-Laplacian with a blended border). The six kernels of up to 19 pixels lose 0.5 to 1.8 dB to the true one, the two of 27 lose 2 and 4.
//   - Shaken training photographs, six of those that the constants were chosen on (-count 6), input 21.96 dB: blind 27.79, with the true kernel 29.25.
//   - Sharp photographs, five with noise of 0.002: all told as sharp (width 0.8 to 1.2 pixels, gain −0.19 to 0.17); of two with noise of 0.04 one as sharp, one as untold.
//   - Shaken photographs with noise of 0.04, three: all untold, rightly, as the kernels found make 14 dB of 21. Strong noise is what the posterior of package shake is for.
//   - Gains of blurred pictures of little noise are 0.17 and more. The thresholds of the verdict were set on these very pictures, few as they are.
//
// Time on one core, 256×256 pixels: about 3.5 s to find the kernel, 0.5 s to deconvolve (bench_test.go), on a machine that was busy otherwise.
package blind

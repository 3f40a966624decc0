// Package blind finds the kernel that blurred a photograph, with its direction, and undoes a blur
// whose kernel is known. It computes on the host, planes in float32 and sums in float64. All large
// steps are Fourier transforms of one size (fft.go) and arithmetic place by place.
//
// Estimate goes from coarse to fine over edges (edges.go), improves the kernel by evidence at full
// scale (evidence.go), both with one least-squares step for the kernel (level.go), does so for
// several windows, and judges: all windows end at the same noise, so their free energies may be
// compared, and the same energy without any kernel tells whether there is blur. A window whose
// kernel runs into its edge gives way to a larger one: alone, the energy takes the bright part of a
// long kernel for the whole.
//
// Deconvolve has a prior of sparse differences, and estimates what lies beyond the edges and under
// clipped pixels with the picture. It works in blocks, so that time is linear in pixels.
//
// # Measured
//
// By internal/tools/blindeval (PSNR after the best move, 20 pixels of margin left out). The constants
// were chosen on photographs of the training set, shaken by drawn trajectories of 9 to 29 pixels
// with noise of 0.004. Levin's set was looked at some ten times when the method was made, four of
// these on im01_ker04 alone, and led to four choices: thin pens for the drawn trajectories, windows
// up to 33 instead of 27, one noise for all windows, and that cut-off kernels give way; and once
// when it was made fast, which led to none. Its 24 other shakes were not looked at and are the
// fairer test.
//
//   - Levin's captured shakes (8 of 32: two pictures, four kernels), input 22.43 dB: blind 31.05
//     (32.30, 32.10, 33.90, 29.92; 30.91, 30.89, 32.26, 26.11). With the true kernel 32.06.
//   - Shaken training photographs: six of -count 6 have 21.96 dB, blind 27.99, with the true kernel
//     29.20. Over the 48 of -count 24 with seeds 2 and 3 the kernels lead to 0.2 dB more than those
//     of the first version, in float64 with twice the rounds; its steps were thinned on these.
//   - The verdict, on photographs of 299² and crops of 512² with noise of 0, 1, 3 and 8 levels, and
//     whole ones: of 108 that the thresholds were not chosen on, 89 are told as sharp, 19 as untold
//     and none as blurred. Of 108 that they were chosen on, 70, 29 and 9; the 9 are of four pictures,
//     two of them partly out of focus.
//   - The same photographs shaken by 3 to 30 pixels, with noise of 0.5 to 5 levels: of 48 that the
//     thresholds were not chosen on, 19 are told as blurred, 27 as untold and 2 as sharp; of the
//     others 25, 23 and 0. Untold are most with two levels of noise and more and most of more than
//     20 pixels, where the kernel found is often wrong, but also some whose kernel would do.
//
// Time of both cores together, 256×256 pixels: 0.37 to 0.41 s to find the kernel (two windows,
// which two cores share) and 0.08 to 0.12 s to deconvolve (one core), on a processor with AVX2
// whose cores others used too (bench_test.go); 0.98 and 0.14 s without AVX2. 1000×1000 pixels: 0.8
// s, as the kernel is found in a part of 384×384, and 1.3 s.
package blind

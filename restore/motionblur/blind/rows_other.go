//go:build !amd64

package blind

// The functions in assembly. They are never called where avx is false.

func productAVX(dst, a, k *complex64, n int) {}

func residualAVX(a, k, y *complex64, scale float32, n int) {}

func weightedAVX(a *complex64, w *float32, scale float32, n int) {}

func correlateAVX(power, cross, x, y *complex64, n int) {}

func latentAVX(a, start *complex64, power, lap *float32, beta float32, n int) {}

func divideAVX(x, kx, k *complex64, power, filtered *float32, beta float32, n int) {}

func rimAVX(t, x, taper *float32, n int) {}

func innerAVX(t, u, y, x, inside, taper *float32, n int) {}

func variancesAVX(spread, precision, x0, x1 *float32, seen, least float32, n int) {}

func startAVX(p, r, x, precision, spread *float32, n int) float32 { return 0 }

func applyAVX(t, p, precision *float32, n int) float32 { return 0 }

func stepAVX(x, r, p, t, spread *float32, step float32, n int) float32 { return 0 }

func turnAVX(p, r, spread *float32, turn float32, n int) {}

func gradientsAVX(h, v, row, below *float32, least float32, n int) {}

func divergenceAVX(to, h, up, v *float32, n int) {}

func targetAVX(target, kx, seen, half *float32, relaxation float32, n int) {}

func filtersAVX(out *[5]*float32, above, row, below *float32, n int) {}

func adjointAVX(above, row, below *float32, in *[5]*float32, n int) {}

func shrinkAVX(row, divide, multiply, table *float32, inverse, scale, least float32, n int) {}

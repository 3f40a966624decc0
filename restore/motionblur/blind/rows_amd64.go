package blind

// The functions in assembly; see rows.go and filterrows.go for what each does.

//go:noescape
func productAVX(dst, a, k *complex64, n int)

//go:noescape
func residualAVX(a, k, y *complex64, scale float32, n int)

//go:noescape
func weightedAVX(a *complex64, w *float32, scale float32, n int)

//go:noescape
func correlateAVX(power, cross, x, y *complex64, n int)

//go:noescape
func latentAVX(a, start *complex64, power, lap *float32, beta float32, n int)

//go:noescape
func divideAVX(x, kx, k *complex64, power, filtered *float32, beta float32, n int)

//go:noescape
func rimAVX(t, x, taper *float32, n int)

//go:noescape
func innerAVX(t, u, y, x, inside, taper *float32, n int)

//go:noescape
func variancesAVX(spread, precision, x0, x1 *float32, seen, least float32, n int)

//go:noescape
func startAVX(p, r, x, precision, spread *float32, n int) float32

//go:noescape
func applyAVX(t, p, precision *float32, n int) float32

//go:noescape
func stepAVX(x, r, p, t, spread *float32, step float32, n int) float32

//go:noescape
func turnAVX(p, r, spread *float32, turn float32, n int)

//go:noescape
func gradientsAVX(h, v, row, below *float32, least float32, n int)

//go:noescape
func divergenceAVX(to, h, up, v *float32, n int)

//go:noescape
func targetAVX(target, kx, seen, half *float32, relaxation float32, n int)

//go:noescape
func filtersAVX(out *[5]*float32, above, row, below *float32, n int)

//go:noescape
func adjointAVX(above, row, below *float32, in *[5]*float32, n int)

//go:noescape
func shrinkAVX(row, divide, multiply, table *float32, inverse, scale, least float32, n int)

// Package defocus finds the width and the shape of a blur that looks the same in all directions, as lenses out of focus leave it, and gives its kernel. It computes on the
// host.
//
// Two things tell the width. A step edge that was blurred with a deviation s has gradients that fall as 1/√(s² + t²) when it is blurred again by t (edges.go); and the blur
// multiplies the spectrum, by a Gaussian or, for a disc, by a function with rings of zeros (spectrum.go). Quantiles of the one over the picture's edges, and mean logarithms of the
// other over rings, go to a small network that has learnt from photographs how sharp edges and spectra are (network.go, `trainhost defocus`). It answers with a belief over
// widths of both shapes and over there being no blur, of which a verdict is made (estimate.go). A picture that is taken for blurred and is not is the worst error, so that is the
// one which the verdict avoids.
//
// # Measured
//
// By internal/tools/defocuseval; thresholds were chosen on some sixty of the photographs that the network was trained on. On evaluation photographs see docs/QUALITY.md. Time on one core:
// about 30 ms for 256×256 pixels; of pictures above 320 pixels a side at most six parts of that size are looked at.
package defocus

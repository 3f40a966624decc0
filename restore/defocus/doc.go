// Package defocus finds the width and the shape of a blur that is the same in all directions, as
// lenses out of focus make it, and computes its blur kernel. It computes on the host.
//
// Two measurements show the width. A step edge with a blur of deviation s has a gradient
// proportional to 1/√(s² + t²) after a further blur by t (edges.go). And the blur multiplies the
// spectrum: by a Gaussian or, for a disc, by a function with rings of zeros (spectrum.go). A small
// network reads quantiles of the first over the picture's edges, and mean logarithms of the second
// over rings. It has learnt from photographs how sharp edges and their spectra are (network.go,
// `trainhost defocus`). It returns a probability for no blur and for each of several widths of both
// shapes, from which a verdict is made (estimate.go). The worst error is to take a sharp picture
// for blurred, so the verdict avoids this.
//
// # Measured
//
// By internal/tools/defocuseval. The thresholds were chosen on some sixty of the photographs that
// the network was trained on. docs/QUALITY.md has results on evaluation photographs. Time on one
// core: about 30 ms for 256×256 pixels. Of pictures with a side above 320 pixels at most six parts
// of 256×256 pixels are examined.
package defocus

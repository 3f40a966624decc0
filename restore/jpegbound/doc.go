// Package jpegbound keeps the restoration of a JPEG picture consistent with its file.
//
// For every block of 8×8 pixels a JPEG file holds the DCT coefficients of luminance as integer
// multiples k of a step Q. So each coefficient z of the picture before compression was in the cell
// [(k−½)Q, (k+½)Q]. A restoring network does not know the cells. Let μ be a coefficient of its
// result, s the standard deviation of μ's error, and ν that of the picture's noise before
// compression. With x ~ N(μ, s²) and z ~ N(x, ν²) the best estimate of x given the cell is
//
//	E[x] = μ + s²/(s²+ν²) · (E[z | z in its cell] − μ),  z ~ N(μ, s²+ν²),
//
// where the last mean is that of a truncated normal distribution. Without noise E[x] is in the
// cell, so the result, if compressed again, gives the same file. If noise is much stronger than s,
// E[x] is nearly μ.
package jpegbound

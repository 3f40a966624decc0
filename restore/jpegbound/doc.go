// Package jpegbound keeps the restoration of a JPEG picture within what its file says.
//
// A JPEG file holds, for every block of 8×8 pixels, the coefficients of luminance's DCT as whole
// multiples k of a step Q. So each coefficient z of the picture that was compressed lay in the cell
// [(k−½)Q, (k+½)Q]. A restoring network does not know the cells. Let μ be a coefficient of its
// result, s the standard deviation of μ's error, and ν that of the noise that was in the picture
// before it was compressed. With x ~ N(μ, s²) and z ~ N(x, ν²) the best estimate of x given the cell
// is
//
//	E[x] = μ + s²/(s²+ν²) · (E[z | z in its cell] − μ),  z ~ N(μ, s²+ν²),
//
// the mean of a normal distribution cut off at the cell's ends. Without noise it lies in the cell:
// compressed again, the result gives the same file. Noise much stronger than s leaves μ as it is.
package jpegbound

// Package jpegcodec writes JPEG files of any quality with 4:4:4, 4:2:2 or 4:2:0 chroma, which the
// standard library's encoder cannot do (it always writes 4:2:0). For decoded files it interpolates
// chroma to full resolution as libjpeg does; the standard library repeats chroma values.
//
// The encoder is a fork of image/jpeg of Go 1.26 (see LICENSE in this directory). Tables, scaling
// of quality (that of libjpeg), transform and file order are the same.
package jpegcodec

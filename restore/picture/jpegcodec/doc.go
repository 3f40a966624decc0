// Package jpegcodec writes JPEG files at any quality with full, half or quarter resolution of colour,
// which the standard library's encoder cannot (it always halves colour both ways), and gives decoded
// files their full resolution of colour as libjpeg does, by interpolation, where the standard library
// repeats pixels.
//
// The encoder is a fork of Go 1.26's image/jpeg (see LICENSE beside this file): the same tables, the
// same scaling of quality as libjpeg's, the same transform and the same order of the file.
package jpegcodec

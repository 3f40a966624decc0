// Package features compares sets of pictures by what a network computes of them: the Fréchet
// distance, the maximum mean discrepancy, the CRPS and LPIPS's formula. The network is an ONNX model
// or weights of this program.
//
// The numbers depend on the network: they can be compared only with numbers of the same one, and
// Fréchet distances only with those of as many pictures.
package features

// Package netdef describes networks as graphs of typed nodes with static
// shapes, and differentiates them.
//
// A network is a Go function that calls builder methods of a *Graph. Nodes are
// in SSA form: a node's inputs are older than the node, so creation order is a
// topological order. Gradient appends the reverse pass to the same graph.
// Compiling a graph to GPU dispatches is the work of package netdef/compile;
// package netdef/reference runs the same graph in float64 and is the oracle of
// the tests.
//
// Every tensor has four axes [B,H,W,C], row-major with C fastest
// (channels-last). C is 1 or a multiple of 8, which is what the kernels need.
// Convolution weights use the same four axes as [kh,kw,Cin,Cout], per-channel
// vectors are [1,1,1,C], per-picture scalars [B,1,1,1], and planar pictures
// [B,P,H,W] with the picture's x on the last axis.
//
// Each op family lives in one file with its attributes, shape rule, gradient
// (VJP) and float64 evaluation side by side.
package netdef

// Package netdef describes networks as graphs of typed nodes with static shapes, and differentiates
// them.
//
// A network is a Go function that calls builder methods of a *Graph. Nodes are in SSA form: the
// inputs of a node are created before it, so the order of creation is a topological order. Gradient
// appends the reverse pass to the same graph. Package netdef/compile compiles a graph to GPU
// dispatches. Package netdef/reference runs the same graph in float64; tests compare with it.
//
// Every tensor has four axes [B,H,W,C], row-major with C fastest (channels-last). C is 1 or a
// multiple of 8, as the kernels need. A site is a position (h,w). Convolution weights use the same
// four axes as [kh,kw,Cin,Cout], per-channel vectors are [1,1,1,C], per-picture scalars [B,1,1,1],
// and planar pictures [B,P,H,W], with the picture's x on the last axis.
//
// Each op family is in one file: its attributes, shape rule, gradient (VJP), tangent (JVP) and
// float64 evaluation. Pointwise functions are rows of the table in pointwise_table.go.
package netdef

// Package foreign restores pictures with networks of others: ONNX models that map a picture
// [1,3,H,W] to a picture [1,3,s·H,s·W], of the operators that package netdef/onnx reads.
//
//	net, err := foreign.Open(foreign.Config{Path: "net.onnx"})
//	...
//	defer net.Close()
//	result, err := net.Restore(ctx, pic, foreign.Request{})
//
// Large pictures are cut into tiles. They overlap by the network's receptive field, which is found
// in its graph, so the result is that of the whole picture, up to float32 rounding. Such a network
// gives one picture: there are no samples, masks or noise levels.
package foreign

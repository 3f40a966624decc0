package restore

import (
	"io"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/onnx"
	"github.com/vfmrestore/restore/weights"
)

// Names of the inputs and outputs of the ONNX model. Pictures have values in [-1,1].
const (
	ONNXView  = "view"  // [1,3,h,w]: the adapter's view of the observation (task.View)
	ONNXKnown = "known" // [1,1,h,w]: 1 where the view shows a measured pixel, else 0
	ONNXTask  = "task"  // [1,8,1,1]: one-hot, in the order of the weights' vfm.tasks
	ONNXSigma = "sigma" // [1,1,1,1]: standard deviation of the noise, in units of the view
	// [1,16,1,1]: the shape of the noise (restore/noise, Profile.Vector); only with Config.Noise
	ONNXNoise = "noise"
	// [1,3,h,w]: for motion-deblur the estimate of restore/motionblur, for other tasks the view;
	// only with Config.Guess
	ONNXGuess   = "guess"
	ONNXMu      = "mu"      // [1,48,h/4,w/4]: the mean of q(z|y)
	ONNXLogVar  = "logvar"  // [1,48,h/4,w/4]: its log-variance
	ONNXPicture = "picture" // [1,3,h,w]: the restoration from z = μ, not clamped
)

// ONNX writes adapter and one-step flow map as an ONNX model for other engines, for pictures of w×h
// pixels (multiples of Config.Align()).
func (n *Network) ONNX(out io.Writer, w, h int) error {
	if _, err := n.check(); err != nil {
		return err
	}
	g := netdef.NewGraph()
	outs := graphBuilder{n.Config, w, h}.whole(g, n.Config.Traits().Guess)
	if err := g.Err(); err != nil {
		return &NetworkError{"no network can be built for pictures of this size", err}
	}
	tasks, err := n.taskOrder()
	if err != nil {
		return err
	}
	meta := map[string]string{weights.KeyTasks: joinTasks(tasks)}
	outputs := []onnx.Output{
		{Name: ONNXMu, Node: outs[outMu]},
		{Name: ONNXLogVar, Node: outs[outLogVar]},
		{Name: ONNXPicture, Node: outs[outPicture]},
	}
	return onnx.Write(out, n.Config.Name(), outputs, n.Params, meta)
}

// Package restore repairs photographs with a variational flow map: an adapter network looks at the damaged picture and
// proposes the noise z that a flow map turns into the restored one, in a single step (METHOD §2, Algorithm 1 of the paper).
//
//	model, err := restore.Open(restore.Config{})
//	...
//	defer model.Close()
//	result, err := model.Restore(ctx, pic, restore.Request{Task: task.MotionDeblur})
//
// A [Model] holds a Vulkan device with the networks' weights on it; it may be used from many goroutines at once.
//
// # How a picture goes through
//
// The adapter's view of the whole picture (holes filled in, or enlarged for super-resolution) is made on the host. It is
// continued beyond the picture's edges by reflection, to a domain whose sides have one of a few sizes (so that the device
// programs are few) and which reaches Config.Margin pixels further on every side. The adapter runs over the domain and gives μ
// and log σ² of z; every step of the flow map runs over the domain once more. What does not fit the device in one go is cut
// into tiles, all of one shape: a tile ends where the domain ends or reaches a halo (the receptive field of one network)
// beyond the part that is taken from it. The networks thus see the same surroundings of every pixel whatever the tiles, and
// the noise is keyed by absolute position, so pictures do not depend on tile size, apart from the order of float32 additions.
package restore

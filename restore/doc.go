// Package restore repairs photographs with a variational flow map. An adapter network reads the
// damaged picture and proposes a distribution of the noise z. A flow map turns z into the restored
// picture in a single step (METHOD §2, Algorithm 1 of the paper).
//
//	model, err := restore.Open(restore.Config{})
//	...
//	defer model.Close()
//	result, err := model.Restore(ctx, pic, restore.Request{Task: task.MotionDeblur})
//
// A [Model] holds a Vulkan device with the networks' weights. It may be used from many goroutines
// at once.
//
// # The way of a picture
//
// Restore checks the request and makes a job of it. The adapter's view of the picture (with holes
// filled, or enlarged for super-resolution) is made on the host. It is continued beyond the
// picture's edges by reflection, to a domain whose sides have one of a few sizes, so that few
// device programs are needed, plus Config.Margin pixels on every side. The adapter runs over the
// domain and gives μ and log σ² of z. Each step of the flow map runs over the domain once more.
//
// If the domain does not fit the device at once, it is cut into tiles of one size. A tile ends
// where the domain ends, or reaches a halo (the receptive field of one network) beyond the part
// that is used of it. So the networks see the same surroundings of every pixel whatever the tiles
// are. The noise is keyed by absolute position. So pictures do not depend on the tile size, apart
// from the order of float32 additions.
//
// # The files
//
// These files follow the way of a picture, in this order:
//
//   - restore.go: Restore. motiondeblur.go, longblur.go, gaussiandeblur.go and deconvolve.go
//     decide how a blur is undone; ensemble.go, mend.go, sample.go and the stream files are other
//     ways in.
//   - job.go: what is asked, checked by requestcheck.go, with what noiselevel.go, jpegbound.go,
//     holes.go, hidden.go and projection.go find out about the whole picture.
//   - views.go: what the adapter reads. secondview.go is its second view, for motion blur.
//   - run.go: the order of the networks' passes over the domain. stage.go: one pass, tile by tile.
//     band.go: two passes in turns. samples.go: draws from the posterior.
//   - recipe.go, programkind.go and graph.go: the programs that internal/engine builds and runs.
//   - canvas.go and grain.go: from the networks' output to the result.
//
// model.go opens a Model. sharedmemory.go is for frames in memory of others. network.go,
// networktasks.go and tasknetwork.go hold its networks.
package restore

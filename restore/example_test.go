package restore_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Sharpen a shaken photograph, and see how sure the network is of what it found.
func Example() {
	model, err := restore.Open(restore.Config{}) // the embedded weights on the best device
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	fmt.Println(model.Info())

	shaken, err := picture.DecodeFile("shaken.jpg", picture.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	result, err := model.Restore(context.Background(), shaken, restore.Request{
		Task:     task.MotionDeblur, // with the noise that is found in it
		Samples:  10,
		Seed:     42,
		Progress: func(done, total int) { fmt.Printf("%d of %d tiles\n", done, total) },
	})
	if err != nil {
		log.Fatal(err)
	}
	sharp, doubt := result.Picture, picture.FromStd(result.Std, result.Picture.W, result.Picture.H)
	if err := picture.EncodeFile("sharp.png", sharp, picture.DefaultQuality); err != nil {
		log.Fatal(err)
	}
	if err := picture.EncodeFile("doubt.png", doubt, picture.DefaultQuality); err != nil {
		log.Fatal(err)
	}
}

// Frames of a camera, RGB24, restored one after the other while the next is packed.
func ExampleModel_NewStream() {
	model, err := restore.Open(restore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	rgb := frame.Format{Kind: frame.RGB}
	s, err := model.NewStream(restore.StreamConfig{Task: task.Denoise, Noise: 12, W: 64, H: 48, In: rgb, Out: rgb})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	ctx := context.Background()
	go func() {
		for range 3 { // for every frame of the camera
			if err := s.Submit(ctx, make([]byte, s.InSize())); err != nil {
				return
			}
		}
		s.End()
	}()
	for dst := make([]byte, s.OutSize()); ; {
		info, err := s.Receive(ctx, dst)
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("frame", info.Index)
	}
	fmt.Println(s.Latency().Frames, "frames")
	// Output:
	// frame 0
	// frame 1
	// frame 2
	// 3 frames
}

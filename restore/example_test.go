package restore_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
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

// A camera raw file: developed, and restored by the noise that its sensor is known to have.
func Example_raw() {
	model, err := restore.Open(restore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ctx := context.Background()
	p, noise, err := raw.DecodeFile("in.dng", picture.Limits{}, raw.Options{Rendering: raw.DefaultRendering})
	if err != nil {
		log.Fatal(err)
	}
	result, err := model.Restore(ctx, p, restore.Request{Task: task.Denoise, Profile: noise})
	if err != nil {
		log.Fatal(err)
	}
	if err := picture.EncodeFile("out.tif", result.Picture, 0); err != nil {
		log.Fatal(err)
	}
}

// A frame as a sensor sends it, RAW10 packed by MIPI, with the gain and read noise that it was
// calibrated to have.
func Example_mosaic() {
	model, err := restore.Open(restore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	const w, h, black, white = 64, 48, 64, 1023
	frame := make([]byte, h*raw.MIPI.RowBytes(w, 10))
	noise := raw.NewNoise(0.25, 1.5, black, white)
	m := &raw.Mosaic{
		W: w, H: h, Pix: make([]uint16, w*h), Pattern: raw.GRBG, Black: [4]float64{black, black, black, black}, White: white,
		Gains: [3]float64{1.9, 1, 1.6}, Noise: &noise,
	}
	if err := raw.MIPI.Unpack(m.Pix, frame, w, h, 10, 0); err != nil {
		fmt.Println(err)
		return
	}
	profile, err := m.Profile(raw.DefaultRendering)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := m.Develop(raw.DefaultRendering)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := model.Restore(context.Background(), p, restore.Request{Task: task.Denoise, Profile: &profile})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Picture.W, result.Picture.H, result.Picture.Depth)
	// Output:
	// 64 48 16
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

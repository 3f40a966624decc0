package restore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vfmrestore/restore/restore"
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
		Task:        task.MotionDeblur,
		Noise:       -1, // estimate it
		Samples:     10,
		Temperature: 1,
		Seed:        42,
		Progress:    func(done, total int) { fmt.Printf("%d of %d tiles\n", done, total) },
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

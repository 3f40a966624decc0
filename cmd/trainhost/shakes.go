package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/vfmrestore/restore/trainhost"
)

// shakesCommand makes the training pairs of motion-deblur.
func shakesCommand(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost shakes", flag.ContinueOnError)
	data := fs.String("data", "", "folder of photographs")
	video := fs.String("video", "", "folder with the frames of a video with many frames per second, whose means have the blur of moving cameras and people (optional)")
	out := fs.String("out", "", "file to write the pairs to, for trainhost train -shakes")
	c := trainhost.MotionPairsConfig{Progress: func(done, total int) { fmt.Fprintf(os.Stderr, "%d of %d pairs\n", done, total) }}
	fs.IntVar(&c.Count, "count", 500, "number of pairs")
	fs.IntVar(&c.Side, "side", 256, "side of the pairs in pixels")
	fs.IntVar(&c.Workers, "workers", 0, "number of pairs that are made in parallel (0: one per core)")
	fs.Uint64Var(&c.Seed, "seed", 1, "seed of the pairs")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *data == "" || *out == "" {
		return errors.New("shakes: -data and -out are needed")
	}
	if c.Count < 1 || c.Side < 128 || c.Side > 1024 || c.Workers < 0 {
		return fmt.Errorf("shakes: -count %d, -side %d, -workers %d: must be at least 1, 128 to 1024, and at least 0", c.Count, c.Side, c.Workers)
	}
	err := checkOut("shakes", *out)
	if err != nil {
		return err
	}
	var frames []string
	if *video != "" {
		if frames, err = trainhost.VideoFrames(*video); err != nil {
			return fmt.Errorf("shakes: %w", err)
		}
	}
	pics, err := trainhost.LoadPictures(*data, 128)
	if err != nil {
		return err
	}
	s, err := trainhost.MakeMotionPairs(ctx, pics, frames, c)
	if err != nil {
		return err
	}
	return s.Save(*out)
}

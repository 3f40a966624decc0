package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/trainhost"
)

// defocusCommand trains the network that finds the width and the shape of a blur.
func defocusCommand(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost defocus", flag.ContinueOnError)
	data := fs.String("data", "", "folder of photographs")
	out := fs.String("out", "", "file to write the network to (the repository embeds restore/shake/defocus/estimator.bin)")
	f := trainhost.DefocusFit{Report: func(s string) { fmt.Println(s) }}
	fs.IntVar(&f.Samples, "samples", 20000, "pictures to draw")
	fs.IntVar(&f.Epochs, "epochs", 40, "times that each is learnt from")
	fs.Float64Var(&f.LR, "lr", 2e-3, "learning rate at its peak")
	fs.Uint64Var(&f.Seed, "seed", 1, "seed of pictures and weights")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *data == "" || *out == "" {
		return errors.New("defocus: -data and -out are needed")
	}
	pics, err := trainhost.LoadPictures(*data, 128)
	if err != nil {
		return err
	}
	net, err := f.Run(ctx, pics)
	if err != nil {
		return err
	}
	return atomicfile.Write(*out, func(w io.Writer) error {
		_, err := w.Write(net.Bytes())
		return err
	})
}

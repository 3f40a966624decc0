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

// estimator is a command that trains a small network on the statistics of pictures.
type estimator struct {
	name            string
	embedded        string // the file of the network in the repository
	samples, epochs int    // defaults
	run             func(ctx context.Context, f trainhost.Fit, pics *trainhost.Pictures) ([]byte, error)
}

var noiseEstimator = estimator{"noise", "restore/noise/estimator.bin", 40000, 60, func(ctx context.Context, f trainhost.Fit, pics *trainhost.Pictures) ([]byte, error) {
	net, err := f.Noise(ctx, pics)
	if err != nil {
		return nil, err
	}
	return net.Bytes(), nil
}}

var defocusEstimator = estimator{"defocus", "restore/defocus/estimator.bin", 20000, 40, func(ctx context.Context, f trainhost.Fit, pics *trainhost.Pictures) ([]byte, error) {
	net, err := f.Defocus(ctx, pics)
	if err != nil {
		return nil, err
	}
	return net.Bytes(), nil
}}

// command trains the network and writes it.
func (e estimator) command(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost "+e.name, flag.ContinueOnError)
	data := fs.String("data", "", "folder of photographs")
	out := fs.String("out", "", "file to write the network to (the repository embeds "+e.embedded+")")
	f := trainhost.Fit{Report: func(s string) { fmt.Fprintln(stdout, s) }}
	fs.IntVar(&f.Samples, "samples", e.samples, "number of pictures to draw")
	fs.IntVar(&f.Epochs, "epochs", e.epochs, "number of passes over the pictures")
	fs.Float64Var(&f.LR, "lr", 2e-3, "learning rate at its peak")
	fs.Uint64Var(&f.Seed, "seed", 1, "seed of pictures and weights")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *data == "" || *out == "" {
		return errors.New(e.name + ": -data and -out are needed")
	}
	if err := checkOut(e.name, *out); err != nil {
		return err
	}
	pics, err := trainhost.LoadPictures(*data, 128)
	if err != nil {
		return err
	}
	net, err := e.run(ctx, f, pics)
	if err != nil {
		return err
	}
	return atomicfile.Write(*out, func(w io.Writer) error {
		_, err := w.Write(net)
		return err
	})
}

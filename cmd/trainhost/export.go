package main

import (
	"errors"
	"flag"
	"fmt"

	"github.com/vfmrestore/restore/internal/atomicfile"
)

// export writes weights as an ONNX model.
func export(args []string) error {
	fs := flag.NewFlagSet("trainhost export", flag.ContinueOnError)
	path := fs.String("weights", "", ".vfm file or checkpoint (default: the embedded weights for all tasks)")
	out := fs.String("out", "", "ONNX file to write")
	w, h := fs.Int("width", 256, "width of the pictures in pixels"), fs.Int("height", 256, "height of the pictures in pixels")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("export: -out is needed")
	}
	if err := checkOut("export", *out); err != nil {
		return err
	}
	n, err := openNetwork(*path)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(*out)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := n.ONNX(f, *w, *h); err != nil {
		return err
	}
	if err := f.Commit(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: inputs view [1,3,%d,%d], known [1,1,%[2]d,%[3]d], task [1,8,1,1], sigma [1,1,1,1]; outputs mu, logvar, picture\n", *out, *h, *w)
	return nil
}

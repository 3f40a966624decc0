package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/foreign"
	"github.com/vfmrestore/restore/restore/picture"
)

// restorer restores pictures: a *restore.Model, or a network of others.
type restorer interface {
	Restore(ctx context.Context, pic *picture.Picture, req restore.Request) (*restore.Result, error)
	Info() string
	Close() error
}

// isONNX reports whether -weights names an ONNX model.
func isONNX(weights string) bool { return strings.EqualFold(filepath.Ext(weights), ".onnx") }

// foreignFlags are the flags of restore that go with an ONNX model.
var foreignFlags = []string{
	"weights", "range", "halo", "device", "tile", "precision", "threads", "pace", "quality", "max-megapixels", "salvage", "mosaic",
	"validation", "v", "format", "json", "r", "overwrite", "no-links", "jobs", "shard",
}

// refuseFlags refuses flags that an ONNX network cannot obey.
func refuseFlags(fs *flag.FlagSet, weights string) (err error) {
	fs.Visit(func(f *flag.Flag) {
		if err == nil && !slices.Contains(foreignFlags, f.Name) {
			err = usagef("-%s has no meaning with -weights %s: an ONNX network makes one picture of a picture; it has no tasks, "+
				"samples, noise levels or masks", f.Name, weights)
		}
	})
	return err
}

// readForeign reads the ONNX model of -weights.
func (o *options) readForeign() (err error) {
	if o.noLinks {
		if err := checkLink(o.weights); err != nil {
			return err
		}
	}
	o.foreign, err = foreign.Read(foreign.Config{
		Path: o.weights, Range: o.foreignRange, Halo: o.foreignHalo, Tile: o.tile, Device: o.device, Validation: o.validation,
		Half: o.precision == restore.Float16, Pace: o.pace,
	})
	return err
}

// checkForeignFlags refuses flags that go with ONNX models only.
func checkForeignFlags(fs *flag.FlagSet) error {
	for _, name := range []string{"range", "halo"} {
		if isSet(fs, name) {
			return usagef("-%s is for ONNX networks; give one by -weights FILE.onnx", name)
		}
	}
	return nil
}

// refuseForeign is for commands that need the networks of this program.
func refuseForeign(command, weights string) error {
	if isONNX(weights) {
		return usagef("restore %s needs a .vfm file; with an ONNX network pictures and folders can be restored (restore -weights %s in out)", command, weights)
	}
	return nil
}

// foreignNetwork is an open ONNX network.
type foreignNetwork struct{ *foreign.Network }

// Restore implements restorer. Of the request only the reports are used.
func (n foreignNetwork) Restore(ctx context.Context, pic *picture.Picture, req restore.Request) (*restore.Result, error) {
	out, err := n.Network.Restore(ctx, pic, foreign.Request{Progress: req.Progress, Rows: req.Rows})
	if err != nil {
		return nil, err
	}
	return &restore.Result{Picture: out, Task: req.Task}, nil
}

// openForeign is open for an ONNX network.
func (a *app) openForeign(o *options, once bool) (restorer, error) {
	n, err := o.foreign.Open(once)
	if err != nil {
		return nil, err
	}
	if o.verbose {
		fmt.Fprintln(a.err, oneLine(n.Info()))
	}
	return foreignNetwork{n}, nil
}

// scale is the ratio of the sides of the result and the picture.
func (o *options) scale() int {
	if o.foreign != nil {
		return o.foreign.Scale()
	}
	return o.task.Scale()
}

// noiseShape is noiseInfoOf, or nil with an ONNX network, which knows nothing of noise.
func (o *options) noiseShape(r *restore.Result) *noiseInfo {
	if o.foreign != nil {
		return nil
	}
	return noiseInfoOf(r)
}

// parseHalo reads a number of pixels or auto.
func parseHalo(s string) (int, error) {
	if s == "auto" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 4096 {
		return 0, errors.New("give a number of pixels from 0 to 4096, or auto")
	}
	if n == 0 {
		n = foreign.NoHalo
	}
	return n, nil
}

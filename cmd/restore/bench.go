package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/tools/bench"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/weights"
)

// bench measures a device with the network of the weights, of which it uses the sizes only.
func (a *app) bench(args []string) error {
	opt := bench.Options{}
	fs := flagSet("bench")
	device := fs.String("device", "", "")
	path := fs.String("weights", "", "")
	fs.IntVar(&opt.Side, "size", 256, "")
	asJSON := fs.Bool("json", false, "")
	fs.BoolVar(&opt.Train, "train", true, "")
	var precision restore.Precision
	fs.Func("precision", "", func(s string) (err error) { precision, err = restore.ParsePrecision(s); return err })
	names, err := a.parse(fs, args, benchHelp)
	if err != nil {
		return err
	}
	if err := refuseNames(names); err != nil {
		return err
	}
	if opt.Network, err = networkOf(*path); err != nil {
		return err
	}
	if n := opt.Network.Align(); opt.Side < n || opt.Side > 4096 || opt.Side%n != 0 {
		return usagef("-size %d is not a multiple of %d up to 4096", opt.Side, n)
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	info := dev.Info()
	opt.Half = precision.Half(info)
	text := a.out
	if *asJSON {
		text = io.Discard
	}
	fmt.Fprintf(text, "device: %s (%s)\n", oneLine(info.Name), oneLine(info.DriverInfo))
	report, err := bench.Run(a.ctx, text, dev, opt)
	if a.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil || !*asJSON {
		return err
	}
	report.Version = versionText()
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

// networkOf reads the sizes of the network from a weights file, the embedded one if path is empty.
// Without embedded weights it returns the default network.
func networkOf(path string) (cfg nets.Architecture, err error) {
	var f *weights.File
	if path != "" {
		f, err = weights.Load(path)
	} else {
		f, err = weights.Default()
		var missing *weights.MissingDefaultError
		if errors.As(err, &missing) {
			return nets.DefaultEdge(), nil
		}
		path = "the embedded weights"
	}
	if err != nil {
		return nil, err
	}
	if cfg, err = nets.Decode(f.Meta[weights.KeyNetwork], f.Meta[weights.KeyConfig]); err != nil {
		return nil, fmt.Errorf("%s: the hyper-parameters in %s cannot be read: %w", path, weights.KeyConfig, err)
	}
	return cfg, nil
}

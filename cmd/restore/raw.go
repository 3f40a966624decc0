package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
)

// rawFlags are the flags for camera raw files.
type rawFlags struct {
	gain, readNoise float64     // of the sensor, in levels of the file; both 0: not given
	linear          bool        // the result is linear light
	layout          *raw.Layout // the input is a plain mosaic with this layout; nil: a file with a header
}

func (r *rawFlags) define(fs *flag.FlagSet) {
	fs.BoolVar(&r.linear, "linear", false, "")
	r.defineSensor(fs)
}

// defineSensor defines the flags that video has too.
func (r *rawFlags) defineSensor(fs *flag.FlagSet) {
	fs.Func("gain", "", sensorLevel(&r.gain))
	fs.Func("read-noise", "", sensorLevel(&r.readNoise))
	fs.Func("mosaic", "", func(s string) (err error) { r.layout, err = raw.ParseLayout(s); return err })
}

// sensorLevel reads a number in levels of a sensor.
func sensorLevel(to *float64) func(string) error {
	return func(s string) (err error) {
		if *to, err = strconv.ParseFloat(s, 64); err != nil || !(*to >= 0 && *to <= 1<<16) {
			return fmt.Errorf("give a number from 0 to %d, in levels of the file", 1<<16)
		}
		return nil
	}
}

// given tells whether any of the flags is set.
func (r *rawFlags) given() bool { return *r != rawFlags{} }

func (r *rawFlags) options() raw.Options {
	return raw.Options{Rendering: raw.DefaultRendering, Gain: r.gain, ReadNoise: r.readNoise}
}

// checkRawOptions applies the rules between these flags and the others. The format of the output is
// known.
func (o *options) checkRawOptions() error {
	r := &o.raw
	switch {
	case (r.gain != 0 || r.readNoise != 0) && !o.noise.auto:
		return usagef("-noise and -gain with -read-noise exclude each other; give one")
	case r.layout != nil && o.folder:
		return usagef("-mosaic is for one picture, and %s is a folder", o.in)
	case !r.linear:
		return nil
	case o.samples != 0 || o.explain != "" || o.report != "":
		return usagef("-linear is for the restored picture only, not for -samples, -explain and -report")
	case o.format == "jpg" || !o.folder && o.out.format == picture.JPEG:
		return usagef("-linear needs 16 bits, which JPEG does not have; choose PNG or TIFF")
	}
	return nil
}

// inputPicture is a picture that was read, with its mask and its camera raw file, if it has these.
type inputPicture struct {
	pic     *picture.Picture
	missing []bool
	raw     *raw.File
}

// decode reads the picture. It also returns the camera raw file, or nil if the input is none.
func (o *options) decode(stdin io.Reader, limits picture.Limits) (*picture.Picture, *raw.File, error) {
	if o.raw.layout != nil {
		return o.decodeMosaic(stdin, limits)
	}
	sensor := &raw.Reader{Options: o.raw.options()}
	limits.Raw = sensor.Open
	if o.in == "-" {
		p, err := picture.Decode(stdin, limits)
		if err != nil {
			err = fmt.Errorf("stdin: %w", err)
		}
		return p, sensor.File, err
	}
	p, err := picture.DecodeFile(o.in, limits)
	return p, sensor.File, err
}

// decodeMosaic reads a plain mosaic without a header.
func (o *options) decodeMosaic(r io.Reader, limits picture.Limits) (*picture.Picture, *raw.File, error) {
	name := displayName(o.in, "stdin")
	if o.in != "-" {
		f, err := os.Open(o.in)
		if err != nil {
			return nil, nil, pathError(name, err)
		}
		defer f.Close()
		r = f
	}
	p, file, err := o.raw.layout.Decode(r, limits, o.raw.options())
	if err != nil {
		err = pathError(name, err)
	}
	return p, file, err
}

// requestFor returns what the flags say about a picture that was read. Unless -noise is set, the
// noise of a raw file follows from its sensor.
func (o *options) requestFor(g *inputPicture) restore.Request {
	req := o.request(g.missing)
	if g.raw != nil && o.noise.auto {
		req.Profile = g.raw.Profile()
	}
	return req
}

// checkRawFlags refuses flags for raw files if the input is none.
func (o *options) checkRawFlags(g *inputPicture) error {
	if g.raw == nil && o.raw.given() {
		return fmt.Errorf("%s: -gain, -read-noise and -linear are for camera raw files (DNG), and this is not one", o.in)
	}
	return nil
}

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

// rawFlags are those for camera raw files.
type rawFlags struct {
	gain, readNoise float64     // of the sensor, in levels of the file; both 0: not told
	linear          bool        // the result is linear light
	layout          *raw.Layout // the input is a mosaic that lies so; nil: a file that says what it is
}

func (r *rawFlags) define(fs *flag.FlagSet) {
	fs.BoolVar(&r.linear, "linear", false, "")
	r.defineSensor(fs)
}

// defineSensor defines those that video has, too.
func (r *rawFlags) defineSensor(fs *flag.FlagSet) {
	fs.Func("gain", "", sensorLevel(&r.gain))
	fs.Func("read-noise", "", sensorLevel(&r.readNoise))
	fs.Func("mosaic", "", func(s string) (err error) { r.layout, err = raw.ParseLayout(s); return err })
}

// sensorLevel reads a number of levels of a sensor.
func sensorLevel(to *float64) func(string) error {
	return func(s string) (err error) {
		if *to, err = strconv.ParseFloat(s, 64); err != nil || !(*to >= 0 && *to <= 1<<16) {
			return fmt.Errorf("give a number of the file's levels from 0 to %d", 1<<16)
		}
		return nil
	}
}

// told tells whether any of the flags was given.
func (r *rawFlags) told() bool { return *r != rawFlags{} }

func (r *rawFlags) options() raw.Options {
	return raw.Options{Rendering: raw.DefaultRendering, Gain: r.gain, ReadNoise: r.readNoise}
}

// checkRaw holds the rules between these flags and the others. The format of the output is settled.
func (o *options) checkRaw() error {
	r := &o.raw
	switch {
	case (r.gain != 0 || r.readNoise != 0) && !o.noise.auto:
		return usagef("-noise and -gain with -read-noise are two ways to say the same; give one")
	case r.layout != nil && o.folder:
		return usagef("-mosaic is for one picture, and %s is a folder", o.in)
	case !r.linear:
		return nil
	case o.samples != 0 || o.explain != "" || o.report != "":
		return usagef("-linear is for the restored picture alone, not for -samples, -explain and -report")
	case o.format == "jpg" || !o.folder && o.out.format == picture.JPEG:
		return usagef("-linear needs 16 bits, which JPEG has not; choose PNG or TIFF")
	}
	return nil
}

// given is a picture that was read, with its mask and the raw file that it came from, if it did.
type given struct {
	pic     *picture.Picture
	missing []bool
	raw     *raw.File
}

// decode reads the picture and tells what raw file it came from, if it did.
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

// decodeMosaic reads a mosaic that does not say what it is.
func (o *options) decodeMosaic(r io.Reader, limits picture.Limits) (*picture.Picture, *raw.File, error) {
	name := named(o.in, "stdin")
	if o.in != "-" {
		f, err := os.Open(o.in)
		if err != nil {
			return nil, nil, reason(name, err)
		}
		defer f.Close()
		r = f
	}
	p, file, err := o.raw.layout.Decode(r, limits, o.raw.options())
	if err != nil {
		err = reason(name, err)
	}
	return p, file, err
}

// requestOf is what the flags say of a picture that was read: the noise of a sensor is known by the
// raw file, or by the flags, unless -noise says otherwise.
func (o *options) requestOf(g *given) restore.Request {
	req := o.request(g.missing)
	if g.raw != nil && o.noise.auto {
		req.Profile = g.raw.Profile()
	}
	return req
}

// checkGiven refuses flags for raw files where there is none.
func (o *options) checkGiven(g *given) error {
	if g.raw == nil && o.raw.told() {
		return fmt.Errorf("%s: -gain, -read-noise and -linear are for camera raw files (DNG), and this is none", o.in)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
)

// read loads the picture (from stdin for -) and the mask, and checks that the output formats can
// hold the result. header is picture.Limits.Header. It returns when ctx ends, even if a pipe or a
// decoder does not.
func (o *options) read(ctx context.Context, stdin io.Reader, header func(p *picture.Picture)) (*inputPicture, error) {
	return waitFor(ctx, func() (*inputPicture, error) { return o.load(stdin, header) })
}

// decode is picture.DecodeFile, from stdin for -. It returns when the program is interrupted.
func (a *app) decode(path string, limits picture.Limits) (*picture.Picture, error) {
	limits.Raw = (&raw.Reader{Options: new(rawFlags).options()}).Open
	p, err := waitFor(a.ctx, func() (*picture.Picture, error) {
		if path == "-" {
			return picture.Decode(a.in, limits)
		}
		return picture.DecodeFile(path, limits)
	})
	if a.ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	return p, err
}

// waitFor waits for f or for the end of ctx, which f does not know. In the second case f goes on in
// the background until the program ends.
func waitFor[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := f()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// checkMemory returns an error if there is too little memory to restore a picture of w×h pixels.
func (o *options) checkMemory(w, h int) error {
	req := o.request(nil)
	limits := o.limits()
	levels := limits.Pack > 0 && memory.Bytes(w, h) >= limits.Pack
	given := 3 * 4 // bytes per pixel
	if levels {
		given = 3
	}
	return memory.Check(fmt.Sprintf("%v of %d×%d pixels", o.task, w, h), memory.Sum(memory.Bytes(w, h, given), req.Memory(w, h, levels)))
}

func (o *options) load(stdin io.Reader, header func(p *picture.Picture)) (_ *inputPicture, err error) {
	limits := o.limits()
	limits.Header, limits.Salvage = header, o.salvage
	var noMask error
	limits.Check, limits.Regular = func(w, h int) error {
		if err := o.checkMemory(w, h); err != nil || !o.task.Masked() {
			return err
		}
		noMask = picture.CheckMaskFile(o.mask, w, h, o.limits()) // before a device is opened
		return noMask
	}, o.folder
	in, file, err := o.decode(stdin, limits)
	if noMask != nil { // its text names the mask; the picture is in order
		return nil, noMask
	}
	var large *picture.SizeError
	if errors.As(err, &large) {
		err = fmt.Errorf("%w; -max-megapixels allows more", err)
	}
	if bad := (*picture.DecodeError)(nil); large == nil && errors.As(err, &bad) {
		err = fmt.Errorf("%w%s", err, o.salvageHint(bad))
	}
	if err != nil {
		return nil, err
	}
	g := &inputPicture{pic: in, raw: file}
	if err := o.checkRawFlags(g); err != nil {
		return nil, err
	}
	if o.task.Masked() {
		if g.missing, err = picture.DecodeMaskFile(o.mask, in.W, in.H, o.limits()); err != nil {
			return nil, err
		}
		if allMissing(g.missing) {
			return nil, fmt.Errorf("%s: the mask is white everywhere, so no pixel of the picture is known (white means missing)", o.mask)
		}
	}
	w, h := in.W*o.task.Scale(), in.H*o.task.Scale()
	for _, out := range []output{o.out, o.mean, {path: o.samplesDir, format: o.out.format}} {
		if out.path == "" {
			continue
		}
		err := picture.CheckFormat(out.format, in)
		if err == nil {
			err = picture.CheckSize(out.format, w, h)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", out.path, err)
		}
	}
	if o.std.path != "" {
		if err := picture.CheckSize(o.std.format, w, h); err != nil {
			return nil, fmt.Errorf("%s: %w", o.std.path, err)
		}
	}
	return g, nil
}

func allMissing(v []bool) bool {
	for _, b := range v {
		if !b {
			return false
		}
	}
	return true
}

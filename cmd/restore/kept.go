package main

import (
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
)

// sayDropped tells in one line what of a picture's file is not in the new one, if anything: a quiet loss would be found years later.
func (a *app) sayDropped(in string, p *picture.Picture, f picture.Format) {
	if lost := append(append([]string{}, p.Dropped...), p.Loses(f)...); len(lost) > 0 {
		fmt.Fprintf(a.err, "restore: %s: not kept: %s\n", oneLine(named(in, "stdin")), oneLine(strings.Join(lost, "; ")))
	}
}

// salvagedError says that a picture was written, but that not all of it was there.
type salvagedError struct {
	in string
	s  *picture.Salvage
}

func (e *salvagedError) Error() string {
	there := fmt.Sprintf("%.0f %% of the picture is there and restored, the rest is grey", 100*e.s.Share)
	if e.s.Share == 1 {
		there = "all of the picture is there and restored, but not in all detail"
	}
	return fmt.Sprintf("%s: salvaged: %s (%v)", named(e.in, "stdin"), there, e.s.Err)
}
func (e *salvagedError) Unwrap() error { return e.s.Err }

// hintSalvage is the hint that belongs to an error about a file that is cut off.
func (o *options) hintSalvage(err *picture.DecodeError) string {
	if !o.salvage && (strings.HasPrefix(err.What, "truncated JPEG") || strings.HasPrefix(err.What, "truncated PNG")) {
		return "; -salvage restores what is there"
	}
	return ""
}

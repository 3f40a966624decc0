package main

import (
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
)

// salvagedError says that a picture was written, but that its file did not hold all of it.
type salvagedError struct {
	in string
	s  *picture.Salvage
}

func (e *salvagedError) Error() string {
	there := fmt.Sprintf("%.0f %% of the picture is there and restored, the rest is grey", 100*e.s.Share)
	if e.s.Share == 1 {
		there = "all of the picture is there and restored, but not in all detail"
	}
	return fmt.Sprintf("%s: salvaged: %s (%v)", displayName(e.in, "stdin"), there, e.s.Err)
}
func (e *salvagedError) Unwrap() error { return e.s.Err }

// salvageHint is what to add to an error about a file that is cut off.
func (o *options) salvageHint(err *picture.DecodeError) string {
	if !o.salvage && (strings.HasPrefix(err.What, "truncated JPEG") || strings.HasPrefix(err.What, "truncated PNG")) {
		return "; -salvage restores what is there"
	}
	return ""
}

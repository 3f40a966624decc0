package main

import (
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
)

// reportDropped prints one line that lists what the picture's file held and the new file does not.
// Nobody should find out years later.
func (a *app) reportDropped(in string, p *picture.Picture, f picture.Format) {
	if lost := append(append([]string{}, p.Dropped...), p.Loses(f)...); len(lost) > 0 {
		fmt.Fprintf(a.err, "restore: %s: not kept: %s\n", oneLine(displayName(in, "stdin")), oneLine(strings.Join(lost, "; ")))
	}
}

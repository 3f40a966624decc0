// Command render writes a synthetic photograph, so that the demo needs no real one.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of the picture")
	size := flag.String("size", "512x384", "width x height in pixels")
	flag.Parse()
	if err := run(*seed, *size, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func run(seed uint64, size string, args []string) error {
	var w, h int
	if n, err := fmt.Sscanf(size, "%dx%d", &w, &h); n != 2 || err != nil || w < 1 || h < 1 ||
		w > 8192 || h > 8192 {
		return fmt.Errorf("-size %q is not like 512x384", size)
	}
	if len(args) != 1 {
		return fmt.Errorf("usage: render [-seed N] [-size WxH] out.png")
	}
	m := planar.FromNRGBA(synth.Photo(seed, w, h))
	return picture.EncodeFile(args[0], picture.New(w, h, m.Pix), 0)
}

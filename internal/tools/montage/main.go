// Command montage arranges pictures in rows, for the documentation.
package main

import (
	"flag"
	"fmt"
	"image"
	"os"

	"github.com/disintegration/imaging"
)

func main() {
	columns := flag.Int("columns", 3, "pictures in a row")
	size := flag.String("size", "256x192",
		"width x height of each; others are enlarged or reduced without smoothing")
	flag.Parse()
	if err := run(*columns, *size, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "montage:", err)
		os.Exit(1)
	}
}

func run(columns int, size string, args []string) error {
	var w, h int
	if n, err := fmt.Sscanf(size, "%dx%d", &w, &h); n != 2 || err != nil || w < 1 || h < 1 ||
		columns < 1 {
		return fmt.Errorf("-size %q must be like 256x192, and -columns %d at least 1", size,
			columns)
	}
	if len(args) < 2 {
		return fmt.Errorf("usage: montage [-columns N] [-size WxH] out.jpg in.png ...")
	}
	in := args[1:]
	rows := (len(in) + columns - 1) / columns
	out := imaging.New(w*columns, h*rows, image.White)
	for i, name := range in {
		m, err := imaging.Open(name)
		if err != nil {
			return err
		}
		if m.Bounds().Dx() != w || m.Bounds().Dy() != h {
			m = imaging.Resize(m, w, h, imaging.NearestNeighbor)
		}
		out = imaging.Paste(out, m, image.Pt(i%columns*w, i/columns*h))
	}
	return imaging.Save(out, args[0], imaging.JPEGQuality(88))
}

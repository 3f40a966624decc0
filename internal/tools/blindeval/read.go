package main

import (
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/trainhost/levin"
)

// readLevin reads the MATLAB files of a folder.
func readLevin(dir string) (items []item, err error) {
	list, err := levin.Read(dir)
	for _, s := range list {
		items = append(items, item{s.Name, s.Sharp, s.Blurred, s.Kernel})
	}
	return items, err
}

// readPairs reads the pairs of pictures of a folder.
func readPairs(dir string) ([]item, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_gt.png"))
	if err != nil {
		return nil, err
	}
	var items []item
	for _, f := range files {
		blurred := strings.TrimSuffix(f, "_gt.png") + ".png"
		x, err := brightness(f)
		if err != nil {
			return nil, err
		}
		y, err := brightness(blurred)
		if err != nil {
			return nil, err
		}
		if x.W != y.W || x.H != y.H {
			return nil, fmt.Errorf("%s and %s differ in size: both must have the same", f, blurred)
		}
		items = append(items, item{filepath.Base(blurred), x, y, nil})
	}
	return items, nil
}

// brightness reads the brightness of a picture.
func brightness(path string) (*blind.Plane, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	im, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := im.Bounds()
	p := blind.NewPlane(b.Dx(), b.Dy())
	for y := range p.H {
		for x := range p.W {
			r, g, bl, _ := im.At(b.Min.X+x, b.Min.Y+y).RGBA()
			p.Pix[y*p.W+x] = (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(bl)) / 65535
		}
	}
	return p, nil
}

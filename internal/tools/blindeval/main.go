// Blindeval measures restore/motionblur/blind on pictures whose sharp version is known: how near to
// it deconvolution comes by the blur kernel that is found, and by the true one if it is known.
//
//	blindeval -levin DIR     MATLAB 5 files with matrices x (sharp), y (blurred), f (blur kernel), values from 0 to 1
//	blindeval -pairs DIR     NAME.png (blurred) and NAME_gt.png (sharp); their brightness is compared
//	blindeval -photos DIR    photographs (*.jpg), which it blurs by drawn trajectories, or leaves sharp with -sharp
//
// PSNR is that of values clamped to 0 … 1, without a margin of 20 pixels, after the best shift by
// up to 10 whole pixels and then by quarters of a pixel, because the position of a blur kernel is
// arbitrary. The blurred picture itself is shifted by whole pixels only.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/levin"
)

// item is a picture to measure on.
type item struct {
	name string
	x, y *blind.Plane
	k    *task.Kernel // the true blur kernel; nil: not known
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "blindeval:", err)
		os.Exit(1)
	}
}

func run() error {
	mats := flag.String("levin", "", "folder of MATLAB files")
	pairs := flag.String("pairs", "", "folder of pairs of pictures")
	photos := flag.String("photos", "", "folder of photographs to blur")
	count := flag.Int("count", 8, "photographs that are blurred")
	seed := flag.Uint64("seed", 1, "of the choice of photographs, the trajectories and the noise")
	sigma := flag.Float64("sigma", 0.004, "standard deviation of the noise that is added to photographs; white is 1")
	sharp := flag.Bool("sharp", false, "leave the photographs sharp")
	windows := flag.String("windows", "", "sides of blur kernels to try, separated by commas; empty: the package's own")
	known := flag.Bool("true", true, "also deconvolve by the true blur kernel")
	only := flag.String("only", "", "only pictures with this in their name")
	out := flag.String("out", "", "folder for pictures of the blur kernels: the true one, if known, and one per window")
	verbose := flag.Bool("v", false, "print each window's energy")
	flag.Parse()

	var o blind.Options
	for _, w := range strings.FieldsFunc(*windows, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(w)
		if err != nil {
			return fmt.Errorf("-windows %s: %w", *windows, err)
		}
		o.Windows = append(o.Windows, n)
	}
	var items []item
	for _, from := range []struct {
		dir  string
		read func(dir string) ([]item, error)
	}{
		{*mats, readLevin},
		{*pairs, readPairs},
		{*photos, func(dir string) ([]item, error) { return blurPhotos(dir, *count, *seed, *sigma, *sharp) }},
	} {
		if from.dir == "" {
			continue
		}
		more, err := from.read(from.dir)
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return fmt.Errorf("%s: no pictures to measure on", from.dir)
		}
		items = append(items, more...)
	}
	items = slices.DeleteFunc(items, func(it item) bool { return !strings.Contains(it.name, *only) })
	if len(items) == 0 {
		return fmt.Errorf("no pictures to measure on: name a folder by -levin, -pairs or -photos; if -only is given, some file name must contain it")
	}
	return measure(items, o, *known, *verbose, *out)
}

// measure prints a line per picture and the means.
func measure(items []item, o blind.Options, known, verbose bool, out string) error {
	ctx := context.Background()
	var sum [5]float64
	fmt.Println("| picture | kernel | input | blind | true kernel | finding it, s | deconvolution, s | verdict | width | gain | agreement | noise |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	for i, it := range items {
		began := time.Now()
		r, err := blind.Estimate(ctx, it.y, o)
		if err != nil {
			return fmt.Errorf("%s: %w", it.name, err)
		}
		found := time.Since(began).Seconds()
		began = time.Now()
		z, err := blind.Deconvolve(ctx, it.y, r.Kernel, blind.Deconvolution{})
		if err != nil {
			return fmt.Errorf("%s: %w", it.name, err)
		}
		row := [5]float64{levin.PSNR(it.y, it.x, false), levin.PSNR(z, it.x, true), 0, found, time.Since(began).Seconds()}
		side, kernels := 0, []*task.Kernel{}
		if it.k != nil {
			side, kernels = it.k.Size, append(kernels, it.k)
			if known {
				if z, err = blind.Deconvolve(ctx, it.y, it.k, blind.Deconvolution{}); err != nil {
					return fmt.Errorf("%s: %w", it.name, err)
				}
				row[2] = levin.PSNR(z, it.x, true)
			}
		}
		for j, v := range row {
			sum[j] += v / float64(len(items))
		}
		c := r.Certainty
		fmt.Printf("| %s | %d | %.2f | %.2f | %.2f | %.1f | %.1f | %s | %.2f | %.3f | %.2f | %.4f |\n", it.name, side, row[0], row[1], row[2], row[3], row[4], c.Verdict, c.Width, c.Gain, c.Agreement, c.Noise)
		if verbose {
			for _, c := range r.Candidates {
				fmt.Printf("  window %d: energy %.4f, cut off: %v\n", c.Kernel.Size, c.Energy, c.Cut)
			}
		}
		if out != "" {
			for _, c := range r.Candidates {
				kernels = append(kernels, c.Kernel)
			}
			if err := writeKernels(filepath.Join(out, fmt.Sprintf("kernel-%02d.png", i)), kernels); err != nil {
				return err
			}
		}
	}
	fmt.Printf("| mean of %d | | %.2f | %.2f | %.2f | %.1f | %.1f | | | | | |\n", len(items), sum[0], sum[1], sum[2], sum[3], sum[4])
	return nil
}

// writeKernels writes a picture of blur kernels side by side, each scaled so that its largest
// weight is white.
func writeKernels(path string, kernels []*task.Kernel) (err error) {
	const zoom = 4
	side := 0
	for _, k := range kernels {
		side = max(side, k.Size)
	}
	side = (side + 2) * zoom
	im := image.NewGray(image.Rect(0, 0, side*len(kernels), side))
	for i, k := range kernels {
		most := slices.Max(k.W)
		for y := range k.Size * zoom {
			for x := range k.Size * zoom {
				v := max(0, k.W[y/zoom*k.Size+x/zoom]) / most
				off := (side - k.Size*zoom) / 2
				im.SetGray(i*side+off+x, off+y, color.Gray{Y: uint8(32 + 223*v)})
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return png.Encode(f, im)
}

package main

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
)

// compare prints how similar two pictures are.
func (a *app) compare(args []string) error {
	names, err := a.parse(flagSet("compare"), args, compareHelp)
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return usagef("compare needs two pictures, not %d", len(names))
	}
	if err := checkSizes(names); err != nil {
		return err
	}
	var p [2]*picture.Picture
	for i, name := range names {
		if p[i], err = a.decode(name, picture.Limits{}); err != nil {
			return err
		}
	}
	if err := sameSize(names, [2]int{p[0].W, p[0].H}, [2]int{p[1].W, p[1].H}); err != nil {
		return err
	}
	psnr, err := metric.PSNR(p[0].Planar(), p[1].Planar())
	if err != nil {
		return err
	}
	ssim, err := metric.SSIM(p[0].Planar(), p[1].Planar(), metric.Range)
	if err != nil {
		return err
	}
	if math.IsInf(psnr, 1) {
		fmt.Fprintln(a.out, "PSNR inf dB (the pictures are equal)")
	} else {
		fmt.Fprintf(a.out, "PSNR %.2f dB\n", psnr)
	}
	fmt.Fprintf(a.out, "SSIM %.4f\n", ssim)
	return nil
}

// checkSizes returns an error if the headers of two files show different sizes, before either is
// decoded. Pipes can be read only once, so they are not checked.
func checkSizes(names []string) error {
	var size [2][2]int
	for i, name := range names {
		if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
			return nil
		}
		seen := errors.New("the header is in order")
		_, err := picture.DecodeFile(name, picture.Limits{Check: func(w, h int) error {
			size[i] = [2]int{w, h}
			return seen
		}})
		if !errors.Is(err, seen) {
			return err
		}
	}
	return sameSize(names, size[0], size[1])
}

func sameSize(names []string, a, b [2]int) error {
	if a != b {
		return fmt.Errorf("%s is %d×%d but %s is %d×%d; only pictures of one size can be compared", names[0], a[0], a[1], names[1], b[0], b[1])
	}
	return nil
}

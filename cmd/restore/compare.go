package main

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
)

// compare prints how near two pictures are.
func (a *app) compare(args []string) error {
	names, err := a.parse(flagSet("compare"), args, compareHelp)
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return usagef("compare needs two pictures, not %d", len(names))
	}
	var p [2]*picture.Picture
	for i, name := range names {
		if p[i], err = picture.DecodeFile(name, picture.Limits{}); err != nil {
			return err
		}
	}
	if p[0].W != p[1].W || p[0].H != p[1].H {
		return fmt.Errorf("%s is %d×%d but %s is %d×%d; only pictures of one size can be compared",
			names[0], p[0].W, p[0].H, names[1], p[1].W, p[1].H)
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

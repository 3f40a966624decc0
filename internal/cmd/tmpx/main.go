package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func psnr(a, b *planar.Image) float64 {
	s := 0.0
	for i := range a.Pix {
		d := float64(max(-1, min(1, a.Pix[i])) - b.Pix[i])
		s += d * d
	}
	return 10 * math.Log10(4*float64(len(a.Pix))/s)
}

func main() {
	m, err := restore.Open(restore.Config{Weights: ""})
	if err != nil {
		panic(err)
	}
	defer m.Close()
	fs, _ := filepath.Glob(os.Args[1] + "/*_real.JPG")
	var tot [6]float64
	n := 0.0
	for i, f := range fs {
		if i%4 != 0 {
			continue
		}
		r, err := picture.DecodeFile(f, picture.Limits{})
		if err != nil {
			panic(err)
		}
		g, err := picture.DecodeFile(strings.Replace(f, "_real", "_mean", 1), picture.Limits{})
		if err != nil {
			panic(err)
		}
		img := func(p *picture.Picture) *planar.Image { return &planar.Image{W: p.W, H: p.H, Pix: p.Pix} }
		truth := noise.Measure(img(g), img(r))
		found := new(noise.Estimator).Estimate(noise.Of(img(r), nil))
		truth.Blocks = found.Blocks
		scaled := func(p noise.Profile, s float64) noise.Profile {
			for b := range p.Luma {
				p.Luma[b] *= s
				p.Chroma[b] *= s
			}
			return p
		}
		up := found
		ps := []noise.Profile{found, truth, scaled(truth, 1.3), scaled(found, 1.3), scaled(found, 1.7), up}
		fmt.Printf("%-40s %.2f", filepath.Base(f), psnr(img(r), img(g)))
		for k, p := range ps {
			q := restore.Request{Task: task.Denoise, Noise: -1, Profile: &p}
			if k == 5 {
				q = restore.Request{Task: task.Denoise, Noise: 9}
			}
			res, err := m.Restore(context.Background(), r, q)
			if err != nil {
				panic(err)
			}
			v := psnr(img(res.Picture), img(g))
			tot[k] += v
			fmt.Printf(" %.2f", v)
		}
		n++
		d := func(p noise.Profile) string {
			s := ""
			for b := range p.Luma {
				s += fmt.Sprintf(" %.1f/%.1f", task.Std8(p.Luma[b]), task.Std8(p.Chroma[b]))
			}
			return s
		}
		fmt.Println("\n   found", d(found), "\n   true ", d(truth))
	}
	for k := range tot {
		fmt.Printf(" %.2f", tot[k]/n)
	}
	fmt.Println()
}

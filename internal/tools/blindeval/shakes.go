package main

import (
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// side is that of the pictures that are made. What was beyond them when they were shaken is not in them, as with a camera.
const side = 255

// shakes makes count pictures of a folder's photographs, chosen and shaken by seed; sharp ones if asked. Pictures and noise have values of 1.
func shakes(dir string, count int, seed uint64, sigma float64, sharp bool) ([]item, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(files) == 0 {
		return nil, err
	}
	slices.Sort(files)
	rng := rand.New(rand.NewPCG(seed, 19))
	var out []item
	for tries := 0; len(out) < count && tries < 100*count; tries++ {
		f := files[rng.IntN(len(files))]
		p, err := brightness(f)
		if err != nil {
			return nil, err
		}
		if p.W < 299 || p.H < 299 {
			continue
		}
		if p.W > 600 { // of large ones the middle
			p = p.Crop((p.W-300)/2, (p.H-300)/2, 300, 300)
		}
		k := camera.HandShake(rng, float64(9+2*rng.IntN(11)))
		if sharp {
			k = &task.Kernel{Size: 1, W: []float32{1}}
		}
		m := (p.W - side) / 2
		y := blind.NewPlane(side, side)
		for i := range side {
			for j := range side {
				y.Pix[i*side+j] = blurred(p, k, m+j, m+i) + sigma*rng.NormFloat64()
			}
		}
		out = append(out, item{filepath.Base(f), p.Crop(m, m, side, side), y, k})
	}
	return out, nil
}

// blurred is the value at a place of the picture that k makes of p, whose edge pixels go on.
func blurred(p *blind.Plane, k *task.Kernel, x, y int) float64 {
	s := 0.0
	for a := range k.Size {
		for b := range k.Size {
			i, j := min(max(y+a-k.Size/2, 0), p.H-1), min(max(x+b-k.Size/2, 0), p.W-1)
			s += float64(k.W[a*k.Size+b]) * p.Pix[i*p.W+j]
		}
	}
	return s
}

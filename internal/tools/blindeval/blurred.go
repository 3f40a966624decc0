package main

import (
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// side is the side of the pictures that are made. As with a camera, light from beyond their edges
// is blurred into them.
const side = 255

// blurPhotos makes count blurred pictures from photographs of a folder, or sharp ones, with noise
// of standard deviation sigma. seed draws photographs, blur kernels and noise. White is 1.
func blurPhotos(dir string, count int, seed uint64, sigma float64, sharp bool) ([]item, error) {
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
		if p.W > 600 { // the middle of large ones
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

// blurred is the value at (x, y) of p blurred by k. Edge pixels continue beyond the edges.
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

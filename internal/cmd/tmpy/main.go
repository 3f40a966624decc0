package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func main() {
	fs, _ := filepath.Glob(os.Args[1] + "/*.jpg")
	rng := rand.New(rand.NewPCG(3, 4))
	var cols [8][]float64
	for range 300 {
		p, err := picture.DecodeFile(fs[rng.IntN(len(fs))], picture.Limits{})
		if err != nil || p.W < 200 || p.H < 200 {
			continue
		}
		img := &planar.Image{W: p.W, H: p.H, Pix: p.Pix}
		c, _, _ := parse(rng)
		cl, no, err := c.Shoot(rng, img)
		if err != nil {
			continue
		}
		t := noise.Measure(cl, no)
		s := task.Std8(t.Sigma())
		if s < 2 || s > 15 {
			continue
		}
		l := t.Luma
		for k, v := range []float64{l[1] / l[0], l[2] / l[0], l[3] / l[0], t.Chroma[0] / l[0], t.Chroma[1] / l[1], t.Chroma[2] / l[2], t.Chroma[3] / l[3], s} {
			if !math.IsNaN(v) {
				cols[k] = append(cols[k], v)
			}
		}
	}
	for k, n := range []string{"S1/D", "S2/D", "S3/D", "cD/D", "cS1/S1", "cS2/S2", "cS3/S3", "sigma"} {
		slices.Sort(cols[k])
		fmt.Printf("%-7s", n)
		for _, q := range []float64{.05, .25, .5, .75, .95} {
			fmt.Printf(" %6.2f", cols[k][int(q*float64(len(cols[k])-1))])
		}
		fmt.Println(len(cols[k]))
	}
}

func parse(rng *rand.Rand) (camera.Camera, bool, error) {
	if len(os.Args) < 3 {
		return camera.Draw(rng), true, nil
	}
	c, err := camera.Parse(os.Args[2], rng)
	if err != nil {
		panic(err)
	}
	return c, true, nil
}

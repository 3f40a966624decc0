// Command jpegeval measures the gain of denoising on JPEG pictures, in PSNR of luminance: of the
// network alone, and within the bounds of the file (restore/jpegbound).
//
//	jpegeval -photos DIR -count 10 -quality 10,20,30,40
//	jpegeval -photos DIR -count 24 -fit
//
// Every photograph is halved, which removes most of its own noise and compression, and gives one
// centre crop. With -fit it finds the parameters of jpegbound.Errors with the highest mean PSNR.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/internal/tools/photos"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/jpegbound"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "jpegeval:", err)
		os.Exit(1)
	}
}

// shot is a picture before and after compression, and the result of the network alone.
type shot struct {
	clean, result *planar.Image
	file          *picture.Picture
	noise         float64 // estimated by jpegbound
}

func run() error {
	folder := flag.String("photos", "", "folder of photographs")
	count := flag.Int("count", 10, "photographs, drawn by -seed")
	seed := flag.Uint64("seed", 1, "seed of the choice of photographs and of the noise")
	side := flag.Int("side", 256, "largest side of the crops, in pixels")
	whole := flag.Bool("whole", false, "use whole photographs in full size")
	qualities := flag.String("quality", "10,20,30,40", "qualities of the files")
	sigma := flag.Float64("noise", 0, "white noise before compression, in levels of 255")
	margin := flag.Float64("margin", 4, "factor on the estimated noise")
	file := flag.String("weights", "", "weights file instead of the embedded weights")
	noisy := flag.Bool("denoise", false, "the weights are for noise, not for JPEG")
	fit := flag.Bool("fit", false, "find the parameters of jpegbound.Errors")
	flag.Parse()
	model, err := restore.Open(restore.Config{Weights: *file})
	if err != nil {
		return err
	}
	defer model.Close()
	rng := rand.New(rand.NewPCG(*seed, 1))
	o := photos.Options{Count: *count}
	if !*whole {
		o.Shuffle, o.Halve, o.Side, o.Multiple = rng, true, *side, 8
	}
	clean, err := photos.Load(*folder, o)
	if err != nil {
		return err
	}
	if len(clean) < *count {
		return fmt.Errorf("%s holds %d pictures, not %d", *folder, len(clean), *count)
	}
	start := jpegbound.JPEGNetwork
	if *noisy {
		start = jpegbound.NoiseNetwork
	}
	var all []shot
	for _, text := range strings.Split(*qualities, ",") {
		quality, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		var shots []shot
		for _, x := range clean {
			s, err := shoot(model, x.Image, quality, *sigma, rng)
			if err != nil {
				return err
			}
			shots = append(shots, s)
		}
		report(quality, shots, start, *margin)
		all = append(all, shots...)
	}
	if *fit {
		e := search(all, start, *margin)
		fmt.Printf("%+v\n", e)
		for i := 0; i < len(all); i += len(clean) {
			report(all[i].file.JPEGQuality, all[i:i+len(clean)], e, *margin)
		}
	}
	return nil
}

// shoot compresses a picture and restores it with the network alone.
func shoot(model *restore.Model, x *planar.Image, quality int, sigma float64, rng *rand.Rand) (shot,
	error) {
	y := x.Clone()
	for i := range y.Pix {
		y.Pix[i] += float32(sigma / 127.5 * rng.NormFloat64())
	}
	var file bytes.Buffer
	if err := jpegcodec.Encode(&file, y.Clamp().ToNRGBA(),
		jpegcodec.Options{Quality: quality, Subsampling: jpegcodec.Sub420}); err != nil {
		return shot{}, err
	}
	p, err := picture.Decode(&file, picture.Limits{})
	if err != nil {
		return shot{}, err
	}
	free := *p
	free.Blocks = new(picture.JPEGBlocks) // steps of 0 switch the bounds off
	r, err := model.Restore(context.Background(), &free, restore.Request{Task: task.Denoise})
	if err != nil {
		return shot{}, err
	}
	g := jpegbound.Grid(*p.Blocks)
	noise := jpegbound.Noise(g, p.W, p.H,
		func(dst []float32, y int) [3][]float32 { return rows(p.Planar(), y, dst) })
	return shot{clean: x, result: r.Picture.Planar(), file: p, noise: noise}, nil
}

// rows copies 8 rows of a picture to dst.
func rows(x *planar.Image, y int, dst []float32) (parts [3][]float32) {
	n := 8 * x.W
	for c := range parts {
		parts[c] = dst[c*n : (c+1)*n]
		copy(parts[c], x.Plane(c)[y*x.W:])
	}
	return parts
}

// bounded gives the result within the file's bounds.
func (s *shot) bounded(e jpegbound.Errors, margin float64) *planar.Image {
	out := s.result.Clone()
	b := jpegbound.New(jpegbound.Grid(*s.file.Blocks), e, margin*s.noise)
	given := make([]float32, 3*8*out.W)
	for y := 0; y+8 <= out.H; y += 8 {
		var to [3][]float32
		for c := range to {
			to[c] = out.Plane(c)[y*out.W:][:8*out.W]
		}
		b.Strip(rows(s.file.Planar(), y, given), to, out.W, false)
	}
	return out.Clamp()
}

// report prints the gains at a quality.
func report(quality int, shots []shot, e jpegbound.Errors, margin float64) {
	var file, alone, bounded float64
	least := math.Inf(1)
	for i := range shots {
		s := &shots[i]
		p, a, b := psnr(s.file.Planar(), s.clean), psnr(s.result, s.clean),
			psnr(s.bounded(e, margin), s.clean)
		file, alone, bounded, least = file+p, alone+a-p, bounded+b-p, min(least, b-p)
	}
	n := float64(len(shots))
	fmt.Printf("quality %d: file %.2f dB, the network gains %.3f, within bounds %.3f, at least "+
		"%.2f\n", quality, file/n, alone/n, bounded/n, least)
}

// psnr is the PSNR of luminance of pictures rounded to 8 bits.
func psnr(x, y *planar.Image) float64 {
	round := func(m *planar.Image) *planar.Image { return planar.FromNRGBA(m.ToNRGBA()) }
	v, err := metric.PSNRLuminance(round(x), round(y))
	if err != nil {
		panic(err) // both have the same size
	}
	return v
}

// search finds the parameters with the highest mean PSNR. It steps along each of them, and halves
// the step when no step helps.
func search(shots []shot, e jpegbound.Errors, margin float64) jpegbound.Errors {
	score := func(v [3]float64) float64 {
		sum := 0.0
		for i := range shots {
			sum += psnr(shots[i].bounded(
				jpegbound.Errors{Scale: math.Exp(v[0]), Power: v[1], Fall: v[2]}, margin),
				shots[i].clean)
		}
		return sum / float64(len(shots))
	}
	at := [3]float64{math.Log(e.Scale), e.Power, e.Fall}
	best := score(at)
	for step := 0.4; step > 0.04; {
		var tries [][3]float64
		for i := range at {
			for _, d := range []float64{-step, step} {
				v := at
				v[i] += d
				tries = append(tries, v)
			}
		}
		v := slices.MaxFunc(tries, func(a, b [3]float64) int {
			if score(a) < score(b) {
				return -1
			}
			return 1
		})
		if s := score(v); s > best {
			at, best = v, s
		} else {
			step /= 2
		}
	}
	return jpegbound.Errors{Scale: math.Exp(at[0]), Power: at[1], Fall: at[2]}
}

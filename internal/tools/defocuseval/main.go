// Defocuseval measures restore/defocus on photographs that it blurs: how often and how accurately
// the blur is found, by shape, width and noise.
//
//	defocuseval -photos DIR -count 40 -noise 0,3 -quality 0
//	defocuseval -photos DIR -count 10 -restore 0124
//
// With -restore it also restores the pictures and prints the gain in PSNR. For photographs that it
// leaves sharp it prints the PSNR to the input.
//
// Of every photograph it takes the centre crop of at most 256×256 pixels. The blur is that of the
// brightness; PSNR is in colour.
package main

import (
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
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "defocuseval:", err)
		os.Exit(1)
	}
}

func run() error {
	folder := flag.String("photos", "", "folder of photographs (JPEG, PNG)")
	count := flag.Int("count", 40, "photographs, drawn by -seed")
	seed := flag.Uint64("seed", 1, "draws the photographs and the noise")
	blurs := flag.String("blurs", "none,0.5,0.7,1,1.5,2,3,4,6,disc:1,disc:2,disc:3,disc:4,disc:6,disc:8", "blurs to measure")
	noises := flag.String("noise", "0,3", "standard deviations of white noise, in 8-bit levels")
	quality := flag.Int("quality", 0, "quality of JPEG; 0: no JPEG")
	gamma := flag.Float64("gamma", 2.2, "exponent of the tone curve that follows the blur; 1: displayed values are blurred")
	restoring := flag.String("restore", "", "how to restore, any of these digits: 0 the program, 1 the program given the true blur, 2 deconvolution by the blur found, 3 by the true one, 4 the network for 3 pixels")
	verbose := flag.Bool("v", false, "print every photograph")
	flag.Parse()
	r := &restorer{ways: make([]bool, len(wayNames))}
	for i := range wayNames {
		r.ways[i] = strings.Contains(*restoring, strconv.Itoa(i))
	}
	if r.ways[0] || r.ways[1] || r.ways[4] {
		m, err := restore.Open(restore.Config{})
		if err != nil {
			return err
		}
		defer m.Close()
		r.model = m
	}
	pics, err := photos.Load(*folder, photos.Options{
		Count: *count, Shuffle: rand.New(rand.NewPCG(*seed, 3)), Side: 256,
	})
	if err != nil {
		return err
	}
	if len(pics) == 0 {
		return fmt.Errorf("no photographs in %q", *folder)
	}
	for _, n := range strings.Split(*noises, ",") {
		level, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return err
		}
		fmt.Printf("noise %g, JPEG %d, gamma %g, %d photographs\n", level, *quality, *gamma, len(pics))
		fmt.Println("blur       blurred sharp untold | median found, off by (median, 90 %) | shape right")
		for _, text := range strings.Split(*blurs, ",") {
			b, err := defocus.Parse(text)
			if err != nil {
				return err
			}
			d := trainhost.Defocusing{Blur: b, Gamma: *gamma, Bright: 1, Noise: level, Quality: *quality}
			if err := measure(pics, d, r, *verbose); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure prints a line about one way of blurring.
func measure(pics []photos.Photo, d trainhost.Defocusing, restorer *restorer, verbose bool) error {
	var verdicts [3]int
	gains := make([][]float64, len(wayNames))
	var found, off []float64
	right := 0
	for i, photo := range pics {
		x := photo.Image
		seen, err := d.Shoot(rand.New(rand.NewPCG(7, uint64(i))), x)
		if err != nil {
			return err
		}
		y := trainhost.Brightness(seen)
		r, err := defocus.Estimate(context.Background(), y, defocus.Clipped(y))
		if err != nil {
			return err
		}
		verdicts[r.Certainty.Verdict]++
		if verbose {
			fmt.Printf("  %s: %v %v, sharp %.3f, disc %.2f, spread %.2f\n", photo.Name, r.Certainty.Verdict, r.Blur, r.Certainty.Sharp, r.Certainty.Disc, r.Certainty.Spread)
		}
		list, err := restorer.gains(x, seen, r.Blur, d)
		if err != nil {
			return err
		}
		for way, v := range list {
			if !math.IsNaN(v) {
				gains[way] = append(gains[way], v)
			}
		}
		if verbose {
			fmt.Printf("    %.2f\n", list)
		}
		if r.Certainty.Verdict == blind.Blurred {
			s := r.Blur.Deviation()
			found = append(found, s)
			off = append(off, math.Abs(s/max(d.Blur.Deviation(), 0.1)-1))
			if r.Blur.Shape == d.Blur.Shape {
				right++
			}
		}
	}
	slices.Sort(found)
	slices.Sort(off)
	at := func(list []float64, q float64) float64 {
		if len(list) == 0 {
			return math.NaN()
		}
		return list[int(q*float64(len(list)))]
	}
	fmt.Printf("%-10v %7d %5d %6d | %.2f of %.2f, %3.0f %% %3.0f %% | %d of %d\n", d.Blur, verdicts[blind.Blurred], verdicts[blind.Sharp], verdicts[blind.Untold],
		at(found, 0.5), d.Blur.Deviation(), 100*at(off, 0.5), 100*at(off, 0.9), right, len(found))
	for way, list := range gains {
		if len(list) == 0 {
			continue
		}
		slices.Sort(list)
		sum := 0.0
		for _, v := range list {
			sum += v
		}
		what := "gains"
		if d.Blur.Shape == defocus.None {
			what = "to the picture given:"
		}
		fmt.Printf("    %s: %s %.2f dB, from %.2f to %.2f\n", wayNames[way], what, sum/float64(len(list)), list[0], list[len(list)-1])
	}
	return nil
}

// wayNames are the ways to restore a picture.
var wayNames = []string{"restored by itself", "given the true blur", "deconvolved by the blur found", "deconvolved by the true blur", "the network for 3 pixels"}

// restorer restores pictures in those ways for which ways is set.
type restorer struct {
	model *restore.Model // nil: no way needs it
	ways  []bool
}

// gains is what every way gains, in dB, from the sharp picture x and the blurred one y. It is NaN
// for ways that are not set, and for deconvolution without a blur. If the true blur is none, it is
// the PSNR to y.
func (r *restorer) gains(x, y *planar.Image, found defocus.Blur, d trainhost.Defocusing) ([]float64, error) {
	was := psnr(y, x)
	out := make([]float64, len(wayNames))
	for way := range out {
		out[way] = math.NaN()
		if !r.ways[way] {
			continue
		}
		var z *planar.Image
		var err error
		switch way {
		case 0:
			z, err = r.restore(y, nil)
		case 1:
			z, err = r.restore(y, &d.Blur)
		case 2:
			z, err = deconvolved(y, found)
		case 3:
			z, err = deconvolved(y, d.Blur)
		case 4:
			z, err = r.restore(y, &restore.TrainedBlur)
		}
		if err != nil {
			return nil, err
		}
		if z != nil {
			out[way] = psnr(z, x) - was
			if d.Blur.Shape == defocus.None {
				out[way] = psnr(z, y)
			}
		}
	}
	return out, nil
}

// psnr is the PSNR of two pictures of the same size, in dB.
func psnr(a, b *planar.Image) float64 {
	v, err := metric.PSNR(a, b)
	if err != nil {
		panic(err)
	}
	return v
}

// deconvolved is the picture deconvolved by a blur. It is nil if there is no blur.
func deconvolved(y *planar.Image, b defocus.Blur) (*planar.Image, error) {
	if b.Shape == defocus.None {
		return nil, nil
	}
	n := y.W * y.H
	p := deblur.Picture{W: y.W, H: y.H, Row: func(dst []float32, c, row, from int) {
		copy(dst, y.Pix[c*n+row*y.W+from:])
	}}
	pix, err := deblur.Deconvolve(context.Background(), p, blind.UniformField(y.W, y.H, b.Kernel()), noise.Estimate(y, nil), true)
	if err != nil {
		return nil, err
	}
	return (&planar.Image{W: y.W, H: y.H, Pix: pix}).Clamp(), nil
}

// restore restores a picture by the program, which estimates the blur if given is nil.
func (r *restorer) restore(y *planar.Image, given *defocus.Blur) (*planar.Image, error) {
	p := &picture.Picture{W: y.W, H: y.H, Pix: y.Pix, Depth: 8}
	result, err := r.model.Restore(context.Background(), p, restore.Request{Task: task.GaussianDeblur, Blur: given})
	if err != nil {
		return nil, err
	}
	return result.Picture.Planar(), nil
}

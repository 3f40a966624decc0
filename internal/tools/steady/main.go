// Command steady measures averaging over time. It makes short videos with white noise from
// photographs (still camera, panning by half pixels, a moving square). A stream restores them frame
// by frame, with and without averaging.
//
//	go run ./internal/tools/steady [-sigma 20] FOLDER
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	frames = 12
	begin  = 4   // frames before this one do not count
	margin = 160 // range of the camera's motion in pixels of the photograph
)

// kind is a kind of video: the camera's motion from frame to frame in half pixels, and whether a
// square moves across.
type kind struct {
	name   string
	dx, dy int
	square bool
}

var kinds = []kind{{"still", 0, 0, false}, {"pan of 1.5, 0.5 pixels", 3, 1, false},
	{"pan of 6, 2.5 pixels", 12, 5, false}, {"still, a square crosses", 0, 0, true}}

func main() {
	sigma := flag.Float64("sigma", 20, "noise, in 8-bit levels")
	flag.Parse()
	if err := run(flag.Arg(0), *sigma); err != nil {
		log.Fatal("steady: ", err)
	}
}

func run(folder string, sigma float64) error {
	m, err := restore.Open(restore.Config{})
	if err != nil {
		return err
	}
	defer m.Close()
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	sums := make([][6]float64, len(kinds))
	n := 0.0
	for i, f := range files {
		p, err := picture.DecodeFile(filepath.Join(folder, f.Name()), picture.Limits{})
		if err != nil {
			return err
		}
		n++
		for k, what := range kinds {
			one, err := score(m, p, what, sigma, uint64(i), false)
			if err != nil {
				return err
			}
			mean, err := score(m, p, what, sigma, uint64(i), true)
			if err != nil {
				return err
			}
			for j, v := range []float64{one.psnr, mean.psnr, one.flicker, mean.flicker, one.behind,
				mean.behind} {
				sums[k][j] += v
			}
		}
	}
	fmt.Printf("%.0f pictures, noise of %g levels\n\n| camera | each frame by itself | averaged "+
		"| gain | flicker, levels | behind the square, levels |\n|---|---|---|---|---|---|\n", n,
		sigma)
	for k, what := range kinds {
		s := sums[k]
		fmt.Printf("| %s | %.2f | %.2f | %+.2f |", what.name, s[0]/n, s[1]/n, (s[1]-s[0])/n)
		if what.dx == 0 {
			fmt.Printf(" %.2f → %.2f |", s[2]/n, s[3]/n)
		} else {
			fmt.Print(" |")
		}
		if what.square {
			fmt.Printf(" %.2f → %.2f |\n", s[4]/n, s[5]/n)
		} else {
			fmt.Println(" |")
		}
	}
	return nil
}

type result struct{ psnr, flicker, behind float64 }

// score restores a video. behind is the root mean square error at the square's position in the
// previous frame, flicker the standard deviation over time.
func score(m *restore.Model, p *picture.Picture, what kind, sigma float64, seed uint64,
	temporal bool) (r result, err error) {
	w, h := (p.W-margin)/2, (p.H-margin)/2
	if w < 96 || h < 64 {
		return r, fmt.Errorf("a picture of %d×%d pixels is too small", p.W, p.H)
	}
	s, err := m.NewStream(restore.StreamConfig{
		Task: task.Denoise, Noise: sigma, W: w, H: h, In: frame.Format{Kind: frame.Float32},
		Out: frame.Format{Kind: frame.Float32}, Temporal: temporal,
	})
	if err != nil {
		return r, err
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(seed, 1))
	buf := make([]byte, s.InSize())
	sum, squares := make([]float64, 3*w*h), make([]float64, 3*w*h)
	for t := range frames {
		x := half(p, 8+what.dx*t, 8+what.dy*t, w, h)
		step := (w - 40) / frames
		if what.square {
			paint(x, w, h, step*t)
		}
		noisy := make([]float32, len(x))
		for i, v := range x {
			noisy[i] = v + float32(rng.NormFloat64()*sigma/127.5)
		}
		if _, err := binary.Encode(buf, binary.LittleEndian, noisy); err != nil {
			return r, err
		}
		if err := s.Submit(context.Background(), buf); err != nil {
			return r, err
		}
		out := make([]byte, s.OutSize())
		if _, err := s.Receive(context.Background(), out); err != nil {
			return r, err
		}
		y := make([]float32, len(x))
		if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, y); err != nil {
			return r, err
		}
		if t < begin {
			continue
		}
		var all, behind, area float64
		for i := range x {
			d := 127.5 * float64(y[i]-x[i])
			all += d * d
			sum[i] += 127.5 * float64(y[i])
			squares[i] += 127.5 * 127.5 * float64(y[i]) * float64(y[i])
			if u, v := i%w, i/w%h; v >= h/3 && v < h/3+32 && u >= step*(t-1) && u < step*t {
				behind, area = behind+d*d, area+1
			}
		}
		const counted = frames - begin
		r.psnr += 10 * math.Log10(255*255*float64(len(x))/all) / counted
		r.behind += math.Sqrt(behind/area) / counted
	}
	const n = frames - begin
	for i := range sum {
		r.flicker += (squares[i] - sum[i]*sum[i]/n) / (n - 1) / float64(len(sum))
	}
	r.flicker = math.Sqrt(r.flicker)
	return r, nil
}

// half is the camera's view of the photograph from a position, at half its size.
func half(p *picture.Picture, x0, y0, w, h int) []float32 {
	out := make([]float32, 3*w*h)
	for c := range 3 {
		for y := range h {
			for x := range w {
				at := (c*p.H+2*y+y0)*p.W + 2*x + x0
				out[(c*h+y)*w+x] = (p.Pix[at] + p.Pix[at+1] + p.Pix[at+p.W] + p.Pix[at+p.W+1]) / 4
			}
		}
	}
	return out
}

// paint draws the square.
func paint(x []float32, w, h, left int) {
	for c, v := range []float32{0.3, -0.2, 0.1} {
		for y := h / 3; y < h/3+32; y++ {
			for u := left; u < left+32; u++ {
				x[(c*h+y)*w+u] = v
			}
		}
	}
}

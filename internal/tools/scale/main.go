// Command scale measures time and memory for pictures of growing size. It runs the restore program
// on each, and writes a table and a plot.
//
//	scale -bin bin/restore [-task denoise] [-largest 48] [-memory] [-svg FILE]
//
// Sizes are those of the results: super-resolution gets pictures with a quarter of the side. For
// inpainting a third of the pixels is missing. The time is that of the second of two restorations
// in one process, from decoded picture to picture. The memory is that of the program, which
// decodes, restores and encodes one picture. It includes the device's memory if the device shares
// it, like lavapipe.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func main() {
	bin := flag.String("bin", "bin/restore", "the program")
	name := flag.String("task", "denoise", "task")
	largest := flag.Float64("largest", 48, "megapixels of the largest picture")
	only := flag.Bool("memory", false, "measure the memory only")
	svg := flag.String("svg", "", "file of the plot")
	one := flag.String("time", "", "restore this picture twice, print the seconds of the second "+
		"time, and end (for the program's own use)")
	flag.Parse()
	var err error
	if *one != "" {
		err = restoreTwice(*one, *name)
	} else {
		err = measure(*bin, *name, *largest, *only, *svg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// sizes are those of 4:3 pictures, except the first, which is the networks' usual square.
var sizes = [][2]int{{256, 256}, {640, 480}, {1152, 864}, {2304, 1728}, {4000, 3000}, {5656, 4242},
	{8000, 6000}}

func measure(bin, name string, largest float64, only bool, svg string) error {
	what, err := task.Parse(name)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scale")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var perPixel, memory plotter.XYs
	fmt.Println("| megapixels | pixels | seconds | µs per pixel | peak memory, MB |")
	fmt.Println("|---|---|---|---|---|")
	for _, s := range sizes {
		mp := float64(s[0]*s[1]) / 1e6
		if mp > largest {
			break
		}
		in := filepath.Join(dir, "in.png")
		w, h := s[0]/what.Scale(), s[1]/what.Scale()
		if err := picture.EncodeFile(in, scene(w, h), 0); err != nil {
			return err
		}
		args := []string{"-task", name, "-noise", "10"}
		if what.Masked() {
			mask := filepath.Join(dir, "mask.png")
			if err := picture.EncodeFile(mask, picture.FromMask(holes(w*h), w, h), 0); err != nil {
				return err
			}
			args = append(args, "-mask", mask)
		}
		peak, _, err := run(bin, append(args, in, filepath.Join(dir, "out.png"))...)
		if err != nil {
			return err
		}
		if only {
			fmt.Printf("| %.2f | %d×%d | | | %.0f |\n", mp, s[0], s[1], peak)
			continue
		}
		_, text, err := run(os.Args[0], "-time", in, "-task", name)
		if err != nil {
			return err
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return err
		}
		fmt.Printf("| %.2f | %d×%d | %.2f | %.3f | %.0f |\n", mp, s[0], s[1], seconds, seconds/mp,
			peak)
		perPixel = append(perPixel, plotter.XY{X: mp, Y: seconds / mp})
		memory = append(memory, plotter.XY{X: mp, Y: peak / 1000})
	}
	if svg == "" || only {
		return nil
	}
	return draw(svg, name, perPixel, memory)
}

func draw(svg, name string, perPixel, memory plotter.XYs) error {
	p := plot.New()
	p.Title.Text = "restore -task " + name
	p.X.Label.Text = "megapixels"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Min = 0
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	if err := plotutil.AddLinePoints(p, "µs per pixel", perPixel, "peak memory, GB",
		memory); err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 9*vg.Centimeter, svg)
}

// restoreTwice restores a picture twice, and prints the seconds of the second time.
func restoreTwice(path, name string) error {
	what, err := task.Parse(name)
	if err != nil {
		return err
	}
	in, err := picture.DecodeFile(path, picture.Limits{Pack: 1})
	if err != nil {
		return err
	}
	m, err := restore.Open(restore.Config{})
	if err != nil {
		return err
	}
	defer m.Close()
	req := restore.Request{Task: what, Noise: 10}
	if what == task.GaussianDeblur {
		req.Blur = &restore.TrainedBlur
	}
	if what.Masked() {
		req.Mask = holes(in.W * in.H)
	}
	var began time.Time
	for range 2 {
		began = time.Now()
		if _, err := m.Restore(context.Background(), in, req); err != nil {
			return err
		}
	}
	fmt.Println(time.Since(began).Seconds())
	return nil
}

// run runs a program and measures its peak memory, by VmHWM of Linux. The peak that wait4 gives
// would include this process.
func run(bin string, args ...string) (megabytes float64, text string, err error) {
	cmd := exec.Command(bin, args...)
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	if err := cmd.Start(); err != nil {
		return 0, "", err
	}
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				return 0, "", fmt.Errorf("%w: %s", err, fault.String())
			}
			return megabytes, out.String(), nil
		case <-time.After(20 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if m := highWater.FindSubmatch(status); m != nil {
				kb, _ := strconv.ParseFloat(string(m[1]), 64)
				megabytes = max(megabytes, kb*1024/1e6)
			}
		}
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s*([0-9]+) kB`)

// holes marks a random third of n pixels.
func holes(n int) []bool {
	missing := make([]bool, n)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range missing {
		missing[i] = rng.IntN(3) == 0
	}
	return missing
}

// scene is a synthetic photograph, continued by reflection, with noise of 10 levels.
func scene(w, h int) *picture.Picture {
	const side = 640
	tile := planar.FromNRGBA(synth.Photo(1, side, side))
	rng := rand.New(rand.NewPCG(1, 2))
	m := planar.New(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				m.Set(c, x, y, tile.At(c, planar.Mirror(x, side), planar.Mirror(y, side))+float32(
					10/127.5*rng.NormFloat64()))
			}
		}
	}
	return picture.New(w, h, m.Pix)
}

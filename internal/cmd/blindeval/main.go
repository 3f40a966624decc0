package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vfmrestore/restore/restore/shake/blind"
	"github.com/vfmrestore/restore/restore/task"
)

var (
	noise  = flag.Float64("noise", 0, "")
	levin  = flag.String("levin", "", "folder")
	photos = flag.String("photos", "", "folder")
	count  = flag.Int("count", 8, "")
	seed   = flag.Int("seed", 1, "")
	sigma  = flag.Float64("sigma", 0.004, "")
	wins   = flag.String("windows", "23", "")
	out    = flag.String("out", "", "")
	only   = flag.String("only", "", "")
)

type item struct {
	name string
	x, y *blind.Plane
	k    *task.Kernel
}

func main() {
	t := blind.DefaultTune()
	flag.IntVar(&t.Outer, "outer", t.Outer, "")
	flag.IntVar(&t.CG, "cg", t.CG, "")
	flag.IntVar(&t.KSteps, "ksteps", t.KSteps, "")
	flag.Float64Var(&t.FloorNoise, "floor", t.FloorNoise, "")
	flag.Float64Var(&t.StartNoise, "start", t.StartNoise, "")
	flag.Float64Var(&t.Decay, "decay", t.Decay, "")
	flag.BoolVar(&t.Joint, "joint", t.Joint, "")
	flag.Float64Var(&t.Thresh, "thresh", t.Thresh, "")
	flag.Float64Var(&t.Prune, "prune", t.Prune, "")
	flag.BoolVar(&t.Verbose, "v", false, "")
	flag.Float64Var(&t.RefineNoise, "rnoise", t.RefineNoise, "")
	flag.Float64Var(&t.Ridge, "ridge", t.Ridge, "")
	flag.Float64Var(&t.Smooth, "smooth", t.Smooth, "")
	flag.Float64Var(&t.Sparse, "sparse", t.Sparse, "")
	flag.IntVar(&t.Wait, "wait", t.Wait, "")
	e := blind.DefaultEdges()
	flag.Float64Var(&e.Lambda, "l0", e.Lambda, "")
	flag.IntVar(&e.Iters, "iters", e.Iters, "")
	flag.Float64Var(&e.Kappa, "kappa", e.Kappa, "")
	flag.Float64Var(&e.Most, "most", e.Most, "")
	flag.Float64Var(&e.Tik, "tik", e.Tik, "")
	flag.Float64Var(&e.Thresh, "ethresh", e.Thresh, "")
	flag.Float64Var(&e.Prune, "eprune", e.Prune, "")
	flag.Float64Var(&e.Smooth, "esmooth", e.Smooth, "")
	flag.Float64Var(&e.Sel, "sel", e.Sel, "")
	flag.Float64Var(&e.ShrinkL, "shrinkl", e.ShrinkL, "")
	flag.Float64Var(&e.First, "first", e.First, "")
	flag.IntVar(&e.KSteps, "eksteps", e.KSteps, "")
	mode := flag.String("mode", "edges", "")
	fast := flag.Bool("fast", false, "")
	flag.Parse()
	var items []item
	if *levin != "" {
		files, _ := filepath.Glob(filepath.Join(*levin, "*.mat"))
		for _, f := range files {
			m, err := readMat(f)
			if err != nil {
				panic(err)
			}
			items = append(items, item{filepath.Base(f), plane(m["x"]), plane(m["y"]), kern(m["f"])})
		}
	}
	if *photos != "" {
		items = append(items, shakes(*photos, *count, uint64(*seed), *sigma)...)
	}
	var sum [5]float64
	var ks []*task.Kernel
	num, ncc := 0.0, 0.0
	dec := blind.Deconvolution{Noise: *noise}
	if *fast {
		dec.Steps, dec.Second = 16, -1
	}
	for i, it := range items {
		if *only != "" && !strings.Contains(it.name, *only) {
			continue
		}
		num++
		nb := func(k *task.Kernel) *blind.Plane {
			z, err := blind.Deconvolve(context.Background(), it.y, k, dec)
			if err != nil {
				panic(err)
			}
			return z
		}
		r := []float64{psnr(it.y, it.x, false), psnr(nb(it.k), it.x, false)}
		ks = nil
		bestF, chosen, oracle := 1e9, 0.0, 0.0
		msg := ""
		took := 0.0
		for _, w := range strings.Split(*wins, ",") {
			n, _ := strconv.Atoi(w)
			st := time.Now()
			var k *task.Kernel
			var f float64
			switch *mode {
			case "edges":
				k, f = blind.ExpEdges(it.y, n, e, t.Verbose)
			case "both":
				k, f = blind.ExpBoth(it.y, n, e, t)
			case "vb":
				k, f = blind.Exp(it.y, n, t)
			}
			took += time.Since(st).Seconds()
			ks = append(ks, k)
			z := nb(k)
			p := psnr(z, it.x, true)
			msg += fmt.Sprintf(" | %d: %.2f F %.4f ncc %.3f", n, p, f, blind.NCC(k, it.k))
			ncc += blind.NCC(k, it.k)
			if f < bestF {
				bestF, chosen = f, p
			}
			oracle = max(oracle, p)
		}
		r = append(r, chosen, oracle, took)
		for j := range r {
			sum[j] += r[j]
		}
		fmt.Printf("%d %s side %d in %.2f true %.2f chosen %.2f oracle %.2f %.1fs%s\n", i, it.name, it.k.Size, r[0], r[1], r[2], r[3], took, msg)
		if *out != "" {
			show(filepath.Join(*out, fmt.Sprintf("k%02d.png", i)), append([]*task.Kernel{it.k}, ks...))
		}
	}
	fmt.Printf("mean in %.2f true %.2f chosen %.2f oracle %.2f %.2fs ncc %.3f\n", sum[0]/num, sum[1]/num, sum[2]/num, sum[3]/num, sum[4]/num, ncc/num/float64(len(ks)))
}

func show(path string, ks []*task.Kernel) {
	const n, z = 41, 4
	im := image.NewGray(image.Rect(0, 0, n*z*len(ks), n*z))
	for i, k := range ks {
		m := float32(0)
		for _, v := range k.W {
			m = max(m, v)
		}
		for y := range n * z {
			for x := range n * z {
				a, b := y/z-n/2+k.Size/2, x/z-n/2+k.Size/2
				v := uint8(40)
				if a >= 0 && a < k.Size && b >= 0 && b < k.Size {
					v = uint8(255 * max(0, k.W[a*k.Size+b]/m))
				}
				im.SetGray(i*n*z+x, y, color.Gray{v})
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	png.Encode(f, im)
	f.Close()
}

func plane(m matrix) *blind.Plane { return &blind.Plane{W: m.cols, H: m.rows, Pix: m.v} }

func kern(m matrix) *task.Kernel {
	k := &task.Kernel{Size: m.rows, W: make([]float32, len(m.v))}
	for i, v := range m.v {
		k.W[i] = float32(v)
	}
	return k
}

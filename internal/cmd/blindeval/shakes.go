package main

import (
	"image"
	_ "image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"

	"github.com/vfmrestore/restore/restore/shake/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// shakes blurs count photographs of a folder by handheld trajectories; the same seed gives the same.
func shakes(dir string, count int, seed uint64, sigma float64) []item {
	files, _ := filepath.Glob(filepath.Join(dir, "*.jpg"))
	sort.Strings(files)
	rng := rand.New(rand.NewPCG(seed, 19))
	var out []item
	for len(out) < count {
		f := files[rng.IntN(len(files))]
		p := luminance(f)
		if p == nil || p.W < 299 || p.H < 299 {
			continue
		}
		if p.W > 600 { // large ones: a window of their middle
			p = p.Crop((p.W-300)/2, (p.H-300)/2, 300, 300)
		}
		size := 9 + 2*rng.IntN(11)
		k := trajectory(rng, float64(size))
		const side = 255
		m := (p.W - side) / 2
		x := p.Crop(m, m, side, side)
		y := blind.NewPlane(side, side)
		for i := range side {
			for j := range side {
				s := 0.0
				for a := range k.Size {
					for b := range k.Size {
						yy := min(max(m+i+a-k.Size/2, 0), p.H-1)
						xx := min(max(m+j+b-k.Size/2, 0), p.W-1)
						s += float64(k.W[a*k.Size+b]) * p.Pix[yy*p.W+xx]
					}
				}
				y.Pix[i*side+j] = s + sigma*rng.NormFloat64()
			}
		}
		out = append(out, item{filepath.Base(f), x, y, k})
	}
	return out
}

func luminance(path string) *blind.Plane {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	im, _, err := image.Decode(f)
	if err != nil {
		return nil
	}
	b := im.Bounds()
	p := blind.NewPlane(b.Dx(), b.Dy())
	for y := range p.H {
		for x := range p.W {
			r, g, bl, _ := im.At(b.Min.X+x, b.Min.Y+y).RGBA()
			p.Pix[y*p.W+x] = (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(bl)) / 65535
		}
	}
	return p
}

// trajectory draws the path of a hand: a velocity that keeps its direction for a while, is drawn back to the middle, trembles, and jerks at times;
// scaled so that its larger extent is size pixels; drawn by a pen of about a pixel.
func trajectory(rng *rand.Rand, size float64) *task.Kernel {
	const steps = 1000
	var xs, ys []float64
	var x, y float64
	a := 2 * math.Pi * rng.Float64()
	vx, vy := math.Cos(a), math.Sin(a)
	tremor := 0.05 + 0.25*rng.Float64()
	pull := 0.0002 + 0.003*rng.Float64()*rng.Float64()
	jerk := 0.0005 + 0.004*rng.Float64()
	for range steps {
		if rng.Float64() < jerk {
			a := 2 * math.Pi * rng.Float64()
			s := 0.5 + rng.Float64()
			vx, vy = vx*0.3+s*math.Cos(a), vy*0.3+s*math.Sin(a)
		}
		vx += tremor*0.2*rng.NormFloat64() - pull*x
		vy += tremor*0.2*rng.NormFloat64() - pull*y
		s := math.Hypot(vx, vy)
		vx, vy = vx*(1-0.02*(s-1)), vy*(1-0.02*(s-1))
		x, y = x+vx, y+vy
		xs, ys = append(xs, x), append(ys, y)
	}
	lo := func(v []float64) (l, h float64) {
		l, h = v[0], v[0]
		for _, u := range v {
			l, h = min(l, u), max(h, u)
		}
		return
	}
	x0, x1 := lo(xs)
	y0, y1 := lo(ys)
	scale := (size - 2) / max(x1-x0, y1-y0)
	mx, my := 0.0, 0.0
	for i := range xs {
		xs[i], ys[i] = xs[i]*scale, ys[i]*scale
		mx, my = mx+xs[i]/steps, my+ys[i]/steps
	}
	reach := 0.0
	for i := range xs {
		reach = max(reach, math.Abs(xs[i]-mx), math.Abs(ys[i]-my))
	}
	n := 2*int(math.Ceil(reach+1.5)) + 1
	k := &task.Kernel{Size: n, W: make([]float32, n*n)}
	w := make([]float64, n*n)
	pen := 0.3 + 0.3*rng.Float64()
	sum := 0.0
	for i := range xs {
		cx, cy := xs[i]-mx+float64(n/2), ys[i]-my+float64(n/2)
		for yy := int(cy) - 2; yy <= int(cy)+3; yy++ {
			for xx := int(cx) - 2; xx <= int(cx)+3; xx++ {
				if xx >= 0 && yy >= 0 && xx < n && yy < n {
					v := math.Exp(-((float64(xx)-cx)*(float64(xx)-cx) + (float64(yy)-cy)*(float64(yy)-cy)) / (2 * pen * pen))
					w[yy*n+xx] += v
					sum += v
				}
			}
		}
	}
	for i := range w {
		k.W[i] = float32(w[i] / sum)
	}
	return k
}

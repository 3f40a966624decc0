package patch

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// channels of a pixel: three colours, and as a measure of texture the mean absolute differences of
// neighbours along x and along y around it.
const channels = 5

// textureWeight is the weight of texture relative to colours. It is above 1, because differences of
// neighbours are small.
const textureWeight = 4

// level is a picture at one size.
type level struct {
	w, h    int
	pix     []float32 // channels for every pixel
	unknown []bool    // pixels that are missing or hidden
	target  []bool    // those to fill
	depth   []int32   // of these
	source  []bool    // middles of the patches without unknown pixels
	sources []int32   // the same as a list
	queries []int32   // middles of the patches with a pixel to fill
	// match is the middle of the most similar source, by the middle of the query. It is 0 for other
	// patches.
	match []int32
	cost  []float32 // the distance of the two patches
}

func newLevel(w, h int) *level {
	return &level{w: w, h: h, pix: make([]float32, w*h*channels), unknown: make([]bool, w*h), target: make([]bool, w*h)}
}

// pyramid adds texture to the finest level, makes coarser levels until the hole is about as deep as
// half a patch, and lists the sources and queries of all levels. It returns nil if hardly anything
// is known.
func pyramid(l *level, depth int) ([]*level, error) {
	if err := l.texture(); err != nil {
		return nil, err
	}
	levels := []*level{l}
	for ; depth > half && min(l.w, l.h) >= 4*side; depth /= 2 {
		next := l.smaller()
		next.index()
		if len(next.sources) < leastSources {
			break
		}
		levels = append(levels, next)
		l = next
	}
	levels[0].index()
	if len(levels[0].sources) < leastSources {
		return nil, nil
	}
	return levels, nil
}

// index lists sources and queries.
func (l *level) index() {
	l.depth = depths(l.w, l.h, l.target)
	l.source = make([]bool, l.w*l.h)
	// sum is the integral image of a mask: the number of set pixels above and to the left of a
	// corner.
	sum := func(mask []bool) []int32 {
		s := make([]int32, (l.w+1)*(l.h+1))
		for y := range l.h {
			row := int32(0)
			for x := range l.w {
				if mask[y*l.w+x] {
					row++
				}
				s[(y+1)*(l.w+1)+x+1] = s[y*(l.w+1)+x+1] + row
			}
		}
		return s
	}
	target, unknown := sum(l.target), sum(l.unknown)
	in := func(s []int32, x, y int) int32 {
		a, b, stride := x-half, y-half, l.w+1
		return s[(b+side)*stride+a+side] - s[b*stride+a+side] - s[(b+side)*stride+a] + s[b*stride+a]
	}
	l.match, l.cost = make([]int32, l.w*l.h), make([]float32, l.w*l.h)
	for y := half; y < l.h-half; y++ {
		for x := half; x < l.w-half; x++ {
			i := int32(y*l.w + x)
			if in(unknown, x, y) == 0 {
				l.source[i] = true
				l.sources = append(l.sources, i)
			}
			if in(target, x, y) > 0 {
				l.queries = append(l.queries, i)
			}
		}
	}
}

// smaller is the level of half the size. A pixel is unknown if one of its four pixels is. It is the
// mean of the known ones among the four, or of all if none is known.
func (l *level) smaller() *level {
	s := newLevel((l.w+1)/2, (l.h+1)/2)
	for y := range s.h {
		for x := range s.w {
			k := y*s.w + x
			var known, all [channels]float32
			var n, m float32
			for _, d := range [4][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				i := min(2*y+d[1], l.h-1)*l.w + min(2*x+d[0], l.w-1)
				m++
				for c, v := range l.pix[i*channels:][:channels] {
					all[c] += v
				}
				if l.unknown[i] {
					s.unknown[k] = true
					s.target[k] = s.target[k] || l.target[i]
					continue
				}
				n++
				for c, v := range l.pix[i*channels:][:channels] {
					known[c] += v
				}
			}
			for c := range channels {
				if s.pix[k*channels+c] = all[c] / m; n > 0 {
					s.pix[k*channels+c] = known[c] / n
				}
			}
		}
	}
	return s
}

// textureReach is how many pixels around a pixel its texture is measured.
const textureReach = 8

// texture sets the last two channels to the mean absolute difference of known neighbours around a
// pixel. Where nothing is known, they are continued smoothly.
func (l *level) texture() error {
	gray := func(i int) float64 {
		p := l.pix[i*channels:]
		return float64(p[0]+p[1]+p[2]) / 3
	}
	all, mask := planar.New(l.w, l.h), make([]float32, l.w*l.h)
	for c, step := range [2]int{1, l.w} {
		sum, count := make([]float64, l.w*l.h), make([]float64, l.w*l.h)
		for y := range l.h - c {
			for x := range l.w - (1 - c) {
				if i := y*l.w + x; !l.unknown[i] && !l.unknown[i+step] {
					sum[i], count[i] = math.Abs(gray(i+step)-gray(i)), 1
				}
			}
		}
		sum, count = box(sum, l.w, l.h), box(count, l.w, l.h)
		for i, n := range count {
			if n > 0.5 {
				all.Plane(c)[i], mask[i] = float32(textureWeight*sum[i]/n), 1
			}
		}
	}
	smooth, err := task.PushPull(all, mask)
	if err != nil {
		return err
	}
	for i := range mask {
		l.pix[i*channels+3], l.pix[i*channels+4] = smooth.Plane(0)[i], smooth.Plane(1)[i]
	}
	return nil
}

// box sums values over all pixels up to textureReach away along each axis.
func box(v []float64, w, h int) []float64 {
	for range 2 { // each pass sums along x and transposes
		out := make([]float64, len(v))
		for y := range h {
			row, sum := v[y*w:][:w], 0.0
			for x := -textureReach; x < w; x++ {
				if x+textureReach < w {
					sum += row[x+textureReach]
				}
				if x-textureReach-1 >= 0 {
					sum -= row[x-textureReach-1]
				}
				if x >= 0 {
					out[x*h+y] = sum
				}
			}
		}
		v, w, h = out, h, w
	}
	return v
}

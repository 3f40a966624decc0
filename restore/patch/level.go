package patch

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// channels of a pixel: three colours and the mean steepness along x and y around it, its texture.
const channels = 5

// textureWeight is how much of texture counts beside colours: it is small, as steepness is a
// difference of neighbours.
const textureWeight = 4

// level is a picture at one size.
type level struct {
	w, h    int
	pix     []float32 // channels for every pixel
	unknown []bool    // pixels that were missing
	target  []bool    // those of them that are to be filled
	depth   []int32   // of these
	whole   []bool    // patches in which nothing is missing, by their middle
	list    []int32   // of these
	seekers []int32   // middles of the patches with a pixel to fill
	mate    []int32   // of every seeker, by its place in the picture: the middle of the patch that is most like it
	cost    []float32 // and how far it is from that
}

func newLevel(w, h int) *level {
	return &level{w: w, h: h, pix: make([]float32, w*h*channels), unknown: make([]bool, w*h), target: make([]bool, w*h)}
}

// pyramid adds texture to the finest level, makes the coarser ones until the hole is about as deep
// as a patch is wide, and lists what is looked for and where. It gives nil where hardly anything is
// known.
func pyramid(l *level, depth int) ([]*level, error) {
	if err := l.texture(); err != nil {
		return nil, err
	}
	levels := []*level{l}
	for ; depth > half && min(l.w, l.h) >= 4*side; depth /= 2 {
		next := l.smaller()
		next.index()
		if len(next.list) < sources {
			break
		}
		levels = append(levels, next)
		l = next
	}
	levels[0].index()
	if len(levels[0].list) < sources {
		return nil, nil
	}
	return levels, nil
}

// index lists seekers and whole patches.
func (l *level) index() {
	l.depth = depths(l.w, l.h, l.target)
	l.whole = make([]bool, l.w*l.h)
	// How many pixels to fill, and missing ones, there are above and left of a corner.
	sum := func(of []bool) []int32 {
		s := make([]int32, (l.w+1)*(l.h+1))
		for y := range l.h {
			row := int32(0)
			for x := range l.w {
				if of[y*l.w+x] {
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
	l.mate, l.cost = make([]int32, l.w*l.h), make([]float32, l.w*l.h)
	for y := half; y < l.h-half; y++ {
		for x := half; x < l.w-half; x++ {
			i := int32(y*l.w + x)
			if in(unknown, x, y) == 0 {
				l.whole[i] = true
				l.list = append(l.list, i)
			}
			if in(target, x, y) > 0 {
				l.seekers = append(l.seekers, i)
			}
		}
	}
}

// smaller is the level of half the size: a pixel is missing if one of its four is, and then the
// mean of those that are not, if any.
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

// textureReach is how many pixels around one its texture is of.
const textureReach = 8

// texture fills the last two channels: the mean absolute difference of neighbours around a pixel,
// of what is known, and from there on smoothly into what is not.
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

// box sums values over the neighbours of textureReach.
func box(v []float64, w, h int) []float64 {
	for range 2 { // along x, and then along y of what lies on its side
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

package task

import "github.com/vfmrestore/restore/restore/planar"

// blur is a kernel as a list of the weights that are not 0. Motion kernels are thin lines: a few
// hundred of 3721 weights.
type blur struct {
	half int // Size/2, the padding
	taps []tap
}

type tap struct {
	a, b int // row and column in the kernel
	w    float64
}

func newBlur(k *Kernel) *blur {
	b := &blur{half: k.Size / 2}
	for i, w := range k.W {
		if w != 0 {
			b.taps = append(b.taps, tap{i / k.Size, i % k.Size, float64(w)})
		}
	}
	return b
}

// blurForward correlates a plane of w×h values with the kernel, with the plane reflected at its
// edges.
func blurForward[T real](k *blur, x []T, w, h int) []T {
	pw, ph := w+2*k.half, h+2*k.half
	padded := make([]T, pw*ph)
	cols := reflections(pw, k.half, w)
	for i, r := range reflections(ph, k.half, h) {
		row, src := padded[i*pw:(i+1)*pw], x[r*w:(r+1)*w]
		for j, c := range cols {
			row[j] = src[c]
		}
	}
	out := make([]T, w*h)
	parallel(h, w*h*len(k.taps), func(y0, y1 int) {
		acc := make([]float64, w)
		for y := y0; y < y1; y++ {
			clear(acc)
			for _, t := range k.taps {
				from := (y+t.a)*pw + t.b
				axpy(acc, t.w, padded[from:from+w])
			}
			for i, v := range acc {
				out[y*w+i] = T(v)
			}
		}
	})
	return out
}

// blurBackward is the adjoint: it spreads every value by the kernel over the padded plane, then
// adds the padding to the pixels that it repeats.
func blurBackward[T real](k *blur, y []T, w, h int) []T {
	pw, ph := w+2*k.half, h+2*k.half
	padded := make([]float64, pw*ph)
	parallel(ph, w*h*len(k.taps), func(p0, p1 int) {
		for p := p0; p < p1; p++ {
			row := padded[p*pw : (p+1)*pw]
			for _, t := range k.taps {
				if r := p - t.a; r >= 0 && r < h {
					axpy(row[t.b:t.b+w], t.w, y[r*w:(r+1)*w])
				}
			}
		}
	})
	folded := make([]float64, w*h)
	cols := reflections(pw, k.half, w)
	for i, r := range reflections(ph, k.half, h) {
		for j, c := range cols {
			folded[r*w+c] += padded[i*pw+j]
		}
	}
	out := make([]T, w*h)
	for i, v := range folded {
		out[i] = T(v)
	}
	return out
}

// reflections returns, for each of total positions of a padded axis, the index among n that it
// repeats.
func reflections(total, pad, n int) []int {
	idx := make([]int, total)
	for i := range idx {
		idx[i] = planar.Mirror(i-pad, n)
	}
	return idx
}

package blind

import (
	"context"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

// Deconvolution are the options of Deconvolve. The zero value is good for pictures with little
// noise.
type Deconvolution struct {
	// Noise is the standard deviation of the picture's white noise, in units of Plane. 0 means
	// 0.003, about that of 8 bits and a good camera.
	Noise float64
	// Unknown marks the pixels, row by row, whose values say nothing, clipped ones above all. nil
	// means that every pixel counts.
	Unknown []bool
	// Slope is Options.Slope. The noise at a pixel is Noise times its slope. The prior expects larger
	// differences where the slope is larger.
	Slope *Plane
	// Steps is the number of iterations. 0 means 36; 100 gain 0.1 dB.
	Steps int
	// Centred shifts the blur kernel, by fractions of a pixel, so that its weights' geometric median
	// is at its middle. The position of a blur kernel that was found is arbitrary, as the sharp
	// picture could be shifted against it. With Centred the result shows about what the camera saw
	// at the middle of the exposure, and the results of different windows fit together.
	Centred bool
	// Workers is the number of cores that work on a picture of several blocks. 0 means one. The
	// result does not depend on it.
	Workers int
}

const (
	defaultNoise = 0.003
	defaultSteps = 36
)

// Deconvolve returns the sharp picture x of which y is the correlation with the blur kernel k
// (task.Kernel), cut to y's size. y also contains light from up to half a blur kernel beyond its
// edges. What lies there is estimated too, so the edges need no taper. Values are not clamped.
//
// It minimises ½Σ(k ⋆ x − y)² over the known pixels, plus a weight times Σ|g ⋆ x|^0.8 over five
// filters g (Levin et al., Image and depth from a conventional camera with a coded aperture, 2007);
// see splitting.
//
// Pictures of more than about 512 pixels on a side are processed in blocks, so it needs memory for
// the picture and for one block per worker. Blocks overlap by more than three times the blur
// kernel's side, which is as far as pixels influence each other, and are blended in the middle of
// the overlap.
//
// It fails if y, k or o are invalid, and with ctx.Err().
func Deconvolve(ctx context.Context, y *Plane, k *task.Kernel, o Deconvolution) (*Plane, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	if err := k.Check(); err != nil {
		return nil, err
	}
	if o.Unknown != nil && len(o.Unknown) != len(y.Pix) {
		return nil, fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(o.Unknown), len(y.Pix))
	}
	if err := checkSlope(o.Slope, y); err != nil {
		return nil, err
	}
	if !(o.Noise >= 0 && o.Noise <= math.MaxFloat32) {
		return nil, fmt.Errorf("noise of standard deviation %v: must be finite and at least 0", o.Noise)
	}
	if o.Steps < 0 {
		return nil, fmt.Errorf("%d steps: must be at least 0", o.Steps)
	}
	if o.Noise == 0 {
		o.Noise = defaultNoise
	}
	if o.Steps == 0 {
		o.Steps = defaultSteps
	}
	return deconvolve(ctx, y, k, o, blockSide)
}

// deconvolve is Deconvolve with blocks of at most the given side, surroundings included.
func deconvolve(ctx context.Context, y *Plane, k *task.Kernel, o Deconvolution, most int) (*Plane, error) {
	cols, rows := cut(y.W, k.Size, most), cut(y.H, k.Size, most)
	p := newSplitter(cols.length, rows.length, fromTask(k), o.Centred)
	t := team.New(max(1, o.Workers))
	states := make([]*splitting, t.Workers())
	out := NewPlane(y.W, y.H)
	// Blocks are added to the result one after the other, always in the same order. So no two workers
	// write to the same pixel, and the order of summation is fixed.
	count := len(cols.starts) * len(rows.starts)
	added := make([]chan struct{}, count)
	for i := range added {
		added[i] = make(chan struct{})
	}
	err := t.Each(ctx, count, func(worker, i int) {
		defer close(added[i])
		if states[worker] == nil {
			states[worker] = p.newSplitting()
		}
		s, col, row := states[worker], i%len(cols.starts), i/len(cols.starts)
		x0, y0 := cols.starts[col], rows.starts[row]
		s.begin(y, o.Unknown, x0, y0)
		if !s.run(ctx, o.Steps, o.Noise*s.setSlope(o.Slope, x0, y0)) {
			return
		}
		if i > 0 {
			select {
			case <-added[i-1]:
			case <-ctx.Done():
				return
			}
		}
		wx, wy := cols.weights(col), rows.weights(row)
		for dy, v := range wy {
			from, to := s.c.row(s.x, dy), out.Pix[(y0+dy)*y.W+x0:][:len(wx)]
			for dx, w := range wx {
				to[dx] += v * w * float64(from[dx])
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const (
	blockSide = 512 // of a block with its overlaps and with room for the blur kernel
	overlap   = 16  // pixels that two blocks overlap in addition to three times the blur kernel's side
	fade      = 16  // pixels over which one block fades into the next
)

// blocks are the overlapping intervals of one length that one side of a picture is cut into.
type blocks struct {
	length int
	starts []int
}

// cut cuts a side into blocks. With room for a blur kernel of n they are at most most pixels long.
func cut(side, n, most int) blocks {
	shared := 3*n + overlap
	// A block must overlap only its neighbours, so large blur kernels need larger blocks.
	most = max(most-n-1, 3*shared)
	if side <= most {
		return blocks{side, []int{0}}
	}
	count := 1 + (side-most+most-shared-1)/(most-shared)
	b := blocks{length: shared + (side-shared+count-1)/count}
	for i := range count {
		b.starts = append(b.starts, i*(side-b.length)/(count-1))
	}
	return b
}

// weights are the weights of block i at each of its pixels. Those of all blocks add up to 1
// everywhere.
func (b blocks) weights(i int) []float64 {
	w := make([]float64, b.length)
	rise := func(j, at int) float64 { // from block j to the next, at a pixel of the side
		middle := float64(b.starts[j]+b.length+b.starts[j+1]) / 2
		t := min(max((float64(at)+0.5-middle)/fade+0.5, 0), 1)
		return t * t * (3 - 2*t)
	}
	for j := range w {
		w[j] = 1
		if i > 0 {
			w[j] = rise(i-1, b.starts[i]+j)
		}
		if i+1 < len(b.starts) {
			w[j] -= rise(i, b.starts[i]+j)
		}
	}
	return w
}

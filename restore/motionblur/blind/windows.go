package blind

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

// The blur may vary over a picture, as the camera turns or people move. So large pictures are cut
// into overlapping windows. Each has its own blur kernel, and the results fade into each other.
const (
	windowSide    = 224 // pixels between the middles of neighbouring windows, about
	windowOverlap = 64  // pixels that windows overlap, at least
	mostAcross    = 7   // windows along a side; in larger pictures the windows are larger
	wholeSide     = 320 // a side of up to this many pixels is not cut
	windowRim     = 24  // pixels around a window that are deconvolved with it, at least
	leastForBlur  = 48  // least side, in pixels, of a picture in which a blur kernel is looked for
	fewWindows    = 6   // that are all examined
	// uniformCoherence is the coherence of kernels that are the same everywhere.
	uniformCoherence = 0.95
)

// Window is a rectangle of a picture with its blur.
type Window struct {
	X, Y, W, H int
	Certainty  Certainty // of the window alone
	// Kernel is the blur kernel that the window is deconvolved with. nil means that the window
	// stays as it is.
	Kernel *task.Kernel
	// Borrowed says that Kernel is a neighbour's, because none could be found for the window.
	Borrowed bool

	own  *kernel // the most likely one for the window, certain or not; nil: none was looked for
	side int     // the side in pixels with which own was found
}

// Field is the blur of a picture, which may vary from window to window.
type Field struct {
	W, H    int
	Windows []Window // row by row
	Shared  bool     // whether the windows have the same blur kernel, found in several at once
	// Probable says that the shared blur kernel is probably the right one, but not surely.
	Probable bool
	// Light says that blur adds up the picture's light, not its values (package deblur).
	Light          bool
	across, down   int
	columns, lines []span
}

// span is a window's extent along an axis.
type span struct{ from, size int }

// spans cuts an axis of n pixels.
func spans(n int) []span {
	if n <= wholeSide {
		return []span{{0, n}}
	}
	count := min(max(2, int(math.Round(float64(n-windowOverlap)/windowSide))), mostAcross)
	size := (n + (count-1)*windowOverlap + count - 1) / count
	list := make([]span, count)
	for i := range list {
		list[i] = span{i * (n - size) / (count - 1), size}
	}
	return list
}

// EstimateField finds the blur kernels of a picture's windows. If there are at least four, it first
// looks for a blur kernel that they share (Field.Shared), and whether they are sharp. If that tells
// nothing, windows have blur kernels of their own, and untold ones take that of a neighbour. If all
// windows are untold or sharp, none has a blur kernel. If there are more than fewWindows, those
// with most detail, one half, are examined first. If none of these is blurred, or if all of them
// are blurred alike, the others count as untold and are not examined. It fails as Estimate does,
// except that a picture that is too small is untold.
func EstimateField(ctx context.Context, y *Plane, o Options) (*Field, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	f := newField(y.W, y.H)
	if min(y.W, y.H) < leastForBlur {
		return f, nil
	}
	order := f.byDetail(y)
	if len(order) >= sharedWindows {
		told, err := f.examineShared(ctx, y, o, order[:sharedWindows])
		if told || err != nil {
			return f, err
		}
	}
	if len(order) > fewWindows {
		first := order[:(len(order)+1)/2]
		if err := f.examine(ctx, y, o, first); err != nil {
			return nil, err
		}
		order = order[len(first):]
		blurred := 0
		for _, i := range first {
			if f.Windows[i].Kernel != nil {
				blurred++
			}
		}
		if blurred == 0 || blurred == len(first) && f.Coherence() >= uniformCoherence {
			order = nil
		}
	}
	if err := f.examine(ctx, y, o, order); err != nil {
		return nil, err
	}
	f.borrow()
	return f, nil
}

// EstimateAlike is the first step of EstimateField: it looks for a blur kernel that all windows of a
// picture share. It returns nil if this tells nothing. It fails as EstimateField does.
func EstimateAlike(ctx context.Context, y *Plane, o Options) (*Field, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	if !CanShare(y.W, y.H) {
		return nil, nil
	}
	f := newField(y.W, y.H)
	told, err := f.examineShared(ctx, y, o, f.byDetail(y)[:sharedWindows])
	if err != nil || !told {
		return nil, err
	}
	return f, nil
}

// examine finds the blur kernels of some windows.
func (f *Field) examine(ctx context.Context, y *Plane, o Options, windows []int) error {
	t := team.New(max(1, o.Workers))
	results, errs := make([]*Result, len(windows)), make([]error, len(windows))
	if len(windows) > 1 {
		o.Workers = 1
	}
	err := t.Each(ctx, len(windows), func(_, k int) {
		w := f.Windows[windows[k]]
		results[k], errs[k] = Estimate(ctx, y.Crop(w.X, w.Y, w.W, w.H), o.cut(y.W, w))
	})
	if err != nil {
		return err
	}
	for k, r := range results {
		if errs[k] != nil {
			return errs[k]
		}
		w := &f.Windows[windows[k]]
		w.own, w.side = fromTask(r.Kernel), r.side
		if w.Certainty = r.Certainty; r.Certainty.Verdict == Blurred {
			w.Kernel = r.Kernel
		}
	}
	return nil
}

// byDetail lists the windows, those with most detail (detailIn) first.
func (f *Field) byDetail(y *Plane) []int {
	order, detail := make([]int, len(f.Windows)), make([]float64, len(f.Windows))
	for i, w := range f.Windows {
		order[i], detail[i] = i, detailIn(y, nil, w.X, w.Y, w.W, w.H)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(detail[b], detail[a]) })
	return order
}

// UniformField is the field of a picture of w×h pixels with the same blur kernel everywhere.
func UniformField(w, h int, k *task.Kernel) *Field {
	f := newField(w, h)
	for i := range f.Windows {
		f.Windows[i].Kernel = k
	}
	return f
}

func newField(w, h int) *Field {
	f := &Field{W: w, H: h, columns: spans(w), lines: spans(h)}
	f.across, f.down = len(f.columns), len(f.lines)
	for _, y := range f.lines {
		for _, x := range f.columns {
			f.Windows = append(f.Windows, Window{X: x.from, Y: y.from, W: x.size, H: y.size})
		}
	}
	return f
}

// neighbours are the windows around window i, up to eight.
func (f *Field) neighbours(i int) (list []*Window) {
	for v := max(0, i/f.across-1); v <= min(f.down-1, i/f.across+1); v++ {
		for u := max(0, i%f.across-1); u <= min(f.across-1, i%f.across+1); u++ {
			if k := v*f.across + u; k != i {
				list = append(list, &f.Windows[k])
			}
		}
	}
	return list
}

// borrow gives untold windows the blur kernel of the most certain of the windows around them. It
// repeats this, so that blur kernels spread from near to far.
func (f *Field) borrow() {
	type loan struct {
		to     int
		kernel *task.Kernel
	}
	for range f.across + f.down {
		var loans []loan
		for i, w := range f.Windows {
			if w.Kernel != nil || w.Certainty.Verdict != Untold {
				continue
			}
			var best *Window
			for _, n := range f.neighbours(i) {
				if n.Kernel != nil && (best == nil || n.Certainty.Gain > best.Certainty.Gain) {
					best = n
				}
			}
			if best != nil {
				loans = append(loans, loan{i, best.Kernel})
			}
		}
		for _, l := range loans {
			f.Windows[l.to].Kernel, f.Windows[l.to].Borrowed = l.kernel, true
		}
	}
}

// Verdict is the picture's: blurred if any window is, else sharp if any window is.
func (f *Field) Verdict() Verdict {
	v := Untold
	for _, w := range f.Windows {
		if w.Kernel != nil {
			return Blurred
		}
		if w.Certainty.Verdict == Sharp {
			v = Sharp
		}
	}
	return v
}

// Best is the window whose own blur kernel is the most certain. It is nil if there is none.
func (f *Field) Best() (best *Window) {
	for i := range f.Windows {
		if w := &f.Windows[i]; w.Kernel != nil && !w.Borrowed && (best == nil || w.Certainty.Gain > best.Certainty.Gain) {
			best = w
		}
	}
	return best
}

// uniform returns the blur kernel of all windows, if that is the same. Else it returns nil.
func (f *Field) uniform() *task.Kernel {
	var k *task.Kernel
	for i, w := range f.Windows {
		if i > 0 && w.Kernel != k {
			return nil
		}
		k = w.Kernel
	}
	return k
}

// Deconvolve undoes the blur window by window and blends the results. If all windows have the same
// blur kernel, there are no windows. Windows without a blur kernel stay as they are. d.Unknown is of
// the whole picture. workers windows are deconvolved at the same time. It fails as the function
// Deconvolve does.
func (f *Field) Deconvolve(ctx context.Context, y *Plane, d Deconvolution, workers int) (*Plane, error) {
	if k := f.uniform(); k != nil {
		d.Workers = workers
		return Deconvolve(ctx, y, k, d)
	}
	out := NewPlane(y.W, y.H)
	parts, errs := make([]*Plane, len(f.Windows)), make([]error, len(f.Windows))
	err := team.New(max(1, workers)).Each(ctx, len(parts), func(_, i int) {
		w := f.Windows[i]
		if w.Kernel == nil {
			parts[i] = y.Crop(w.X, w.Y, w.W, w.H)
			return
		}
		rim := max(windowRim, w.Kernel.Size)
		x0, y0 := max(0, w.X-rim), max(0, w.Y-rim)
		x1, y1 := min(y.W, w.X+w.W+rim), min(y.H, w.Y+w.H+rim)
		seen := Window{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
		part := d
		part.Unknown = cutMap(d.Unknown, y.W, seen)
		if d.Slope != nil {
			part.Slope = d.Slope.Crop(x0, y0, x1-x0, y1-y0)
		}
		var x *Plane
		if x, errs[i] = Deconvolve(ctx, y.Crop(x0, y0, x1-x0, y1-y0), w.Kernel, part); errs[i] == nil {
			parts[i] = x.Crop(w.X-x0, w.Y-y0, w.W, w.H)
		}
	})
	if err != nil {
		return nil, err
	}
	across, down := fades(f.columns, y.W), fades(f.lines, y.H)
	for i, p := range parts {
		if errs[i] != nil {
			return nil, errs[i]
		}
		w := f.Windows[i]
		fx, fy := across[i%f.across], down[i/f.across]
		for v := range w.H {
			row := out.Pix[(w.Y+v)*y.W+w.X:][:w.W]
			for u, z := range p.Pix[v*w.W:][:w.W] {
				row[u] += fx[u] * fy[v] * z
			}
		}
	}
	return out, nil
}

// fades are the weights of every span's pixels. They rise and fall over the overlaps, and add up to
// 1 everywhere.
func fades(list []span, n int) [][]float64 {
	weights, sum := make([][]float64, len(list)), make([]float64, n)
	for i, s := range list {
		w := make([]float64, s.size)
		for j := range w {
			w[j] = 1
			if i > 0 {
				w[j] = ramp(float64(j)+0.5, list[i-1].from+list[i-1].size-s.from)
			}
			if i+1 < len(list) {
				w[j] *= ramp(float64(s.size-j)-0.5, s.from+s.size-list[i+1].from)
			}
			sum[s.from+j] += w[j]
		}
		weights[i] = w
	}
	for i, s := range list {
		for j := range weights[i] {
			weights[i][j] /= sum[s.from+j]
		}
	}
	return weights
}

// ramp rises smoothly from 0 to 1 over the given number of pixels.
func ramp(at float64, over int) float64 {
	if at >= float64(over) {
		return 1
	}
	s := math.Sin(math.Pi / 2 * at / float64(over))
	return s * s
}

// cutMap is the part of a map of unknown pixels that lies in a window. It is nil if none is marked.
func cutMap(unknown []bool, width int, w Window) []bool {
	if unknown == nil {
		return nil
	}
	var part []bool
	some := false
	for v := range w.H {
		row := unknown[(w.Y+v)*width+w.X:][:w.W]
		for _, u := range row {
			some = some || u
		}
		part = append(part, row...)
	}
	if !some {
		return nil
	}
	return part
}

// Coherence is the mean similarity, 0 to 1, of the blur kernels of neighbouring windows that both
// have their own. It is 0 if there are none. Windows see different parts of the picture, so blur
// kernels that agree are hardly wrong.
func (f *Field) Coherence() float64 {
	sum, n := 0.0, 0
	own := func(i int) *task.Kernel {
		if w := &f.Windows[i]; !w.Borrowed {
			return w.Kernel
		}
		return nil
	}
	compare := func(i, k int) {
		if a, b := own(i), own(k); a != nil && b != nil {
			sum += similarity(fromTask(a), fromTask(b))
			n++
		}
	}
	for i := range f.Windows {
		if (i+1)%f.across != 0 {
			compare(i, i+1)
		}
		if i+f.across < len(f.Windows) {
			compare(i, i+f.across)
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Enlarged is the field of a picture of w×h pixels whose half (package pyramid) has this field. Its
// blur kernels are interpolated.
func (f *Field) Enlarged(w, h int) *Field {
	e := &Field{W: w, H: h, Shared: f.Shared, Light: f.Light, across: f.across, down: f.down}
	e.columns, e.lines = enlargedSpans(f.columns, w), enlargedSpans(f.lines, h)
	made := map[*task.Kernel]*task.Kernel{} // neighbours share borrowed ones
	for i, small := range f.Windows {
		x, y := e.columns[i%f.across], e.lines[i/f.across]
		large := Window{X: x.from, Y: y.from, W: x.size, H: y.size, Certainty: small.Certainty, Borrowed: small.Borrowed}
		large.Certainty.Width *= 2
		if k := small.Kernel; k != nil {
			if made[k] == nil {
				made[k] = fromTask(k).scaled(2, 2*k.Size+1).export()
			}
			large.Kernel = made[k]
		}
		e.Windows = append(e.Windows, large)
	}
	return e
}

// enlargedSpans doubles the extents along an axis of n pixels.
func enlargedSpans(list []span, n int) []span {
	out := make([]span, len(list))
	for i, s := range list {
		out[i] = span{2 * s.from, min(2*s.size, n-2*s.from)}
	}
	return out
}

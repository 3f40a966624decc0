package blind

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// explainNoise times a part's noise is used, because the noise varies with the slope, and the model
// does not.
const explainNoise = 1.3

// Explain returns by how much the blur kernels of f lower the free energy of y compared with no
// blur, per difference of pixels: Certainty.Gain of the blur kernels as they are. It looks at up to
// four windows that have one, those with most detail. ok is false if there are none, or if the
// windows are too small for their blur kernels. It fails if y or o are invalid, and
// with ctx.Err().
func (f *Field) Explain(ctx context.Context, y *Plane, o Options) (gain float64, ok bool, err error) {
	if err := y.Check(); err != nil {
		return 0, false, err
	}
	if err := o.check(y); err != nil {
		return 0, false, err
	}
	var windows []Window
	for _, i := range f.byDetail(y) {
		w := f.Windows[i]
		if w.Kernel != nil && min(w.W, w.H) >= max(leastSide, 2*w.Kernel.Size) && len(windows) < sharedWindows {
			windows = append(windows, w)
		}
	}
	gains := make([]float64, len(windows))
	err = team.New(max(1, o.Workers)).Each(ctx, len(windows), func(_, i int) {
		w := windows[i]
		s := search{o.part(y, w)}
		s[0].noise *= explainNoise
		gains[i] = s.withoutBlur(ctx).energy - s.improve(ctx, fromTask(w.Kernel).trimmed(trimMargin), moveSharp).energy
	})
	for _, g := range gains {
		gain += g / float64(len(gains))
	}
	return gain, len(gains) > 0, err
}

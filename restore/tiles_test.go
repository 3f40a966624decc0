package restore

import (
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// TestTileSizeDoesNotMatter compares pictures restored whole with the same pictures in tiles, for
// both kinds of margin.
func TestTileSizeDoesNotMatter(t *testing.T) {
	rnd := newRand(t)
	tasks := append(task.All(), task.Inpaint)
	const allowed = 5e-5 // of a range of 2: a 150th of an 8-bit level
	worst := 0.0
	for _, margin := range []int{FullMargin, NoMargin} {
		for i, size := range [][2]int{{1, 1}, {3, 5}, {37, 61}, {130, 70}} {
			w, h := size[0], size[1]
			what := tasks[rnd.IntN(len(tasks))]
			if i == 1 {
				what = task.SuperResolve
			}
			p := randomPicture(rnd, w, h)
			req := request(rnd, what, p)
			if i == 2 {
				req.Samples = 2
			}
			want := restored(t, sharedModel(t, 0, margin), p, req)
			for _, tile := range []int{16, 48} {
				tiles := 0
				req.Progress = func(done, total int) { tiles = done }
				got := restored(t, sharedModel(t, tile, margin), p, req)
				d := apart(got.Picture.Pix, want.Picture.Pix)
				for k := range got.Samples {
					d = max(d, apart(got.Samples[k].Pix, want.Samples[k].Pix))
				}
				worst = max(worst, d)
				if !(d <= allowed) {
					t.Errorf("%v, %d×%d pixels, margin %d: %d tiles of %d differ by %g from the whole", what, w, h, margin, tiles, tile, d)
				}
				if (margin == FullMargin || w > 64) && tiles < 8 {
					t.Errorf("%d×%d pixels in tiles of %d were only %d tiles", w, h, tile, tiles)
				}
			}
		}
	}
	t.Logf("largest difference %.2g", worst)

	// The comparison would detect a halo that is too small.
	m := variant(t, sharedModel(t, 16, NoMargin))
	m.general.halo = 16
	p := randomPicture(rnd, 130, 70)
	req := request(rnd, task.Denoise, p)
	half := restored(t, m, p, req)
	d := apart(half.Picture.Pix, restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix)
	if !(d > 10*allowed) {
		t.Errorf("half a halo makes a difference of only %g", d)
	}
}

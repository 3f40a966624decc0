package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Diagnosis says what is wrong with a picture, as far as that can be estimated without the
// networks.
type Diagnosis struct {
	Noise   noise.Profile
	Motion  *Blur   // what motion-deblur would find; it finds more, as it denoises first
	Defocus *Blur   // what gaussian-deblur would find
	Black   float64 // share of the visible pixels, 0 to 1, with all channels black
	White   float64 // share of the visible pixels, 0 to 1, with any channel white
	// Steps are the tasks that repair the picture, in order; none if it needs none.
	Steps []task.Task
}

const (
	// worthDenoising is the noise, in 8-bit levels, from which on denoising is advised. Less noise
	// is hardly visible.
	worthDenoising = 1.5
	// worthUnblocking is the visibility of JPEG's blocks (noise.Profile.Blocks) from which on
	// denoising is advised.
	worthUnblocking = 0.35
)

// Inspect says what is wrong with a picture, which is not changed. It needs no device. Errors:
// *RequestError if the picture cannot be used, and ctx.Err().
func Inspect(ctx context.Context, pic *picture.Picture) (*Diagnosis, error) {
	req := Request{Task: task.Denoise}
	if err := check(pic, req); err != nil {
		return nil, err
	}
	seen, err := fillHidden(pic, req.isKnown)
	if err != nil {
		return nil, err
	}
	j := &job{req: req, task: task.Denoise, pic: seen, w: pic.W, h: pic.H}
	if seen != pic {
		j.original = pic
	}
	j.setNoise(j.findNoise())
	d := &Diagnosis{Noise: j.profile}
	if d.Motion, err = j.findBlur(ctx, nil); err != nil {
		return nil, err
	}
	if d.Defocus, err = j.findDefocus(ctx); err != nil {
		return nil, err
	}
	d.clipped(j)
	d.Steps = d.advise(j)
	return d, nil
}

// advise chooses the tasks. At most one blur is undone. Each of the two searches takes the other's
// blur for its own, and a defocused picture's motion kernel is round. So if both find a blur and
// the kernel is round, the search that estimates one number only (defocus) decides.
func (d *Diagnosis) advise(j *job) []task.Task {
	switch {
	case d.Motion.Verdict == blind.Blurred && !(d.Defocus.Verdict == blind.Blurred && round(d.Motion.Kernel)):
		return []task.Task{task.MotionDeblur}
	case d.Defocus.Verdict == blind.Blurred:
		return []task.Task{task.GaussianDeblur} // which denoises first
	case j.noise >= worthDenoising || d.Noise.Blocks >= worthUnblocking:
		return []task.Task{task.Denoise}
	}
	return nil
}

// round reports whether a kernel is about as wide in all directions.
func round(k *task.Kernel) bool {
	if k == nil {
		return true
	}
	var sum, mx, my, xx, xy, yy float64
	for i, w := range k.W {
		x, y, v := float64(i%k.Size), float64(i/k.Size), float64(w)
		sum, mx, my = sum+v, mx+v*x, my+v*y
		xx, xy, yy = xx+v*x*x, xy+v*x*y, yy+v*y*y
	}
	mx, my = mx/sum, my/sum
	xx, xy, yy = xx/sum-mx*mx, xy/sum-mx*my, yy/sum-my*my
	// The ratio of the variances along the axes is at most 2: (λ₁/λ₂ ≤ 2) ⇔ trace² ≤ 4.5·det.
	return square(xx+yy) <= 4.5*(xx*yy-xy*xy)
}

func square(v float64) float64 { return v * v }

// clipped counts the visible pixels that are black and those that are white.
func (d *Diagnosis) clipped(j *job) {
	const edge = 1 - 1.0/255 // half a level of 8 bits from the end
	given := j.input()
	var rows [3][]float32
	for c := range rows {
		rows[c] = make([]float32, j.pic.W)
	}
	black, white, all := 0, 0, 0
	for y := range j.pic.H {
		for c := range rows {
			given.Row(rows[c], c, y, 0)
		}
		for x := range j.pic.W {
			if j.original != nil && !visible(j.original, y*j.pic.W+x) {
				continue
			}
			r, g, b := rows[0][x], rows[1][x], rows[2][x]
			if max(r, g, b) <= -edge {
				black++
			}
			if max(r, g, b) >= edge {
				white++
			}
			all++
		}
	}
	if all > 0 {
		d.Black, d.White = float64(black)/float64(all), float64(white)/float64(all)
	}
}

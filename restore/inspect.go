package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Diagnosis says what is wrong with a picture, as far as it can be told without a network.
type Diagnosis struct {
	Noise   noise.Profile
	Motion  *Blur   // what motion-deblur would find
	Defocus *Blur   // what gaussian-deblur would find
	Black   float64 // share of the pixels, 0 to 1, all of whose channels are black
	White   float64 // share of which any channel is white
	// Steps are the tasks that mend it, in their order; none if the picture is sound.
	Steps []task.Task
}

const (
	// worthDenoising is the noise, in 8-bit levels, from which on denoising is advised: less is
	// hardly seen.
	worthDenoising = 1.5
	// worthUnblocking is how visible JPEG's blocks are (noise.Profile.Blocks) from which on
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
	if d.Motion, err = j.findBlur(ctx); err != nil {
		return nil, err
	}
	if d.Defocus, err = j.findDefocus(ctx); err != nil {
		return nil, err
	}
	d.clipped(j)
	d.Steps = d.advise(j)
	return d, nil
}

// advise chooses the tasks. One blur is undone at most: of the two searches each takes the other's
// blur for its own, and a defocused picture's motion kernel is round, so the search with one number
// to find goes first where both find something narrow.
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

// round tells whether a kernel is about as wide in all directions.
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

// clipped counts black and white pixels that can be seen.
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

// Mend inspects a picture and does what Diagnosis.Steps say, each with what the request tells (its
// Task does not count), and gives what came of the last. Of a sound picture the result is a copy.
// Errors are those of Inspect and Restore.
func (m *Model) Mend(ctx context.Context, pic *picture.Picture, req Request) (*Result, *Diagnosis, error) {
	d, err := Inspect(ctx, pic)
	if err != nil {
		return nil, nil, err
	}
	if len(d.Steps) == 0 {
		copied := *pic
		return &Result{Picture: &copied, Noise: task.Std8(d.Noise.Sigma()), Profile: d.Noise, Task: task.Denoise}, d, nil
	}
	found := map[task.Task]*Blur{}
	if _, told := requestedNoise(req.Noise); !told && req.Profile == nil && req.Kernel == nil && req.Blur == nil && req.Ensemble <= 1 { // what would be searched for again
		found[task.MotionDeblur], found[task.GaussianDeblur] = d.Motion, d.Defocus
	}
	var r *Result
	for i, t := range d.Steps {
		step := req
		step.Task = t
		if i == 0 {
			step.foundBlur = found[t]
		}
		if t != task.Denoise {
			step.Grain = [2]float64{}
		}
		if i+1 < len(d.Steps) {
			step.Rows = nil
		}
		if r, err = m.Restore(ctx, pic, step); err != nil {
			return nil, d, err
		}
		pic = r.Picture
	}
	return r, d, nil
}

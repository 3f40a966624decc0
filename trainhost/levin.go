package trainhost

import (
	"context"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/levin"
)

// LevinScore is the result for one picture of Levin's set: PSNR in dB as of levin.PSNR, with the
// estimated kernel and with the true one.
type LevinScore struct {
	Name       string        `json:"name"`
	Input      float64       `json:"psnr_input"`
	Blind      float64       `json:"psnr_blind"`
	TrueKernel float64       `json:"psnr_true_kernel"`
	Verdict    blind.Verdict `json:"verdict"`
}

// EvaluateLevin restores the pictures of a folder of Levin's set by motion-deblur, blind and with
// the true kernel. noise is restore.Request.Noise. Pictures are rounded to 8 bits before and after,
// as files are. progress may be nil.
func EvaluateLevin(ctx context.Context, m *restore.Model, folder string, noise float64, progress func(done, total int)) ([]LevinScore, error) {
	list, err := levin.Read(folder)
	if err != nil {
		return nil, err
	}
	var out []LevinScore
	for i, s := range list {
		y := greyPicture(s.Blurred)
		r := LevinScore{Name: s.Name, Input: levin.PSNR(s.Blurred, s.Sharp, false)}
		for _, k := range []*task.Kernel{nil, s.Kernel} {
			res, err := m.Restore(ctx, y, restore.Request{Task: task.MotionDeblur, Noise: noise, Kernel: k})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			v := levin.PSNR(planeOf(res.Picture), s.Sharp, true)
			if k == nil {
				r.Blind, r.Verdict = v, res.Blur.Verdict
			} else {
				r.TrueKernel = v
			}
		}
		out = append(out, r)
		if progress != nil {
			progress(i+1, len(list))
		}
	}
	return out, nil
}

// greyPicture makes a grey picture of 8 bits of a plane.
func greyPicture(p *blind.Plane) *picture.Picture {
	n := p.W * p.H
	pix := make([]float32, 3*n)
	for i, v := range p.Pix {
		g := float32(2*v - 1)
		pix[i], pix[n+i], pix[2*n+i] = g, g, g
	}
	roundTo8(pix)
	q := picture.New(p.W, p.H, pix)
	q.Gray = true
	return q
}

// planeOf returns the first channel of a picture, rounded to 8 bits.
func planeOf(q *picture.Picture) *blind.Plane {
	roundTo8(q.Pix)
	p := blind.NewPlane(q.W, q.H)
	for i := range p.Pix {
		p.Pix[i] = (float64(q.Pix[i]) + 1) / 2
	}
	return p
}

// LevinTable writes the scores and their means as a Markdown table.
func LevinTable(list []LevinScore) string {
	var b strings.Builder
	b.WriteString("| picture | input | blind | true kernel | verdict |\n|---|---|---|---|---|\n")
	var in, blindSum, trueSum float64
	for _, s := range list {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.2f | %v |\n", s.Name, s.Input, s.Blind, s.TrueKernel, s.Verdict)
		in, blindSum, trueSum = in+s.Input, blindSum+s.Blind, trueSum+s.TrueKernel
	}
	n := float64(max(1, len(list)))
	fmt.Fprintf(&b, "| mean of %d | %.2f | **%.2f** | %.2f | |\n", len(list), in/n, blindSum/n, trueSum/n)
	return b.String()
}

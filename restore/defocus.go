package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/shake/blind"
	"github.com/vfmrestore/restore/restore/shake/defocus"
	"github.com/vfmrestore/restore/restore/task"
)

// A blur that looks the same in all directions is undone in one of three ways, whichever the picture allows:
//
//   - It is about the one that gaussian-deblur's network was trained for: the network undoes it.
//   - It is another one, which can be told (package defocus) or was given: it is undone as motion blur of that kernel is.
//   - The picture is sharp, or nothing tells the blur: it is denoised, and else left alone.

// TrainedBlur is the blur that gaussian-deblur's network was trained for, that of the paper.
var TrainedBlur = defocus.Blur{Shape: defocus.Gaussian, Width: 3}

// nearTrained is by how many pixels a Gaussian may differ from that for the network to undo it better than deconvolution.
const nearTrained = 0.3

// trainedFor tells whether gaussian-deblur's network undoes a blur.
func trainedFor(b defocus.Blur) bool {
	return b.Shape == defocus.Gaussian && b.Width >= TrainedBlur.Width-nearTrained && b.Width <= TrainedBlur.Width+nearTrained
}

// checkBlur holds what Request.Blur must be.
func (r *Request) checkBlur() error {
	switch {
	case r.Blur == nil:
		return nil
	case r.Task != task.GaussianDeblur:
		return badRequest("blur", "has no meaning for task %v, only for gaussian-deblur", r.Task)
	case r.Blur.Check() != nil:
		return badRequest("blur", "cannot be undone: %v", r.Blur.Check())
	case r.Project && !trainedFor(*r.Blur):
		return badRequest("blur", "is %v, and projection is possible for %v only", *r.Blur, TrainedBlur)
	}
	return nil
}

// asTrained tells whether gaussian-deblur's network does the job without the blur being looked at: it is told so, or there is no other way.
func (m *Model) asTrained(req Request) bool {
	switch {
	case req.Blur != nil:
		return trainedFor(*req.Blur)
	case req.Project: // which is for that network's blur
		return true
	}
	return m.deconvolves() != nil
}

// deconvolves says why the model cannot undo any other blur.
func (m *Model) deconvolves() error {
	of, _, err := m.memberOf(task.MotionDeblur)
	if err != nil {
		return err
	}
	n, err := of.read()
	if err != nil {
		return err
	}
	if !n.Config.Guess {
		return badNetwork("only networks that take a second view of motion blur undo another defocus than %v", TrainedBlur)
	}
	return nil
}

// refocus answers a request for gaussian-deblur of another blur than the network's, or of one that is to be found.
func (m *Model) refocus(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	b, err := j.findDefocus(ctx)
	if err != nil {
		return nil, err
	}
	j.blur = b
	if b.Verdict != blind.Blurred {
		return m.leaveAlone(ctx, pic, req, j)
	}
	if req.Noise < 0 && req.Profile == nil {
		req.Profile = &j.profile
	}
	if req.Blur = &b.Defocus; !trainedFor(b.Defocus) {
		if err := m.deconvolves(); err != nil {
			return nil, err
		}
		b.Kernel = b.Defocus.Kernel()
		b.Field = blind.FieldOf(pic.W, pic.H, b.Kernel)
		req.Task, req.Kernel, req.Blur = task.MotionDeblur, b.Kernel, nil
	}
	result, err := m.Restore(ctx, pic, req)
	if err != nil {
		return nil, err
	}
	result.Task, result.Blur = j.task, b
	return result, nil
}

// findDefocus tells the width and the shape of the picture's blur.
func (j *job) findDefocus(ctx context.Context) (*Blur, error) {
	if given := j.req.Blur; given != nil {
		b := &Blur{Verdict: blind.Blurred, Defocus: *given, Given: true}
		if given.Shape == defocus.None {
			b.Verdict = blind.Sharp
		}
		return b, nil
	}
	y, unknown := j.seen().Brightness()
	r, err := defocus.Estimate(ctx, y, unknown)
	if err != nil {
		return nil, err
	}
	return &Blur{Verdict: r.Certainty.Verdict, Defocus: r.Blur, Certainty: r.Certainty}, nil
}

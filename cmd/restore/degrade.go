package main

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// paperNoise is σ = 0.05 of the range [-1, 1], in 8-bit levels.
const paperNoise = 0.05 * 127.5

// degrade makes y = A x + ε of a clean picture x.
func (a *app) degrade(args []string) error {
	var t taskFlag
	n := noise{levels: paperNoise}
	out, maskOut := output{flag: "the output"}, output{flag: "-mask-out"}
	fs := flagSet("degrade")
	fs.Var(&t, "task", "")
	fs.Var(&n, "noise", "")
	seed := fs.Uint64("seed", 0, "")
	scale := fs.Float64("scale", 1, "")
	quality := fs.Int("quality", picture.DefaultQuality, "")
	spec := fs.String("camera", "", "")
	cleanOut := output{flag: "-clean-out"}
	fs.StringVar(&cleanOut.path, "clean-out", "", "")
	fs.StringVar(&maskOut.path, "mask-out", "", "")
	overwrite := fs.Bool("overwrite", false, "")
	names, err := a.parse(fs, args, degradeHelp)
	if err != nil {
		return err
	}
	if err := t.require(); err != nil {
		return err
	}
	switch {
	case len(names) != 2:
		return usagef("degrade needs a clean picture to read and one to write, not %d names", len(names))
	case n.auto:
		return usagef("degrade needs a number for -noise, there is nothing to estimate it from")
	case maskOut.path != "" && !t.task.Masked():
		return usagef("-mask-out has no meaning for task %v, only for inpaint", t.task)
	case math.IsNaN(*scale) || *scale <= 0 || *scale > 1:
		return usagef("-scale %g is not above 0 and at most 1", *scale)
	case isSet(fs, "scale") && t.task != task.MotionDeblur:
		return usagef("-scale has no meaning for task %v, only for motion-deblur", t.task)
	case *quality < 1 || *quality > 100:
		return usagef("-quality %d is not from 1 to 100", *quality)
	case *spec != "" && (t.task != task.Denoise || isSet(fs, "noise")):
		return usagef("-camera is for task denoise, in place of -noise")
	case cleanOut.path != "" && *spec == "":
		return usagef("-clean-out needs -camera")
	}
	out.path = names[1]
	if err := outputs(&out, &maskOut, &cleanOut); err != nil {
		return err
	}
	files := &claims{}
	files.read("the input", names[0])
	files.write("the output", out.path)
	files.write("-mask-out", maskOut.path)
	if err := files.check(*overwrite); err != nil {
		return err
	}
	clean, err := a.decode(names[0], picture.Limits{})
	if err != nil {
		return err
	}
	if err := picture.CheckFormat(out.format, clean); err != nil {
		return fmt.Errorf("%s: %w", out.path, err)
	}
	if *spec != "" {
		before, bad, err := shoot(clean, *spec, *seed)
		if err != nil {
			return err
		}
		if cleanOut.path == "" {
			before = nil
		}
		return writePictures(*quality, []output{cleanOut, out}, []*picture.Picture{before, bad})
	}
	bad, missing, err := observe(t.task, clean, *seed, *scale, n.levels/127.5)
	if err != nil {
		return err
	}
	var mask *picture.Picture
	if maskOut.path != "" {
		mask = picture.FromMask(missing, clean.W, clean.H)
	}
	if err := writePictures(*quality, []output{maskOut, out}, []*picture.Picture{mask, bad}); err != nil {
		return err
	}
	a.sayDropped(names[0], bad, out.format)
	return nil
}

// shoot takes a clean picture through a camera: what it shows without noise, and with it.
func shoot(clean *picture.Picture, spec string, seed uint64) (before, bad *picture.Picture, err error) {
	rng := task.NewRand(seed, 0)
	c, err := camera.Parse(spec, rng)
	if err != nil {
		return nil, nil, &usageError{"-" + err.Error()}
	}
	x, y, err := c.Degrade(rng, clean.Planar())
	if err != nil {
		return nil, nil, err
	}
	if clean.Gray {
		oneChannel(x)
		oneChannel(y)
	}
	return clean.Like(x.W, x.H, x.Pix), clean.Like(y.W, y.H, y.Pix), nil
}

// observe draws the parameters of the task and applies it; sigma is in the units of [-1, 1]. missing is nil for tasks without mask.
func observe(t task.Task, clean *picture.Picture, seed uint64, scale, sigma float64) (bad *picture.Picture, missing []bool, err error) {
	rng := task.NewRand(seed, 0)
	params, err := task.Draw(rng, t, clean.W, clean.H, scale)
	if err != nil {
		return nil, nil, err
	}
	op, err := task.NewOperator(t, clean.W, clean.H, params)
	if err != nil {
		return nil, nil, err
	}
	y, err := op.Observe(rng, clean.Planar(), sigma)
	if err != nil {
		return nil, nil, err
	}
	if clean.Gray {
		oneChannel(y)
	}
	if params.Mask != nil {
		missing = make([]bool, len(params.Mask))
		for i, known := range params.Mask {
			missing[i] = known < 0.5
		}
	}
	return clean.Like(y.W, y.H, y.Pix), missing, nil
}

// oneChannel copies the first plane to the others: a grey camera has one noise per pixel, and the mean of three would be weaker
// than asked for.
func oneChannel(m *planar.Image) {
	copy(m.Plane(1), m.Plane(0))
	copy(m.Plane(2), m.Plane(0))
}

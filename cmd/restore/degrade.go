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

// degrade computes y = A x + ε for a clean picture x.
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
	given := []givenOption{{task.OptionMaskOut, maskOut.path != ""}, {task.OptionScale, isSet(fs, "scale")}, {task.OptionCamera, *spec != ""}}
	switch {
	case len(names) != 2:
		return usagef("degrade needs a clean picture to read and one to write, not %d names", len(names))
	case n.auto:
		return usagef("degrade needs a number for -noise, as a clean picture has no noise to estimate")
	case math.IsNaN(*scale) || *scale <= 0 || *scale > 1:
		return usagef("-scale %g is not above 0 and at most 1", *scale)
	case checkTaskOptions(t.task, given) != nil:
		return checkTaskOptions(t.task, given)
	case *quality < 1 || *quality > 100:
		return usagef("-quality %d is not from 1 to 100", *quality)
	case *spec != "" && isSet(fs, "noise"):
		return usagef("-camera and -noise exclude each other; give one")
	case cleanOut.path != "" && *spec == "":
		return usagef("-clean-out needs -camera")
	}
	out.path = names[1]
	if err := outputs(&out, &maskOut, &cleanOut); err != nil {
		return err
	}
	files := &fileUses{}
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
		before, bad, err := simulateCamera(clean, *spec, *seed)
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
	a.reportDropped(names[0], bad, out.format)
	return nil
}

// simulateCamera returns the picture that a camera takes of a clean one, first without noise, then
// with it.
func simulateCamera(clean *picture.Picture, spec string, seed uint64) (before, bad *picture.Picture, err error) {
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
		copyFirstPlane(x)
		copyFirstPlane(y)
	}
	return clean.Like(x.W, x.H, x.Pix), clean.Like(y.W, y.H, y.Pix), nil
}

// observe draws the parameters of the task and applies its operator. sigma is for values in [-1,
// 1]. missing is nil for tasks without a mask.
func observe(t task.Task, clean *picture.Picture, seed uint64, scale, sigma float64) (bad *picture.Picture, missing []bool, err error) {
	rng := task.NewRand(seed, 0)
	x := clean.Planar()
	params, err := task.DrawLaw(rng, t, task.Law{W: clean.W, H: clean.H, Clean: x, Scale: scale})
	if err != nil {
		return nil, nil, err
	}
	op, err := task.NewOperator(t, clean.W, clean.H, params)
	if err != nil {
		return nil, nil, err
	}
	y, err := op.Observe(rng, x, sigma)
	if err != nil {
		return nil, nil, err
	}
	if clean.Gray {
		copyFirstPlane(y)
	}
	if params.Mask != nil {
		missing = make([]bool, len(params.Mask))
		for i, known := range params.Mask {
			missing[i] = known < 0.5
		}
	}
	return clean.Like(y.W, y.H, y.Pix), missing, nil
}

// copyFirstPlane copies the first plane to the others. A grey camera has one noise value per pixel;
// the mean of three would be weaker than requested.
func copyFirstPlane(m *planar.Image) {
	copy(m.Plane(1), m.Plane(0))
	copy(m.Plane(2), m.Plane(0))
}

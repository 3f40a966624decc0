package restore

import (
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// canProject reports whether the projection trick makes sense for a task: AᵀA is a projection, or
// close enough to one (the Gaussian blur's largest singular value is 1) that x + Aᵀ(y − A x) is a
// step towards y.
func canProject(t task.Task) bool { return t.Takes(task.OptionProject) }

// prepareProjection prepares Request.Project.
func (j *job) prepareProjection() (err error) {
	if !j.req.Project {
		return nil
	}
	var mask []float32
	if j.req.Mask != nil {
		mask = knownValues(j.req.Mask)
	}
	j.projector, err = task.NewOperator(j.task, j.w, j.h, task.Params{Mask: mask})
	if err != nil {
		return err
	}
	j.observation = j.pic.Planar()
	if mask != nil { // missing pixels are no observation
		j.observation, err = j.projector.Apply(j.observation)
	}
	return err
}

// project projects a picture, in the memory of pix.
func (j *job) project(pix []float32) []float32 {
	out, err := j.projector.Project(&planar.Image{W: j.w, H: j.h, Pix: pix}, j.observation)
	if err != nil { // sizes and values were checked before
		panic("restore: projection: " + err.Error())
	}
	return out.Pix
}

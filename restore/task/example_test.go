package task_test

import (
	"fmt"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// This reduces a picture to a quarter of its sides, adds the noise of the paper, and makes the view
// that the networks see.
func Example() {
	x := planar.FromNRGBA(synth.Photo(1, 128, 96))
	rng := task.NewRand(7, 0)
	params, err := task.Draw(rng, task.SuperResolve, x.W, x.H, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	op, err := task.NewOperator(task.SuperResolve, x.W, x.H, params)
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := op.Observe(rng, x, 0.05)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, _, err := task.View(task.SuperResolve, y, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	psnr, err := metric.PSNR(x, view)
	fmt.Printf("%d×%d seen as %d×%d, between 15 and 30 dB: %v, %v\n", y.W, y.H, view.W, view.H, psnr > 15 && psnr < 30, err)
	// Output: 32×24 seen as 128×96, between 15 and 30 dB: true, <nil>
}

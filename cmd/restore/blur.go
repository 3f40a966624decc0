package main

import (
	"fmt"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// maxKernelSide is the side of the largest blur kernel that a file may hold.
const maxKernelSide = 129

// readKernel reads a blur kernel from a picture. Its brightness, scaled to sum 1, is the image of a
// point of light in the blurred picture. The kernel is centred on the middle of the picture; even
// sides get a dark column or row.
func (a *app) readKernel(path string) (*task.Kernel, error) {
	p, err := a.decode(path, picture.Limits{MaxPixels: maxKernelSide * maxKernelSide})
	if a.ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("-kernel: %w", err)
	}
	if max(p.W, p.H) > maxKernelSide {
		return nil, fmt.Errorf("-kernel: %s has %d×%d pixels, more than %d a side", path, p.W, p.H, maxKernelSide)
	}
	p = p.Unpacked()
	n := max(p.W, p.H) | 1
	k := &task.Kernel{Size: n, W: make([]float32, n*n)}
	x0, y0 := (n-p.W)/2, (n-p.H)/2
	sum := 0.0
	for y := range p.H {
		for x := range p.W {
			v := 0.0
			for c := range 3 {
				v += (float64(p.Pix[(c*p.H+y)*p.W+x]) + 1) / 2
			}
			k.W[n*n-1-(y0+y)*n-x0-x] = float32(v) // rotated by half a turn, as task.Kernel is a correlation's
			sum += v
		}
	}
	if sum == 0 {
		return nil, fmt.Errorf("-kernel: %s is black; it must show the image of a point of light, white on black", path)
	}
	for i := range k.W {
		k.W[i] = float32(float64(k.W[i]) / sum)
	}
	return k, nil
}

// kernelPicture shows the kernels that a picture was deconvolved with, as readKernel reads them:
// one, or one per window with grey lines between. A window that was not deconvolved shows a point.
// The result is nil if there is no kernel.
func kernelPicture(b *restore.Blur) *picture.Picture {
	if b == nil || b.Field == nil || b.Kernel == nil {
		return nil
	}
	across := 0
	for _, w := range b.Field.Windows {
		if w.Y == b.Field.Windows[0].Y {
			across++
		}
	}
	same, side := true, 1
	for _, w := range b.Field.Windows {
		same = same && w.Kernel == b.Field.Windows[0].Kernel
		if w.Kernel != nil {
			side = max(side, w.Kernel.Size)
		}
	}
	if same {
		return kernelTile(b.Kernel, b.Kernel.Size)
	}
	down := len(b.Field.Windows) / across
	w, h := across*(side+1)-1, down*(side+1)-1
	pix := make([]float32, 3*w*h)
	for i, window := range b.Field.Windows {
		k := window.Kernel
		if k == nil {
			k = &task.Kernel{Size: 1, W: []float32{1}}
		}
		tile := kernelTile(k, side)
		for c := range 3 {
			for y := range side {
				copy(pix[(c*h+i/across*(side+1)+y)*w+i%across*(side+1):][:side], tile.Pix[(c*side+y)*side:])
			}
		}
	}
	p := picture.New(w, h, pix)
	p.Gray = true
	return p
}

// kernelTile returns the picture of a kernel, in the middle of side×side pixels.
func kernelTile(k *task.Kernel, side int) *picture.Picture {
	k = k.Embed(side)
	n := len(k.W)
	half := &task.Kernel{Size: side, W: make([]float32, n)}
	for i, v := range k.W {
		half.W[n-1-i] = v
	}
	p := restore.KernelPicture(half, 1)
	p.Gray = true
	return p
}

// motionInfo is what -json prints about motion blur.
type motionInfo struct {
	Verdict string  `json:"verdict"`        // "blurred", "sharp" or "untold"
	Width   float64 `json:"width"`          // of the most certain kernel, in pixels: root mean square distance from its centre
	Windows int     `json:"windows"`        // windows of the picture
	Blurred int     `json:"blurred"`        // windows that were deconvolved
	Given   bool    `json:"given,omitzero"` // by -kernel
	// Probable says that the kernel is probably right, but not surely.
	Probable bool `json:"probable,omitzero"`
}

// motionInfoOf is nil for tasks that do not look for motion blur.
func motionInfoOf(r *restore.Result) *motionInfo {
	b := r.Blur
	if b == nil || !r.Task.Takes(task.OptionKernel) {
		return nil
	}
	s := &motionInfo{Verdict: b.Verdict.String(), Given: b.Given}
	if b.Field != nil {
		s.Windows, s.Probable = len(b.Field.Windows), b.Field.Probable
		for _, w := range b.Field.Windows {
			if w.Kernel != nil && b.Kernel != nil {
				s.Blurred++
			}
		}
		if best := b.Field.Best(); best != nil && !b.Given {
			s.Width = best.Certainty.Width
		}
	}
	return s
}

// summary describes the blur before anything was done.
func (s *motionInfo) summary() string {
	switch {
	case s.Verdict == blind.Sharp.String():
		return "none that matters"
	case s.Verdict == blind.Untold.String() && s.Windows == 0:
		return "unknown: too much noise"
	case s.Verdict == blind.Untold.String():
		return "unknown"
	}
	return s.found()
}

// found describes a blur whose kernel is known.
func (s *motionInfo) found() string {
	if s.Given {
		return "as given by -kernel"
	}
	word := "found"
	if s.Probable {
		word = "probably found"
	}
	return fmt.Sprintf("%s, %.1f pixels wide, in %d of %d windows", word, s.Width, s.Blurred, s.Windows)
}

// String describes the blur and what was done.
func (s *motionInfo) String() string {
	switch {
	case s.Verdict == blind.Blurred.String() && s.Probable:
		return s.found() + "; half of the result is a network's"
	case s.Given || s.Verdict == blind.Blurred.String():
		return s.found()
	case s.Verdict == blind.Sharp.String():
		return "none that matters; the picture was denoised at most"
	case s.Windows == 0:
		return "kernel unknown: too much noise; the estimate from the spectrum was used"
	}
	return "kernel unknown; networks did what they could, or only denoising was done"
}

// writeKernel adds the picture of -kernel-out if the flag is set and there is a kernel.
func (o *options) writeKernel(s *staging, r *restore.Result) error {
	if p := kernelPicture(r.Blur); p != nil && o.kernelOut.path != "" {
		return s.add(o.kernelOut, p)
	}
	return nil
}

// reportNoKernel says that -kernel-out wrote nothing.
func (a *app) reportNoKernel(o *options, r *restore.Result) {
	if o.kernelOut.path != "" && kernelPicture(r.Blur) == nil {
		fmt.Fprintf(a.err, "restore: %s is not written, as no kernel was found: motion blur: %v\n", oneLine(o.kernelOut.path), motionInfoOf(r))
	}
}

package main

import (
	"fmt"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// mostKernel is the side of the largest blur kernel that a file may hold.
const mostKernel = 129

// readKernel reads a blur kernel from a picture: its brightness, of the sum 1, is what a point of light becomes in the blurred picture.
// It is centred on the picture's middle; sides that are even get a dark column or row.
func (a *app) readKernel(path string) (*task.Kernel, error) {
	p, err := a.decode(path, picture.Limits{MaxPixels: mostKernel * mostKernel})
	if a.ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("-kernel: %w", err)
	}
	if max(p.W, p.H) > mostKernel {
		return nil, fmt.Errorf("-kernel: %s has %d×%d pixels, more than %d a side", path, p.W, p.H, mostKernel)
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
			k.W[n*n-1-(y0+y)*n-x0-x] = float32(v) // task.Kernel is a correlation's, so the other way round
			sum += v
		}
	}
	if sum == 0 {
		return nil, fmt.Errorf("-kernel: %s is black: it must show what a point of light becomes, white on black", path)
	}
	for i := range k.W {
		k.W[i] = float32(float64(k.W[i]) / sum)
	}
	return k, nil
}

// kernelPicture shows the kernels that a picture was deconvolved with, as readKernel reads them: one, or one per window, with grey lines
// between them. Windows that were left alone have a point. It is nil if there is none at all.
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
		return turned(b.Kernel, b.Kernel.Size)
	}
	down := len(b.Field.Windows) / across
	w, h := across*(side+1)-1, down*(side+1)-1
	pix := make([]float32, 3*w*h)
	for i, window := range b.Field.Windows {
		k := window.Kernel
		if k == nil {
			k = &task.Kernel{Size: 1, W: []float32{1}}
		}
		tile := turned(k, side)
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

// turned is a kernel's picture, in the middle of side×side pixels.
func turned(k *task.Kernel, side int) *picture.Picture {
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

// blurShape is what -json tells about motion blur.
type blurShape struct {
	Verdict string  `json:"verdict"`        // "blurred", "sharp" or "untold"
	Width   float64 `json:"width"`          // of the most certain kernel, in pixels: the root of its mean squared distance from its centre
	Windows int     `json:"windows"`        // of the picture
	Blurred int     `json:"blurred"`        // of these, that were deconvolved
	Given   bool    `json:"given,omitzero"` // the kernel was told
}

// blurOf is nil for tasks that do not look for motion blur.
func blurOf(r *restore.Result) *blurShape {
	b := r.Blur
	if b == nil || r.Task != task.MotionDeblur {
		return nil
	}
	s := &blurShape{Verdict: b.Verdict.String(), Given: b.Given}
	if b.Field != nil {
		s.Windows = len(b.Field.Windows)
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

// found is String before anything was done.
func (s *blurShape) found() string {
	switch {
	case s.Verdict == blind.Sharp.String():
		return "none worth undoing"
	case s.Verdict == blind.Untold.String() && s.Windows == 0:
		return "cannot be told for noise"
	case s.Verdict == blind.Untold.String():
		return "cannot be told"
	}
	return s.String()
}

// String tells it to people.
func (s *blurShape) String() string {
	switch {
	case s.Given:
		return "by the kernel that was given"
	case s.Verdict == blind.Blurred.String():
		return fmt.Sprintf("found, %.1f pixels wide, in %d of %d windows", s.Width, s.Blurred, s.Windows)
	case s.Verdict == blind.Sharp.String():
		return "none worth undoing; the picture was denoised at most"
	case s.Windows == 0:
		return "its kernel cannot be told for noise; what the spectrum tells was used"
	}
	return "cannot be told; the network made what moved a little clearer, or only denoised"
}

// writeKernel adds the picture of -kernel-out, if it is asked for and there is a kernel.
func (o *options) writeKernel(s *staging, r *restore.Result) error {
	if p := kernelPicture(r.Blur); p != nil && o.kernelOut.path != "" {
		return s.add(o.kernelOut, p)
	}
	return nil
}

// sayNoKernel says that -kernel-out writes nothing.
func (a *app) sayNoKernel(o *options, r *restore.Result) {
	if o.kernelOut.path != "" && kernelPicture(r.Blur) == nil {
		fmt.Fprintf(a.err, "restore: %s is not written, as no kernel was found: motion blur: %v\n", oneLine(o.kernelOut.path), blurOf(r))
	}
}

// Package bench measures how fast a device runs the project's kernels, the whole network and a
// training step, compared with a loop of multiply-adds on the same device. Figures are GFLOP/s of
// the convolutions and matrix products (a multiply-add counts as two). Pointwise work takes time
// but is not counted.
package bench

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
)

// Options select what is measured.
type Options struct {
	Network nets.Architecture
	Side    int  // of the picture of the forward pass, in pixels; a multiple of Network.Align()
	Train   bool // a training step too: its kernels take long to build
	Half    bool // float16 in memory and, where the device has them, cooperative matrices; see compile.Options
}

// precision describes the effect of Half on a device.
func (o Options) precision(dev *gpu.Device) string {
	c := dev.Info().Caps
	switch {
	case !o.Half || !compile.CanHalf(c, false):
		return "fp32"
	case c.Matrix[0] > 0:
		return fmt.Sprintf("fp16, cooperative matrices %d×%d×%d", c.Matrix[0], c.Matrix[1],
			c.Matrix[2])
	}
	return "fp16"
}

// Figure is one measurement.
type Figure struct {
	Name    string  `json:"name"`
	Count   int     `json:"count,omitempty"` // occurrences in a forward pass, or 0
	Seconds float64 `json:"seconds"`         // of one run
	Flops   float64 `json:"flop,omitempty"`  // of one run
	Bytes   float64 `json:"bytes,omitempty"` // read and written by a run, each operand once
}

// Rate is the speed in GFLOP/s.
func (f Figure) Rate() float64 { return f.Flops / f.Seconds / 1e9 }

// text formats the figure as a line.
func (f Figure) text(peak float64) string {
	s := fmt.Sprintf("%-34s %9.3f ms", f.Name, f.Seconds*1e3)
	if f.Flops > 0 {
		s += fmt.Sprintf(" %8.1f GFLOP/s %5.1f %%", f.Rate(), 100*f.Flops/f.Seconds/peak)
	}
	if f.Bytes > 0 {
		s += fmt.Sprintf(" %7.2f GB/s", f.Bytes/f.Seconds/1e9)
	}
	if f.Count > 0 {
		s += fmt.Sprintf("  ×%d", f.Count)
	}
	return s
}

// Report holds all results of Run.
type Report struct {
	Device    string   `json:"device"`
	Driver    string   `json:"driver"`
	Version   string   `json:"version"` // of the program
	Side      int      `json:"side"`    // of the picture, in pixels
	Peak      float64  `json:"peak"`    // of the multiply-add loop, FLOP/s
	Transfers []Figure `json:"transfers"`
	Precision string   `json:"precision"` // of tensors, weights and matrix products
	Products  []Figure `json:"products"`  // large matrix products: the best case for such kernels
	Kernels   []Figure `json:"kernels"`   // each distinct convolution of the network alone
	Forward   Figure   `json:"forward"`   // adapter and one-step flow map
	Picture   Figure   `json:"picture"`   // the same with upload and download
	Steps     []Figure `json:"steps"`     // time of the forward pass by kind of step, longest first
	Training  Figure   `json:"training"`
}

// Run measures on an open device and prints each result to w. It stops between measurements when
// ctx is done.
func Run(ctx context.Context, w io.Writer, dev *gpu.Device, opt Options) (*Report, error) {
	info := dev.Info()
	r := &Report{Device: info.Name, Driver: info.DriverName + " " + info.DriverInfo, Side: opt.Side,
		Precision: opt.precision(dev)}
	var err error
	if r.Peak, err = Peak(dev); err != nil {
		return nil, fmt.Errorf("multiply-add loop: %w", err)
	}
	fmt.Fprintf(w, "multiply-add loop  %8.1f GFLOP/s (100 %%)\n", r.Peak/1e9)
	line := func(f Figure) { fmt.Fprintln(w, "  "+f.text(r.Peak)) }
	fmt.Fprintln(w, "\ntransfers and starts")
	if r.Transfers, err = transfers(dev); err != nil {
		return nil, fmt.Errorf("transfers: %w", err)
	}
	for _, f := range r.Transfers {
		line(f)
	}
	net, err := newNetwork(opt)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\nprecision: %s\n\nlarge matrix products\n", r.Precision)
	for _, side := range productSides(info.Type) {
		f, err := convolution{x: netdef.Shape{1, 1, side, side}, w: netdef.Shape{1, 1, side, side},
			stride: 1}.measure(dev, opt)
		if err != nil {
			return nil, fmt.Errorf("product of %d×%d: %w", side, side, err)
		}
		f.Name = fmt.Sprintf("%d×%d by %d×%d", side, side, side, side)
		r.Products = append(r.Products, f)
		line(f)
	}
	fmt.Fprintf(w, "\nconvolutions of the network at %d×%d pixels, each on its own\n", opt.Side,
		opt.Side)
	for _, c := range net.convolutions() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := c.measure(dev, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name(), err)
		}
		r.Kernels = append(r.Kernels, f)
		line(f)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\nforward pass at %d×%d pixels\n", opt.Side, opt.Side)
	if r.Forward, r.Picture, r.Steps, err = net.measure(dev, opt); err != nil {
		return nil, fmt.Errorf("forward pass: %w", err)
	}
	line(r.Forward)
	line(r.Picture)
	fmt.Fprintf(w, "  %.1f pictures or tiles of this size per second, %.2f megapixels per second\n",
		1/r.Picture.Seconds, float64(opt.Side*opt.Side)/r.Picture.Seconds/1e6)
	if len(r.Steps) > 0 {
		fmt.Fprintln(w, "  by kind of step, with a timestamp and a barrier around each:")
	}
	for _, s := range r.Steps {
		line(s)
	}
	trained, ok := opt.Network.(nets.EdgeConfig) // the only networks that trainhost trains
	if !opt.Train || !ok {
		return r, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fmt.Fprintln(w, "\ntraining step (its kernels take a while to build the first time)")
	if r.Training, err = trainingStep(dev, trained); err != nil {
		return nil, fmt.Errorf("training step: %w", err)
	}
	line(r.Training)
	return r, nil
}

// productSides gives the sizes of the large products. A CPU gets a smaller one, which takes less
// time.
func productSides(t gpu.DeviceType) []int {
	if t == gpu.CPU {
		return []int{256}
	}
	return []int{1024, 4096}
}

// best runs f at least three times, for about half a second, and gives the shortest time of a run
// in seconds. Longer times are due to other work on the machine.
func best(f func() error) (float64, error) {
	shortest := time.Duration(0)
	for start, n := time.Now(), 0; n < 3 || time.Since(start) < 500*time.Millisecond &&
		n < 1000; n++ {
		t := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if d := time.Since(t); n == 0 || d < shortest {
			shortest = d
		}
	}
	return shortest.Seconds(), nil
}

// program compiles outs for inference, with random inputs. Zeros would lead to subnormal numbers,
// which are slow on some processors.
func program(dev *gpu.Device, opt Options, g *netdef.Graph, outs ...*netdef.Node) (
	p *compile.Program, free func(), err error) {
	if err := g.Err(); err != nil {
		return nil, nil, err
	}
	nodes := netdef.Reachable(outs...)
	store, err := compile.NewStore(dev, nodes, false, 1)
	if err != nil {
		return nil, nil, err
	}
	if p, err = compile.Compile(dev, store, g, outs,
		compile.Options{Half: opt.Half, Settings: []string{"task", "sigma"}}); err != nil {
		store.Close()
		return nil, nil, err
	}
	free = func() { p.Close(); store.Close() }
	for _, n := range nodes {
		if _, ok := n.Op.(*netdef.InputOp); ok {
			if err := p.SetInput(n.Name, random(n.Shape.Size())); err != nil {
				free()
				return nil, nil, err
			}
		}
	}
	return p, free, nil
}

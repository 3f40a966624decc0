package bench

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
)

const transferBytes = 32 << 20

// transfers measures upload, download, copies on the device, and the time to start dispatches.
func transfers(dev *gpu.Device) (list []Figure, err error) {
	a, err := dev.NewBuffer(transferBytes, gpu.Local)
	if err != nil {
		return nil, err
	}
	defer a.Free()
	b, err := dev.NewBuffer(transferBytes, gpu.Local)
	if err != nil {
		return nil, err
	}
	defer b.Free()
	host := make([]byte, transferBytes)
	add := func(name string, bytes float64, f func() error) {
		if err != nil {
			return
		}
		var sec float64
		sec, err = best(f)
		list = append(list, Figure{Name: name, Seconds: sec, Bytes: bytes})
	}
	add("upload", transferBytes, func() error { return dev.Write(a, 0, host) })
	add("download", transferBytes, func() error { return dev.Read(a, 0, host) })
	c, e := dev.NewCommands()
	if e != nil {
		return nil, e
	}
	defer c.Free()
	c.Copy(gpu.Range{Buf: b, Size: transferBytes}, gpu.Range{Buf: a, Size: transferBytes})
	if e := c.End(); e != nil {
		return nil, e
	}
	add("copy on the device, read and write", 2*transferBytes, func() error { return dev.Run(c) })
	if err != nil {
		return nil, err
	}
	return starts(dev, list)
}

// starts adds the time of a run of a tiny dispatch, and the time per dispatch of many that wait for
// each other.
func starts(dev *gpu.Device, list []Figure) ([]Figure, error) {
	const many = 200
	for _, n := range []int{1, many} {
		g := netdef.NewGraph()
		x := g.Input("x", netdef.Shape{1, 2, 2, 8})
		w := g.Param("w", netdef.Shape{1, 1, 8, 8}, netdef.HeNormal{Gain: 0.5})
		for range n {
			x = g.Conv2D(x, w, 1)
		}
		p, free, err := program(dev, Options{}, g, x)
		if err != nil {
			return nil, err
		}
		sec, err := best(p.Run)
		d := p.Dispatches()
		free()
		if err != nil {
			return nil, err
		}
		f := Figure{Name: "a run of a single tiny dispatch", Seconds: sec}
		if n == many {
			f = Figure{Name: fmt.Sprintf("each of %d tiny dispatches", d),
				Seconds: sec / float64(d)}
		}
		list = append(list, f)
	}
	return list, nil
}

package gpu

import "testing"

func benchDevice(b *testing.B) *Device {
	d, err := Open(Options{CacheDir: "-"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.Close)
	return d
}

// BenchmarkRunEmpty measures submission and the wait for its end.
func BenchmarkRunEmpty(b *testing.B) {
	d := benchDevice(b)
	c := must[*Commands](b)(d.NewCommands())
	ok(b, c.End())
	for b.Loop() {
		ok(b, d.Run(c))
	}
}

// BenchmarkRecord measures recording a list of 100 dispatches with barriers.
func BenchmarkRecord(b *testing.B) {
	d := benchDevice(b)
	p := incrPipeline(b, d)
	buf := must[*Buffer](b)(d.NewBuffer(256, Local))
	for b.Loop() {
		c := must[*Commands](b)(d.NewCommands())
		for range 100 {
			c.Dispatch(p, []Range{{Buf: buf}}, nil, 1, 1, 1)
			c.Barrier()
		}
		ok(b, c.End())
		c.Free()
	}
}

// BenchmarkRunDispatches measures a list of 100 tiny dispatches.
func BenchmarkRunDispatches(b *testing.B) {
	d := benchDevice(b)
	p := incrPipeline(b, d)
	buf := must[*Buffer](b)(d.NewBuffer(256, Local))
	c := must[*Commands](b)(d.NewCommands())
	for range 100 {
		c.Dispatch(p, []Range{{Buf: buf}}, nil, 1, 1, 1)
		c.Barrier()
	}
	ok(b, c.End())
	for b.Loop() {
		ok(b, d.Run(c))
	}
}

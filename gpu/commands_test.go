package gpu

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// chain records n dependent steps of incr on buf, with a barrier between any two.
func chain(t *testing.T, d *Device, p *Pipeline, buf *Buffer, n int) *Commands {
	t.Helper()
	c := must[*Commands](t)(d.NewCommands())
	for k := range n {
		if k > 0 {
			c.Barrier()
		}
		c.Dispatch(p, []Range{{Buf: buf}}, nil, int(buf.Size()/256), 1, 1)
	}
	ok(t, c.End())
	return c
}

func incrPipeline(t testing.TB, d *Device) *Pipeline {
	return must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "incr", Code: incrCode, Bindings: 1}))
}

func TestBarriersAndRepeatedRuns(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	const words = 64 * 37
	buf := must[*Buffer](t)(d.NewBuffer(4*words, Local))
	start := randomBytes(4 * words)
	ok(t, d.Write(buf, 0, start))
	steps, runs := 2+rand.IntN(40), 1+rand.IntN(5)
	c := chain(t, d, p, buf, steps)
	for range runs {
		ok(t, d.Run(c))
	}
	got := make([]byte, len(start))
	ok(t, d.Read(buf, 0, got))
	for k := 0; k < len(got); k += 4 {
		v := binary.LittleEndian.Uint32(start[k:])
		for range steps * runs {
			v = v*3 + 1
		}
		if g := binary.LittleEndian.Uint32(got[k:]); g != v {
			t.Fatalf("word %d after %d × %d steps: %#x, want %#x", k/4, runs, steps, g, v)
		}
	}
}

func TestBindingOffsets(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	align := d.Info().Caps.MinStorageAlign
	off := max(256, align) * (1 + rand.IntN(4))
	buf := must[*Buffer](t)(d.NewBuffer(int64(off+512), Local))
	start := make([]byte, off+512)
	ok(t, d.Write(buf, 0, start))
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, []Range{{buf, int64(off), 256}}, nil, 1, 1, 1)
	ok(t, c.End())
	ok(t, d.Run(c))
	ok(t, d.Read(buf, 0, start))
	for k := 0; k < len(start); k += 4 {
		want := uint32(0)
		if k >= off && k < off+256 {
			want = 1
		}
		if g := binary.LittleEndian.Uint32(start[k:]); g != want {
			t.Fatalf("byte %d: %d, want %d", k, g, want)
		}
	}
}

func TestTimestamps(t *testing.T) {
	d := openTest(t, Options{})
	if !d.Info().Caps.Timestamps {
		t.Skip("no time stamps")
	}
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "spin", Code: spinCode, Bindings: 1, PushBytes: 4}))
	buf := must[*Buffer](t)(d.NewBuffer(4, Local))
	ok(t, d.Write(buf, 0, make([]byte, 4)))
	c := must[*Commands](t)(d.NewCommands())
	const n = poolStamps + 50 // more than one query pool
	for k := range n {
		c.Timestamp(k)
		steps := 10
		if k == 20 {
			steps = 60000 // lavapipe ends every loop after 65535 iterations
		}
		c.Dispatch(p, []Range{{Buf: buf}}, words(steps), 16, 1, 1)
		c.Barrier()
	}
	c.Timestamp(n + 1) // index n is left out
	ok(t, c.End())
	if _, err := c.Timestamps(); err == nil {
		t.Error("time stamps before the first run")
	}
	for range 2 {
		began := time.Now()
		ok(t, d.Run(c))
		took := float64(time.Since(began))
		ts := must[[]float64](t)(c.Timestamps())
		if len(ts) != n+2 || !math.IsNaN(ts[n]) || ts[0] != 0 {
			t.Fatalf("%d stamps, first %g, gap %g", len(ts), ts[0], ts[n])
		}
		for k := 1; k < n; k++ {
			if !(ts[k] >= ts[k-1]) {
				t.Fatalf("stamp %d: %g after %g", k, ts[k], ts[k-1])
			}
		}
		// Time stamps are in nanoseconds. The whole run cannot take longer than the host's clock
		// measured (clocks may differ by 1%). Sixty thousand multiply-adds, each of the last one's
		// result, take tens of microseconds on the fastest device. Both bounds hold however busy
		// the machine is.
		if all, long := ts[n+1], ts[21]-ts[20]; all > 1.01*took || long < 2e4 {
			t.Errorf("the whole took %g ns of the host's %g ns, sixty thousand steps %g ns", all, took, long)
		}
	}
}

func TestSequenceErrors(t *testing.T) {
	d := openTest(t, Options{})
	c := must[*Commands](t)(d.NewCommands())
	if d.Run(c) == nil {
		t.Error("Run before End")
	}
	if _, err := c.Timestamps(); err == nil {
		t.Error("Timestamps before Run")
	}
	ok(t, c.End())
	ok(t, d.Run(c)) // an empty list is valid
	c.Barrier()
	if c.End() == nil || d.Run(c) == nil {
		t.Error("recording after End went unnoticed")
	}
	c.Free()
	c.Free()
	c = must[*Commands](t)(d.NewCommands())
	ok(t, c.End())
	c.Free()
	if err := d.Run(c); !errors.Is(err, ErrFreed) {
		t.Errorf("Run of a freed list: %v", err)
	}
	c.Fill(Range{}, 1) // must not crash
	if err := d.Run(nil); err == nil {
		t.Error("Run of no list")
	}
	other := openTest(t, Options{})
	b := must[*Buffer](t)(other.NewBuffer(64, Local))
	c = must[*Commands](t)(d.NewCommands())
	c.Fill(Range{Buf: b}, 1)
	if c.End() == nil {
		t.Error("a buffer of another device was accepted")
	}
}

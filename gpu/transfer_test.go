package gpu

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// openDiscrete opens a device as if its memory were not unified, so that local buffers need
// staging.
func openDiscrete(t *testing.T) *Device {
	return openTest(t, Options{SeparateMemory: true})
}

func TestRoundTrip(t *testing.T) {
	unified, discrete := openTest(t, Options{}), openDiscrete(t)
	for _, d := range []*Device{unified, discrete} {
		for _, kind := range []Kind{Local, Upload, Readback} {
			for _, size := range []int{1, 2, 3, 5, 16, 17, 255, 4096, smallBuffer, smallBuffer + 1, 1 + rand.IntN(1<<20), 2*stageSize + 12345} {
				b := must[*Buffer](t)(d.NewBuffer(int64(size), kind))
				mapped := kind != Local || d.info.Caps.Unified
				if b.Size() != int64(size) || (b.Bytes() != nil) != mapped || mapped && len(b.Bytes()) != size {
					t.Fatalf("%v buffer of %d: size %d, %d bytes mapped", kind, size, b.Size(), len(b.Bytes()))
				}
				want := randomBytes(size)
				ok(t, d.Write(b, 0, want))
				off := rand.IntN(size)
				part := randomBytes(rand.IntN(size-off) + 1)
				ok(t, d.Write(b, int64(off), part))
				copy(want[off:], part)
				got := make([]byte, size)
				ok(t, d.Read(b, 0, got))
				if !bytes.Equal(got, want) {
					t.Fatalf("%v buffer of %d differs", kind, size)
				}
				got = got[:size-off]
				ok(t, d.Read(b, int64(off), got))
				if !bytes.Equal(got, want[off:]) {
					t.Fatalf("%v buffer of %d differs from %d on", kind, size, off)
				}
				ok(t, d.Write(b, int64(size), nil))
				for _, bad := range [][2]int{{-1, 1}, {0, size + 1}, {size, 1}, {size + 1, 0}} {
					p := make([]byte, bad[1])
					if d.Write(b, int64(bad[0]), p) == nil || d.Read(b, int64(bad[0]), p) == nil {
						t.Fatalf("bytes %v of a buffer of %d accepted", bad, size)
					}
				}
				b.Free()
			}
		}
	}
}

func TestFillAndCopy(t *testing.T) {
	for _, d := range []*Device{openTest(t, Options{}), openDiscrete(t)} {
		size := 1000 + rand.IntN(5000)
		a := must[*Buffer](t)(d.NewBuffer(int64(size), Local))
		b := must[*Buffer](t)(d.NewBuffer(int64(size), Readback))
		want := randomBytes(size)
		ok(t, d.Write(a, 0, want))
		from, to, n := rand.IntN(100), rand.IntN(100), 200+rand.IntN(300)
		c := must[*Commands](t)(d.NewCommands())
		c.Fill(Range{b, 0, 0}, 0xa1b2c3d4)
		c.Barrier()
		c.Copy(Range{b, int64(to), int64(n)}, Range{a, int64(from), int64(n)})
		c.Barrier()
		c.Fill(Range{b, 800, 8}, 7)
		ok(t, c.End())
		ok(t, d.Run(c))
		got := make([]byte, size)
		ok(t, d.Read(b, 0, got))
		pattern := []byte{0xd4, 0xc3, 0xb2, 0xa1}
		for k := range got {
			w := pattern[k%4]
			switch {
			case k >= to && k < to+n:
				w = want[from+k-to]
			case k >= 800 && k < 808:
				w = []byte{7, 0, 0, 0}[k%4]
			}
			if got[k] != w {
				t.Fatalf("byte %d of %d: %#x, want %#x", k, size, got[k], w)
			}
		}
		for _, f := range []func(*Commands){
			func(c *Commands) { c.Fill(Range{b, 2, 4}, 0) },
			func(c *Commands) { c.Fill(Range{b, 0, 6}, 0) },
			func(c *Commands) { c.Fill(Range{b, 0, int64(size) + 4}, 0) },
			func(c *Commands) { c.Fill(Range{}, 0) },
			func(c *Commands) { c.Copy(Range{b, 0, 8}, Range{a, 0, 4}) },
			func(c *Commands) { c.Copy(Range{a, 0, 8}, Range{a, 4, 8}) },
			func(c *Commands) { c.Copy(Range{a, -4, 8}, Range{b, 4, 8}) },
			func(c *Commands) { c.Copy(Range{a, 0, -8}, Range{b, 4, 8}) },
			func(c *Commands) { c.Dispatch(nil, nil, nil, 1, 1, 1) },
			func(c *Commands) { c.Timestamp(-1) },
		} {
			c := must[*Commands](t)(d.NewCommands())
			f(c)
			c.Barrier()
			if err := c.End(); err == nil || d.Run(c) != err {
				t.Errorf("a bad command: End gives %v", err)
			}
			c.Free()
		}
	}
}

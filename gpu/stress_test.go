package gpu

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// underGC runs f while the garbage collector works all the time. Memory that is freed during a
// Vulkan call then shows within seconds.
func underGC(f func()) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			var keep [64][]byte
			for !stop.Load() {
				for k := range keep {
					keep[k] = make([]byte, 1+rand.IntN(2000))
				}
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		})
	}
	f()
	stop.Store(true)
	wg.Wait()
}

func stress(t *testing.T, d *Device, count int) {
	underGC(func() {
		buf := must[*Buffer](t)(d.NewBuffer(256, Local))
		ok(t, d.Write(buf, 0, make([]byte, 256)))
		want := uint32(0)
		for k := 0; k < count; k += 4 {
			ps := must[[]*Pipeline](t)(d.NewPipelines([]PipelineDesc{
				{Name: "a", Code: incrCode, Bindings: 1},
				{Name: "b", Code: incrCode, Bindings: 2, PushBytes: 4 * (k % 32)},
				{Name: "c", Code: spinCode, Bindings: 1, PushBytes: 4},
				{Name: "d", Code: axpbCode, Bindings: 3, PushBytes: 8},
			}))
			other := must[*Buffer](t)(d.NewBuffer(256, Upload))
			c := must[*Commands](t)(d.NewCommands())
			c.Dispatch(ps[0], []Range{{Buf: buf}}, nil, 1, 1, 1)
			c.Barrier()
			c.Dispatch(ps[1], []Range{{Buf: buf}, {Buf: other}}, make([]byte, 4*(k%32)), 1, 1, 1)
			ok(t, c.End())
			for range 4 {
				ok(t, d.Run(c))
				want = (want*3+1)*3 + 1
			}
			c.Free()
			other.Free()
			for _, p := range ps {
				p.Free()
			}
		}
		p := make([]byte, 256)
		ok(t, d.Read(buf, 0, p))
		for k := 0; k < len(p); k += 4 {
			if got := binary.LittleEndian.Uint32(p[k:]); got != want {
				t.Fatalf("word %d: %#x, want %#x", k/4, got, want)
			}
		}
	})
}

func TestGarbageCollection(t *testing.T) {
	d := must[*Device](t)(Open(Options{CacheDir: "-"}))
	defer d.Close()
	count := 800
	if os.Getenv("VFM_TEST_LONG") != "" { // gputest.Long, which this package cannot import
		count = 4000
	}
	stress(t, d, count)
}

func TestGarbageCollectionValidated(t *testing.T) {
	if !ValidationAvailable() {
		t.Skip("no validation layer")
	}
	stress(t, openTest(t, Options{}), 400)
}

func TestOpenCloseManyTimes(t *testing.T) {
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 5 {
				d, err := Open(Options{CacheDir: "-"})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := List(); err != nil {
					t.Error(err)
				}
				b, err := d.NewBuffer(100, Local)
				if err == nil {
					err = d.Write(b, 0, make([]byte, 100))
				}
				if err != nil {
					t.Error(err)
				}
				d.Close()
			}
		})
	}
	wg.Wait()
}

// Many goroutines run lists of their own and one shared list, and copy data through the staging
// buffers.
func TestConcurrentRuns(t *testing.T) {
	d := openDiscrete(t)
	p := incrPipeline(t, d)
	shared := must[*Buffer](t)(d.NewBuffer(256, Local))
	ok(t, d.Write(shared, 0, make([]byte, 256)))
	common := chain(t, d, p, shared, 1)
	const workers, rounds = 6, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			size := 256 * (1 + rand.IntN(50))
			own, err := d.NewBuffer(int64(size), Local)
			if err != nil {
				t.Error(err)
				return
			}
			c, err := d.NewCommands()
			if err != nil {
				t.Error(err)
				return
			}
			c.Dispatch(p, []Range{{Buf: own}}, nil, size/256, 1, 1)
			if err := c.End(); err != nil {
				t.Error(err)
			}
			for range rounds {
				data := randomBytes(size)
				got := make([]byte, size)
				for _, err := range []error{d.Write(own, 0, data), d.Run(c), d.Run(common), d.Read(own, 0, got)} {
					if err != nil {
						t.Error(err)
					}
				}
				for k := 0; k < size; k += 4 {
					if binary.LittleEndian.Uint32(got[k:]) != binary.LittleEndian.Uint32(data[k:])*3+1 {
						t.Errorf("word %d of %d is wrong", k/4, size/4)
						return
					}
				}
			}
			c.Free()
			own.Free()
		})
	}
	wg.Wait()
	want := uint32(0)
	for range workers * rounds {
		want = want*3 + 1
	}
	got := make([]byte, 256)
	ok(t, d.Read(shared, 0, got))
	if v := binary.LittleEndian.Uint32(got[100:]); v != want {
		t.Errorf("shared list after %d runs: %#x, want %#x", workers*rounds, v, want)
	}
}

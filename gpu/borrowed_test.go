package gpu

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// borrow opens the device that b lends.
func borrow(t *testing.T, b *Borrowed) *Device {
	t.Helper()
	d := must[*Device](t)(Open(Options{Borrowed: b, CacheDir: "-"}))
	t.Cleanup(d.Close)
	return d
}

// Several Devices work on the device and queue of one program at a time, and leave them alone when
// they are closed. The program's functions surround every submission.
func TestBorrowed(t *testing.T) {
	owner := openTest(t, Options{})
	var held, calls int // while the queue is locked
	lend := func() *Borrowed {
		b := owner.Lend()
		lock, unlock := b.Lock, b.Unlock
		b.Lock = func() {
			lock()
			held++
			calls++
		}
		b.Unlock = func() {
			if held != 1 {
				t.Errorf("%d users of the queue at a time", held)
			}
			held--
			unlock()
		}
		return b
	}
	first, second := borrow(t, lend()), borrow(t, lend())
	if first.queue != second.queue {
		t.Error("two Devices on one queue do not take turns")
	}
	if a, b := first.Info().Caps, owner.Info().Caps; a.BufferDeviceAddress != b.BufferDeviceAddress || a.Int64 != b.Int64 || a.Storage16 != b.Storage16 || a.Timestamps != b.Timestamps || a.MaxPush != b.MaxPush {
		t.Errorf("borrowed with %+v, made with %+v", a, b)
	}
	t.Run("together", func(t *testing.T) {
		for name, d := range map[string]*Device{"owner": owner, "first": first, "second": second} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8}))
				for range 5 {
					checkAxpb(t, d, p, 1000, Local)
				}
				p.Free()
			})
		}
	})
	if calls < 2*5 {
		t.Errorf("%d submissions were locked", calls)
	}
	first.Close()
	checkAxpb(t, second, must[*Pipeline](t)(second.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8})), 100, Upload)
	second.Close()
	if n := len(borrowedQueues.held); n != 0 {
		t.Errorf("%d queues are still held", n)
	}
	checkAxpb(t, owner, must[*Pipeline](t)(owner.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8})), 100, Readback)
}

// Close of a borrowed device waits for what is in flight there, though it does not wait for the
// whole device.
func TestBorrowedCloseInFlight(t *testing.T) {
	owner := openTest(t, Options{})
	for range 3 {
		d := borrow(t, owner.Lend())
		p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "spin", Code: spinCode, Bindings: 1, PushBytes: 4}))
		buf := must[*Buffer](t)(d.NewBuffer(1<<20, Local))
		var lists [2]*Commands
		for k := range lists {
			lists[k] = must[*Commands](t)(d.NewCommands())
			lists[k].Dispatch(p, []Range{{Buf: buf}}, words(60000), 50, 1, 1)
			ok(t, lists[k].End())
		}
		flying := must[Ticket](t)(d.SubmitAll(lists[:]))
		d.Close()
		if err := flying.Wait(); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

// What the program has not switched on is not used.
func TestBorrowedFeatures(t *testing.T) {
	owner := openTest(t, Options{})
	b := owner.Lend()
	b.Features = Features{}
	d := borrow(t, b)
	caps := d.Info().Caps
	if caps.BufferDeviceAddress || caps.Int64 || caps.Float16 || caps.Storage16 || caps.SubgroupControl || caps.Matrix != [3]int{} {
		t.Errorf("without features: %+v", caps)
	}
	checkAxpb(t, d, must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8})), 1000, Local)
	_, err := d.NewPipeline(PipelineDesc{Name: "scale", Code: scaleCode, PushBytes: 24})
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Need == "" {
		t.Errorf("a shader that needs buffer addresses: %v", err)
	}
}

func TestBorrowedMistakes(t *testing.T) {
	owner := openTest(t, Options{})
	for _, x := range []struct {
		words string
		spoil func(o *Options)
	}{
		{"no Instance", func(o *Options) { o.Borrowed.Instance = nil }},
		{"no PhysicalDevice", func(o *Options) { o.Borrowed.PhysicalDevice = nil }},
		{"no Device", func(o *Options) { o.Borrowed.Device = nil }},
		{"no Queue", func(o *Options) { o.Borrowed.Queue = nil }},
		{"Vulkan 1.0.0", func(o *Options) { o.Borrowed.API = MakeVersion(1, 0, 0) }},
		{"Vulkan 0.0.0", func(o *Options) { o.Borrowed.API = 0 }},
		{"queue family 99", func(o *Options) { o.Borrowed.QueueFamily = 99 }},
		{"not one of Instance", func(o *Options) { o.Borrowed.PhysicalDevice = o.Borrowed.Device }},
		{"Lock and Unlock", func(o *Options) { o.Borrowed.Unlock = nil }},
		{"another Vulkan loader", func(o *Options) { o.Borrowed.GetInstanceProcAddr = o.Borrowed.Device }},
		{"Options.Device", func(o *Options) { o.Device = "0" }},
		{"Options.Validation", func(o *Options) { o.Validation = true }},
	} {
		o := Options{Borrowed: owner.Lend(), CacheDir: "-"}
		x.spoil(&o)
		_, err := Open(o)
		var e *BorrowedError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), x.words) {
			t.Errorf("%s: %v", x.words, err)
		}
	}
	b := owner.Lend()
	b.GetInstanceProcAddr = loader.proc
	borrow(t, b)
}

func TestReadFeatures(t *testing.T) {
	if f := ReadFeatures(nil); f != (Features{}) {
		t.Errorf("no structures: %+v", f)
	}
	// VkPhysicalDeviceVulkan12Features, and a structure of another type before it.
	next := [2 + 2 + 47]uint32{0: 51}
	next[4+7], next[4+38] = 1, 1 // shaderFloat16, bufferDeviceAddress
	first := struct {
		kind int32
		next unsafe.Pointer
		rest [8]uint32
	}{12345, unsafe.Pointer(&next), [8]uint32{1, 1, 1, 1, 1, 1, 1, 1}}
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(&next)
	if f := ReadFeatures(unsafe.Pointer(&first)); f != (Features{Float16: true, BufferDeviceAddress: true}) {
		t.Errorf("Vulkan 1.2 features are read as %+v", f)
	}
}

package gpu

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestClosedDevice(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	open := must[*Commands](t)(d.NewCommands())
	done := chain(t, d, p, buf, 2)
	ok(t, d.Run(done))
	d.Close()
	d.Close()
	_, e1 := d.NewBuffer(4, Local)
	_, e2 := d.NewPipeline(PipelineDesc{Code: incrCode, Bindings: 1})
	_, e3 := d.NewPipelines(nil)
	_, e4 := d.NewCommands()
	_, e5 := done.Timestamps()
	open.Dispatch(p, []Range{{Buf: buf}}, nil, 1, 1, 1)
	for k, err := range []error{e1, e2, e3, e4, e5, open.End(), d.Run(done), d.Run(open), d.Write(buf, 0, nil), d.Read(buf, 0, nil)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d on a closed device: %v", k+1, err)
		}
	}
	buf.Free()
	p.Free()
	done.Free()
	open.Free()
	if d.Info().Name == "" {
		t.Error("Info of a closed device is empty")
	}
}

func TestFreedResources(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	other := must[*Buffer](t)(d.NewBuffer(256, Local))
	c1, c2 := chain(t, d, p, buf, 1), chain(t, d, p, other, 1)
	buf.Free()
	buf.Free()
	for k, err := range []error{d.Run(c1), d.Write(buf, 0, nil), d.Read(buf, 0, nil)} {
		if !errors.Is(err, ErrFreed) {
			t.Errorf("use %d of a freed buffer: %v", k, err)
		}
	}
	ok(t, d.Run(c2))
	p.Free()
	if err := d.Run(c2); !errors.Is(err, ErrFreed) || !strings.Contains(err.Error(), "incr") {
		t.Errorf("run with a freed pipeline: %v", err)
	}
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, []Range{{Buf: other}}, nil, 1, 1, 1)
	if !errors.Is(c.End(), ErrFreed) {
		t.Errorf("dispatch of a freed pipeline: %v", c.End())
	}
	var none *Buffer
	none.Free()
	(*Pipeline)(nil).Free()
	(*Commands)(nil).Free()
	if d.Write(nil, 0, nil) == nil {
		t.Error("Write to no buffer")
	}
}

// Everything that a run uses may be freed while it runs.
func TestFreeDuringRun(t *testing.T) {
	d := openTest(t, Options{})
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "spin", Code: spinCode, Bindings: 1, PushBytes: 4}))
	for range 5 {
		buf := must[*Buffer](t)(d.NewBuffer(1<<20, Local))
		c := must[*Commands](t)(d.NewCommands())
		c.Dispatch(p, []Range{{Buf: buf}}, words(60000), 50, 1, 1)
		ok(t, c.End())
		d.queueMu.Lock() // the run begins but cannot be submitted yet
		done := make(chan error, 1)
		go func() { done <- d.Run(c) }()
		for !pinned(d, buf) && len(done) == 0 {
			runtime.Gosched()
		}
		buf.Free()
		c.Free()
		d.queueMu.Unlock()
		ok(t, <-done)
	}
	d.mu.Lock()
	n := len(d.resources)
	d.mu.Unlock()
	if n != 1 {
		t.Errorf("%d resources left, want the pipeline alone", n)
	}
}

func pinned(d *Device, b *Buffer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return b.res.pins > 0
}

// Close waits for the runs that are under way.
func TestCloseDuringRuns(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	var wg sync.WaitGroup
	begun := make(chan struct{}, 3)
	for range cap(begun) {
		buf := must[*Buffer](t)(d.NewBuffer(1<<16, Local))
		c := chain(t, d, p, buf, 10)
		wg.Go(func() {
			err := d.Run(c)
			begun <- struct{}{}
			for err == nil {
				err = d.Run(c)
			}
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	for range cap(begun) {
		<-begun
	}
	d.Close()
	wg.Wait()
}

func TestLostDevice(t *testing.T) {
	d := openTest(t, Options{})
	buf := must[*Buffer](t)(d.NewBuffer(1<<16, Local))
	c := chain(t, d, incrPipeline(t, d), buf, 2)
	// The same happens when the driver returns VK_ERROR_DEVICE_LOST.
	var lost *DeviceLostError
	if err := d.fail(resultDeviceLost, "vkQueueSubmit", "a run"); !errors.As(err, &lost) || lost.During != "a run" {
		t.Fatal(err)
	}
	_, e1 := d.NewBuffer(64, Local)
	_, e2 := d.NewPipeline(PipelineDesc{Code: incrCode, Bindings: 1})
	for k, err := range []error{d.Run(c), e1, e2, d.Write(buf, 0, nil)} {
		if !errors.As(err, &lost) {
			t.Errorf("call %d on a lost device: %v", k, err)
		}
	}
	buf.Free()
	d.Close()
}

// A run that takes longer than allowed is given up: the device counts as lost, and what the run may
// still use is not freed.
func TestTimeout(t *testing.T) {
	d := openTest(t, Options{})
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "spin", Code: spinCode, Bindings: 1, PushBytes: 4}))
	buf := must[*Buffer](t)(d.NewBuffer(64, Local))
	quick := must[*Commands](t)(d.NewCommands())
	quick.Fill(Range{Buf: buf}, 0)
	ok(t, quick.End())
	ok(t, d.Run(quick))
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, []Range{{Buf: buf}}, words(60000), 50, 1, 1)
	ok(t, c.End())
	d.timeout = time.Nanosecond // every run takes longer; those above had no limit
	err := d.Run(c)
	var lost *DeviceLostError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "time allowed") {
		t.Fatal(err)
	}
	if err := d.Run(quick); !errors.As(err, &lost) {
		t.Error(err)
	}
	buf.Free() // still in use: never freed
	if _, there := d.resources[&buf.res]; !there {
		t.Error("a buffer was destroyed that the device may still write to")
	}
	d.Close()
	if d.c == nil {
		t.Error("Close waited for a hung device and destroyed it")
	}
}

package gpu

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

// Pipelines with the same code share what the driver built. It lives until the last of them is
// freed.
func TestSharedPrograms(t *testing.T) {
	d := openTest(t, Options{})
	desc := PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8}
	first := must[*Pipeline](t)(d.NewPipeline(desc))
	desc.Name = "second"
	second := must[*Pipeline](t)(d.NewPipeline(desc))
	other := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 4, PushBytes: 8}))
	if first.program != second.program || first.program == other.program {
		t.Error("the same code and layout do not share, or others do")
	}
	if second.Name() != "second" {
		t.Errorf("a shared pipeline is called %q", second.Name())
	}
	first.Free()
	first.Free()
	checkAxpb(t, d, second, 1000, Local)
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(first, []Range{}, nil, 1, 1, 1)
	if c.End() == nil {
		t.Error("a dispatch of what was freed")
	}
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	c = must[*Commands](t)(d.NewCommands())
	c.Dispatch(first, []Range{{Buf: buf}, {Buf: buf}, {Buf: buf}}, words(0, 0), 1, 1, 1)
	if err := c.End(); !errors.Is(err, ErrFreed) {
		t.Errorf("dispatch of a freed pipeline whose program lives: %v", err)
	}
	second.Free()
	if n := len(d.programs); n != 1 {
		t.Errorf("%d programs are left, want the other one's", n)
	}
	again := must[*Pipeline](t)(d.NewPipeline(desc))
	checkAxpb(t, d, again, 1000, Local)
}

// Many goroutines may build and free the same pipeline at the same time, also one that cannot be
// built.
func TestSharedProgramsAtOnce(t *testing.T) {
	d := openTest(t, Options{})
	bad := append([]uint32(nil), incrCode...)[:len(incrCode)-1]
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				p, err := d.NewPipeline(PipelineDesc{Name: "incr", Code: incrCode, Bindings: 1})
				if err != nil {
					t.Error(err)
					return
				}
				if p.handle == (vkPipeline)(nil) {
					t.Error("a pipeline that is not ready")
				}
				if _, err := d.NewPipelines([]PipelineDesc{{Code: incrCode, Bindings: 1}, {Name: "cut", Code: bad, Bindings: 1}}); err == nil || !strings.Contains(err.Error(), "cut") {
					t.Errorf("half a shader: %v", err)
				}
				p.Free()
			}
		})
	}
	wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.programs) != 0 || len(d.resources) != 0 {
		t.Errorf("%d programs and %d resources are left", len(d.programs), len(d.resources))
	}
}

// A failed NewPipelines frees pipelines whose program a run may be using, even if the run's own
// pipeline was freed meanwhile. The program lives until that run is over.
func TestGivenBackWhileRunning(t *testing.T) {
	d := openTest(t, Options{})
	desc := PipelineDesc{Code: incrCode, Bindings: 1}
	running := must[*Pipeline](t)(d.NewPipeline(desc))
	ok(t, d.pin(&running.res)) // as Run does
	asked := must[*Pipeline](t)(d.NewPipeline(desc))
	destroyed, destroy := false, running.res.destroy
	running.res.destroy = func() {
		destroyed = true
		destroy()
	}
	running.Free()
	d.freeAll([]*Pipeline{asked, nil})
	if destroyed {
		t.Error("a pipeline was destroyed while a run used it")
	}
	if len(d.programs) != 0 {
		t.Error("nobody has the program any more, but it can be found")
	}
	d.unpin(&running.res)
	if !destroyed || len(d.resources) != 0 {
		t.Errorf("after the run: destroyed %v, %d resources left", destroyed, len(d.resources))
	}
}

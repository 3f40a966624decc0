package gpu

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func limitError(t *testing.T, what string, err error) {
	t.Helper()
	var le *LimitError
	if !errors.As(err, &le) || !strings.Contains(err.Error(), what) || le.Device == "" || le.Need == "" && le.Got <= le.Max {
		t.Errorf("%s: %v", what, err)
	}
}

func TestDispatchLimits(t *testing.T) {
	d := openTest(t, Options{})
	caps := d.Info().Caps
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8}))
	buf := must[*Buffer](t)(d.NewBuffer(1024, Local))
	r := []Range{{Buf: buf}, {Buf: buf}, {Buf: buf}}
	end := func(f func(c *Commands)) error {
		c := must[*Commands](t)(d.NewCommands())
		defer c.Free()
		f(c)
		return c.End()
	}
	for k, axis := range axisNames {
		if caps.MaxGroups[k] >= 1<<32-1 {
			continue
		}
		g := [3]int{1, 1, 1}
		g[k] = caps.MaxGroups[k] + 1
		limitError(t, "work groups in "+axis, end(func(c *Commands) { c.Dispatch(p, r, words(0, 0), g[0], g[1], g[2]) }))
		g[k] = -rand.IntN(2)
		if end(func(c *Commands) { c.Dispatch(p, r, words(0, 0), g[0], g[1], g[2]) }) == nil {
			t.Errorf("%v work groups accepted", g)
		}
	}
	for _, f := range []func(c *Commands){
		func(c *Commands) { c.Dispatch(p, r, words(0), 1, 1, 1) },
		func(c *Commands) { c.Dispatch(p, r, words(0, 0, 0), 1, 1, 1) },
		func(c *Commands) { c.Dispatch(p, r[:2], words(0, 0), 1, 1, 1) },
		func(c *Commands) { c.Dispatch(p, append(r, r...), words(0, 0), 1, 1, 1) },
		func(c *Commands) { c.Dispatch(p, []Range{{}, {}, {}}, words(0, 0), 1, 1, 1) },
		func(c *Commands) {
			c.Dispatch(p, []Range{{buf, 0, 2000}, {Buf: buf}, {Buf: buf}}, words(0, 0), 1, 1, 1)
		},
		func(c *Commands) {
			c.Dispatch(p, []Range{{buf, 1024, 0}, {Buf: buf}, {Buf: buf}}, words(0, 0), 1, 1, 1)
		},
	} {
		if end(f) == nil {
			t.Error("a bad dispatch was accepted")
		}
	}
	if caps.MinStorageAlign > 4 {
		if err := end(func(c *Commands) { c.Dispatch(p, []Range{{buf, 4, 0}, {Buf: buf}, {Buf: buf}}, words(0, 0), 1, 1, 1) }); err == nil {
			t.Error("an unaligned offset was accepted")
		}
	}
	if caps.MaxStorageRange < 1<<30 {
		big := must[*Buffer](t)(d.NewBuffer(caps.MaxStorageRange+1024, Local))
		limitError(t, "bytes of binding 1", end(func(c *Commands) { c.Dispatch(p, []Range{{Buf: buf}, {Buf: big}, {Buf: buf}}, words(0, 0), 1, 1, 1) }))
		ok(t, end(func(c *Commands) {
			c.Dispatch(p, []Range{{Buf: buf}, {big, 1024, caps.MaxStorageRange}, {Buf: buf}}, words(0, 0), 1, 1, 1)
		}))
	}
}

func TestPipelineLimits(t *testing.T) {
	d := openTest(t, Options{})
	caps := d.Info().Caps
	desc := PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8}
	try := func(f func(p *PipelineDesc)) error {
		p := desc
		p.Code = slices.Clone(p.Code)
		f(&p)
		_, err := d.NewPipeline(p)
		return err
	}
	limitError(t, "storage buffers", try(func(p *PipelineDesc) { p.Bindings = caps.MaxStorageBindings + 1 }))
	limitError(t, "push constants", try(func(p *PipelineDesc) { p.PushBytes = caps.MaxPush + 4 }))
	limitError(t, "SPIR-V 1.9", try(func(p *PipelineDesc) { p.Code[1] = 0x10900 }))
	// The work group size of 64 by 1 by 1 follows OpExecutionMode %main LocalSize.
	size := slices.Index(desc.Code, 6<<16|opExecutionMode) + 3
	if desc.Code[size] != 64 {
		t.Fatalf("no work-group size at word %d", size)
	}
	limitError(t, "size of a work group in z", try(func(p *PipelineDesc) { p.Code[size+2] = uint32(caps.MaxWorkgroup[2] + 1) }))
	limitError(t, "invocations", try(func(p *PipelineDesc) {
		p.Code[size], p.Code[size+1] = uint32(caps.MaxWorkgroup[0]), uint32(min(caps.MaxWorkgroup[1], 2+caps.MaxInvocations/caps.MaxWorkgroup[0]))
	}))
	for _, f := range []func(p *PipelineDesc){
		func(p *PipelineDesc) { p.Code = nil },
		func(p *PipelineDesc) { p.Code = p.Code[:rand.IntN(40)] },
		func(p *PipelineDesc) { p.Code[0]++ },
		func(p *PipelineDesc) { p.Code = p.Code[:len(p.Code)-1-rand.IntN(100)][:0:0] },
		func(p *PipelineDesc) { p.PushBytes = -4 },
		func(p *PipelineDesc) { p.PushBytes = 6 },
		func(p *PipelineDesc) { p.Bindings = -1 },
	} {
		if err := try(f); err == nil || !strings.Contains(err.Error(), "axpb") {
			t.Errorf("a bad pipeline: %v", err)
		}
	}
	ok(t, try(func(*PipelineDesc) {}))

	// Missing features are reported before a driver sees the shader.
	wide := PipelineDesc{Name: "wide", Code: wideCode, Bindings: 1}
	if caps.Int64 {
		must[*Pipeline](t)(d.NewPipeline(wide))
		d.info.Caps.Int64 = false
	}
	_, err := d.NewPipeline(wide)
	limitError(t, "64-bit integers", err)
	d.info.Caps.BufferDeviceAddress = false
	_, err = d.NewPipeline(PipelineDesc{Name: "scale", Code: scaleCode, PushBytes: 24})
	limitError(t, "buffer addresses", err)
	d.info.Caps = caps

	before := len(d.resources)
	if ps, err := d.NewPipelines([]PipelineDesc{desc, desc, {Name: "bad"}, desc}); err == nil || ps != nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("NewPipelines with a bad one: %d pipelines, %v", len(ps), err)
	}
	if len(d.resources) != before {
		t.Errorf("%d pipelines left over", len(d.resources)-before)
	}
}

// inspect must survive any input.
func TestInspectAnything(t *testing.T) {
	for range 20000 {
		code := slices.Clone(axpbCode[:rand.IntN(len(axpbCode)+1)])
		for range rand.IntN(4) {
			if len(code) > 0 {
				code[rand.IntN(len(code))] = rand.Uint32() >> rand.IntN(32)
			}
		}
		inspect(code)
	}
	m := must[module](t)(inspect(scaleCode))
	if m.version != 0x10300 || m.localSize != [3]int{32, 1, 1} || !slices.Contains(m.capabilities, 5347) {
		t.Errorf("%+v", m)
	}
}

// A module that is cut off anywhere, even after a whole instruction, never reaches a driver: some
// crash on it.
func TestTruncatedModules(t *testing.T) {
	if _, err := inspect(axpbCode); err != nil {
		t.Fatal(err)
	}
	for n := range axpbCode {
		if _, err := inspect(axpbCode[:n]); err == nil {
			t.Errorf("the first %d of %d words were accepted", n, len(axpbCode))
		}
	}
}

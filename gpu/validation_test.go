package gpu

import (
	"strings"
	"testing"
)

// A missing barrier must be reported, or the silence of the layer in the other tests would prove
// nothing. The shader must declare the binding that it reads as read-only: the layer does not
// report hazards between two writable bindings, and does not see buffer addresses at all.
func TestSynchronisationValidation(t *testing.T) {
	if !ValidationAvailable() {
		t.Skip("no validation layer")
	}
	var got []string
	d := must[*Device](t)(Open(Options{Validation: true, CacheDir: "-", OnMessage: func(s string) { got = append(got, s) }}))
	defer d.Close()
	p := incrPipeline(t, d)
	q := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8}))
	out := must[*Buffer](t)(d.NewBuffer(256, Local))
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	ok(t, d.Write(buf, 0, make([]byte, 256)))
	ok(t, d.Run(chain(t, d, p, buf, 3)))
	if len(got) != 0 {
		t.Fatalf("messages about a good list: %v", got)
	}
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, []Range{{Buf: buf}}, nil, 1, 1, 1)
	c.Dispatch(q, []Range{{Buf: buf}, {Buf: buf}, {Buf: out}}, words(64, float32(1)), 1, 1, 1)
	ok(t, c.End())
	if len(got) == 0 || !strings.Contains(got[0], "HAZARD") || !strings.HasPrefix(got[0], "error: ") {
		t.Errorf("messages about a missing barrier: %v", got)
	}
}

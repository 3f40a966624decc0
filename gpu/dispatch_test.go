package gpu

import (
	"math/rand/v2"
	"testing"
)

// checkAxpb records c = a*k + b on new buffers, runs it and checks the result.
func checkAxpb(t *testing.T, d *Device, p *Pipeline, n int, kind Kind) {
	t.Helper()
	a, b, k := randomFloats(n), randomFloats(n), rand.Float32()
	ba, bb := floatsBuffer(t, d, kind, a), floatsBuffer(t, d, kind, b)
	bc := floatsBuffer(t, d, kind, make([]float32, n))
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, []Range{{Buf: ba}, {Buf: bb}, {Buf: bc}}, words(n, k), (n+63)/64, 1, 1)
	ok(t, c.End())
	ok(t, d.Run(c))
	for i, got := range readFloats(t, d, bc, n) {
		want := a[i]*k + b[i]
		if diff := got - want; diff > 1e-6 || diff < -1e-6 {
			t.Fatalf("element %d of %d: %g, want %g", i, n, got, want)
		}
	}
	c.Free()
	for _, x := range []*Buffer{ba, bb, bc} {
		x.Free()
	}
}

func TestDispatchStorageBuffers(t *testing.T) {
	d := openTest(t, Options{})
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8}))
	for _, kind := range []Kind{Local, Upload, Readback} {
		checkAxpb(t, d, p, 1+rand.IntN(5000), kind)
	}
	p.Free()
	p.Free()
}

func TestDispatchBufferAddress(t *testing.T) {
	d := openTest(t, Options{})
	if !d.Info().Caps.BufferDeviceAddress {
		t.Skip("no buffer addresses")
	}
	p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "scale", Code: scaleCode, PushBytes: 24}))
	n, k := 1+rand.IntN(3000), rand.Float32()
	src := randomFloats(n)
	bs, bd := floatsBuffer(t, d, Local, src), floatsBuffer(t, d, Local, make([]float32, n))
	if bs.Address() == 0 || bd.Address() == 0 || bs.Address() == bd.Address() {
		t.Fatalf("addresses %#x, %#x", bs.Address(), bd.Address())
	}
	c := must[*Commands](t)(d.NewCommands())
	c.Dispatch(p, nil, words(bs.Address(), bd.Address(), n, k), (n+31)/32, 1, 1)
	ok(t, c.End())
	ok(t, d.Run(c))
	for i, got := range readFloats(t, d, bd, n) {
		if want := src[i] * k; got != want {
			t.Fatalf("element %d: %g, want %g", i, got, want)
		}
	}
}

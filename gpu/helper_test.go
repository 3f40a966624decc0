package gpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// openTest opens the default device, with the validation layer if it is installed. Any message of
// the layer fails the test. The device is closed before the test ends, so its last messages count
// too.
func openTest(t testing.TB, o Options) *Device {
	t.Helper()
	o.Validation = ValidationAvailable()
	if o.CacheDir == "" {
		o.CacheDir = "-"
	}
	var mu sync.Mutex
	over := false
	o.OnMessage = func(s string) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			t.Error("validation:", s)
		}
	}
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		mu.Lock()
		over = true
		mu.Unlock()
	})
	return d
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func randomBytes(n int) []byte {
	p := make([]byte, n)
	for k := range p {
		p[k] = byte(rand.Uint32())
	}
	return p
}

func randomFloats(n int) []float32 {
	v := make([]float32, n)
	for k := range v {
		v[k] = rand.Float32()*2 - 1
	}
	return v
}

func floatBytes(v []float32) []byte {
	var p []byte
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, math.Float32bits(x))
	}
	return p
}

func readFloats(t testing.TB, d *Device, b *Buffer, n int) []float32 {
	t.Helper()
	p := make([]byte, 4*n)
	ok(t, d.Read(b, 0, p))
	v := make([]float32, n)
	for k := range v {
		v[k] = math.Float32frombits(binary.LittleEndian.Uint32(p[4*k:]))
	}
	return v
}

func words(v ...any) []byte {
	var p []byte
	for _, x := range v {
		switch x := x.(type) {
		case uint64:
			p = binary.LittleEndian.AppendUint64(p, x)
		case uint32:
			p = binary.LittleEndian.AppendUint32(p, x)
		case int:
			p = binary.LittleEndian.AppendUint32(p, uint32(x))
		case float32:
			p = binary.LittleEndian.AppendUint32(p, math.Float32bits(x))
		default:
			panic("words: unknown type")
		}
	}
	return p
}

func floatsBuffer(t testing.TB, d *Device, k Kind, v []float32) *Buffer {
	t.Helper()
	b := must[*Buffer](t)(d.NewBuffer(int64(4*len(v)), k))
	ok(t, d.Write(b, 0, floatBytes(v)))
	return b
}

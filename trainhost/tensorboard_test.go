package trainhost

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// events reads a file as TensorBoard does: bit by bit by its own rules, checksums checked.
func events(t *testing.T, b []byte) (evs [][]byte) {
	t.Helper()
	crc := func(b []byte) uint32 { // by the polynomial's definition
		c := ^uint32(0)
		for _, v := range b {
			c ^= uint32(v)
			for range 8 {
				c = c>>1 ^ 0x82f63b78*(c&1)
			}
		}
		c = ^c
		return (c>>15 | c<<17) + 0xa282ead8
	}
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if binary.LittleEndian.Uint32(b[8:]) != crc(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != crc(b[12:12+n]) {
			t.Fatal("a checksum is wrong")
		}
		evs = append(evs, b[12:12+n])
		b = b[16+n:]
	}
	return evs
}

// fields takes a protocol buffer apart; numbers as bits.
func fields(t *testing.T, b []byte) (m map[protowire.Number][]any) {
	t.Helper()
	m = map[protowire.Number][]any{}
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		b = b[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			v, n = protowire.ConsumeFixed32(b)
		default:
			v, n = protowire.ConsumeBytes(b)
		}
		if n < 0 {
			t.Fatal("not a protocol buffer")
		}
		m[num] = append(m[num], v)
		b = b[n:]
	}
	return m
}

func TestEventLog(t *testing.T) {
	if crc32.Checksum([]byte("123456789"), castagnoli) != 0xe3069283 {
		t.Fatal("not CRC-32C")
	}
	dir := filepath.Join(t.TempDir(), "run", "1")
	l, err := NewEventLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Step: 1234567, Loss: 0.5, Unscaled: 1.5, Pictures: 3, Terms: map[Term]float64{TermData: 0.25, TermKL: 2}, Rate: 1e-3, Seconds: 0.5}
	r.PSNR[2], r.PSNR[3] = 31.5, math.NaN()
	if err := l.Write(r); err != nil {
		t.Fatal(err)
	}
	l.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	evs := events(t, b)
	if len(evs) != 2 || string(fields(t, evs[0])[3][0].([]byte)) != "brain.Event:2" {
		t.Fatalf("%d events", len(evs))
	}
	e := fields(t, evs[1])
	if e[2][0].(uint64) != r.Step || math.Float64frombits(e[1][0].(uint64)) < 1.7e9 {
		t.Errorf("step and time are %v and %v", e[2], e[1])
	}
	got := map[string]float32{}
	for _, v := range fields(t, e[5][0].([]byte))[1] {
		f := fields(t, v.([]byte))
		got[string(f[1][0].([]byte))] = math.Float32frombits(f[2][0].(uint32))
	}
	for tag, want := range map[string]float32{"loss/unscaled": 1.5, "run/pictures per second": 6, "loss/total": 0.5, "loss/data": 0.25, "loss/kl": 2, "PSNR/inpaint-box": 31.5, "PSNR/denoise": 0, "run/learning rate": 1e-3} {
		if v, ok := got[tag]; !ok || v != want {
			t.Errorf("%s is %g (%v), want %g", tag, v, ok, want)
		}
	}
	if len(got) != 4+Classes-1+3 { // NaN is left out
		t.Errorf("%d scalars", len(got))
	}
}

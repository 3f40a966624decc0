package gpu

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestOutOfMemory(t *testing.T) {
	d := openTest(t, Options{})
	caps := d.Info().Caps
	for _, kind := range []Kind{Local, Upload, Readback} {
		for _, size := range []int64{math.MaxInt64, 1 << 60, 1 << 48, caps.MaxAlloc + 1, caps.HeapBudget + caps.MaxAlloc} {
			if size <= 0 {
				continue
			}
			_, err := d.NewBuffer(size, kind)
			var oom *OutOfMemoryError
			if !errors.As(err, &oom) || oom.Size != size || oom.Available <= 0 || !strings.Contains(err.Error(), "smaller tiles") {
				t.Errorf("%v buffer of %d: %v", kind, size, err)
			}
		}
		for _, size := range []int64{0, -1, math.MinInt64} {
			if _, err := d.NewBuffer(size, kind); err == nil {
				t.Errorf("%v buffer of %d was made", kind, size)
			}
		}
	}
	if _, err := d.NewBuffer(4, Kind(7)); err == nil {
		t.Error("a buffer of no known kind was made")
	}
	// Pretend that the heap has 8 MiB.
	for k := range d.memory.most {
		d.memory.most[k] = 8 << 20
	}
	if d.info.Type == CPU || d.cand.c.hasBudget == 0 {
		a := must[*Buffer](t)(d.NewBuffer(5<<20, Local))
		var oom *OutOfMemoryError
		if _, err := d.NewBuffer(5<<20, Local); !errors.As(err, &oom) || oom.Available != 3<<20 {
			t.Errorf("a second buffer beyond the budget: %v", err)
		}
		// There is not enough memory for a shared block, but for the buffer.
		small := must[*Buffer](t)(d.NewBuffer(100, Local))
		small.Free()
		a.Free()
		must[*Buffer](t)(d.NewBuffer(5<<20, Local)).Free()
	}
	// The device still works as before.
	d.memory.most = d.inst.freeBytes(d.cand)
	checkAxpb(t, d, must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8})), 100, Local)
}

// Small buffers share memory blocks but do not affect each other: contents stay when neighbours are
// allocated and freed.
func TestSmallBuffersShareBlocks(t *testing.T) {
	d := openTest(t, Options{})
	type held struct {
		b    *Buffer
		want []byte
	}
	var all []held
	check := func(h held) {
		t.Helper()
		got := make([]byte, len(h.want))
		ok(t, d.Read(h.b, 0, got))
		if !bytes.Equal(got, h.want) {
			t.Fatalf("a buffer of %d bytes was overwritten", len(h.want))
		}
	}
	for range 1500 {
		if len(all) > 0 && rand.IntN(5) < 2 {
			k := rand.IntN(len(all))
			check(all[k])
			all[k].b.Free()
			all[k] = all[len(all)-1]
			all = all[:len(all)-1]
			continue
		}
		n := 1 + rand.IntN(3000)
		if rand.IntN(10) == 0 {
			n = 1 + rand.IntN(2*smallBuffer)
		}
		h := held{must[*Buffer](t)(d.NewBuffer(int64(n), Kind(rand.IntN(3)))), randomBytes(n)}
		ok(t, d.Write(h.b, 0, h.want))
		all = append(all, h)
	}
	if d.memory.count > len(all)/4 {
		t.Errorf("%d allocations for %d buffers", d.memory.count, len(all))
	}
	for _, h := range all {
		check(h)
		h.b.Free()
	}
	// One empty block per memory type may be kept, and the two buffers that staging writes by.
	if limit := 3 + 2; d.memory.count > limit {
		t.Errorf("%d allocations left without any buffer, at most %d expected", d.memory.count, limit)
	}
	for _, list := range d.memory.blocks {
		for _, b := range list {
			if len(b.free) != 1 || b.free[0] != (gap{0, blockSize}) {
				t.Errorf("gaps of an empty block: %v", b.free)
			}
		}
	}
}

func TestPickMemoryType(t *testing.T) {
	const host = memHostVisible | memCoherent
	card := memoryTypes{
		types: []memoryType{{0, 1}, {memLocal, 0}, {host, 1}, {host | memCached, 1}, {memLocal | host, 0}, {memLocal | host | 0x40, 0}},
		heaps: []memoryHeap{{8 << 30, true}, {16 << 30, false}},
	}
	apu := memoryTypes{
		types: []memoryType{{memLocal, 0}, {memLocal | host, 0}, {memLocal | host | memCached, 0}},
		heaps: []memoryHeap{{16 << 30, true}},
	}
	if card.unified(Discrete) || apu.unified(Discrete) || !apu.unified(Integrated) || !apu.unified(CPU) || !apu.unified(Virtual) || card.unified(Virtual) {
		t.Error("unified memory is misjudged")
	}
	for _, c := range []struct {
		m       memoryTypes
		bits    uint32
		kind    Kind
		unified bool
		typ     int
		mapped  bool
	}{
		{card, 0xff, Local, false, 1, false}, {card, 0xff, Upload, false, 2, true}, {card, 0xff, Readback, false, 3, true},
		{card, 0x36, Readback, false, 2, true}, {card, 0x31, Local, false, 4, false}, {card, 0x30, Upload, false, 4, true},
		{card, 0x01, Local, false, 0, false}, {card, 0x20, Local, false, -1, false}, {card, 0x03, Upload, false, -1, false},
		{apu, 0xff, Local, true, 2, true}, {apu, 0xff, Upload, true, 1, true}, {apu, 0xff, Readback, true, 2, true},
		{apu, 0x01, Local, true, 0, false},
	} {
		if typ, mapped := c.m.pick(c.bits, c.kind, c.unified); typ != c.typ || mapped != c.mapped {
			t.Errorf("pick(%#x, %v, unified %v) = %d, %v; want %d, %v", c.bits, c.kind, c.unified, typ, mapped, c.typ, c.mapped)
		}
	}
}

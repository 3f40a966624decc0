package gpu

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// needs skips a test if the device lacks what it is about.
func needs(t *testing.T, have bool, d *Device, what string) {
	t.Helper()
	if !have {
		t.Skipf("%s has no %s", d.Info().Name, what)
	}
}

// increment is a list that takes a shared buffer, computes x ← 3x+1 for all words, and gives it
// back.
func increment(t *testing.T, d *Device, b *Buffer) *Commands {
	t.Helper()
	c := must[*Commands](t)(d.NewCommands())
	c.Acquire(b)
	c.Dispatch(incrPipeline(t, d), []Range{{Buf: b}}, nil, int(b.Size()/4/64), 1, 1)
	c.Release(b)
	ok(t, c.End())
	return c
}

func checkIncremented(t *testing.T, what string, before, after []byte) {
	t.Helper()
	for k := 0; k < len(before); k += 4 {
		x, y := binary.LittleEndian.Uint32(before[k:]), binary.LittleEndian.Uint32(after[k:])
		if y != 3*x+1 {
			t.Fatalf("%s: word %d of %d: %d became %d", what, k/4, len(before)/4, x, y)
		}
	}
}

// The device computes in memory of the host, in place.
func TestImportHost(t *testing.T) {
	d := openTest(t, Options{})
	needs(t, d.External().ImportHost, d, "VK_EXT_external_memory_host")
	align := d.External().HostAlign
	size := align * int64(1+rand.IntN(20))
	first, second := sharedMapping(t, size)
	copy(first, randomBytes(int(size)))
	before := append([]byte(nil), first...)
	b := must[*Buffer](t)(d.ImportHost(unsafe.Pointer(&first[0]), size))
	if &b.Bytes()[0] != &first[0] || int64(len(b.Bytes())) != size {
		t.Error("Bytes is other memory")
	}
	ok(t, d.Run(increment(t, d, b)))
	checkIncremented(t, "another mapping", before, second)
	copy(second, before)
	ok(t, d.Run(increment(t, d, b)))
	checkIncremented(t, "after the host wrote", before, first)
	copy(second, before)
	b.Free()
	if string(first) != string(before) {
		t.Error("Free changed the memory")
	}
	for _, x := range []struct{ off, size int64 }{{0, 0}, {0, -align}, {0, align + 1}, {1, align}} {
		if _, err := d.ImportHost(unsafe.Add(unsafe.Pointer(&first[0]), x.off), x.size); err == nil || !strings.Contains(err.Error(), "multiples of") {
			t.Errorf("%d bytes from %d on: %v", x.size, x.off, err)
		}
	}
}

// Two devices compute in the same memory in turns. One of them exports it.
func TestExportImport(t *testing.T) {
	for _, handle := range []HandleType{OpaqueFD, DMABuf} {
		t.Run(handle.String(), func(t *testing.T) {
			for _, kind := range []Kind{Local, Upload, Readback} {
				exporter, importer := openTest(t, Options{}), openTest(t, Options{SeparateMemory: kind == Local})
				e, i := exporter.External(), importer.External()
				needs(t, handle == OpaqueFD && e.ExportOpaqueFD && i.ImportOpaqueFD || handle == DMABuf && e.ExportDMABuf && i.ImportDMABuf,
					exporter, "export and import of a "+handle.String()+" ("+handle.extension()+")")
				size := 256 * int64(1+rand.IntN(2000))
				here := must[*Buffer](t)(exporter.NewExportable(size, kind, handle))
				before := randomBytes(int(size))
				ok(t, exporter.Write(here, 0, before))
				handOver := must[*Commands](t)(exporter.NewCommands())
				handOver.Release(here)
				ok(t, handOver.End())
				ok(t, exporter.Run(handOver))

				shared := must[Shared](t)(here.Export())
				if shared.Size < size {
					t.Errorf("%d bytes are exported of %d", shared.Size, size)
				}
				there := must[*Buffer](t)(importer.ImportFD(shared))
				closeFD(shared.FD) // the import has its own
				ok(t, importer.Run(increment(t, importer, there)))
				after := make([]byte, size)
				ok(t, importer.Read(there, 0, after))
				checkIncremented(t, "the importer", before, after)
				ok(t, exporter.Run(increment(t, exporter, here)))
				again := make([]byte, size)
				ok(t, exporter.Read(here, 0, again))
				checkIncremented(t, "the exporter", after, again)
				here.Free() // the memory lives on
				last := make([]byte, size)
				ok(t, importer.Read(there, 0, last))
				if string(last) != string(again) {
					t.Error("the memory changed when its exporter freed it")
				}
			}
		})
	}
}

func TestExternalMistakes(t *testing.T) {
	d := openTest(t, Options{})
	e := d.External()
	var limit *LimitError
	if !e.ImportDMABuf {
		if _, err := d.ImportFD(Shared{Type: DMABuf, FD: 0, Size: 64}); !errors.As(err, &limit) || !strings.Contains(err.Error(), "VK_EXT_external_memory_dma_buf") {
			t.Errorf("import of a dma-buf: %v", err)
		}
	}
	if !e.ExportDMABuf {
		if _, err := d.NewExportable(64, Local, DMABuf); !errors.As(err, &limit) || !strings.Contains(err.Error(), "VK_EXT_external_memory_dma_buf") {
			t.Errorf("export of a dma-buf: %v", err)
		}
	}
	plain := must[*Buffer](t)(d.NewBuffer(64, Local))
	if _, err := plain.Export(); err == nil {
		t.Error("a plain buffer was exported")
	}
	b := d.Lend()
	b.Extensions = nil
	without := borrow(t, b)
	if got := without.External(); got.ImportHost || got.ImportOpaqueFD || got.ExportOpaqueFD || got.ImportDMABuf || got.ExportDMABuf {
		t.Errorf("without extensions: %+v", got)
	}
	if got := borrow(t, d.Lend()).External(); got != e {
		t.Errorf("borrowed %+v, made with %+v", got, e)
	}
	if _, err := without.NewExportable(64, Local, OpaqueFD); !errors.As(err, &limit) || !strings.Contains(err.Error(), "VK_KHR_external_memory_fd") {
		t.Errorf("export without the extension: %v", err)
	}
	if _, err := without.ImportHost(unsafe.Pointer(&b), 4096); !errors.As(err, &limit) {
		t.Errorf("import of host memory without the extension: %v", err)
	}
	if !e.ExportOpaqueFD || !e.ImportOpaqueFD {
		return
	}
	here := must[*Buffer](t)(d.NewExportable(1<<12, Local, OpaqueFD))
	shared := must[Shared](t)(here.Export())
	defer closeFD(shared.FD)
	for name, spoil := range map[string]func(s *Shared){
		"no size":         func(s *Shared) { s.Size = 0 },
		"negative size":   func(s *Shared) { s.Size = -1 << 40 },
		"too large":       func(s *Shared) { s.Size += 1 << 30 },
		"no descriptor":   func(s *Shared) { s.FD = -1 },
		"closed":          func(s *Shared) { s.FD = 1 << 20 },
		"memory type":     func(s *Shared) { s.MemoryType = 31 },
		"below the types": func(s *Shared) { s.MemoryType = -1 },
		"handle type":     func(s *Shared) { s.Type = 2 },
	} {
		s := shared
		spoil(&s)
		if b, err := d.ImportFD(s); err == nil {
			b.Free()
			t.Errorf("%s: imported", name)
		}
	}
	if b, err := d.ImportFD(Shared{Type: OpaqueFD, FD: memoryFile(t, 1<<16), Size: 1 << 16, MemoryType: shared.MemoryType}); err == nil && d.Info().Caps.Lavapipe {
		b.Free()
		t.Error("a file that is no memory of Vulkan was imported")
	}
	here.Free()
	if _, err := here.Export(); !errors.Is(err, ErrFreed) {
		t.Errorf("export of a freed buffer: %v", err)
	}
}

// Memory that others have allocated is mapped where the host is fast.
func TestPickImport(t *testing.T) {
	const gpu, host, cached = memLocal, memHostVisible | memCoherent, memCached
	card := memoryTypes{types: []memoryType{{gpu, 0}, {host, 1}, {gpu | host, 0}, {host | cached, 1}}}
	for _, x := range []struct {
		bits    uint32
		unified bool
		typ     int
		mapped  bool
	}{
		{0b1111, false, 3, true}, {0b0111, false, 1, true}, {0b0101, false, 0, false}, {0b0100, false, 2, false}, {0b0100, true, 2, true}, {0b0001, true, 0, false}, {0, false, -1, false},
	} {
		if typ, mapped := card.pickImport(x.bits, Local, x.unified); typ != x.typ || mapped != x.mapped {
			t.Errorf("of %04b, unified %v: type %d, mapped %v; want %d, %v", x.bits, x.unified, typ, mapped, x.typ, x.mapped)
		}
	}
}

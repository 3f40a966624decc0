//go:build linux

package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// memfd makes a file of size bytes in memory, and maps it.
func memfd(t *testing.T, size int) (fd int, data []byte) {
	t.Helper()
	fd, err := unix.MemfdCreate("vfm-test", unix.MFD_CLOEXEC)
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(fd) })
		err = unix.Ftruncate(fd, int64(size))
	}
	if err == nil {
		data, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(data) })
	return fd, data
}

// across puts planes one after the other, with gaps, and returns their bytes and their places in
// them.
func across(ps frame.Planes) (data []byte, places frame.Planes) {
	places = ps
	for i, p := range ps {
		data = append(data, 0xee, 0xee, 0xee)
		places[i].Data, places[i].Offset = nil, len(data)+p.Offset
		data = append(data, p.Data...)
	}
	return data, places
}

func importFD(t *testing.T, m *Model, s gpu.Shared) *SharedMemory {
	t.Helper()
	x, err := m.Import(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// sharedPairs are ways in which a program reaches the bytes of a SharedMemory: read and write are
// those of somebody else.
func sharedPairs(t *testing.T, m *Model, size int) map[string]func() (x *SharedMemory, read func() []byte, write func([]byte)) {
	ways := map[string]func() (*SharedMemory, func() []byte, func([]byte)){
		"mapped": func() (*SharedMemory, func() []byte, func([]byte)) {
			fd, data := memfd(t, size)
			x := importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: int64(size)})
			return x, func() []byte { return data }, func(p []byte) { copy(data, p) }
		},
	}
	for _, handle := range []gpu.HandleType{gpu.OpaqueFD, gpu.DMABuf} {
		e := m.Sharing()
		if handle == gpu.OpaqueFD && !(e.ExportOpaqueFD && e.ImportOpaqueFD) || handle == gpu.DMABuf && !(e.ExportDMABuf && e.ImportDMABuf) {
			t.Logf("%s cannot share memory by %v", testDev.Info().Name, handle)
			continue
		}
		// One end is the model's, the other that of another device.
		ways["exported by "+handle.String()] = func() (*SharedMemory, func() []byte, func([]byte)) {
			x, err := m.NewSharedMemory(int64(size), handle)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(x.Close)
			s, err := x.Export()
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(s.FD)
			other := gputest.Open(t, gpu.Options{})
			b, err := other.ImportFD(s)
			if err != nil {
				t.Fatal(err)
			}
			return x, reader(t, other, b, size), writer(t, other, b)
		}
		ways["imported by "+handle.String()] = func() (*SharedMemory, func() []byte, func([]byte)) {
			other := gputest.Open(t, gpu.Options{})
			b, err := other.NewExportable(int64(size), gpu.Local, handle)
			if err != nil {
				t.Fatal(err)
			}
			s, err := b.Export()
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(s.FD)
			return importFD(t, m, s), reader(t, other, b, size), writer(t, other, b)
		}
	}
	return ways
}

func reader(t *testing.T, d *gpu.Device, b *gpu.Buffer, size int) func() []byte {
	return func() []byte {
		p := make([]byte, size)
		if err := d.Read(b, 0, p); err != nil {
			t.Error(err)
		}
		return p
	}
}

func writer(t *testing.T, d *gpu.Device, b *gpu.Buffer) func([]byte) {
	return func(p []byte) {
		if err := d.Write(b, 0, p); err != nil {
			t.Error(err)
		}
	}
}

// Frames in shared memory are restored like those in the program's own, in all formats, also in
// place; the bytes around them stay.
func TestSharedFrames(t *testing.T) {
	rnd := newRand(t)
	ctx := context.Background()
	const w, h, size = 22, 14, 1 << 13
	for _, separate := range []bool{false, true} { // host and device share no memory
		dev := testDev
		if separate {
			dev = gputest.Open(t, gpu.Options{SeparateMemory: true})
		}
		m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Margin: NoMargin, Shared: dev})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for name, way := range sharedPairs(t, m, size) {
			src, _, give := way()
			dst, result, poison := way()
			if want := !dev.Info().Caps.Unified && strings.Contains(name, "imported"); (src.stage != nil) != want {
				t.Errorf("%s, separate memory %v: copied by the device: %v", name, separate, !want)
			}
			for k, f := range cameraFormats() {
				if separate && k%4 > 0 {
					continue
				}
				s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 15, W: w, H: h, In: f, Out: f})
				if err != nil {
					t.Fatal(err)
				}
				given := gaps(f, randomBytes(rnd, f, s.InSize()), w, h, 0x77)
				want := gaps(f, bytes.Repeat([]byte{0x55}, s.OutSize()), w, h, 0x99)
				in, places := across(given)
				out, _ := across(want)
				give(in)
				poison(out)
				if _, err := s.SubmitFrame(ctx, Frame{Planes: given}); err != nil {
					t.Fatal(err)
				}
				if _, err := s.SubmitFrame(ctx, Frame{Planes: places, Memory: Memories{src, src, src}}); err != nil {
					t.Fatal(err)
				}
				give(bytes.Repeat([]byte{0x11}, len(in))) // Submit has read the frame
				if _, err := s.ReceiveFrame(ctx, want); err != nil {
					t.Fatal(err)
				}
				if _, err := s.ReceiveShared(ctx, places, Memories{dst, dst, dst}); err != nil {
					t.Fatal(err)
				}
				expected, _ := across(want)
				if got := result()[:len(expected)]; !bytes.Equal(got, expected) {
					t.Errorf("%s, separate memory %v, %v: another frame than from the program's own memory", name, separate, f.Kind)
				}
				s.Close()
			}
		}
	}
}

// udmabuf makes a dma-buf of a memfd, by the kernel's driver for this.
func udmabuf(memfd int, size int) (fd int, err error) {
	dev, err := unix.Open("/dev/udmabuf", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/udmabuf: %w", err)
	}
	defer unix.Close(dev)
	create := struct {
		memfd, flags uint32
		offset, size uint64
	}{uint32(memfd), 1, 0, uint64(size)} // 1: UDMABUF_FLAGS_CLOEXEC
	const udmabufCreate = 0x40187542
	n, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(dev), udmabufCreate, uintptr(unsafe.Pointer(&create)))
	if e != 0 {
		return -1, fmt.Errorf("UDMABUF_CREATE: %w", e)
	}
	return int(n), nil
}

// A dma-buf of the kernel is mapped, and its driver is told of accesses.
func TestDMABuf(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	const size = 8192
	file, err := unix.MemfdCreate("vfm-test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	if err := unix.Ftruncate(file, size); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(file), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK); err != nil {
		t.Fatal(err)
	}
	fd, err := udmabuf(file, size)
	if err != nil {
		t.Skipf("no dma-buf to be had here: %v; %s exports none (export: %v)", err, testDev.Info().Name, m.Sharing().ExportDMABuf)
	}
	defer unix.Close(fd)
	data, err := unix.Mmap(file, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(data)
	check := func(x *SharedMemory) {
		t.Helper()
		data[77], data[78] = 3, 0
		err := (Memories{x}).Access(frame.Planes{}, true, func(ps frame.Planes) error {
			ps[0].Data[78] = 2 * ps[0].Data[77]
			return nil
		})
		if err != nil || data[78] != 6 {
			t.Errorf("%d, %v", data[78], err)
		}
	}
	x := importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: size})
	if x.mapped == nil || x.announce < 0 {
		t.Error("the dma-buf is not mapped, or accesses are not announced")
	}
	check(x)
	// Where all memory of the device is its own, the device copies, if it can import.
	apart, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Shared: gputest.Open(t, gpu.Options{SeparateMemory: true})})
	if err != nil {
		t.Fatal(err)
	}
	defer apart.Close()
	x = importFD(t, apart, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: size})
	if apart.Sharing().ImportDMABuf != (x.stage != nil) {
		t.Errorf("copied by the device: %v", x.stage != nil)
	}
	check(x)
}

// Several goroutines may use the same memories in any order.
func TestSharedMemoryTurns(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	var xs [3]*SharedMemory
	for i := range xs {
		fd, _ := memfd(t, 4096)
		xs[i] = importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 4096})
	}
	var wg sync.WaitGroup
	count := 0 // guarded by the access to xs[1]
	for k := range 4 {
		wg.Go(func() {
			for range 200 {
				err := Memories{xs[k%3], xs[1], xs[2-k%3]}.Access(frame.Planes{}, true, func(ps frame.Planes) error {
					for i := range ps {
						ps[i].Data[0]++
					}
					count++
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if count != 800 {
		t.Errorf("%d accesses", count)
	}
}

func TestSharedMemoryMistakes(t *testing.T) {
	ctx := context.Background()
	m := sharedModel(t, 0, NoMargin)
	fd, data := memfd(t, 8192)
	wrong := func(what, words string, err error) {
		t.Helper()
		var e *RequestError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	importing := func(s gpu.Shared) error {
		x, err := m.Import(s)
		if err == nil {
			x.Close()
		}
		return err
	}
	wrong("a file that is too small", "has 8192 bytes, not 8193", importing(gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 8193}))
	wrong("no size", "has 0 bytes", importing(gpu.Shared{Type: gpu.DMABuf, FD: fd}))
	wrong("no file", "descriptor -1", importing(gpu.Shared{Type: gpu.DMABuf, FD: -1, Size: 1}))
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	wrong("a pipe", "has 0 bytes", importing(gpu.Shared{Type: gpu.DMABuf, FD: pipe[0], Size: 1}))
	wrong("a folder", "no dma-buf and cannot be mapped", importing(gpu.Shared{Type: gpu.DMABuf, FD: folder(t), Size: 1}))
	var limit *gpu.LimitError
	if err := importing(gpu.Shared{Type: 2, FD: fd, Size: 1}); !errors.As(err, &limit) {
		t.Errorf("another type: %v", err)
	}
	if !m.Sharing().ExportDMABuf {
		if _, err := m.NewSharedMemory(64, gpu.DMABuf); !errors.As(err, &limit) || !strings.Contains(err.Error(), "VK_EXT_external_memory_dma_buf") {
			t.Errorf("export of a dma-buf: %v", err)
		}
	}
	_, err := m.NewSharedMemory(0, gpu.OpaqueFD)
	wrong("nothing", "has 0 bytes", err)

	x := importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 8192})
	_, err = x.Export()
	wrong("export of an import", "was imported", err)
	rgb := frame.Format{Kind: frame.RGB}
	s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 15, W: 16, H: 16, In: rgb, Out: rgb})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	submit := func(p frame.Plane, x *SharedMemory) error {
		_, err := s.SubmitFrame(ctx, Frame{Planes: frame.Planes{p}, Memory: Memories{x}})
		return err
	}
	wrong("a frame beyond the memory", "but there are 8192", submit(frame.Plane{Offset: 8192 - 767}, x))
	wrong("two places", "give one", submit(frame.Plane{Data: data}, x))
	if err := submit(frame.Plane{Offset: 8192 - 768}, x); err != nil {
		t.Errorf("a frame at the end of the memory: %v", err)
	}
	_, err = s.ReceiveShared(ctx, frame.Planes{{Offset: -1}}, Memories{x})
	wrong("room before the memory", "offset of -1", err)
	if _, err = s.ReceiveShared(ctx, frame.Planes{{}}, Memories{x}); err != nil { // the frame remained the next one
		t.Error(err)
	}

	file, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd)) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	readOnly := importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: int(file.Fd()), Size: 8192})
	if err := submit(frame.Plane{}, readOnly); err != nil {
		t.Errorf("reading: %v", err)
	}
	_, err = s.ReceiveShared(ctx, frame.Planes{{}}, Memories{readOnly})
	wrong("writing", "may only be read", err)

	other, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Shared: testDev})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	wrong("two models", "two models", Memories{x, importFD(t, other, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 8192})}.Access(frame.Planes{}, false, nil))
	x.Close()
	x.Close()
	wrong("closed memory", "is closed", submit(frame.Plane{}, x))
}

// After the loss of the device, what the system mapped is still there, and what the device had is
// not.
func TestSharedMemoryAfterLoss(t *testing.T) {
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), CacheDir: "-"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !m.Sharing().ExportOpaqueFD {
		t.Skip("the device cannot export memory")
	}
	fd, data := memfd(t, 4096)
	data[0] = 42
	mapped := importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 4096})
	made, err := m.NewSharedMemory(4096, gpu.OpaqueFD)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if err := m.engine.Renew(t.Context(), m.engine.Generation()); err != nil {
		t.Fatal(err)
	}
	read := func(ps frame.Planes) error {
		if ps[0].Data[0] != 42 {
			t.Error("the memory has another value")
		}
		return nil
	}
	if err := (Memories{mapped}).Access(frame.Planes{}, false, read); err != nil {
		t.Error(err)
	}
	if err := (Memories{made}).Access(frame.Planes{}, false, read); err == nil || !strings.Contains(err.Error(), "import or make it anew") {
		t.Error(err)
	}
}

// folder opens a folder.
func folder(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open("/usr", unix.O_RDONLY|unix.O_CLOEXEC, 0) // of some size, which tmpfs's may not have
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// A closed Model gives its memory to nobody; its SharedMemory can still be closed.
func TestSharedMemoryAfterClose(t *testing.T) {
	m, err := Open(Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Borrowed: testDev.Lend(), CacheDir: "-"})
	if err != nil {
		t.Fatal(err)
	}
	fd, _ := memfd(t, 4096)
	xs := []*SharedMemory{importFD(t, m, gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 4096})}
	if m.Sharing().ExportOpaqueFD {
		x, err := m.NewSharedMemory(4096, gpu.OpaqueFD)
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x)
	}
	m.Close()
	for _, x := range xs {
		if err := (Memories{x}).Access(frame.Planes{}, false, func(frame.Planes) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if _, err := x.Export(); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		x.Close()
	}
	if _, err := m.Import(gpu.Shared{Type: gpu.DMABuf, FD: fd, Size: 4096}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

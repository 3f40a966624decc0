package restore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/frame"
)

// SharedMemory is memory that a Model shares with other drivers or processes: frames are read and
// written where they lie. Its methods are safe for concurrent use; accesses take turns. Whoever
// else uses the memory must not do so while the Model reads or writes a frame there.
//
// Frames are converted on the host, so the host needs an address for the memory:
//   - A dma-buf is mapped by the system, and each access is announced to its driver
//     (DMA_BUF_IOCTL_SYNC). Other descriptors that can be mapped, such as a memfd, are mapped as
//     well. Nothing is copied.
//   - Memory that the system does not map, or a card's own memory, is imported by the device and
//     mapped by its driver. Nothing is copied either.
//   - If the host cannot reach it fast, the device copies all of it to a buffer that the host can
//     reach before each access, and back after each that writes.
type SharedMemory struct {
	m          *Model
	id         uint64 // accesses to several are begun in this order
	size       int64
	generation int // of the device that imported it

	mu       sync.Mutex // held during accesses; guards what follows
	closed   bool
	mapped   []byte // by the system; nil: the device has it
	readOnly bool
	announce int // the dma-buf to announce accesses to; -1: none

	buf        *gpu.Buffer
	stage      *gpu.Buffer // where the host works if buf is not mapped
	load, save *gpu.Commands
}

var sharedMemories atomic.Uint64

// Sharing says what memory a Model can share.
type Sharing struct {
	MapFD bool // Import takes dma-bufs and others that the system can map
	gpu.External
}

// Sharing says what Import and NewSharedMemory can do on this device and system.
func (m *Model) Sharing() Sharing { return Sharing{canMap, m.engine.Device().External()} }

// Import takes memory that somebody else has allocated. The file descriptor remains the caller's,
// who may close it. The memory must not become smaller before Close. A gpu.OpaqueFD must come from
// the same driver and GPU as the Model's device. Errors: *gpu.LimitError if neither system nor
// device can, *RequestError, *gpu.CallError, *gpu.OutOfMemoryError, *gpu.DeviceLostError,
// ErrClosed.
func (m *Model) Import(s gpu.Shared) (*SharedMemory, error) {
	if s.Size <= 0 {
		return nil, badRequest("shared memory", "has %d bytes", s.Size)
	}
	return m.share(s.Size, func(x *SharedMemory, d *gpu.Device) (*gpu.Buffer, error) {
		if s.Type != gpu.DMABuf {
			return d.ImportFD(s)
		}
		err := x.mapFD(s)
		if wrong := (*RequestError)(nil); errors.As(err, &wrong) {
			return nil, err
		}
		if err == nil && (x.announce < 0 || !d.Remote(s)) {
			return nil, nil
		}
		x.unmap()
		if err != nil && !d.External().ImportDMABuf {
			return nil, err
		}
		return d.ImportFD(s)
	})
}

// NewSharedMemory allocates size bytes that Export shares with others. Errors: *gpu.LimitError if
// the device cannot export, *RequestError, *gpu.OutOfMemoryError, *gpu.DeviceLostError, ErrClosed.
func (m *Model) NewSharedMemory(size int64, t gpu.HandleType) (*SharedMemory, error) {
	if size <= 0 {
		return nil, badRequest("shared memory", "has %d bytes", size)
	}
	return m.share(size, func(x *SharedMemory, d *gpu.Device) (*gpu.Buffer, error) {
		kind := gpu.Readback // memory of the computer, which the device reaches too
		if d.Info().Caps.Unified {
			kind = gpu.Local
		}
		return d.NewExportable(size, kind, t)
	})
}

// share makes a SharedMemory whose memory get finds: on the device, or mapped by the system, where
// it returns no buffer.
func (m *Model) share(size int64, get func(x *SharedMemory, d *gpu.Device) (*gpu.Buffer, error)) (*SharedMemory, error) {
	generation, done, err := m.engine.Keep(context.Background())
	if err != nil {
		return nil, err
	}
	defer done()
	d := m.engine.Device()
	x := &SharedMemory{m: m, id: sharedMemories.Add(1), size: size, generation: generation, announce: -1}
	if x.buf, err = get(x, d); err == nil && x.buf != nil && x.buf.Bytes() == nil {
		err = x.makeStage(d)
	}
	if err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// makeStage makes the buffer where the host works, and the copies from and to it.
func (x *SharedMemory) makeStage(d *gpu.Device) (err error) {
	if x.stage, err = d.NewBuffer(x.size, gpu.Readback); err != nil {
		return err
	}
	here, there := gpu.Range{Buf: x.stage, Size: x.size}, gpu.Range{Buf: x.buf, Size: x.size}
	for _, way := range []struct {
		list     **gpu.Commands
		dst, src gpu.Range
	}{{&x.load, here, there}, {&x.save, there, here}} {
		if *way.list, err = d.NewCommands(); err != nil {
			return err
		}
		c := *way.list
		c.Acquire(x.buf)
		c.Copy(way.dst, way.src)
		c.Release(x.buf)
		if err = c.End(); err != nil {
			return err
		}
	}
	return nil
}

// Size is the number of bytes.
func (x *SharedMemory) Size() int64 { return x.size }

// Export returns a new file descriptor, which the caller closes. It refers to the memory also after
// Close. Errors: as of gpu.Buffer.Export, and one for memory that was imported.
func (x *SharedMemory) Export() (gpu.Shared, error) {
	_, done, err := x.m.engine.Keep(context.Background())
	if err != nil {
		return gpu.Shared{}, err
	}
	defer done()
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.check(); err != nil {
		return gpu.Shared{}, err
	}
	if x.buf == nil {
		return gpu.Shared{}, badRequest("shared memory", "was imported; only that of NewSharedMemory is exported")
	}
	return x.buf.Export()
}

// Close gives up the memory, after accesses that are under way. Closing again does nothing.
func (x *SharedMemory) Close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	x.closed = true
	x.unmap()
	x.load.Free()
	x.save.Free()
	x.stage.Free()
	x.buf.Free()
}

// check returns an error if the memory cannot be used. The caller has x.mu and keeps the device.
func (x *SharedMemory) check() error {
	switch {
	case x.closed:
		return badRequest("shared memory", "is closed")
	case x.mapped == nil && x.generation != x.m.engine.Generation():
		return errors.New("the shared memory is lost, as the device was lost and opened again; close it and import or make it anew")
	}
	return nil
}

// bytes is the memory as the host reaches it.
func (x *SharedMemory) bytes() []byte {
	switch {
	case x.mapped != nil:
		return x.mapped
	case x.stage != nil:
		return x.stage.Bytes()
	}
	return x.buf.Bytes()[:x.size]
}

// begin begins an access, which end ends.
func (x *SharedMemory) begin(write bool) error {
	if err := x.check(); err != nil {
		return err
	}
	if write && x.readOnly {
		return badRequest("shared memory", "may only be read: its file descriptor cannot be mapped for writing")
	}
	if x.stage != nil { // also before writing, as bytes between rows stay as they are
		return x.m.engine.Device().Run(x.load)
	}
	return x.tell(write, true)
}

func (x *SharedMemory) end(write bool) error {
	if x.stage == nil {
		return x.tell(write, false)
	}
	if !write {
		return nil
	}
	return x.m.engine.Device().Run(x.save)
}

// Memories are the memories in which the planes of a frame lie: plane i of a frame.Planes has its
// Offset, Stride and Step in memory i, and no Data. Planes without a memory have Data.
type Memories [3]*SharedMemory

// Access calls f with the Data of the planes set, which are valid until it returns. With write f
// may also write them; bytes that it does not write stay as they are. f must not use the Model, its
// streams or its memories. Errors: those of f, *RequestError, *gpu.DeviceLostError, ErrClosed.
func (ms Memories) Access(ps frame.Planes, write bool, f func(ps frame.Planes) error) error {
	return ms.use(ps, func(distinct []*SharedMemory) error {
		for i, x := range distinct {
			if err := x.begin(write); err != nil {
				for _, begun := range distinct[:i] {
					_ = begun.end(false)
				}
				return err
			}
		}
		err := f(ms.place(ps))
		for _, x := range distinct {
			if e := x.end(write); err == nil {
				err = e
			}
		}
		return err
	})
}

// Check calls f, which checks the places of planes, with Data of the right lengths. f must not read
// or write them. Errors: as of Access.
func (ms Memories) Check(ps frame.Planes, f func(ps frame.Planes) error) error {
	return ms.use(ps, func(distinct []*SharedMemory) error {
		for _, x := range distinct {
			if err := x.check(); err != nil {
				return err
			}
		}
		return f(ms.place(ps))
	})
}

// place sets the Data of the planes.
func (ms Memories) place(ps frame.Planes) frame.Planes {
	for i, x := range ms {
		if x != nil {
			ps[i].Data = x.bytes()
		}
	}
	return ps
}

// use calls f with the memories, each once, locked, while the device is kept.
func (ms Memories) use(ps frame.Planes, f func(distinct []*SharedMemory) error) error {
	var distinct []*SharedMemory
	for i, x := range ms {
		if x == nil {
			continue
		}
		if len(ps[i].Data) > 0 {
			return badRequest("frame", "has data and shared memory for plane %d; give one", i)
		}
		if !slices.Contains(distinct, x) {
			distinct = append(distinct, x)
		}
	}
	if len(distinct) == 0 {
		return f(nil)
	}
	slices.SortFunc(distinct, func(a, b *SharedMemory) int { return cmp.Compare(a.id, b.id) })
	m := distinct[0].m
	for _, x := range distinct {
		if x.m != m {
			return badRequest("frame", "has planes in shared memory of two models")
		}
	}
	_, done, err := m.engine.Keep(context.Background())
	if err != nil {
		return err
	}
	defer done()
	for _, x := range distinct {
		x.mu.Lock()
		defer x.mu.Unlock()
	}
	return f(distinct)
}

package gpu

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// Range is a part of a buffer, in bytes. Size 0 means up to the buffer's end.
type Range struct {
	Buf       *Buffer
	Off, Size int64
}

// Commands is a list of device work that is recorded once and then run any number of times.
// Commands before and after a Barrier run in that order; without one they may overlap. Between two
// runs there always is a barrier.
//
// A method that fails makes the list unusable: the list keeps the first error, and End and
// Device.Run return it.
type Commands struct {
	res resource
	d   *Device
	mu  sync.Mutex
	// flight is locked from the submission of a run until somebody has waited for its end.
	flight  sync.Mutex
	runs    uint64 // number of Submits
	handles []C.VfCommands
	before  []*Commands // lists that were submitted together with this one, before it
	awaited uint64      // the Submit that nobody has waited for yet, 0 if there is none
	pool    vkCommandPool
	cb      vkCommandBuffer

	fence  vkFence
	fences []vkFence // fence as the binding takes it, made once so that a run allocates nothing
	err    error
	ended  bool
	ran    bool // has been run since recording began

	uses    []*resource // every resource that the list uses, once
	known   map[*resource]struct{}
	sets    setPools
	stamps  stampPools
	boundP  *program
	boundS  vkDescriptorSet
	boundSL *layout
}

// NewCommands begins a list. Errors: *OutOfMemoryError, *DeviceLostError, ErrClosed.
func (d *Device) NewCommands() (*Commands, error) {
	if err := d.enter("NewCommands"); err != nil {
		return nil, err
	}
	defer d.leave()
	return d.newCommands()
}

func (d *Device) newCommands() (*Commands, error) {
	c := &Commands{d: d, known: map[*resource]struct{}{}}
	var pool, fence C.uint64_t
	var cb C.VfCommands
	r := C.vfm_commands_create(d.c, &pool, &cb)
	c.pool = typed[vkCommandPool](pool)
	if r >= 0 {
		r = C.vfm_fence_create(d.c, &fence)
		c.fence = typed[vkFence](fence)
		c.fences = []vkFence{c.fence}
	}
	if r >= 0 {
		r = C.vfm_commands_begin(d.c, cb, 0)
	}
	if r < 0 {
		c.destroy()
		return nil, d.fail(int(r), "vkCreateCommandPool", "a command list")
	}
	c.cb = vkCommandBuffer(unsafe.Pointer(cb))
	c.res = resource{d: d, what: "command list", destroy: c.destroy}
	d.adopt(&c.res)
	return c, nil
}

func (c *Commands) destroy() {
	h := c.d.handle
	c.sets.destroy(h)
	c.stamps.destroy(h)
	if !null(c.fence) {
		vkDestroyFence(h, c.fence, nil)
	}
	if !null(c.pool) {
		vkDestroyCommandPool(h, c.pool, nil)
	}
}

// Free frees the list once its runs are over. Freeing twice, or after Device.Close, does nothing.
func (c *Commands) Free() {
	if c != nil {
		c.res.free()
	}
}

// Restart empties the list, which must not be in flight, so that it can be recorded anew. Errors:
// *OutOfMemoryError, *DeviceLostError, ErrClosed, ErrFreed.
func (c *Commands) Restart() error {
	if err := c.d.enter("Restart"); err != nil {
		return err
	}
	defer c.d.leave()
	if !c.flight.TryLock() {
		return errors.New("gpu: Restart: the list still runs; wait for it first")
	}
	defer c.flight.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.alive(); err != nil {
		return err
	}
	return c.restart()
}

// restart does the work of Restart.
func (c *Commands) restart() error {
	c.err, c.ended, c.ran = nil, false, false
	c.uses = c.uses[:0]
	clear(c.known)
	c.boundP, c.boundSL = nil, nil
	if r := C.vfm_commands_begin(c.d.c, C.VfCommands(unsafe.Pointer(c.cb)), 1); r < 0 {
		return c.d.fail(int(r), "vkBeginCommandBuffer", "a command list")
	}
	return nil
}

// record runs f, which records one command, unless the list has failed before.
func (c *Commands) record(call string, f func() error) {
	if c.d == nil {
		return
	}
	err := c.d.enter(call)
	if err == nil {
		defer c.d.leave()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return
	case err != nil:
	case c.ended:
		err = fmt.Errorf("gpu: %s after End", call)
	default:
		if err = c.alive(); err == nil {
			err = f()
		}
	}
	c.err = err
}

func (c *Commands) alive() error {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.res.freed {
		return fmt.Errorf("gpu: command list: %w", ErrFreed)
	}
	return nil
}

// use adds a resource to the list's resources.
func (c *Commands) use(r *resource) error {
	if _, ok := c.known[r]; ok {
		return nil
	}
	if err := c.d.pin(r); err != nil {
		return err
	}
	c.d.unpin(r)
	c.known[r] = struct{}{}
	c.uses = append(c.uses, r)
	return nil
}

// resolve checks a range and fills in its size.
func (c *Commands) resolve(call string, r *Range) error {
	if r.Buf == nil {
		return fmt.Errorf("gpu: %s: a range has no buffer", call)
	}
	if r.Size == 0 {
		r.Size = r.Buf.size - r.Off
	}
	if r.Size <= 0 {
		return fmt.Errorf("gpu: %s: an empty range", call)
	}
	if err := r.Buf.check(call, r.Off, r.Size); err != nil {
		return err
	}
	return c.use(&r.Buf.res)
}

// Pipeline stages and accesses of the barriers.
const (
	stagesWork  = 0x800 | 0x1000               // compute shader, transfer
	stageHost   = 0x4000                       // host
	accessWrite = 0x40 | 0x1000                // shader write, transfer write
	accessAny   = 0x20 | 0x40 | 0x800 | 0x1000 // shader and transfer, read and write
	accessHost  = 0x2000                       // host read
)

// Barrier orders the list: all work recorded before it is done, and its results visible, before any
// work recorded after it begins.
func (c *Commands) Barrier() {
	c.record("Barrier", func() error {
		C.vfm_barrier(c.d.c, c.cvk(), stagesWork, accessWrite, stagesWork, accessAny)
		return nil
	})
}

func (c *Commands) cvk() C.VfCommands { return C.VfCommands(unsafe.Pointer(c.cb)) }

// Copy records a copy from src to dst, which must have the same size and must not overlap.
func (c *Commands) Copy(dst, src Range) {
	c.record("Copy", func() error {
		c.recordCopy(dst, src)
		return c.err
	})
}

func (c *Commands) recordCopy(dst, src Range) {
	err := c.resolve("Copy", &dst)
	if err == nil {
		err = c.resolve("Copy", &src)
	}
	switch {
	case err != nil:
	case dst.Size != src.Size:
		err = fmt.Errorf("gpu: Copy: %d bytes to a range of %d", src.Size, dst.Size)
	case dst.Buf == src.Buf && dst.Off < src.Off+src.Size && src.Off < dst.Off+dst.Size:
		err = errors.New("gpu: Copy: the ranges overlap")
	default:
		C.vfm_copy(c.d.c, c.cvk(), raw(src.Buf.handle), C.uint64_t(src.Off), raw(dst.Buf.handle), C.uint64_t(dst.Off), C.uint64_t(dst.Size))
	}
	if c.err == nil {
		c.err = err
	}
}

// Rows are ranges of equal size at equal distances in two buffers, in bytes.
type Rows struct {
	Dst, Src             *Buffer
	DstOff, SrcOff       int64 // of the first range
	DstStride, SrcStride int64 // from one range to the next, at least Size
	Size                 int64
	Count                int
}

// CopyRows records a copy of each of the ranges from Src to Dst, which must be two buffers.
func (c *Commands) CopyRows(r Rows) {
	c.record("CopyRows", func() error {
		if r.Count < 1 || r.Size < 1 || r.DstStride < r.Size || r.SrcStride < r.Size || r.Dst == r.Src {
			return fmt.Errorf("gpu: CopyRows: %d ranges of %d bytes, %d and %d bytes apart, of two buffers", r.Count, r.Size, r.DstStride, r.SrcStride)
		}
		dst := Range{r.Dst, r.DstOff, int64(r.Count-1)*r.DstStride + r.Size}
		src := Range{r.Src, r.SrcOff, int64(r.Count-1)*r.SrcStride + r.Size}
		if err := c.resolve("CopyRows", &dst); err != nil {
			return err
		}
		if err := c.resolve("CopyRows", &src); err != nil {
			return err
		}
		rows := C.vfm_rows{
			src: C.uint64_t(r.SrcOff), dst: C.uint64_t(r.DstOff), src_stride: C.uint64_t(r.SrcStride), dst_stride: C.uint64_t(r.DstStride),
			size: C.uint64_t(r.Size), n: C.uint64_t(r.Count),
		}
		C.vfm_copy_rows(c.d.c, c.cvk(), raw(r.Src.handle), raw(r.Dst.handle), &rows)
		return nil
	})
}

// Fill records that all of dst is set to the 32-bit value v. Offset and size must be multiples of
// 4, but a range that ends where the buffer ends may have any size.
func (c *Commands) Fill(dst Range, v uint32) {
	c.record("Fill", func() error {
		if err := c.resolve("Fill", &dst); err != nil {
			return err
		}
		if dst.Off+dst.Size == dst.Buf.size {
			dst.Size = (dst.Size + 3) &^ 3 // buffers are padded to multiples of 16
		}
		if dst.Off%4 != 0 || dst.Size%4 != 0 {
			return fmt.Errorf("gpu: Fill: offset %d and size %d must be multiples of 4", dst.Off, dst.Size)
		}
		vkCmdFillBuffer(c.cb, dst.Buf.handle, vkDeviceSize(dst.Off), vkDeviceSize(dst.Size), v)
		return nil
	})
}

// End ends the recording and returns its first error.
func (c *Commands) End() error {
	c.record("End", c.finish)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// finish records the last barrier, which makes the results visible to the host and to later runs,
// and ends the command buffer.
func (c *Commands) finish() error {
	if c.err != nil {
		return c.err
	}
	C.vfm_barrier(c.d.c, c.cvk(), stagesWork, accessWrite, stagesWork|stageHost, accessAny|accessHost)
	if r := vkEndCommandBuffer(c.cb); r < 0 {
		return c.d.fail(int(r), "vkEndCommandBuffer", "a command list")
	}
	c.ended = true
	return nil
}

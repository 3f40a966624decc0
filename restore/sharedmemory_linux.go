package restore

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/vfmrestore/restore/gpu"
)

const canMap = true

// mapFD maps a dma-buf, or another file that can be mapped. A *RequestError says that the device
// could not import it either.
func (x *SharedMemory) mapFD(s gpu.Shared) error {
	wrong := func(err error) error {
		return badRequest("shared memory", "has the file descriptor %d: %v", s.FD, err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(s.FD, &stat); err != nil {
		return wrong(err)
	}
	if stat.Size < s.Size { // the process would end when it touched what is missing
		return badRequest("shared memory", "has %d bytes, not %d", stat.Size, s.Size)
	}
	fd, err := unix.FcntlInt(uintptr(s.FD), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return wrong(err)
	}
	x.announce = fd
	if err = x.tell(false, true); err == nil {
		err = x.tell(false, false)
	}
	dmaBuf := err == nil
	if !dmaBuf {
		_ = unix.Close(fd)
		x.announce = -1
	}
	if err != nil && !errors.Is(err, unix.ENOTTY) { // which says that it is no dma-buf: nobody to tell
		return wrong(fmt.Errorf("DMA_BUF_IOCTL_SYNC: %w", err))
	}
	p, err := unix.Mmap(s.FD, 0, int(s.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		x.readOnly = true
		p, err = unix.Mmap(s.FD, 0, int(s.Size), unix.PROT_READ, unix.MAP_SHARED)
	}
	switch {
	case err == nil:
		x.mapped = p
		return nil
	case dmaBuf:
		return fmt.Errorf("shared memory: the dma-buf %d cannot be mapped: %w", s.FD, err)
	}
	return wrong(fmt.Errorf("it is no dma-buf and cannot be mapped: %w", err))
}

// dmaBufSync is DMA_BUF_IOCTL_SYNC, whose argument are flags: 1 read, 2 write, 4 the end.
const dmaBufSync = 0x40086200

// tell announces the begin or the end of an access to the driver of a dma-buf, which may have to
// wait for other devices, or to empty caches.
func (x *SharedMemory) tell(write, begin bool) error {
	if x.announce < 0 {
		return nil
	}
	flags := uint64(1)
	if write {
		flags |= 2
	}
	if !begin {
		flags |= 4
	}
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(x.announce), dmaBufSync, uintptr(unsafe.Pointer(&flags)))
		runtime.KeepAlive(&flags)
		switch e {
		case 0:
			return nil
		case unix.EINTR, unix.EAGAIN:
			continue
		}
		return e
	}
}

func (x *SharedMemory) unmap() {
	x.readOnly = false
	if x.mapped != nil {
		_ = unix.Munmap(x.mapped)
		x.mapped = nil
	}
	if x.announce >= 0 {
		_ = unix.Close(x.announce)
		x.announce = -1
	}
}

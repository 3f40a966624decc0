package gpu

import (
	"testing"

	"golang.org/x/sys/unix"
)

// memoryFile makes a memfd, which is closed after the test.
func memoryFile(t *testing.T, size int64) int {
	t.Helper()
	fd := must[int](t)(unix.MemfdCreate("vfm-test", unix.MFD_CLOEXEC))
	t.Cleanup(func() { closeFD(fd) })
	ok(t, unix.Ftruncate(fd, size))
	return fd
}

// sharedMapping maps size bytes of a memfd twice.
func sharedMapping(t *testing.T, size int64) (first, second []byte) {
	t.Helper()
	fd := memoryFile(t, size)
	for _, p := range []*[]byte{&first, &second} {
		*p = must[[]byte](t)(unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
		t.Cleanup(func() { _ = unix.Munmap(*p) })
	}
	return first, second
}

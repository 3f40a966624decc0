package gpu

import "golang.org/x/sys/unix"

// duplicate returns another descriptor of the same file, which programs that are started do not
// get.
func duplicate(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) }

// fileSize returns the size of a file in memory or on disk; -1 if the descriptor is of another kind.
func fileSize(fd int) int64 {
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return -1
	}
	return s.Size
}

func closeFD(fd int) { _ = unix.Close(fd) }

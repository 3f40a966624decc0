package gpu

import "golang.org/x/sys/unix"

// duplicate returns another descriptor of the same file, which programs that are started do not
// get.
func duplicate(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) }

func closeFD(fd int) { _ = unix.Close(fd) }

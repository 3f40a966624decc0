//go:build unix

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// closeFirst tells whether a file must be closed before it is renamed.
const closeFirst = false

// claim locks a new temporary file. It gives false if a sweep has removed the file. On file systems
// without locks no sweep removes files.
func claim(f *os.File, path string) bool {
	_ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	return isFileAt(f, path)
}

// isFileAt tells whether f is the file at path.
func isFileAt(f *os.File, path string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// removeStale removes a temporary file that no process has locked.
func removeStale(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil && isFileAt(f, path) {
		_ = os.Remove(path)
	}
}

//go:build !unix

package atomicfile

import "os"

// closeFirst tells whether a file must be closed before it is renamed, as on Windows.
const closeFirst = true

// claim does nothing: open files cannot be removed on such systems.
func claim(*os.File, string) bool { return true }

// removeStale removes a temporary file. That fails while a process has it open.
func removeStale(path string) { _ = os.Remove(path) }

//go:build !unix

package atomicfile

import "os"

// closeFirst tells whether a file must be closed before it can be renamed, as on Windows.
const closeFirst = true

// claim has nothing to do: an open file cannot be removed there.
func claim(*os.File, string) bool { return true }

// removeStale removes a temporary file, which fails while somebody has it open.
func removeStale(path string) { _ = os.Remove(path) }

package atomicfile

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// prefix is the beginning of the names of temporary files. 16 hexadecimal digits follow.
const prefix = ".tmp-"

// sweptDirs holds the directories that this process has swept.
var sweptDirs sync.Map

func sweepOnce(dir string) {
	if _, before := sweptDirs.LoadOrStore(filepath.Clean(dir), true); !before {
		Sweep(dir)
	}
}

// Sweep removes temporary files of killed processes from a directory. A process holds a lock on a
// file that it writes, so such files stay, also those of other machines on a shared file system.
func Sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		digits, ours := strings.CutPrefix(e.Name(), prefix)
		if !ours || !e.Type().IsRegular() {
			continue
		}
		if b, err := hex.DecodeString(digits); err == nil && len(b) == 8 {
			removeStale(filepath.Join(dir, e.Name()))
		}
	}
}

package atomicfile

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// prefix begins the names of temporary files; 16 hexadecimal digits follow.
const prefix = ".tmp-"

// swept holds the directories that this process has looked through.
var swept sync.Map

func sweepOnce(dir string) {
	if _, before := swept.LoadOrStore(filepath.Clean(dir), true); !before {
		Sweep(dir)
	}
}

// Sweep removes temporary files from a directory that nobody writes any more: a process that is killed leaves them. Whoever writes one holds a lock on it, so
// those of other machines on a shared file system stay, too.
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

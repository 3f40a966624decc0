// Package threads limits the threads of a command.
package threads

import (
	"os"
	"runtime"
	"strconv"
)

// Limit limits the threads of this process, and those of Mesa's software driver, to n. 0 changes
// nothing. It must be called before a device is opened.
func Limit(n int) error {
	if n == 0 {
		return nil
	}
	runtime.GOMAXPROCS(n)
	// The variable is the number of threads in addition to the one that receives commands. With 0
	// that thread does the work itself.
	if n == 1 {
		n = 0
	}
	return os.Setenv("LP_NUM_THREADS", strconv.Itoa(n))
}

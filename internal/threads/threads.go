// Package threads bounds the threads of a command.
package threads

import (
	"os"
	"runtime"
	"strconv"
)

// Use bounds the threads of this process, and those of Mesa's software driver, to n; 0 leaves all
// as it is. It must be called before a device is opened.
func Use(n int) error {
	if n == 0 {
		return nil
	}
	runtime.GOMAXPROCS(n)
	if n == 1 { // the driver's variable counts those beside the one that takes the commands, which does the work itself if there are none
		n = 0
	}
	return os.Setenv("LP_NUM_THREADS", strconv.Itoa(n))
}

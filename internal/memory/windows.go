//go:build windows

package memory

import (
	"math"
	"unsafe"

	"golang.org/x/sys/windows"
)

var globalMemoryStatusEx = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

// available is the memory that the page file can still back (MEMORYSTATUSEX.ullAvailPageFile).
func available() int64 {
	var status struct {
		length, load                                               uint32
		total, free, totalPage, freePage, totalSpace, freeSpace, _ uint64
	}
	status.length = uint32(unsafe.Sizeof(status))
	if ok, _, _ := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&status))); ok == 0 ||
		status.freePage > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(status.freePage)
}

// AddressSpace is not limited on this system.
func AddressSpace() int64 { return math.MaxInt64 }

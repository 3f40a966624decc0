package gpu

import (
	"math"
	"runtime"

	"github.com/vfmrestore/restore/internal/memory"
)

// The memory a driver needs to start, to translate kernels and to run a small program, as measured
// with lavapipe, which uses only host memory (docs/TROUBLESHOOTING.md, "Little memory"). Drivers,
// LLVM and Go's runtime end the process when they get no memory. So we check first, and return an
// error if there is too little.
const (
	startAddresses = 540 << 20 // bytes of address space (`ulimit -v`)
	startResident  = 160 << 20 // bytes in use
	perThread      = 10 << 20  // bytes of address space per core beyond two, for a thread's stack
	mostThreads    = 32        // most threads that lavapipe starts
)

// checkStartMemory returns nil or a *memory.Error.
func checkStartMemory() error {
	return checkMemory(memory.AddressSpace(), memory.Available(), runtime.NumCPU())
}

func checkMemory(addresses, available int64, cores int) error {
	const what = "starting a Vulkan driver"
	need := int64(startAddresses + perThread*max(0, min(cores, mostThreads)-2))
	if addresses < need {
		return &memory.Error{What: what + " (address space, ulimit -v)", Need: need, Have: addresses}
	}
	if available < startResident {
		return &memory.Error{What: what, Need: startResident, Have: available}
	}
	return nil
}

// addressesFree returns how many bytes of address space are left for buffers, beside what the
// driver itself needs. It is math.MaxInt64 if address space is not limited.
func addressesFree() int64 {
	left := memory.AddressSpace()
	if left == math.MaxInt64 {
		return left
	}
	return max(0, left-startAddresses/2)
}

package gpu

import (
	"math"
	"runtime"

	"github.com/vfmrestore/restore/internal/memory"
)

// What a driver takes to start, to translate kernels and to run a small program: measured with
// lavapipe, of which all memory is the host's (docs/TROUBLESHOOTING.md, "Little memory"). Drivers,
// LLVM and Go's runtime end the process where they get no memory, so what can be foreseen is
// refused before.
const (
	startAddresses = 540 << 20 // of address space (`ulimit -v`)
	startResident  = 160 << 20 // in use
	perThread      = 10 << 20  // of address space for each core beyond two: a thread's stack and what it holds
	mostThreads    = 32        // of lavapipe
)

// roomToStart is nil or a *memory.Error.
func roomToStart() error {
	return roomFor(memory.AddressSpace(), memory.Available(), runtime.NumCPU())
}

func roomFor(addresses, available int64, cores int) error {
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

// addressesFree is what a limit on address space leaves for buffers beside what the driver needs
// itself, math.MaxInt64 without such a limit.
func addressesFree() int64 {
	left := memory.AddressSpace()
	if left == math.MaxInt64 {
		return left
	}
	return max(0, left-startAddresses/2)
}

package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"os"
	"unsafe"
)

// candidate is a physical device with its properties.
type candidate struct {
	phys vkPhysicalDevice
	c    C.vfm_info
	mem  memoryTypes
	info Info
}

// memoryTypes are the memory types and heaps of a device.
type memoryTypes struct {
	types []memoryType
	heaps []memoryHeap
}

type memoryType struct {
	flags uint32 // VkMemoryPropertyFlags
	heap  int
}

type memoryHeap struct {
	size  int64
	local bool
}

// Memory property flags.
const (
	memLocal       = 1
	memHostVisible = 2
	memCoherent    = 4
	memCached      = 8
	// Types that need features which are not switched on: lazily allocated, protected, and AMD's
	// device-coherent memory.
	memUnwanted = 0x10 | 0x20 | 0x40 | 0x80
)

const flagSubgroupArithmetic, flagSubgroupShuffle, stageCompute = 4, 16, 32

// subgroup reports whether compute shaders have a kind of subgroup operations, given by its
// VK_SUBGROUP_FEATURE bit.
func (c *candidate) subgroup(op uint32) bool {
	return uint32(c.c.subgroupOps)&op != 0 && c.c.subgroupStages&stageCompute != 0
}

// driverLavapipe is VK_DRIVER_ID_MESA_LLVMPIPE.
const driverLavapipe = 13

// query reads the properties of a physical device.
func (i *instance) query(index int, p vkPhysicalDevice) (*candidate, error) {
	c := &candidate{phys: p}
	if r := C.vfm_query(i.c, C.VfPhysical(unsafe.Pointer(p)), &c.c); r < 0 {
		return nil, &CallError{Call: "vkGetPhysicalDeviceProperties2", Code: int(r)}
	}
	if minimalLimits() {
		minimise(&c.c)
	}
	c.mem = queryMemory(p)
	q := &c.c
	info := &c.info
	*info = Info{
		Index: index, Name: C.GoString(&q.name[0]), DriverName: C.GoString(&q.driverName[0]),
		DriverInfo: C.GoString(&q.driverInfo[0]), Type: DeviceType(q._type), API: Version(q.api),
		VendorID: uint32(q.vendor), DeviceID: uint32(q.device), driverVersion: uint32(q.driverVersion),
	}
	if info.Type < Other || info.Type > CPU {
		info.Type = Other
	}
	for k := range 16 {
		info.deviceUUID[k] = byte(q.deviceUUID[k])
		info.cacheUID[k] = byte(q.cacheUUID[k])
	}
	caps := &info.Caps
	*caps = Caps{
		SubgroupSize:        max(1, int(q.subgroupSize)),
		SubgroupShuffle:     c.subgroup(flagSubgroupShuffle),
		SubgroupArithmetic:  c.subgroup(flagSubgroupArithmetic),
		BufferDeviceAddress: q.bda != 0, Int64: q.int64 != 0, Float16: q.float16 != 0, Storage16: q.storage16 != 0,
		Timestamps:      q.timestampBits > 0 && q.timestampPeriod > 0,
		Lavapipe:        q.driverID == driverLavapipe,
		TimestampPeriod: float64(q.timestampPeriod), SubgroupControl: q.subgroupControl != 0,
		Matrix:         [3]int{int(q.matrix[0]), int(q.matrix[1]), int(q.matrix[2])},
		MaxInvocations: int(q.invocations), MaxShared: int(q.shared), MaxPush: int(q.push),
		MaxStorageBindings: int(min(q.stageStorage, q.setStorage, q.stageResources)),
		MaxStorageRange:    clampInt64(uint64(q.storageRange)),
		MaxAlloc:           clampInt64(uint64(q.maxAllocation)),
		MinStorageAlign:    max(1, int(q.storageAlign)),
	}
	if q.maxBuffer > 0 {
		caps.MaxAlloc = min(caps.MaxAlloc, clampInt64(uint64(q.maxBuffer)))
	}
	for k := range 3 {
		caps.MaxWorkgroup[k] = int(q.groupSize[k])
		caps.MaxGroups[k] = int(q.groupCount[k])
	}
	caps.Unified = c.mem.unified(info.Type) && os.Getenv("VFM_SEPARATE_MEMORY") != "1"
	heap := c.mem.largestLocal()
	if heap >= 0 {
		caps.HeapSize = c.mem.heaps[heap].size
		caps.HeapBudget = i.freeBytes(c)[heap]
	}
	switch {
	case info.API < MakeVersion(1, 1, 0):
		info.Unusable = fmt.Sprintf("it has Vulkan %v, at least 1.1 is needed; update its driver", info.API)
	case q.hasCompute == 0:
		info.Unusable = "it has no compute queue"
	case heap < 0:
		info.Unusable = "it reports no device memory"
	}
	return c, nil
}

// freeBytes returns, per heap, how many bytes this process may still allocate according to the
// driver. If the driver does not report it, this is the size of the heap. For a CPU it is the free
// memory of the system, because software drivers report made-up heaps.
func (i *instance) freeBytes(c *candidate) []int64 {
	f := make([]int64, len(c.mem.heaps))
	if c.c.hasBudget == 0 {
		host := int64(-1)
		if c.info.Type == CPU {
			host = hostFree()
			if most := addressesFree(); host < 0 && most < math.MaxInt64 || most < host {
				host = most
			}
		}
		for k, h := range c.mem.heaps {
			f[k] = h.size
			if host >= 0 {
				f[k] = host
			}
		}
		return f
	}
	var b [16]C.uint64_t
	C.vfm_memory_budget(i.c, C.VfPhysical(unsafe.Pointer(c.phys)), &b[0])
	for k := range f {
		f[k] = clampInt64(uint64(b[k]))
	}
	return f
}

func queryMemory(p vkPhysicalDevice) memoryTypes {
	var m vkMemoryProperties
	vkGetMemoryProperties(p, &m)
	m.Deref()
	defer m.Free()
	var out memoryTypes
	for k := range int(m.MemoryTypeCount) {
		t := &m.MemoryTypes[k]
		t.Deref()
		out.types = append(out.types, memoryType{uint32(t.PropertyFlags), int(t.HeapIndex)})
	}
	for k := range int(m.MemoryHeapCount) {
		h := &m.MemoryHeaps[k]
		h.Deref()
		out.heaps = append(out.heaps, memoryHeap{clampInt64(uint64(h.Size)), h.Flags&memLocal != 0})
	}
	return out
}

// largestLocal returns the index of the largest device-local heap, -1 if there is none.
func (m memoryTypes) largestLocal() int {
	best := -1
	for k, h := range m.heaps {
		if h.local && (best < 0 || h.size > m.heaps[best].size) {
			best = k
		}
	}
	return best
}

// unified reports whether the host can reach the device's main memory at full speed: the main heap
// can be mapped, and the device is not a discrete card. (A card with a large BAR can be mapped as
// well, but reads over the bus are slow.)
func (m memoryTypes) unified(t DeviceType) bool {
	if t != Integrated && t != CPU {
		for _, h := range m.heaps {
			if !h.local {
				return false
			}
		}
		if t == Discrete {
			return false
		}
	}
	heap := m.largestLocal()
	const want = memLocal | memHostVisible | memCoherent
	for _, k := range m.types {
		if k.heap == heap && k.flags&want == want && k.flags&memUnwanted == 0 {
			return true
		}
	}
	return false
}

func clampInt64(v uint64) int64 {
	return int64(min(v, math.MaxInt64))
}

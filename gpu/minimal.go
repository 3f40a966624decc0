package gpu

// #include "shim.h"
import "C"

import "os"

// minimalLimits reports whether all devices are to be used as if they had about the least that Vulkan
// 1.1 guarantees: $VFM_MINIMAL_LIMITS=1, for tests of the portable kernels. Features are then not switched
// on, so that the validation layer reports their use; limits are held by this package's own checks.
func minimalLimits() bool { return os.Getenv("VFM_MINIMAL_LIMITS") == "1" }

// fewBindings is the number of storage buffers of a pipeline with minimal limits. Vulkan guarantees
// 4 only, but a convolution uses 5: devices with 4 get a *LimitError. (The step of training uses
// 7.)
const fewBindings = 5

// minimise lowers what a driver reports to what Vulkan 1.1 guarantees ("Required Limits"), but for
// fewBindings. Subgroup sizes have no least value; they stay.
func minimise(q *C.vfm_info) {
	q.bda, q.int64, q.int16, q.int8, q.float16, q.storage16 = 0, 0, 0, 0, 0, 0
	q.hasCoopMatrix, q.extBDA, q.extFloat16, q.extSubgroups, q.subgroupControl = 0, 0, 0, 0, 0
	q.matrix = [3]C.uint32_t{}
	q.subgroupOps &= 1 // VK_SUBGROUP_FEATURE_BASIC_BIT
	q.driverID = 0     // nothing is known of the driver
	q.invocations, q.shared, q.push = min(q.invocations, 128), min(q.shared, 16384), min(q.push, 128)
	for k, most := range [3]C.uint32_t{128, 128, 64} {
		q.groupSize[k] = min(q.groupSize[k], most)
		q.groupCount[k] = min(q.groupCount[k], 65535)
	}
	q.stageStorage, q.setStorage, q.stageResources = min(q.stageStorage, fewBindings), min(q.setStorage, 24), min(q.stageResources, 128)
	q.storageRange, q.storageAlign = min(q.storageRange, 1<<27), max(q.storageAlign, 256)
	q.maxAllocation, q.timestampBits = min(q.maxAllocation, 1<<30), 0
}

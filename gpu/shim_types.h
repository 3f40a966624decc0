// The few Vulkan declarations that the shim needs, written out here so that building needs no
// Vulkan headers. Names, field order and values are those of the Vulkan specification.
// Non-dispatchable handles are uint64_t, dispatchable ones void*, enumerations and flags 32-bit.
// 64-bit little-endian targets only (checked in shim.h).
#ifndef VFM_SHIM_TYPES_H
#define VFM_SHIM_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define VFM_VERSION(maj, min) (((uint32_t)(maj) << 22) | ((uint32_t)(min) << 12))

enum {
	// VkStructureType
	ST_APPLICATION_INFO = 0, ST_INSTANCE_CREATE_INFO = 1, ST_DEVICE_QUEUE_CREATE_INFO = 2, ST_DEVICE_CREATE_INFO = 3,
	ST_SUBMIT_INFO = 4, ST_MEMORY_ALLOCATE_INFO = 5, ST_FENCE_CREATE_INFO = 8, ST_QUERY_POOL_CREATE_INFO = 11,
	ST_BUFFER_CREATE_INFO = 12, ST_SHADER_MODULE_CREATE_INFO = 16, ST_PIPELINE_CACHE_CREATE_INFO = 17,
	ST_SHADER_STAGE_CREATE_INFO = 18, ST_COMPUTE_PIPELINE_CREATE_INFO = 29, ST_PIPELINE_LAYOUT_CREATE_INFO = 30,
	ST_SET_LAYOUT_CREATE_INFO = 32, ST_DESCRIPTOR_POOL_CREATE_INFO = 33, ST_DESCRIPTOR_SET_ALLOCATE_INFO = 34,
	ST_WRITE_DESCRIPTOR_SET = 35, ST_COMMAND_POOL_CREATE_INFO = 39, ST_COMMAND_BUFFER_ALLOCATE_INFO = 40,
	ST_COMMAND_BUFFER_BEGIN_INFO = 42, ST_MEMORY_BARRIER = 46,
	ST_FEATURES_2 = 1000059000, ST_PROPERTIES_2 = 1000059001, ST_MEMORY_PROPERTIES_2 = 1000059006,
	ST_MEMORY_ALLOCATE_FLAGS_INFO = 1000060000, ST_ID_PROPERTIES = 1000071004, ST_FLOAT16_INT8_FEATURES = 1000082000,
	ST_16BIT_STORAGE_FEATURES = 1000083000, ST_SUBGROUP_PROPERTIES = 1000094000, ST_DEBUG_NAME_INFO = 1000128000,
	ST_DEBUG_MESSENGER_CREATE_INFO = 1000128004, ST_MAINTENANCE_3_PROPERTIES = 1000168000,
	ST_DRIVER_PROPERTIES = 1000196000, ST_MEMORY_BUDGET_PROPERTIES = 1000237000, ST_BUFFER_ADDRESS_INFO = 1000244001,
	ST_SUBGROUP_CONTROL_PROPERTIES = 1000225000, ST_REQUIRED_SUBGROUP_SIZE = 1000225001,
	ST_SUBGROUP_CONTROL_FEATURES = 1000225002, ST_COOPERATIVE_MATRIX_FEATURES = 1000506000,
	ST_COOPERATIVE_MATRIX_PROPERTY = 1000506001, ST_COOPERATIVE_MATRIX_PROPERTIES = 1000506002,
	ST_VALIDATION_FEATURES = 1000247000, ST_BUFFER_ADDRESS_FEATURES = 1000257000,
	ST_MAINTENANCE_4_PROPERTIES = 1000413001, ST_VULKAN_1_1_FEATURES = 49, ST_VULKAN_1_2_FEATURES = 51,
	ST_VULKAN_1_3_FEATURES = 53, ST_BUFFER_MEMORY_BARRIER = 44, ST_EXTERNAL_BUFFER_INFO = 1000071002,
	ST_EXTERNAL_BUFFER_PROPERTIES = 1000071003, ST_EXTERNAL_MEMORY_BUFFER = 1000072000,
	ST_EXPORT_MEMORY = 1000072002, ST_IMPORT_MEMORY_FD = 1000074000, ST_MEMORY_FD_PROPERTIES = 1000074001,
	ST_MEMORY_GET_FD = 1000074002, ST_DEDICATED_ALLOCATE = 1000127001,
	ST_IMPORT_MEMORY_HOST = 1000178000, ST_MEMORY_HOST_PROPERTIES = 1000178001,
	ST_EXTERNAL_MEMORY_HOST_PROPERTIES = 1000178002
};

typedef int32_t VfResult;
typedef void *VfInstance, *VfPhysical, *VfDevice, *VfQueue, *VfCommands;

typedef struct { int32_t sType; void *pNext; } VfChain;

typedef struct {
	int32_t sType; const void *pNext;
	const char *app; uint32_t appVersion; const char *engine; uint32_t engineVersion, apiVersion;
} VfApplicationInfo;

typedef struct {
	int32_t sType; const void *pNext; uint32_t flags; const VfApplicationInfo *app;
	uint32_t layerCount; const char *const *layers; uint32_t extCount; const char *const *exts;
} VfInstanceCreateInfo;

typedef struct { char name[256]; uint32_t version; } VfExtension;
typedef struct { char name[256]; uint32_t version, implementation; char description[256]; } VfLayer;

typedef struct {
	int32_t sType; const void *pNext; uint32_t flags; const char *idName; int32_t idNumber; const char *message;
	// More fields follow; the shim only reads these.
} VfMessageData;
typedef uint32_t (*VfMessageFn)(uint32_t severity, uint32_t types, const VfMessageData *, void *user);
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags, severities, types; VfMessageFn fn; void *user;
} VfMessengerCreateInfo;
typedef struct {
	int32_t sType; const void *pNext; uint32_t enabledCount; const int32_t *enabled;
	uint32_t disabledCount; const int32_t *disabled;
} VfValidationFeatures;
typedef struct { int32_t sType; const void *pNext; int32_t type; uint64_t handle; const char *name; } VfDebugName;

typedef struct {
	uint32_t image1D, image2D, image3D, imageCube, imageLayers, texelBufferElements;
	uint32_t uniformRange, storageRange, pushConstants, allocationCount, samplerCount;
	uint64_t bufferImageGranularity, sparseSize;
	uint32_t boundSets, stageSamplers, stageUniforms, stageStorageBuffers, stageSampledImages, stageStorageImages,
		stageInputAttachments, stageResources;
	uint32_t setSamplers, setUniforms, setUniformsDynamic, setStorageBuffers, setStorageBuffersDynamic,
		setSampledImages, setStorageImages, setInputAttachments;
	uint32_t vertex[5], tessellation[8], geometry[5], fragment[4];
	uint32_t sharedMemory, groupCount[3], groupInvocations, groupSize[3];
	uint32_t subPixelBits, subTexelBits, mipmapBits, drawIndexedValue, drawIndirectCount;
	float samplerLodBias, samplerAnisotropy;
	uint32_t viewports, viewportDimensions[2];
	float viewportBounds[2];
	uint32_t viewportSubPixelBits;
	size_t memoryMapAlignment;
	uint64_t texelAlign, uniformAlign, storageAlign;
	int32_t texelOffsetMin; uint32_t texelOffsetMax;
	int32_t gatherOffsetMin; uint32_t gatherOffsetMax;
	float interpolationMin, interpolationMax;
	uint32_t interpolationBits, framebuffer[3], framebufferSamples[4], colorAttachments, imageSamples[5], sampleMask;
	uint32_t timestampComputeAndGraphics;
	float timestampPeriod;
	uint32_t clip[3], discreteQueuePriorities;
	float pointSizeRange[2], lineWidthRange[2], pointSizeStep, lineWidthStep;
	uint32_t strictLines, standardSampleLocations;
	uint64_t copyOffsetAlign, copyRowPitchAlign, nonCoherentAtom;
} VfLimits;

typedef struct {
	uint32_t api, driver, vendor, device; int32_t type; char name[256]; uint8_t cacheUUID[16];
	VfLimits limits; uint32_t sparse[5];
} VfProperties;
typedef struct { int32_t sType; void *pNext; VfProperties p; } VfProperties2;
typedef struct { int32_t sType; void *pNext; uint32_t size, stages, operations, quad; } VfSubgroupProperties;
typedef struct {
	int32_t sType; void *pNext; uint8_t device[16], driver[16], luid[8]; uint32_t nodeMask, luidValid;
} VfIDProperties;
typedef struct { int32_t sType; void *pNext; uint32_t perSet; uint64_t maxAllocation; } VfMaintenance3Properties;
typedef struct { int32_t sType; void *pNext; uint64_t maxBuffer; } VfMaintenance4Properties;
typedef struct {
	int32_t sType; void *pNext; int32_t id; char name[256], info[256]; uint8_t conformance[4];
} VfDriverProperties;

// VkPhysicalDeviceFeatures is 55 booleans; these are the places of those in use.
enum { FEATURE_COUNT = 55, FEATURE_INT64 = 40, FEATURE_INT16 = 41 };
typedef struct { int32_t sType; void *pNext; uint32_t f[FEATURE_COUNT]; } VfFeatures2;
typedef struct { int32_t sType; void *pNext; uint32_t storage, uniform, push, io; } Vf16BitStorage;
typedef struct { int32_t sType; void *pNext; uint32_t float16, int8; } VfFloat16Int8;
typedef struct { int32_t sType; void *pNext; uint32_t address, captureReplay, multiDevice; } VfBufferAddress;
typedef struct { int32_t sType; void *pNext; uint32_t control, full; } VfSubgroupControl;
typedef struct { int32_t sType; void *pNext; uint32_t least, most, groups, stages; } VfSubgroupControlProperties;
typedef struct { int32_t sType; const void *pNext; uint32_t size; } VfRequiredSubgroup;
typedef struct { int32_t sType; void *pNext; uint32_t matrix, robust; } VfMatrixFeatures;
typedef struct { int32_t sType; void *pNext; uint32_t stages; } VfMatrixProperties;
// The beginnings of the structures that hold all features of a version, up to the last one in use.
typedef struct { int32_t sType; void *pNext; uint32_t storage16; } VfFeatures11;
typedef struct { int32_t sType; void *pNext; uint32_t a[7], float16, int8, b[29], address; } VfFeatures12;
typedef struct { int32_t sType; void *pNext; uint32_t a[7], control, full; } VfFeatures13;
// One kind of product: A (m×k) times B (k×n) plus C. Types: 0 float16, 1 float32. Scope: 3 is the
// subgroup.
typedef struct {
	int32_t sType; void *pNext; uint32_t m, n, k; int32_t a, b, c, result; uint32_t saturating; int32_t scope;
} VfMatrixProperty;

typedef struct { uint32_t flags, count, timestampBits, granularity[3]; } VfQueueFamily;
typedef struct { int32_t sType; const void *pNext; uint32_t flags, family, count; const float *priorities; } VfQueueCreateInfo;
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags, queueCount; const VfQueueCreateInfo *queues;
	uint32_t layerCount; const char *const *layers; uint32_t extCount; const char *const *exts; const void *features;
} VfDeviceCreateInfo;

typedef struct {
	uint32_t typeCount; struct { uint32_t flags, heap; } types[32];
	uint32_t heapCount; struct { uint64_t size; uint32_t flags; } heaps[16];
} VfMemoryProperties;
typedef struct { int32_t sType; void *pNext; VfMemoryProperties p; } VfMemoryProperties2;
typedef struct { int32_t sType; void *pNext; uint64_t budget[16], usage[16]; } VfMemoryBudget;

typedef struct {
	int32_t sType; const void *pNext; uint32_t flags; uint64_t size; uint32_t usage; int32_t sharing;
	uint32_t familyCount; const uint32_t *families;
} VfBufferCreateInfo;
typedef struct { int32_t sType; const void *pNext; uint64_t size; uint32_t type; } VfAllocateInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t flags, deviceMask; } VfAllocateFlags;
typedef struct { int32_t sType; const void *pNext; uint64_t buffer; } VfBufferAddressInfo;

typedef struct { int32_t sType; const void *pNext; uint32_t flags; size_t bytes; const uint32_t *code; } VfModuleInfo;
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags, stage; uint64_t module; const char *entry; const void *spec;
} VfStageInfo;
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags; VfStageInfo stage; uint64_t layout, base; int32_t baseIndex;
} VfComputeInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t flags; size_t size; const void *data; } VfCacheInfo;
typedef struct { uint32_t stages, offset, size; } VfPushRange;
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags, setCount; const uint64_t *sets;
	uint32_t pushCount; const VfPushRange *pushes;
} VfLayoutInfo;
typedef struct { uint32_t binding; int32_t type; uint32_t count, stages; const uint64_t *samplers; } VfBinding;
typedef struct { int32_t sType; const void *pNext; uint32_t flags, count; const VfBinding *bindings; } VfSetLayoutInfo;
typedef struct { int32_t type; uint32_t count; } VfPoolSize;
typedef struct {
	int32_t sType; const void *pNext; uint32_t flags, maxSets, sizeCount; const VfPoolSize *sizes;
} VfDescriptorPoolInfo;
typedef struct { int32_t sType; const void *pNext; uint64_t pool; uint32_t count; const uint64_t *layouts; } VfSetAllocateInfo;
typedef struct { uint64_t buffer, offset, range; } VfBufferInfo;
typedef struct {
	int32_t sType; const void *pNext; uint64_t set; uint32_t binding, element, count; int32_t type;
	const void *images; const VfBufferInfo *buffers; const uint64_t *views;
} VfWriteSet;

typedef struct { int32_t sType; const void *pNext; uint32_t flags, family; } VfCommandPoolInfo;
typedef struct { int32_t sType; const void *pNext; uint64_t pool; int32_t level; uint32_t count; } VfCommandsInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t flags; const void *inheritance; } VfBeginInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t flags; } VfFenceInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t flags; int32_t type; uint32_t count, statistics; } VfQueryPoolInfo;
typedef struct {
	int32_t sType; const void *pNext; uint32_t waitCount; const uint64_t *waits; const uint32_t *waitStages;
	uint32_t commandCount; const VfCommands *commands; uint32_t signalCount; const uint64_t *signals;
} VfSubmitInfo;
typedef struct { int32_t sType; const void *pNext; uint32_t srcAccess, dstAccess; } VfMemoryBarrier;
typedef struct { uint64_t src, dst, size; } VfCopy;
typedef struct {
	int32_t sType; const void *pNext; uint32_t srcAccess, dstAccess, srcFamily, dstFamily; uint64_t buffer, offset, size;
} VfBufferBarrier;

// Memory that is shared with others. Handle types are bits: file descriptors of the same driver
// (1), dma-bufs (0x200), memory of the host (0x80).
enum { HANDLE_OPAQUE_FD = 1, HANDLE_HOST = 0x80, HANDLE_DMA_BUF = 0x200 };
typedef struct { int32_t sType; const void *pNext; uint32_t flags, usage, handle; } VfExternalBufferInfo;
typedef struct { int32_t sType; void *pNext; uint32_t features, exportFrom, compatible; } VfExternalBufferProperties;
typedef struct { int32_t sType; void *pNext; uint64_t align; } VfExternalHostProperties;
typedef struct { int32_t sType; const void *pNext; uint32_t handles; } VfExternalHandles; // of buffers and exports
typedef struct { int32_t sType; const void *pNext; uint32_t handle; int fd; } VfImportFd;
typedef struct { int32_t sType; const void *pNext; uint32_t handle; void *host; } VfImportHost;
typedef struct { int32_t sType; void *pNext; uint32_t types; } VfHandleProperties; // of descriptors and host pointers
typedef struct { int32_t sType; const void *pNext; uint64_t memory; uint32_t handle; } VfGetFd;
typedef struct { int32_t sType; const void *pNext; uint64_t image, buffer; } VfDedicated;
// Copies of n ranges of size bytes each: offsets of the first, and distances from one to the next.
typedef struct { uint64_t src, dst, src_stride, dst_stride, size, n; } vfm_rows;

#endif

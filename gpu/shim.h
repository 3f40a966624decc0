// The C side of package gpu. Every Vulkan call that takes slices of structs or strings is made
// here, entirely in C memory: the Go binding may free its C copies of such arguments during the
// call, because it hangs finalizers on local variables that are dead by then. The functions newer
// than Vulkan 1.0, which the binding does not wrap, are here as well.
//
// Handles are passed as uint64_t (non-dispatchable) or void* (dispatchable). Results are VkResult
// values.
#ifndef VFM_SHIM_H
#define VFM_SHIM_H

#include "shim_types.h"

#if UINTPTR_MAX < 0xffffffffffffffffu
#error "package gpu needs a 64-bit target"
#endif

typedef void (*VfAnyFn)(void);
typedef VfAnyFn (*VfGetProc)(VfInstance, const char *);
typedef VfAnyFn (*VfGetDeviceProc)(VfDevice, const char *);

// ---- loader ----
// Opens a Vulkan loader library. Returns its vkGetInstanceProcAddr, or NULL with the reason in
// why[n].
void *vfm_loader_open(const char *name, char *why, size_t n);

// ---- messages of the validation layer: a lock-free list that driver threads fill and Go reads
// ----
typedef struct vfm_message { struct vfm_message *next; char text[]; } vfm_message;
typedef struct { vfm_message *head; } vfm_messages;
uint32_t vfm_message_callback(uint32_t severity, uint32_t types, const VfMessageData *data, void *user);
vfm_message *vfm_messages_take(vfm_messages *q); // oldest first; the caller frees each with free()
const char *vfm_message_text(const vfm_message *m);

// ---- instance ----
typedef struct {
	VfInstance handle;
	VfGetProc proc;
	uint32_t api; // version of the loader
	uint64_t messenger;
	vfm_messages messages;
	VfResult (*CreateDevice)(VfPhysical, const VfDeviceCreateInfo *, const void *, VfDevice *);
	VfResult (*EnumerateExtensions)(VfPhysical, const char *, uint32_t *, VfExtension *);
	void (*GetProperties)(VfPhysical, VfProperties *);
	void (*GetProperties2)(VfPhysical, VfProperties2 *);
	void (*GetFeatures2)(VfPhysical, VfFeatures2 *);
	void (*GetQueueFamilies)(VfPhysical, uint32_t *, VfQueueFamily *);
	void (*GetMemoryProperties2)(VfPhysical, VfMemoryProperties2 *);
	void (*GetExternalBuffer)(VfPhysical, const VfExternalBufferInfo *, VfExternalBufferProperties *);
	// NULL without VK_KHR_cooperative_matrix
	VfResult (*GetMatrixProperties)(VfPhysical, uint32_t *, VfMatrixProperty *);
	void (*DestroyMessenger)(VfInstance, uint64_t, const void *);
	VfGetDeviceProc deviceProc;
} vfm_instance;

enum { VFM_NO_LAYER = -1000001, VFM_OLD_LOADER = -1000002, VFM_BROKEN_LOADER = -1000003 };
int vfm_validation_available(void *proc);
VfResult vfm_instance_create(void *proc, int validate, vfm_instance **out);
// Makes the table of an instance that somebody else created for Vulkan version api. It has no
// messenger. VFM_OLD_LOADER if functions of Vulkan 1.1 are missing.
VfResult vfm_instance_borrow(void *proc, VfInstance handle, uint32_t api, vfm_instance **out);
// Frees the table and the messenger, not the handle: see vfm_instance_close.
void vfm_instance_free(vfm_instance *i);
// Destroys the messenger. Call it before destroying the instance.
void vfm_instance_close(vfm_instance *i);

// ---- what a physical device can do ----
typedef struct {
	uint32_t api, driverVersion, vendor, device; int32_t type; char name[256];
	uint8_t deviceUUID[16], cacheUUID[16];
	int32_t driverID; char driverName[256], driverInfo[256];
	uint32_t subgroupSize, subgroupStages, subgroupOps;
	uint32_t bda, int64, int16, int8, float16, storage16; // features
	uint32_t hasBudget, hasCoopMatrix, hasPortability, extBDA, extFloat16, extSubgroups;
	uint32_t subgroupControl; // a pipeline may ask for a subgroup size, and for full subgroups
	// m, n, k of the cooperative matrices that are used: float16 factors, float32 sums; 0: none
	uint32_t matrix[3];
	uint32_t invocations, groupSize[3], groupCount[3], shared, push, stageStorage, setStorage, stageResources, allocations;
	uint64_t storageRange, maxAllocation, maxBuffer, storageAlign;
	double timestampPeriod; uint32_t timestampBits;
	uint32_t family, hasCompute;
	// Extensions for memory that is shared with others.
	uint32_t extFd, extDmaBuf, extHost, extForeign;
	// What buffers of all usages can do with handles: bits 1 dedicated memory only, 2 export, 4
	// import.
	uint32_t opaque, dmaBuf, host;
	uint64_t hostAlign;
} vfm_info;
VfResult vfm_query(vfm_instance *i, VfPhysical p, vfm_info *out);
// Replaces the queue family that vfm_query chose. hasCompute is 0 if this one has none or does not
// exist.
void vfm_query_family(vfm_instance *i, VfPhysical p, uint32_t family, vfm_info *out);
// The features that a chain of VkPhysicalDeviceFeatures2 and its like switches on.
typedef struct { uint32_t bda, int64, int16, int8, float16, storage16, sizes, full, matrix; } vfm_features;
void vfm_features_read(const void *chain, vfm_features *out);
// Free bytes by heap, from VK_EXT_memory_budget: budget minus usage of this process, never below 0.
void vfm_memory_budget(vfm_instance *i, VfPhysical p, uint64_t free_bytes[16]);

// ---- device ----
typedef struct {
	VfDevice handle;
	uint32_t family;
#define VFM_FN(ret, name, ...) ret (*name)(__VA_ARGS__)
	VFM_FN(VfResult, AllocateMemory, VfDevice, const VfAllocateInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, CreateBuffer, VfDevice, const VfBufferCreateInfo *, const void *, uint64_t *);
	VFM_FN(uint64_t, GetBufferDeviceAddress, VfDevice, const VfBufferAddressInfo *);
	VFM_FN(VfResult, CreateShaderModule, VfDevice, const VfModuleInfo *, const void *, uint64_t *);
	VFM_FN(void, DestroyShaderModule, VfDevice, uint64_t, const void *);
	VFM_FN(VfResult, CreateComputePipelines, VfDevice, uint64_t, uint32_t, const VfComputeInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, CreatePipelineCache, VfDevice, const VfCacheInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, GetPipelineCacheData, VfDevice, uint64_t, size_t *, void *);
	VFM_FN(VfResult, CreatePipelineLayout, VfDevice, const VfLayoutInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, CreateDescriptorSetLayout, VfDevice, const VfSetLayoutInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, CreateDescriptorPool, VfDevice, const VfDescriptorPoolInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, AllocateDescriptorSets, VfDevice, const VfSetAllocateInfo *, uint64_t *);
	VFM_FN(void, UpdateDescriptorSets, VfDevice, uint32_t, const VfWriteSet *, uint32_t, const void *);
	VFM_FN(VfResult, CreateCommandPool, VfDevice, const VfCommandPoolInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, AllocateCommandBuffers, VfDevice, const VfCommandsInfo *, VfCommands *);
	VFM_FN(VfResult, BeginCommandBuffer, VfCommands, const VfBeginInfo *);
	VFM_FN(void, CmdPipelineBarrier, VfCommands, uint32_t, uint32_t, uint32_t, uint32_t, const VfMemoryBarrier *,
		uint32_t, const void *, uint32_t, const void *);
	VFM_FN(void, CmdCopyBuffer, VfCommands, uint64_t, uint64_t, uint32_t, const VfCopy *);
	VFM_FN(VfResult, CreateFence, VfDevice, const VfFenceInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, CreateQueryPool, VfDevice, const VfQueryPoolInfo *, const void *, uint64_t *);
	VFM_FN(VfResult, GetQueryPoolResults, VfDevice, uint64_t, uint32_t, uint32_t, size_t, void *, uint64_t, uint32_t);
	VFM_FN(VfResult, QueueSubmit, VfQueue, uint32_t, const VfSubmitInfo *, uint64_t);
	VFM_FN(VfResult, SetDebugUtilsObjectNameEXT, VfDevice, const VfDebugName *);
	VFM_FN(VfResult, GetMemoryFdKHR, VfDevice, const VfGetFd *, int *);
	VFM_FN(VfResult, GetMemoryFdPropertiesKHR, VfDevice, uint32_t, int, VfHandleProperties *);
	VFM_FN(VfResult, GetMemoryHostPointerPropertiesEXT, VfDevice, uint32_t, const void *, VfHandleProperties *);
#undef VFM_FN
} vfm_device;

void vfm_trim(void); // gives free memory of the C library back to the system, where it can
VfResult vfm_device_create(vfm_instance *i, VfPhysical p, const vfm_info *info, vfm_device **out);
// Makes the table of a device that somebody else created.
VfResult vfm_device_borrow(vfm_instance *i, VfDevice handle, const vfm_info *info, vfm_device **out);

// ---- memory ----
VfResult vfm_buffer_create(vfm_device *d, uint64_t size, uint32_t usage, uint64_t *out);
VfResult vfm_memory_allocate(vfm_device *d, uint64_t size, uint32_t type, int address, uint64_t *out);
uint64_t vfm_buffer_address(vfm_device *d, uint64_t buffer);

// ---- memory that is shared with others ----
// Fills what vfm_query says of it. usage is that of all buffers.
void vfm_query_external(vfm_instance *i, VfPhysical p, uint32_t usage, vfm_info *out);
VfResult vfm_external_buffer_create(vfm_device *d, uint64_t size, uint32_t usage, uint32_t handle, uint64_t *out);
// The memory types that a handle can be imported as, as bits.
VfResult vfm_fd_types(vfm_device *d, uint32_t handle, int fd, uint32_t *types);
VfResult vfm_host_types(vfm_device *d, void *host, uint32_t *types);
// Allocates memory that can be exported (fd and host unset), or imports some. After a success fd
// belongs to the driver. dedicated: the only buffer that the memory is for, or 0.
typedef struct { uint64_t size; uint32_t type; int address; uint32_t handle; int import, fd; void *host; uint64_t dedicated; } vfm_external;
VfResult vfm_external_allocate(vfm_device *d, const vfm_external *x, uint64_t *out);
VfResult vfm_memory_fd(vfm_device *d, uint64_t memory, uint32_t handle, int *fd);
// Takes a buffer over from others who use its memory, or gives it back.
void vfm_transfer_ownership(vfm_device *d, VfCommands c, uint64_t buffer, int foreign, int take);

// ---- pipelines ----
VfResult vfm_set_layout_create(vfm_device *d, uint32_t bindings, uint64_t *out);
VfResult vfm_layout_create(vfm_device *d, uint64_t set_layout, uint32_t push_bytes, uint64_t *out);
// subgroup: the size that subgroups must have, all of them full; 0: any.
VfResult vfm_pipeline_create(vfm_device *d, uint64_t cache, uint64_t layout, const uint32_t *code, size_t words,
	uint32_t subgroup, const char *name, uint64_t *out);
VfResult vfm_cache_create(vfm_device *d, const void *data, size_t size, uint64_t *out);
// *data is malloc'ed
VfResult vfm_cache_data(vfm_device *d, uint64_t cache, void **data, size_t *size);
VfResult vfm_descriptor_pool_create(vfm_device *d, uint32_t sets, uint32_t descriptors, uint64_t *out);
// bind holds n triples (buffer, offset, range).
VfResult vfm_descriptor_set(vfm_device *d, uint64_t pool, uint64_t layout, uint32_t n, const uint64_t *bind, uint64_t *out);

// ---- commands ----
VfResult vfm_commands_create(vfm_device *d, uint64_t *pool, VfCommands *out);
VfResult vfm_commands_begin(vfm_device *d, VfCommands c, int once);
void vfm_barrier(vfm_device *d, VfCommands c, uint32_t src_stages, uint32_t src_access, uint32_t dst_stages, uint32_t dst_access);
void vfm_copy_rows(vfm_device *d, VfCommands c, uint64_t src, uint64_t dst, const vfm_rows *r);
void vfm_copy(vfm_device *d, VfCommands c, uint64_t src, uint64_t src_off, uint64_t dst, uint64_t dst_off, uint64_t size);
VfResult vfm_fence_create(vfm_device *d, uint64_t *out);
VfResult vfm_query_pool_create(vfm_device *d, uint32_t n, uint64_t *out);
VfResult vfm_query_results(vfm_device *d, uint64_t pool, uint32_t n, uint64_t *out);
VfResult vfm_submit(vfm_device *d, VfQueue q, uint32_t n, VfCommands *lists, uint64_t fence);

#endif

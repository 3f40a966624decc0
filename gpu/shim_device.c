// Creation of the logical device, its function table, buffers and memory.
#include "shim.h"

#include <stdlib.h>

// load fills the table of functions of a device.
static void load(vfm_instance *i, const vfm_info *info, vfm_device *d) {
#define LOAD(name) *(VfAnyFn *)&d->name = i->deviceProc(d->handle, "vk" #name)
	LOAD(AllocateMemory);
	LOAD(CreateBuffer);
	LOAD(CreateShaderModule);
	LOAD(DestroyShaderModule);
	LOAD(CreateComputePipelines);
	LOAD(CreatePipelineCache);
	LOAD(GetPipelineCacheData);
	LOAD(CreatePipelineLayout);
	LOAD(CreateDescriptorSetLayout);
	LOAD(CreateDescriptorPool);
	LOAD(AllocateDescriptorSets);
	LOAD(UpdateDescriptorSets);
	LOAD(CreateCommandPool);
	LOAD(AllocateCommandBuffers);
	LOAD(BeginCommandBuffer);
	LOAD(CmdPipelineBarrier);
	LOAD(CmdCopyBuffer);
	LOAD(CreateFence);
	LOAD(CreateQueryPool);
	LOAD(GetQueryPoolResults);
	LOAD(QueueSubmit);
	if (info->bda) {
		LOAD(GetBufferDeviceAddress);
		if (info->extBDA || !d->GetBufferDeviceAddress)
			*(VfAnyFn *)&d->GetBufferDeviceAddress = i->deviceProc(d->handle, "vkGetBufferDeviceAddressKHR");
	}
	if (info->extFd) {
		LOAD(GetMemoryFdKHR);
		LOAD(GetMemoryFdPropertiesKHR);
	}
	if (info->extHost)
		LOAD(GetMemoryHostPointerPropertiesEXT);
	if (i->messenger)
		LOAD(SetDebugUtilsObjectNameEXT);
#undef LOAD
}

VfResult vfm_device_borrow(vfm_instance *i, VfDevice handle, const vfm_info *info, vfm_device **out) {
	*out = NULL;
	vfm_device *d = calloc(1, sizeof *d);
	if (!d)
		return -1;
	d->family = info->family;
	d->handle = handle;
	load(i, info, d);
	if (!d->QueueSubmit || !d->CreateComputePipelines) {
		free(d);
		return -3;
	}
	*out = d;
	return 0;
}

VfResult vfm_device_create(vfm_instance *i, VfPhysical p, const vfm_info *info, vfm_device **out) {
	*out = NULL;
	vfm_device *d = calloc(1, sizeof *d);
	if (!d)
		return -1;
	d->family = info->family;

	const char *exts[16];
	uint32_t n = 0;
	if (info->hasPortability)
		exts[n++] = "VK_KHR_portability_subset"; // the specification demands it where it is listed
	if (info->hasBudget)
		exts[n++] = "VK_EXT_memory_budget";
	if (info->extBDA && info->bda)
		exts[n++] = "VK_KHR_buffer_device_address";
	if (info->extFloat16 && (info->float16 || info->int8))
		exts[n++] = "VK_KHR_shader_float16_int8";
	if (info->subgroupControl)
		exts[n++] = "VK_EXT_subgroup_size_control";
	if (info->matrix[0])
		exts[n++] = "VK_KHR_cooperative_matrix";
	if (info->extFd)
		exts[n++] = "VK_KHR_external_memory_fd";
	if (info->extDmaBuf)
		exts[n++] = "VK_EXT_external_memory_dma_buf";
	if (info->extHost)
		exts[n++] = "VK_EXT_external_memory_host";
	if (info->extForeign)
		exts[n++] = "VK_EXT_queue_family_foreign";

	VfFeatures2 f = {ST_FEATURES_2};
	Vf16BitStorage s16 = {ST_16BIT_STORAGE_FEATURES, NULL, info->storage16};
	VfFloat16Int8 f16 = {ST_FLOAT16_INT8_FEATURES, NULL, info->float16, info->int8};
	VfBufferAddress bda = {ST_BUFFER_ADDRESS_FEATURES, NULL, info->bda};
	VfSubgroupControl sub = {ST_SUBGROUP_CONTROL_FEATURES, NULL, 1, 1};
	VfMatrixFeatures matrix = {ST_COOPERATIVE_MATRIX_FEATURES, NULL, 1, 0};
	f.f[FEATURE_INT64] = info->int64;
	f.f[FEATURE_INT16] = info->int16;
	void **tail = &f.pNext;
	if (info->storage16) {
		*tail = &s16;
		tail = &s16.pNext;
	}
	if (info->float16 || info->int8) {
		*tail = &f16;
		tail = &f16.pNext;
	}
	if (info->bda) {
		*tail = &bda;
		tail = &bda.pNext;
	}
	if (info->subgroupControl) {
		*tail = &sub;
		tail = &sub.pNext;
	}
	if (info->matrix[0]) {
		*tail = &matrix;
		tail = &matrix.pNext;
	}
	const float priority = 1;
	VfQueueCreateInfo queue = {ST_DEVICE_QUEUE_CREATE_INFO, NULL, 0, info->family, 1, &priority};
	VfDeviceCreateInfo create = {ST_DEVICE_CREATE_INFO, &f, 0, 1, &queue, 0, NULL, n, exts, NULL};
	VfResult r = i->CreateDevice(p, &create, NULL, &d->handle);
	if (r < 0) {
		free(d);
		return r;
	}
	load(i, info, d);
	*out = d;
	return 0;
}

VfResult vfm_buffer_create(vfm_device *d, uint64_t size, uint32_t usage, uint64_t *out) {
	VfBufferCreateInfo info = {ST_BUFFER_CREATE_INFO, NULL, 0, size, usage, 0, 0, NULL};
	return d->CreateBuffer(d->handle, &info, NULL, out);
}

VfResult vfm_memory_allocate(vfm_device *d, uint64_t size, uint32_t type, int address, uint64_t *out) {
	// 2 = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT
	VfAllocateFlags flags = {ST_MEMORY_ALLOCATE_FLAGS_INFO, NULL, 2, 0};
	VfAllocateInfo info = {ST_MEMORY_ALLOCATE_INFO, address ? &flags : NULL, size, type};
	return d->AllocateMemory(d->handle, &info, NULL, out);
}

uint64_t vfm_buffer_address(vfm_device *d, uint64_t buffer) {
	VfBufferAddressInfo info = {ST_BUFFER_ADDRESS_INFO, NULL, buffer};
	return d->GetBufferDeviceAddress ? d->GetBufferDeviceAddress(d->handle, &info) : 0;
}

// Pipelines, their cache, layouts and descriptor sets.
#include "shim.h"

#include <stdlib.h>

enum { STAGE_COMPUTE = 32, DESCRIPTOR_STORAGE_BUFFER = 7, OBJECT_PIPELINE = 19, FULL_SUBGROUPS = 2 };

VfResult vfm_set_layout_create(vfm_device *d, uint32_t n, uint64_t *out) {
	VfBinding *b = calloc(n ? n : 1, sizeof *b);
	if (!b)
		return -1;
	for (uint32_t k = 0; k < n; k++)
		b[k] = (VfBinding){k, DESCRIPTOR_STORAGE_BUFFER, 1, STAGE_COMPUTE, NULL};
	VfSetLayoutInfo info = {ST_SET_LAYOUT_CREATE_INFO, NULL, 0, n, b};
	VfResult r = d->CreateDescriptorSetLayout(d->handle, &info, NULL, out);
	free(b);
	return r;
}

VfResult vfm_layout_create(vfm_device *d, uint64_t set_layout, uint32_t push_bytes, uint64_t *out) {
	VfPushRange push = {STAGE_COMPUTE, 0, push_bytes};
	VfLayoutInfo info = {ST_PIPELINE_LAYOUT_CREATE_INFO, NULL, 0, set_layout ? 1 : 0, &set_layout, push_bytes ? 1 : 0, &push};
	return d->CreatePipelineLayout(d->handle, &info, NULL, out);
}

VfResult vfm_pipeline_create(vfm_device *d, uint64_t cache, uint64_t layout, const uint32_t *code, size_t words,
	uint32_t subgroup, const char *name, uint64_t *out) {
	*out = 0;
	VfModuleInfo mi = {ST_SHADER_MODULE_CREATE_INFO, NULL, 0, words * 4, code};
	uint64_t module = 0;
	VfResult r = d->CreateShaderModule(d->handle, &mi, NULL, &module);
	if (r < 0)
		return r;
	VfRequiredSubgroup size = {ST_REQUIRED_SUBGROUP_SIZE, NULL, subgroup};
	VfComputeInfo info = {ST_COMPUTE_PIPELINE_CREATE_INFO, NULL, 0,
		{ST_SHADER_STAGE_CREATE_INFO, subgroup ? &size : NULL, subgroup ? FULL_SUBGROUPS : 0, STAGE_COMPUTE, module, "main", NULL}, layout, 0, -1};
	r = d->CreateComputePipelines(d->handle, cache, 1, &info, NULL, out);
	d->DestroyShaderModule(d->handle, module, NULL);
	if (r >= 0 && d->SetDebugUtilsObjectNameEXT && name && *name) {
		VfDebugName dn = {ST_DEBUG_NAME_INFO, NULL, OBJECT_PIPELINE, *out, name};
		d->SetDebugUtilsObjectNameEXT(d->handle, &dn);
	}
	return r;
}

VfResult vfm_cache_create(vfm_device *d, const void *data, size_t size, uint64_t *out) {
	VfCacheInfo info = {ST_PIPELINE_CACHE_CREATE_INFO, NULL, 0, size, data};
	return d->CreatePipelineCache(d->handle, &info, NULL, out);
}

VfResult vfm_cache_data(vfm_device *d, uint64_t cache, void **data, size_t *size) {
	*data = NULL;
	// Other threads may add pipelines between the two calls: VK_INCOMPLETE (5) then means to ask
	// again.
	for (int tries = 0; tries < 4; tries++) {
		*size = 0;
		VfResult r = d->GetPipelineCacheData(d->handle, cache, size, NULL);
		if (r < 0 || *size == 0)
			return r;
		*data = malloc(*size);
		if (!*data)
			return -1;
		r = d->GetPipelineCacheData(d->handle, cache, size, *data);
		if (r == 0)
			return 0;
		free(*data);
		*data = NULL;
		if (r < 0)
			return r;
	}
	return 5;
}

VfResult vfm_descriptor_pool_create(vfm_device *d, uint32_t sets, uint32_t descriptors, uint64_t *out) {
	VfPoolSize size = {DESCRIPTOR_STORAGE_BUFFER, descriptors};
	VfDescriptorPoolInfo info = {ST_DESCRIPTOR_POOL_CREATE_INFO, NULL, 0, sets, 1, &size};
	return d->CreateDescriptorPool(d->handle, &info, NULL, out);
}

VfResult vfm_descriptor_set(vfm_device *d, uint64_t pool, uint64_t layout, uint32_t n, const uint64_t *bind, uint64_t *out) {
	VfSetAllocateInfo info = {ST_DESCRIPTOR_SET_ALLOCATE_INFO, NULL, pool, 1, &layout};
	VfResult r = d->AllocateDescriptorSets(d->handle, &info, out);
	if (r < 0)
		return r;
	VfBufferInfo *b = calloc(n, sizeof *b);
	VfWriteSet *w = calloc(n, sizeof *w);
	if (b && w) {
		for (uint32_t k = 0; k < n; k++) {
			b[k] = (VfBufferInfo){bind[3 * k], bind[3 * k + 1], bind[3 * k + 2]};
			w[k] = (VfWriteSet){ST_WRITE_DESCRIPTOR_SET, NULL, *out, k, 0, 1, DESCRIPTOR_STORAGE_BUFFER, NULL, &b[k], NULL};
		}
		d->UpdateDescriptorSets(d->handle, n, w, 0, NULL);
	} else {
		r = -1;
	}
	free(b);
	free(w);
	return r;
}

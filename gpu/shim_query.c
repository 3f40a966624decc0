// The properties and features of a physical device (the Vulkan 1.1 "2" queries with their pNext
// chains).
#include "shim.h"

#include <stdlib.h>
#include <string.h>

static int has(const VfExtension *e, uint32_t n, const char *name) {
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(e[i].name, name))
			return 1;
	return 0;
}

static void pick_family(vfm_instance *i, VfPhysical p, vfm_info *out) {
	uint32_t n = 0;
	i->GetQueueFamilies(p, &n, NULL);
	VfQueueFamily *q = n ? calloc(n, sizeof *q) : NULL;
	if (!q)
		return;
	i->GetQueueFamilies(p, &n, q);
	for (uint32_t k = 0; k < n; k++) {
		if (!(q[k].flags & 2) || q[k].count == 0) // VK_QUEUE_COMPUTE_BIT
			continue;
		// The first compute family, unless only a later one has time stamps.
		if (!out->hasCompute || (out->timestampBits == 0 && q[k].timestampBits > 0)) {
			out->family = k;
			out->timestampBits = q[k].timestampBits;
			out->hasCompute = 1;
		}
	}
	free(q);
}

void vfm_query_family(vfm_instance *i, VfPhysical p, uint32_t family, vfm_info *out) {
	out->family = family;
	out->hasCompute = out->timestampBits = 0;
	uint32_t n = 0;
	i->GetQueueFamilies(p, &n, NULL);
	VfQueueFamily *q = n ? calloc(n, sizeof *q) : NULL;
	if (!q)
		return;
	i->GetQueueFamilies(p, &n, q);
	if (family < n && (q[family].flags & 2)) { // VK_QUEUE_COMPUTE_BIT
		out->hasCompute = 1;
		out->timestampBits = q[family].timestampBits;
	}
	free(q);
}

void vfm_features_read(const void *chain, vfm_features *out) {
	memset(out, 0, sizeof *out);
	for (const VfChain *c = chain; c; c = c->pNext)
		switch (c->sType) {
		case ST_FEATURES_2: {
			const VfFeatures2 *f = (const void *)c;
			out->int64 = f->f[FEATURE_INT64];
			out->int16 = f->f[FEATURE_INT16];
			break;
		}
		case ST_16BIT_STORAGE_FEATURES:
			out->storage16 = ((const Vf16BitStorage *)c)->storage;
			break;
		case ST_VULKAN_1_1_FEATURES:
			out->storage16 = ((const VfFeatures11 *)c)->storage16;
			break;
		case ST_FLOAT16_INT8_FEATURES:
			out->float16 = ((const VfFloat16Int8 *)c)->float16;
			out->int8 = ((const VfFloat16Int8 *)c)->int8;
			break;
		case ST_BUFFER_ADDRESS_FEATURES:
			out->bda = ((const VfBufferAddress *)c)->address;
			break;
		case ST_VULKAN_1_2_FEATURES: {
			const VfFeatures12 *f = (const void *)c;
			out->float16 = f->float16;
			out->int8 = f->int8;
			out->bda = f->address;
			break;
		}
		case ST_SUBGROUP_CONTROL_FEATURES:
			out->sizes = ((const VfSubgroupControl *)c)->control;
			out->full = ((const VfSubgroupControl *)c)->full;
			break;
		case ST_VULKAN_1_3_FEATURES:
			out->sizes = ((const VfFeatures13 *)c)->control;
			out->full = ((const VfFeatures13 *)c)->full;
			break;
		case ST_COOPERATIVE_MATRIX_FEATURES:
			out->matrix = ((const VfMatrixFeatures *)c)->matrix;
			break;
		}
}

static void copy_properties(vfm_info *out, const VfProperties *p) {
	const VfLimits *l = &p->limits;
	out->api = p->api;
	out->driverVersion = p->driver;
	out->vendor = p->vendor;
	out->device = p->device;
	out->type = p->type;
	memcpy(out->name, p->name, sizeof out->name);
	out->name[sizeof out->name - 1] = 0;
	memcpy(out->cacheUUID, p->cacheUUID, 16);
	out->invocations = l->groupInvocations;
	for (int k = 0; k < 3; k++) {
		out->groupSize[k] = l->groupSize[k];
		out->groupCount[k] = l->groupCount[k];
	}
	out->shared = l->sharedMemory;
	out->push = l->pushConstants;
	out->stageStorage = l->stageStorageBuffers;
	out->setStorage = l->setStorageBuffers;
	out->stageResources = l->stageResources;
	out->allocations = l->allocationCount;
	out->storageRange = l->storageRange;
	out->storageAlign = l->storageAlign;
	out->timestampPeriod = l->timestampPeriod;
}

// pick_matrix chooses among the cooperative matrices that the device offers with float16 factors
// and float32 sums over a subgroup. Of those up to 16 in every direction it takes the one with the
// largest result, which needs the fewest loads per product.
static void pick_matrix(vfm_instance *i, VfPhysical p, vfm_info *out) {
	uint32_t n = 0;
	if (!i->GetMatrixProperties || i->GetMatrixProperties(p, &n, NULL) < 0 || n == 0)
		return;
	VfMatrixProperty *m = calloc(n, sizeof *m);
	if (!m)
		return;
	for (uint32_t k = 0; k < n; k++)
		m[k].sType = ST_COOPERATIVE_MATRIX_PROPERTY;
	if (i->GetMatrixProperties(p, &n, m) < 0)
		n = 0;
	uint32_t best = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (m[k].a != 0 || m[k].b != 0 || m[k].c != 1 || m[k].result != 1 || m[k].scope != 3 || m[k].saturating)
			continue;
		if (m[k].m > 16 || m[k].n > 16 || m[k].k > 16 || m[k].m % 8 || m[k].n % 8 || m[k].k % 8)
			continue;
		if (m[k].m * m[k].n * 16 + m[k].k <= best)
			continue;
		best = m[k].m * m[k].n * 16 + m[k].k;
		out->matrix[0] = m[k].m;
		out->matrix[1] = m[k].n;
		out->matrix[2] = m[k].k;
	}
	free(m);
}

VfResult vfm_query(vfm_instance *i, VfPhysical p, vfm_info *out) {
	memset(out, 0, sizeof *out);
	VfProperties base;
	i->GetProperties(p, &base);
	copy_properties(out, &base);
	pick_family(i, p, out);
	if (base.api < VFM_VERSION(1, 1))
		return 0; // the queries below need 1.1; an older device is listed but not used

	uint32_t n = 0;
	VfResult r = i->EnumerateExtensions(p, NULL, &n, NULL);
	VfExtension *e = calloc(n + 1, sizeof *e);
	if (!e)
		return -1;
	if (r >= 0)
		r = i->EnumerateExtensions(p, NULL, &n, e);
	if (r < 0)
		n = 0;
	// Features of 1.2 count as core only where the instance was created for 1.2 as well.
	int core12 = base.api >= VFM_VERSION(1, 2) && i->api >= VFM_VERSION(1, 2);
	out->extBDA = !core12 && has(e, n, "VK_KHR_buffer_device_address");
	out->extFloat16 = !core12 && has(e, n, "VK_KHR_shader_float16_int8");
	out->hasBudget = has(e, n, "VK_EXT_memory_budget");
	out->hasCoopMatrix = has(e, n, "VK_KHR_cooperative_matrix");
	out->extSubgroups = has(e, n, "VK_EXT_subgroup_size_control");
	out->hasPortability = has(e, n, "VK_KHR_portability_subset");
	out->extFd = has(e, n, "VK_KHR_external_memory_fd");
	out->extDmaBuf = out->extFd && has(e, n, "VK_EXT_external_memory_dma_buf");
	out->extHost = has(e, n, "VK_EXT_external_memory_host");
	out->extForeign = has(e, n, "VK_EXT_queue_family_foreign");

	VfProperties2 props = {ST_PROPERTIES_2};
	VfSubgroupProperties sub = {ST_SUBGROUP_PROPERTIES};
	VfIDProperties id = {ST_ID_PROPERTIES};
	VfMaintenance3Properties m3 = {ST_MAINTENANCE_3_PROPERTIES};
	VfMaintenance4Properties m4 = {ST_MAINTENANCE_4_PROPERTIES};
	VfDriverProperties drv = {ST_DRIVER_PROPERTIES};
	props.pNext = &sub;
	sub.pNext = &id;
	id.pNext = &m3;
	void **tail = &m3.pNext;
	if (core12 || has(e, n, "VK_KHR_driver_properties")) {
		*tail = &drv;
		tail = &drv.pNext;
	}
	if (has(e, n, "VK_KHR_maintenance4")) {
		*tail = &m4;
		tail = &m4.pNext;
	}
	VfSubgroupControlProperties control = {ST_SUBGROUP_CONTROL_PROPERTIES};
	if (out->extSubgroups) {
		*tail = &control;
		tail = &control.pNext;
	}
	VfMatrixProperties matrix = {ST_COOPERATIVE_MATRIX_PROPERTIES};
	if (out->hasCoopMatrix) {
		*tail = &matrix;
		tail = &matrix.pNext;
	}
	i->GetProperties2(p, &props);
	memcpy(out->deviceUUID, id.device, 16);
	out->driverID = drv.id;
	memcpy(out->driverName, drv.name, 255);
	memcpy(out->driverInfo, drv.info, 255);
	out->subgroupSize = sub.size;
	out->subgroupStages = sub.stages;
	out->subgroupOps = sub.operations;
	out->maxAllocation = m3.maxAllocation;
	out->maxBuffer = m4.maxBuffer;

	VfFeatures2 f = {ST_FEATURES_2};
	Vf16BitStorage s16 = {ST_16BIT_STORAGE_FEATURES};
	VfFloat16Int8 f16 = {ST_FLOAT16_INT8_FEATURES};
	VfBufferAddress bda = {ST_BUFFER_ADDRESS_FEATURES};
	f.pNext = &s16;
	tail = &s16.pNext;
	if (core12 || out->extFloat16) {
		*tail = &f16;
		tail = &f16.pNext;
	}
	if (core12 || out->extBDA) {
		*tail = &bda;
		tail = &bda.pNext;
	}
	VfSubgroupControl sizes = {ST_SUBGROUP_CONTROL_FEATURES};
	if (out->extSubgroups) {
		*tail = &sizes;
		tail = &sizes.pNext;
	}
	VfMatrixFeatures matrices = {ST_COOPERATIVE_MATRIX_FEATURES};
	if (out->hasCoopMatrix) {
		*tail = &matrices;
		tail = &matrices.pNext;
	}
	i->GetFeatures2(p, &f);
	out->subgroupControl = sizes.control && sizes.full && (control.stages & 32) && control.least <= sub.size && sub.size <= control.most;
	if (matrices.matrix && (matrix.stages & 32) && f16.float16 && out->subgroupControl)
		pick_matrix(i, p, out);
	out->int64 = f.f[FEATURE_INT64];
	out->int16 = f.f[FEATURE_INT16];
	out->storage16 = s16.storage;
	out->float16 = f16.float16;
	out->int8 = f16.int8;
	out->bda = bda.address;
	free(e);
	return 0;
}

void vfm_memory_budget(vfm_instance *i, VfPhysical p, uint64_t free_bytes[16]) {
	VfMemoryBudget b = {ST_MEMORY_BUDGET_PROPERTIES};
	VfMemoryProperties2 m = {ST_MEMORY_PROPERTIES_2, &b};
	i->GetMemoryProperties2(p, &m);
	for (int k = 0; k < 16; k++)
		free_bytes[k] = b.budget[k] > b.usage[k] ? b.budget[k] - b.usage[k] : 0;
}

// Memory that is shared with others: imported from them, or exported to them.
#include "shim.h"

static uint32_t features(vfm_instance *i, VfPhysical p, uint32_t usage, uint32_t handle) {
	VfExternalBufferInfo info = {ST_EXTERNAL_BUFFER_INFO, NULL, 0, usage, handle};
	VfExternalBufferProperties props = {ST_EXTERNAL_BUFFER_PROPERTIES};
	i->GetExternalBuffer(p, &info, &props);
	return props.features;
}

void vfm_query_external(vfm_instance *i, VfPhysical p, uint32_t usage, vfm_info *out) {
	out->opaque = out->extFd ? features(i, p, usage, HANDLE_OPAQUE_FD) : 0;
	out->dmaBuf = out->extDmaBuf ? features(i, p, usage, HANDLE_DMA_BUF) : 0;
	out->host = out->extHost ? features(i, p, usage, HANDLE_HOST) : 0;
	out->hostAlign = 1;
	if (out->extHost) {
		VfExternalHostProperties host = {ST_EXTERNAL_MEMORY_HOST_PROPERTIES};
		VfProperties2 props = {ST_PROPERTIES_2, &host};
		i->GetProperties2(p, &props);
		out->hostAlign = host.align;
	}
}

VfResult vfm_external_buffer_create(vfm_device *d, uint64_t size, uint32_t usage, uint32_t handle, uint64_t *out) {
	VfExternalHandles external = {ST_EXTERNAL_MEMORY_BUFFER, NULL, handle};
	VfBufferCreateInfo info = {ST_BUFFER_CREATE_INFO, &external, 0, size, usage, 0, 0, NULL};
	return d->CreateBuffer(d->handle, &info, NULL, out);
}

VfResult vfm_fd_types(vfm_device *d, uint32_t handle, int fd, uint32_t *types) {
	VfHandleProperties props = {ST_MEMORY_FD_PROPERTIES};
	VfResult r = d->GetMemoryFdPropertiesKHR(d->handle, handle, fd, &props);
	*types = r < 0 ? 0 : props.types;
	return r;
}

VfResult vfm_host_types(vfm_device *d, void *host, uint32_t *types) {
	VfHandleProperties props = {ST_MEMORY_HOST_PROPERTIES};
	VfResult r = d->GetMemoryHostPointerPropertiesEXT(d->handle, HANDLE_HOST, host, &props);
	*types = r < 0 ? 0 : props.types;
	return r;
}

VfResult vfm_external_allocate(vfm_device *d, const vfm_external *x, uint64_t *out) {
	// 2 = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT
	VfAllocateFlags flags = {ST_MEMORY_ALLOCATE_FLAGS_INFO, NULL, 2, 0};
	VfDedicated dedicated = {ST_DEDICATED_ALLOCATE, x->address ? &flags : NULL, 0, x->dedicated};
	const void *next = x->dedicated ? (const void *)&dedicated : dedicated.pNext;
	VfExternalHandles export = {ST_EXPORT_MEMORY, next, x->handle};
	VfImportFd fd = {ST_IMPORT_MEMORY_FD, next, x->handle, x->fd};
	VfImportHost host = {ST_IMPORT_MEMORY_HOST, next, x->handle, x->host};
	const void *how = !x->import ? (const void *)&export : x->host ? (const void *)&host : (const void *)&fd;
	VfAllocateInfo info = {ST_MEMORY_ALLOCATE_INFO, how, x->size, x->type};
	return d->AllocateMemory(d->handle, &info, NULL, out);
}

VfResult vfm_memory_fd(vfm_device *d, uint64_t memory, uint32_t handle, int *fd) {
	VfGetFd info = {ST_MEMORY_GET_FD, NULL, memory, handle};
	return d->GetMemoryFdKHR(d->handle, &info, fd);
}

void vfm_transfer_ownership(vfm_device *d, VfCommands c, uint64_t buffer, int foreign, int take) {
	// VK_QUEUE_FAMILY_EXTERNAL, VK_QUEUE_FAMILY_FOREIGN_EXT
	const uint32_t others = foreign ? ~2u : ~1u, all = 0x20 | 0x40 | 0x800 | 0x1000, writes = 0x40 | 0x1000;
	VfBufferBarrier b = {ST_BUFFER_MEMORY_BARRIER, NULL, take ? 0 : writes, take ? all : 0, take ? others : d->family,
		take ? d->family : others, buffer, 0, ~(uint64_t)0};
	// 1 and 0x2000: top and bottom of the pipe; 0x800 and 0x1000: compute shaders and transfers.
	d->CmdPipelineBarrier(c, take ? 1 : 0x1800, take ? 0x1800 : 0x2000, 0, 0, NULL, 1, &b, 0, NULL);
}

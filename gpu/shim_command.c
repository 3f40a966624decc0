// Command buffers: creation, the recorded calls that take structs, submission, queries.
#include "shim.h"

VfResult vfm_commands_create(vfm_device *d, uint64_t *pool, VfCommands *out) {
	// 2 = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT: beginning again resets the pool's only
	// buffer.
	VfCommandPoolInfo pi = {ST_COMMAND_POOL_CREATE_INFO, NULL, 2, d->family};
	VfResult r = d->CreateCommandPool(d->handle, &pi, NULL, pool);
	if (r < 0)
		return r;
	VfCommandsInfo ci = {ST_COMMAND_BUFFER_ALLOCATE_INFO, NULL, *pool, 0, 1};
	return d->AllocateCommandBuffers(d->handle, &ci, out);
}

VfResult vfm_commands_begin(vfm_device *d, VfCommands c, int once) {
	VfBeginInfo info = {ST_COMMAND_BUFFER_BEGIN_INFO, NULL, once ? 1 : 0, NULL};
	return d->BeginCommandBuffer(c, &info);
}

void vfm_barrier(vfm_device *d, VfCommands c, uint32_t src_stages, uint32_t src_access, uint32_t dst_stages, uint32_t dst_access) {
	VfMemoryBarrier b = {ST_MEMORY_BARRIER, NULL, src_access, dst_access};
	d->CmdPipelineBarrier(c, src_stages, dst_stages, 0, 1, &b, 0, NULL, 0, NULL);
}

void vfm_copy(vfm_device *d, VfCommands c, uint64_t src, uint64_t src_off, uint64_t dst, uint64_t dst_off, uint64_t size) {
	VfCopy region = {src_off, dst_off, size};
	d->CmdCopyBuffer(c, src, dst, 1, &region);
}

void vfm_copy_rows(vfm_device *d, VfCommands c, uint64_t src, uint64_t dst, const vfm_rows *r) {
	VfCopy regions[64];
	for (uint64_t done = 0; done < r->n;) {
		uint32_t k = 0;
		for (; k < 64 && done < r->n; k++, done++)
			regions[k] = (VfCopy){r->src + done * r->src_stride, r->dst + done * r->dst_stride, r->size};
		d->CmdCopyBuffer(c, src, dst, k, regions);
	}
}

VfResult vfm_fence_create(vfm_device *d, uint64_t *out) {
	VfFenceInfo info = {ST_FENCE_CREATE_INFO, NULL, 0};
	return d->CreateFence(d->handle, &info, NULL, out);
}

VfResult vfm_query_pool_create(vfm_device *d, uint32_t n, uint64_t *out) {
	// 2 = VK_QUERY_TYPE_TIMESTAMP
	VfQueryPoolInfo info = {ST_QUERY_POOL_CREATE_INFO, NULL, 0, 2, n, 0};
	return d->CreateQueryPool(d->handle, &info, NULL, out);
}

VfResult vfm_query_results(vfm_device *d, uint64_t pool, uint32_t n, uint64_t *out) {
	// 1 | 2 = VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT. The caller has waited for the
	// fence already.
	return d->GetQueryPoolResults(d->handle, pool, 0, n, 8 * (size_t)n, out, 8, 3);
}

VfResult vfm_submit(vfm_device *d, VfQueue q, uint32_t n, VfCommands *lists, uint64_t fence) {
	VfSubmitInfo info = {ST_SUBMIT_INFO, NULL, 0, NULL, NULL, n, lists, 0, NULL};
	return d->QueueSubmit(q, 1, &info, fence);
}

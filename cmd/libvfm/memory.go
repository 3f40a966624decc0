package main

// #include "vfm.h"
import "C"

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore"
)

// handleTypes lists the kinds of file descriptors in the order of vfm.h.
var handleTypes = map[C.int32_t]gpu.HandleType{C.VFM_DMA_BUF: gpu.DMABuf, C.VFM_OPAQUE_FD: gpu.OpaqueFD}

// sharedPlane returns where plane i of a frame lies in shared memory.
func sharedPlane(f *C.vfm_frame, i int, name string) (x *restore.SharedMemory, offset int, err error) {
	if f.plane[i].data != nil {
		return nil, 0, badArgument(fmt.Sprintf("%s.plane[%d] has data and memory; one must be NULL or 0", name, i))
	}
	x, ok := get[*restore.SharedMemory](uint64(f.memory[i]))
	if !ok {
		return nil, 0, restore.ErrClosed
	}
	if uint64(f.offset[i]) > uint64(x.Size()) {
		return nil, 0, badArgument(fmt.Sprintf("%s.offset[%d] is %d, and the memory has %d bytes", name, i, uint64(f.offset[i]), x.Size()))
	}
	return x, int(f.offset[i]), nil
}

// memorySize converts a number of bytes.
func memorySize(n C.uint64_t) (int64, error) {
	if n < 1 || n > math.MaxInt64/2 {
		return 0, badArgument(fmt.Sprintf("%d bytes of memory", uint64(n)))
	}
	return int64(n), nil
}

func handleType(kind C.int32_t) (gpu.HandleType, error) {
	t, ok := handleTypes[kind]
	if !ok {
		return 0, badArgument(fmt.Sprintf("unknown kind %d of a file descriptor", int(kind)))
	}
	return t, nil
}

//export vfm_memory_query
func vfm_memory_query(model C.vfm_model, support *C.vfm_memory_support, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if _, e := structSize(support, "support"); e != nil {
		return fail(e, err, errSize)
	}
	flag := func(b bool) C.int32_t {
		if b {
			return 1
		}
		return 0
	}
	s := m.Sharing()
	copyOut(support, C.vfm_memory_support{
		map_dma_buf: flag(s.MapFD), import_dma_buf: flag(s.ImportDMABuf), export_dma_buf: flag(s.ExportDMABuf), import_opaque_fd: flag(s.ImportOpaqueFD), export_opaque_fd: flag(s.ExportOpaqueFD),
	})
	return C.VFM_OK
}

//export vfm_memory_import
func vfm_memory_import(model C.vfm_model, handle *C.vfm_memory_handle, memory *C.vfm_memory, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	given, e := copyIn(handle, "handle")
	if e == nil && memory == nil {
		e = badArgument("memory is NULL")
	}
	s := gpu.Shared{FD: int(given.fd), MemoryType: int(min(given.memory_type, math.MaxInt32))}
	if e == nil {
		s.Type, e = handleType(given.kind)
	}
	if e == nil {
		s.Size, e = memorySize(given.bytes)
	}
	if e == nil {
		var x *restore.SharedMemory
		if x, e = m.Import(s); e == nil {
			*memory = C.vfm_memory(handles.add(x))
			return C.VFM_OK
		}
	}
	return fail(e, err, errSize)
}

//export vfm_memory_create
func vfm_memory_create(model C.vfm_model, kind C.int32_t, bytes C.uint64_t, memory *C.vfm_memory, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	t, e := handleType(kind)
	if e == nil && memory == nil {
		e = badArgument("memory is NULL")
	}
	var size int64
	if e == nil {
		size, e = memorySize(bytes)
	}
	if e == nil {
		var x *restore.SharedMemory
		if x, e = m.NewSharedMemory(size, t); e == nil {
			*memory = C.vfm_memory(handles.add(x))
			return C.VFM_OK
		}
	}
	return fail(e, err, errSize)
}

//export vfm_memory_export
func vfm_memory_export(memory C.vfm_memory, handle *C.vfm_memory_handle, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	x, ok := get[*restore.SharedMemory](uint64(memory))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if _, e := structSize(handle, "handle"); e != nil {
		return fail(e, err, errSize)
	}
	s, e := x.Export()
	if e != nil {
		return fail(e, err, errSize)
	}
	v := C.vfm_memory_handle{fd: C.int32_t(s.FD), memory_type: C.uint32_t(s.MemoryType), bytes: C.uint64_t(s.Size)}
	for kind, t := range handleTypes {
		if t == s.Type {
			v.kind = kind
		}
	}
	copyOut(handle, v)
	return C.VFM_OK
}

//export vfm_memory_free
func vfm_memory_free(memory C.vfm_memory) {
	defer recoverPanic(nil, nil, 0)
	if x, ok := drop[*restore.SharedMemory](uint64(memory)); ok {
		x.Close()
	}
}

package main

// #include "vfm.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/vfmrestore/restore/restore/frame"
)

// sizedStruct is a structure that begins with its size in the caller's version of vfm.h.
type sizedStruct interface {
	C.vfm_config | C.vfm_request | C.vfm_frame | C.vfm_frame_info | C.vfm_latency | C.vfm_device
}

// structSize returns the size that a structure begins with. More than 64 KiB is an error, as the
// caller may have forgotten to set it.
func structSize[T sizedStruct](p *T, name string) (int, error) {
	if p == nil {
		return 0, badArgument(name + " is NULL")
	}
	size := *(*uint32)(unsafe.Pointer(p))
	if size < 8 || size > 1<<16 {
		return 0, badArgument(fmt.Sprintf("the size of %s is %d; set it to sizeof the structure, and all other members to zero", name, size))
	}
	return int(size), nil
}

// copyIn copies a structure of the caller. Members that the caller does not know are zero. Members
// that this library does not know must be zero.
func copyIn[T sizedStruct](p *T, name string) (v T, err error) {
	size, err := structSize(p, name)
	if err != nil {
		return v, err
	}
	given := unsafe.Slice((*byte)(unsafe.Pointer(p)), size)
	known := copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)), given)
	for _, b := range given[known:] {
		if b != 0 {
			return v, badArgument(name + " sets members that this library does not know: it is older than the program's vfm.h")
		}
	}
	return v, nil
}

// copyOut fills the members of a structure that the caller knows. structSize has accepted its size.
func copyOut[T sizedStruct](p *T, v T) {
	size := *(*uint32)(unsafe.Pointer(p))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(p)), size)[4:], unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))[4:])
}

// layouts lists the kinds in the order of vfm.h.
var layouts = [...]frame.Kind{
	C.VFM_RGB: frame.RGB, C.VFM_RGBA: frame.RGBA, C.VFM_BGR: frame.BGR, C.VFM_BGRA: frame.BGRA, C.VFM_GRAY: frame.Gray, C.VFM_NV12: frame.NV12, C.VFM_NV21: frame.NV21,
	C.VFM_P010: frame.P010, C.VFM_YUYV: frame.YUYV, C.VFM_UYVY: frame.UYVY, C.VFM_PLANAR: frame.Planar, C.VFM_FLOAT: frame.FloatRGB, C.VFM_FLOAT_PLANES: frame.Float32,
}

// format converts a vfm_format.
func format(f *C.vfm_format) (g frame.Format, err error) {
	inRange := func(v C.int32_t, n int, what string) error {
		if v < 0 || int(v) >= n {
			return badArgument(fmt.Sprintf("unknown %s %d", what, v))
		}
		return nil
	}
	for _, e := range []error{inRange(f.layout, len(layouts), "layout"), inRange(f.chroma, 3, "chroma"), inRange(f.matrix, 3, "matrix"), inRange(f._range, 2, "range"), inRange(f.siting, 3, "siting")} {
		if e != nil {
			return g, e
		}
	}
	g = frame.Format{
		Kind: layouts[f.layout], Bits: int(f.bits), HalfX: f.chroma != C.VFM_444, HalfY: f.chroma == C.VFM_420, CositedX: f.siting != C.VFM_CENTRE, CositedY: f.siting == C.VFM_TOP_LEFT,
		Matrix: [...]frame.Matrix{C.VFM_BT709: frame.BT709, C.VFM_BT601: frame.BT601, C.VFM_BT2020: frame.BT2020}[f.matrix], Full: f._range == C.VFM_FULL,
	}
	if err := g.Check(); err != nil {
		return g, badArgument(err.Error())
	}
	return g, nil
}

// checkSize checks the size of a frame.
func checkSize(w, h int) error {
	if w < 1 || h < 1 || w > 1<<16 || h > 1<<16 {
		return badArgument(fmt.Sprintf("%d×%d pixels; sides are 1 to 65536", w, h))
	}
	return nil
}

// planes returns the planes of a frame in the caller's memory.
func planes(f *C.vfm_frame, format frame.Format, w, h int, name string) (ps frame.Planes, err error) {
	const most = 1 << 30
	for i := range format.PlaneCount() {
		p := &f.plane[i]
		stride, step := int(p.stride), int(p.step)
		switch {
		case p.data == nil:
			return ps, badArgument(fmt.Sprintf("%s.plane[%d].data is NULL", name, i))
		case stride < -most || stride > most || step < 0 || step > most:
			return ps, badArgument(fmt.Sprintf("%s.plane[%d] has a stride of %d and a step of %d bytes", name, i, stride, step))
		}
		bytes, before := format.Span(i, w, h, stride, step)
		if p.bytes != 0 && uint64(p.bytes) < uint64(bytes) {
			bytes = int(p.bytes) // too few; the converter returns the error
		}
		ps[i] = frame.Plane{Data: unsafe.Slice((*byte)(unsafe.Add(p.data, -before)), bytes), Offset: before, Stride: stride, Step: step}
	}
	return ps, nil
}

//export vfm_frame_bytes
func vfm_frame_bytes(f *C.vfm_format, width, height C.int32_t) (n C.size_t) {
	defer recoverPanic(nil, nil, 0)
	if f == nil || checkSize(int(width), int(height)) != nil {
		return 0
	}
	g, err := format(f)
	if err != nil {
		return 0
	}
	return C.size_t(g.Size(int(width), int(height)))
}

//export vfm_tight
func vfm_tight(f *C.vfm_format, width, height C.int32_t, data unsafe.Pointer, bytes C.size_t, to *C.vfm_frame, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	e := tightFrame(f, int(width), int(height), data, bytes, to)
	if e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

func tightFrame(f *C.vfm_format, w, h int, data unsafe.Pointer, bytes C.size_t, to *C.vfm_frame) error {
	if f == nil || data == nil {
		return badArgument("format or data is NULL")
	}
	if err := checkSize(w, h); err != nil {
		return err
	}
	g, err := format(f)
	if err != nil {
		return err
	}
	v, err := copyIn(to, "frame")
	if err != nil {
		return err
	}
	if need := g.Size(w, h); uint64(bytes) != uint64(need) {
		return badArgument(fmt.Sprintf("%d bytes; a frame of this format and size has %d", uint64(bytes), need))
	}
	v.plane = [3]C.vfm_plane{}
	for i := range g.PlaneCount() {
		n, _ := g.Span(i, w, h, 0, 0)
		v.plane[i] = C.vfm_plane{data: data, bytes: C.size_t(n)}
		data = unsafe.Add(data, n)
	}
	copyOut(to, v)
	return nil
}

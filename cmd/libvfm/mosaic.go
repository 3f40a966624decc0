package main

// #include "vfm.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/raw"
)

// mosaic returns the format of the mosaics that a request describes, or nil if its frames are no
// mosaics.
func mosaic(req *C.vfm_request) (*restore.RawFormat, error) {
	o := raw.Options{Gain: float64(req.gain), ReadNoise: float64(req.read_noise)}
	if req.mosaic == nil {
		if o.HasNoise() {
			return nil, badArgument("gain and read_noise are for frames that are mosaics")
		}
		return nil, nil
	}
	l, err := raw.ParseLayout(C.GoString(req.mosaic))
	switch {
	case err != nil:
		return nil, badArgument("request.mosaic: " + err.Error())
	case l.W != int(req.width) || l.H != int(req.height):
		return nil, badArgument(fmt.Sprintf("request.mosaic has a size of %d×%d pixels, but the frames have %d×%d", l.W, l.H, int(req.width), int(req.height)))
	case l.Offset != 0:
		return nil, badArgument("request.mosaic: offset must be 0, as the plane's data points to the first row")
	}
	f := &restore.RawFormat{Packing: l.Packing, Bits: l.Bits, Stride: l.Stride, Mosaic: l.Mosaic, Rendering: raw.DefaultRendering}
	if o.HasNoise() {
		f.Mosaic.Noise = o.Noise(&l.Mosaic)
	}
	return f, nil
}

// mosaicPlane returns the plane of a mosaic of w×h pixels in the caller's memory.
func mosaicPlane(f *C.vfm_frame, format *restore.RawFormat, w, h int) (ps frame.Planes, err error) {
	const most = 1 << 30
	p := &f.plane[0]
	stride := int(p.stride)
	switch {
	case p.data == nil:
		return ps, badArgument("frame.plane[0].data is NULL")
	case stride < -most || stride > most || p.step != 0:
		return ps, badArgument(fmt.Sprintf("frame.plane[0] of a mosaic has a stride of %d and a step of %d bytes; the step is 0", stride, int(p.step)))
	}
	row := format.Packing.RowBytes(w, format.Bits)
	if stride == 0 {
		if stride = format.Stride; stride == 0 {
			stride = row
		}
	}
	bytes, before := (h-1)*max(stride, -stride)+row, max(0, -(h-1)*stride)
	if p.bytes != 0 && uint64(p.bytes) < uint64(bytes) {
		bytes = int(p.bytes) // too few; the stream returns the error
	}
	ps[0] = frame.Plane{Data: unsafe.Slice((*byte)(unsafe.Add(p.data, -before)), bytes), Offset: before, Stride: stride}
	return ps, nil
}

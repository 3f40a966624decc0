// Package main is the C library libvfm (`make lib`): package restore behind the functions of vfm.h,
// which documents them.
//
// No Go pointer is passed to C. Handles are numbers in a table, and all other data are copied
// before a function returns.
package main

// #cgo CFLAGS: -DVFM_TYPES_ONLY
// #include "vfm.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
	"unsafe"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// version is set by the Makefile.
var version = "unknown"

func main() {}

var versionText = sync.OnceValue(func() *C.char { return C.CString(version) })

//export vfm_version
func vfm_version() *C.char { return versionText() }

//export vfm_abi
func vfm_abi() C.int32_t { return C.VFM_ABI }

//export vfm_devices
func vfm_devices(list *C.vfm_device, count *C.size_t, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	if count == nil {
		return fail(badArgument("count is NULL"), err, errSize)
	}
	room, step := 0, 0
	if list != nil {
		room, step = int(min(*count, 1<<20)), int(list.size)
		if room > 0 {
			if _, e := structSize(list, "list"); e != nil {
				return fail(e, err, errSize)
			}
		}
	}
	found, e := gpu.List()
	if e != nil {
		return fail(e, err, errSize)
	}
	for i, d := range found[:min(room, len(found))] {
		v := C.vfm_device{index: C.int32_t(d.Index), _type: C.int32_t(d.Type), memory: C.uint64_t(d.Caps.HeapSize)}
		writeText(d.Name, &v.name[0], C.size_t(len(v.name)))
		writeText(d.DriverName+" "+d.DriverInfo, &v.driver[0], C.size_t(len(v.driver)))
		writeText(d.Unusable, &v.unusable[0], C.size_t(len(v.unusable)))
		at := (*C.vfm_device)(unsafe.Add(unsafe.Pointer(list), i*step))
		at.size = C.uint32_t(step)
		copyOut(at, v)
	}
	*count = C.size_t(len(found))
	return C.VFM_OK
}

//export vfm_open
func vfm_open(cfg *C.vfm_config, model *C.vfm_model, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	if model == nil {
		return fail(badArgument("model is NULL"), err, errSize)
	}
	var c restore.Config
	if cfg != nil {
		given, e := copyIn(cfg, "config")
		if e != nil {
			return fail(e, err, errSize)
		}
		c = restore.Config{Device: text(given.device), Weights: text(given.weights), CacheDir: text(given.cache_dir), Tile: int(given.tile), Precision: restore.Precision(given.precision), Pace: float64(given.pace)}
		switch s := float64(given.timeout); {
		case math.IsNaN(s):
			return fail(badArgument("config.timeout is not a number"), err, errSize)
		case s < 0:
			c.Timeout = -1
		default:
			c.Timeout = time.Duration(min(s, 1e9) * float64(time.Second))
		}
	}
	m, e := restore.Open(c)
	if e != nil {
		return fail(e, err, errSize)
	}
	*model = C.vfm_model(handles.add(m))
	return C.VFM_OK
}

// text returns a C string as Go string, "" for NULL.
func text(s *C.char) string {
	if s == nil {
		return ""
	}
	return C.GoString(s)
}

//export vfm_close
func vfm_close(model C.vfm_model) {
	defer recoverPanic(nil, nil, 0)
	if m, ok := drop[*restore.Model](uint64(model)); ok {
		m.Close()
	}
}

//export vfm_info
func vfm_info(model C.vfm_model, text *C.char, size C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, nil, 0)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return C.VFM_CLOSED
	}
	writeText(m.Info(), text, size)
	return C.VFM_OK
}

// This does not compile unless the header has the same limit.
var _ [restore.MaxSamples]struct{} = [C.VFM_MAX_SAMPLES]struct{}{}

// job is a vfm_request in Go types.
type job struct {
	req     C.vfm_request
	task    task.Task
	w, h    int
	in, out frame.Format
	mask    []bool
}

func parseRequest(req *C.vfm_request) (j job, err error) {
	if j.req, err = copyIn(req, "request"); err != nil {
		return j, err
	}
	if j.req.task == nil {
		return j, badArgument("request.task is NULL")
	}
	if j.task, err = task.Parse(C.GoString(j.req.task)); err != nil {
		return j, err
	}
	j.w, j.h = int(j.req.width), int(j.req.height)
	if err := checkSize(j.w, j.h); err != nil {
		return j, err
	}
	if j.in, err = format(&j.req.in); err != nil {
		return j, err
	}
	if j.out, err = format(&j.req.out); err != nil {
		return j, err
	}
	switch {
	case j.req.samples < 0 || j.req.samples > restore.MaxSamples:
		return j, badArgument(fmt.Sprintf("samples is %d; it must be 0 to %d", j.req.samples, restore.MaxSamples))
	case j.req.mean != nil && j.req.samples < 1:
		return j, badArgument("mean needs samples of 1 or more")
	case j.req.std != nil && j.req.samples < 2:
		return j, badArgument("std needs samples of 2 or more")
	}
	scale := j.task.Scale()
	need := memory.Sum(memory.Bytes(j.w, j.h, 3*4+1), memory.Bytes(j.w, scale, j.h, scale, 3*4))
	if err := memory.Check(fmt.Sprintf("%v of %d×%d pixels", j.task, j.w, j.h), need); err != nil {
		return j, err
	}
	j.mask = missing(j.req.mask, j.w*j.h)
	return j, nil
}

// missing returns the mask of n pixels, nil for NULL.
func missing(mask *C.uint8_t, n int) []bool {
	if mask == nil {
		return nil
	}
	m := make([]bool, n)
	for i, v := range unsafe.Slice((*byte)(mask), n) {
		m[i] = v != 0
	}
	return m
}

// request returns the request for a picture.
func (j *job) request() restore.Request {
	low, high := j.out.RGBRange()
	return restore.Request{
		Below: -1 - low, Above: high - 1, Task: j.task, Mask: j.mask, Noise: float64(j.req.noise), Steps: int(j.req.steps), Samples: int(j.req.samples), Seed: uint64(j.req.seed),
		Temperature: float64(j.req.temperature), Expected: j.req.expected != 0, StatisticsOnly: true,
	}
}

//export vfm_prepare
func vfm_prepare(model C.vfm_model, req *C.vfm_request, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	j, e := parseRequest(req)
	if e == nil {
		e = j.refuseMosaic()
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	ctx, e := cancelled(j.req.cancel)
	if e == nil {
		e = m.Prepare(ctx, j.w, j.h, j.request())
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

//export vfm_restore
func vfm_restore(model C.vfm_model, req *C.vfm_request, in, out *C.vfm_frame, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	j, e := parseRequest(req)
	if e == nil {
		e = j.refuseMosaic()
	}
	if e == nil {
		e = j.restore(m, in, out)
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

// refuseMosaic returns an error if the request describes a mosaic, which only streams take.
func (j *job) refuseMosaic() error {
	if j.req.mosaic != nil || j.req.gain != 0 || j.req.read_noise != 0 {
		return badArgument("mosaic, gain and read_noise are for vfm_stream_open")
	}
	return nil
}

// restore restores a picture.
func (j *job) restore(m *restore.Model, in, out *C.vfm_frame) error {
	ctx, err := cancelled(j.req.cancel)
	if err != nil {
		return err
	}
	given, err := copyIn(in, "in")
	if err != nil {
		return err
	}
	result, err := copyIn(out, "out")
	if err != nil {
		return err
	}
	scale := j.task.Scale()
	w, h := scale*j.w, scale*j.h
	src, err := planes(&given, j.in, j.w, j.h, "in")
	if err != nil {
		return err
	}
	dst, err := planes(&result, j.out, w, h, "out")
	if err != nil {
		return err
	}
	from, err := converter(j.in, j.w, j.h, src)
	if err != nil {
		return err
	}
	to, err := converter(j.out, w, h, dst)
	if err != nil {
		return err
	}
	if given.mask != nil {
		j.mask = missing(given.mask, j.w*j.h)
	}
	p := picture.New(j.w, j.h, make([]float32, 3*j.w*j.h))
	p.Gray = j.in.Kind == frame.Gray
	if err := from.Read(p.Pix, src); err != nil {
		return err
	}
	var alpha []byte
	if j.in.HasAlpha() {
		alpha, p.Alpha = make([]byte, j.w*j.h), make([]float32, j.w*j.h)
		if err := from.ReadAlpha(alpha, src); err != nil {
			return err
		}
		for i, a := range alpha {
			p.Alpha[i] = float32(a) / 255
		}
	}
	var codes []uint16 // read before out is written, as in and out may be the same memory
	if scale == 1 && frame.CanChange(j.in, j.out) {
		codes = make([]uint16, from.Codes())
		if err := from.ReadCodes(codes, src); err != nil {
			return err
		}
	}
	r, err := m.Restore(ctx, p, j.request())
	if err != nil {
		return err
	}
	if codes != nil {
		err = to.Change(dst, from, codes, p.Pix, r.Picture.Pix)
	} else {
		err = to.Write(dst, r.Picture.Pix)
	}
	if err == nil {
		err = to.WriteAlpha(dst, alpha, scale)
	}
	if err != nil {
		return err
	}
	if j.req.mean != nil {
		copy(unsafe.Slice((*float32)(j.req.mean), 3*w*h), r.Mean.Pix)
	}
	if j.req.std != nil {
		copy(unsafe.Slice((*float32)(j.req.std), 3*w*h), r.Std)
	}
	return nil
}

// converter returns the converter of a frame after a check of its planes.
func converter(f frame.Format, w, h int, ps frame.Planes) (*frame.Converter, error) {
	c, err := frame.NewConverter(f, w, h)
	if err == nil {
		err = c.Check(ps)
	}
	if err != nil {
		return nil, badArgument(err.Error())
	}
	return c, nil
}

// canceller is a context that vfm_cancel cancels.
type canceller struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// cancelled returns the context of a canceller's handle. That of 0 never ends.
func cancelled(h C.vfm_canceller) (context.Context, error) {
	if h == 0 {
		return context.Background(), nil
	}
	c, ok := get[*canceller](uint64(h))
	if !ok {
		return nil, restore.ErrClosed
	}
	return c.ctx, nil
}

//export vfm_cancel_new
func vfm_cancel_new() (h C.vfm_canceller) {
	defer recoverPanic(nil, nil, 0)
	c := &canceller{}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return C.vfm_canceller(handles.add(c))
}

//export vfm_cancel
func vfm_cancel(h C.vfm_canceller) {
	defer recoverPanic(nil, nil, 0)
	if c, ok := get[*canceller](uint64(h)); ok {
		c.cancel()
	}
}

//export vfm_cancel_free
func vfm_cancel_free(h C.vfm_canceller) {
	defer recoverPanic(nil, nil, 0)
	drop[*canceller](uint64(h))
}

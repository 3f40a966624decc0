// Package main is the C library libvfm (`make lib`): package restore behind the functions of vfm.h, which documents them.
//
// No Go pointer leaves: handles are numbers in a table, and everything else is copied before a function returns.
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

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// version is set by the Makefile.
var version = "unknown"

func main() {}

// table holds what handles stand for. Numbers are not used twice, so a stale handle finds nothing.
type table struct {
	lock sync.Mutex
	next uint64
	held map[uint64]any
}

var handles = table{held: map[uint64]any{}}

func (t *table) add(v any) uint64 {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.next++
	t.held[t.next] = v
	return t.next
}

// get finds what a handle stands for; ok is false for one that is closed or of another kind.
func get[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	v, ok = handles.held[h].(T)
	return v, ok
}

// drop takes a handle out of the table.
func drop[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	if v, ok = handles.held[h].(T); ok {
		delete(handles.held, h)
	}
	return v, ok
}

// caught is deferred by every exported function: a panic, which is a fault of this library, becomes an error, as it would end the host process.
func caught(result *C.vfm_status, err *C.char, errSize C.size_t) {
	p := recover()
	if p == nil {
		return
	}
	e := fmt.Errorf("a fault of libvfm: %v", p)
	put(e.Error(), err, errSize)
	if result != nil {
		*result = C.VFM_FAILED
	}
}

var versionText = sync.OnceValue(func() *C.char { return C.CString(version) })

//export vfm_version
func vfm_version() *C.char { return versionText() }

//export vfm_open
func vfm_open(cfg *C.vfm_config, model *C.vfm_model, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer caught(&result, err, errSize)
	if model == nil {
		return fail(badArgument("model is NULL"), err, errSize)
	}
	var c restore.Config
	if cfg != nil {
		if cfg.device != nil {
			c.Device = C.GoString(cfg.device)
		}
		if cfg.weights != nil {
			c.Weights = C.GoString(cfg.weights)
		}
		c.Tile = int(cfg.tile)
	}
	m, e := restore.Open(c)
	if e != nil {
		return fail(e, err, errSize)
	}
	*model = C.vfm_model(handles.add(m))
	return C.VFM_OK
}

//export vfm_close
func vfm_close(model C.vfm_model) {
	defer caught(nil, nil, 0)
	if m, ok := drop[*restore.Model](uint64(model)); ok {
		m.Close()
	}
}

//export vfm_info
func vfm_info(model C.vfm_model, text *C.char, size C.size_t) (result C.vfm_status) {
	defer caught(&result, nil, 0)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return C.VFM_CLOSED
	}
	put(m.Info(), text, size)
	return C.VFM_OK
}

// format translates; ok is false for one that does not exist.
func format(f C.vfm_format) (g frame.Format, ok bool) {
	switch f {
	case C.VFM_RGB24:
		return frame.Format{Kind: frame.RGB}, true
	case C.VFM_RGBA:
		return frame.Format{Kind: frame.RGBA}, true
	case C.VFM_I420:
		return frame.I420(frame.BT709), true
	case C.VFM_NV12:
		g = frame.I420(frame.BT709)
		g.Kind = frame.NV12
		return g, true
	case C.VFM_FLOAT32:
		return frame.Format{Kind: frame.Float32}, true
	}
	return g, false
}

// job is a vfm_request, translated.
type job struct {
	task    task.Task
	w, h    int
	in, out frame.Format
	mask    []bool
}

func translate(req *C.vfm_request) (j job, err error) {
	if req == nil || req.task == nil {
		return j, badArgument("the request or its task is NULL")
	}
	if j.task, err = task.Parse(C.GoString(req.task)); err != nil {
		return j, err
	}
	j.w, j.h = int(req.width), int(req.height)
	if j.w < 1 || j.h < 1 || j.w > 1<<16 || j.h > 1<<16 {
		return j, badArgument(fmt.Sprintf("%d×%d pixels; sides are 1 to 65536", j.w, j.h))
	}
	var okIn, okOut bool
	j.in, okIn = format(req.in)
	j.out, okOut = format(req.out)
	if !okIn || !okOut {
		return j, badArgument(fmt.Sprintf("formats %d and %d: one does not exist", req.in, req.out))
	}
	switch {
	case req.samples < 0:
		return j, badArgument(fmt.Sprintf("%d samples; there are 0 or more", req.samples))
	case req.mean != nil && req.samples < 1:
		return j, badArgument("mean is that of samples, of which 1 or more must be asked for")
	case req.std != nil && req.samples < 2:
		return j, badArgument("std is that of samples, of which 2 or more must be asked for")
	}
	scale := j.task.Scale()
	need := memory.Sum(memory.Bytes(j.w, j.h, 3*4+1), memory.Bytes(j.w, scale, j.h, scale, 3*4))
	if err := memory.Check(fmt.Sprintf("%v of %d×%d pixels", j.task, j.w, j.h), need); err != nil {
		return j, err
	}
	if req.mask != nil {
		j.mask = make([]bool, j.w*j.h)
		for i, v := range unsafe.Slice((*byte)(req.mask), j.w*j.h) {
			j.mask[i] = v != 0
		}
	}
	return j, nil
}

//export vfm_restore
func vfm_restore(model C.vfm_model, req *C.vfm_request, in unsafe.Pointer, inSize C.size_t, out unsafe.Pointer, outSize C.size_t, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer caught(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	j, e := translate(req)
	if e != nil {
		return fail(e, err, errSize)
	}
	scale := j.task.Scale()
	w, h := scale*j.w, scale*j.h
	if e := sizes(in, inSize, j.in.Size(j.w, j.h), out, outSize, j.out.Size(w, h)); e != nil {
		return fail(e, err, errSize)
	}
	from, e := frame.NewConverter(j.in, j.w, j.h)
	if e != nil {
		return fail(e, err, errSize)
	}
	to, e := frame.NewConverter(j.out, w, h)
	if e != nil {
		return fail(e, err, errSize)
	}
	p := picture.New(j.w, j.h, make([]float32, 3*j.w*j.h))
	src := unsafe.Slice((*byte)(in), int(inSize))
	from.ToRGB(p.Pix, src)
	if j.in.Kind == frame.RGBA {
		p.Alpha = make([]float32, j.w*j.h)
		for i := range p.Alpha {
			p.Alpha[i] = float32(src[4*i+3]) / 255
		}
	}
	r, e := m.Restore(context.Background(), p, restore.Request{
		Task: j.task, Mask: j.mask, Noise: float64(req.noise), Steps: int(req.steps), Samples: int(req.samples), Seed: uint64(req.seed),
		StatisticsOnly: true,
	})
	if e != nil {
		return fail(e, err, errSize)
	}
	dst := unsafe.Slice((*byte)(out), int(outSize))
	to.FromRGB(dst, r.Picture.Pix)
	if j.out.Kind == frame.RGBA {
		for i := range w * h {
			dst[4*i+3] = 255
			if a := r.Picture.Alpha; a != nil {
				dst[4*i+3] = byte(math.Round(float64(a[i]) * 255))
			}
		}
	}
	if req.mean != nil {
		copy(unsafe.Slice((*float32)(req.mean), 3*w*h), r.Mean.Pix)
	}
	if req.std != nil {
		copy(unsafe.Slice((*float32)(req.std), 3*w*h), r.Std)
	}
	return C.VFM_OK
}

func sizes(in unsafe.Pointer, inSize C.size_t, wantIn int, out unsafe.Pointer, outSize C.size_t, wantOut int) error {
	switch {
	case in == nil || out == nil:
		return badArgument("in or out is NULL")
	case int(inSize) != wantIn:
		return badArgument(fmt.Sprintf("in has %d bytes, the format and size make %d", inSize, wantIn))
	case int(outSize) != wantOut:
		return badArgument(fmt.Sprintf("out has %d bytes, the format and size make %d", outSize, wantOut))
	}
	return nil
}

//export vfm_stream_open
func vfm_stream_open(model C.vfm_model, req *C.vfm_request, stream *C.vfm_stream, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer caught(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	j, e := translate(req)
	switch {
	case e != nil:
	case stream == nil:
		e = badArgument("stream is NULL")
	case req.mean != nil || req.std != nil:
		e = badArgument("mean and std are for vfm_restore; streams draw no samples")
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	s, e := m.NewStream(restore.StreamConfig{Task: j.task, Mask: j.mask, Noise: float64(req.noise), W: j.w, H: j.h, In: j.in, Out: j.out, InFlight: int(req.in_flight)})
	if e != nil {
		return fail(e, err, errSize)
	}
	*stream = C.vfm_stream(handles.add(s))
	return C.VFM_OK
}

// within is a context that ends after so many seconds, or never.
func within(seconds C.double) (context.Context, context.CancelFunc) {
	if !(seconds >= 0) || seconds > 1e9 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), time.Duration(float64(seconds)*float64(time.Second)))
}

//export vfm_stream_submit
func vfm_stream_submit(stream C.vfm_stream, in unsafe.Pointer, inSize C.size_t, seconds C.double, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer caught(&result, err, errSize)
	s, ok := get[*restore.Stream](uint64(stream))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if e := sizes(in, inSize, s.InSize(), in, 0, 0); e != nil {
		return fail(e, err, errSize)
	}
	ctx, cancel := within(seconds)
	defer cancel()
	if e := s.Submit(ctx, unsafe.Slice((*byte)(in), int(inSize))); e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

//export vfm_stream_receive
func vfm_stream_receive(stream C.vfm_stream, out unsafe.Pointer, outSize C.size_t, seconds C.double, info *C.vfm_frame, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer caught(&result, err, errSize)
	s, ok := get[*restore.Stream](uint64(stream))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if e := sizes(out, 0, 0, out, outSize, s.OutSize()); e != nil {
		return fail(e, err, errSize)
	}
	ctx, cancel := within(seconds)
	defer cancel()
	f, e := s.Receive(ctx, unsafe.Slice((*byte)(out), int(outSize)))
	if e != nil {
		return fail(e, err, errSize)
	}
	if info != nil {
		*info = C.vfm_frame{index: C.int64_t(f.Index), seconds: C.double(f.Latency.Seconds()), noise: C.double(f.Noise)}
	}
	return C.VFM_OK
}

//export vfm_stream_end
func vfm_stream_end(stream C.vfm_stream) {
	defer caught(nil, nil, 0)
	if s, ok := get[*restore.Stream](uint64(stream)); ok {
		s.End()
	}
}

//export vfm_stream_close
func vfm_stream_close(stream C.vfm_stream) {
	defer caught(nil, nil, 0)
	if s, ok := drop[*restore.Stream](uint64(stream)); ok {
		s.Close()
	}
}

package main

// #include "vfm.h"
import "C"

import (
	"context"
	"time"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
)

// stream is a Stream with the formats of its frames.
type stream struct {
	*restore.Stream
	in, out frame.Format
	raw     *restore.RawFormat // of input frames that are mosaics; nil: their format is in
}

//export vfm_stream_open
func vfm_stream_open(model C.vfm_model, req *C.vfm_request, handle *C.vfm_stream, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	m, ok := get[*restore.Model](uint64(model))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	j, e := parseRequest(req)
	switch {
	case e != nil:
	case handle == nil:
		e = badArgument("stream is NULL")
	case j.req.mean != nil || j.req.std != nil || j.req.samples != 0:
		e = badArgument("samples, mean and std are for vfm_restore; streams draw none")
	}
	var sensor *restore.RawFormat
	if e == nil {
		sensor, e = mosaic(&j.req)
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	s, e := m.NewStream(restore.StreamConfig{
		Task: j.task, Mask: j.mask, Noise: float64(j.req.noise), W: j.w, H: j.h, In: j.in, Raw: sensor, Out: j.out, InFlight: int(j.req.in_flight), DropOldest: j.req.drop_oldest != 0, Temporal: j.req.temporal != 0,
	})
	if e != nil {
		return fail(e, err, errSize)
	}
	*handle = C.vfm_stream(handles.add(&stream{s, j.in, j.out, sensor}))
	return C.VFM_OK
}

// deadline returns a context that ends after the given seconds. It never ends if they are negative.
func deadline(seconds C.double) (context.Context, context.CancelFunc) {
	if !(seconds >= 0) || seconds > 1e9 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), time.Duration(float64(seconds)*float64(time.Second)))
}

// setInfo fills info unless it is NULL. The caller has called checkInfo.
func setInfo(info *C.vfm_frame_info, f restore.FrameInfo) {
	if info != nil {
		copyOut(info, C.vfm_frame_info{
			width: C.int32_t(f.W), height: C.int32_t(f.H), index: C.int64_t(f.Index), timestamp: C.int64_t(f.Timestamp), cookie: C.uint64_t(f.Cookie),
			seconds: C.double(f.Latency.Seconds()), noise: C.double(f.Noise),
		})
	}
}

// checkInfo checks the size of info, which may be NULL.
func checkInfo(info *C.vfm_frame_info, name string) error {
	if info == nil {
		return nil
	}
	_, err := structSize(info, name)
	return err
}

//export vfm_stream_submit
func vfm_stream_submit(handle C.vfm_stream, f *C.vfm_frame, seconds C.double, dropped *C.vfm_frame_info, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	s, ok := get[*stream](uint64(handle))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if e := s.submit(f, seconds, dropped); e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

func (s *stream) submit(f *C.vfm_frame, seconds C.double, dropped *C.vfm_frame_info) error {
	if err := checkInfo(dropped, "dropped"); err != nil {
		return err
	}
	given, err := copyIn(f, "frame")
	if err != nil {
		return err
	}
	w, h := s.Size()
	var ps frame.Planes
	if s.raw != nil {
		ps, err = mosaicPlane(&given, s.raw, w, h)
	} else {
		ps, err = planes(&given, s.in, w, h, "frame")
	}
	if err != nil {
		return err
	}
	ctx, cancel := deadline(seconds)
	defer cancel()
	gone, err := s.SubmitFrame(ctx, restore.Frame{Planes: ps, Mask: missing(given.mask, w*h), Timestamp: int64(given.timestamp), Cookie: uint64(given.cookie)})
	setInfo(dropped, gone)
	return err
}

//export vfm_stream_resize
func vfm_stream_resize(handle C.vfm_stream, width, height C.int32_t, mask *C.uint8_t, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	s, ok := get[*stream](uint64(handle))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	e := checkSize(int(width), int(height))
	if e == nil {
		e = s.Resize(int(width), int(height), missing(mask, int(width)*int(height)))
	}
	if e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

//export vfm_stream_next
func vfm_stream_next(handle C.vfm_stream, seconds C.double, info *C.vfm_frame_info, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	s, ok := get[*stream](uint64(handle))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	_, e := structSize(info, "info")
	if e == nil {
		ctx, cancel := deadline(seconds)
		defer cancel()
		var f restore.FrameInfo
		if f, e = s.Next(ctx); e == nil {
			setInfo(info, f)
			return C.VFM_OK
		}
	}
	return fail(e, err, errSize)
}

//export vfm_stream_receive
func vfm_stream_receive(handle C.vfm_stream, f *C.vfm_frame, seconds C.double, info *C.vfm_frame_info, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	s, ok := get[*stream](uint64(handle))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if e := s.receive(f, seconds, info); e != nil {
		return fail(e, err, errSize)
	}
	return C.VFM_OK
}

func (s *stream) receive(f *C.vfm_frame, seconds C.double, info *C.vfm_frame_info) error {
	if err := checkInfo(info, "info"); err != nil {
		return err
	}
	room, err := copyIn(f, "frame")
	if err != nil {
		return err
	}
	ctx, cancel := deadline(seconds)
	defer cancel()
	next, err := s.Next(ctx) // for its size
	if err != nil {
		return err
	}
	setInfo(info, next)
	ps, err := planes(&room, s.out, next.W, next.H, "frame")
	if err != nil {
		return err
	}
	got, err := s.ReceiveFrame(ctx, ps)
	if got.W > 0 { // the error is that of a frame, not of waiting for it
		setInfo(info, got)
	}
	return err
}

//export vfm_stream_latency
func vfm_stream_latency(handle C.vfm_stream, latency *C.vfm_latency, err *C.char, errSize C.size_t) (result C.vfm_status) {
	defer recoverPanic(&result, err, errSize)
	s, ok := get[*stream](uint64(handle))
	if !ok {
		return fail(restore.ErrClosed, err, errSize)
	}
	if _, e := structSize(latency, "latency"); e != nil {
		return fail(e, err, errSize)
	}
	l := s.Latency()
	seconds := func(d time.Duration) C.double { return C.double(d.Seconds()) }
	copyOut(latency, C.vfm_latency{frames: C.int64_t(l.Frames), dropped: C.int64_t(l.Dropped), p50: seconds(l.P50), p95: seconds(l.P95), p99: seconds(l.P99), max: seconds(l.Max)})
	return C.VFM_OK
}

//export vfm_stream_end
func vfm_stream_end(handle C.vfm_stream) {
	defer recoverPanic(nil, nil, 0)
	if s, ok := get[*stream](uint64(handle)); ok {
		s.End()
	}
}

//export vfm_stream_close
func vfm_stream_close(handle C.vfm_stream) {
	defer recoverPanic(nil, nil, 0)
	if s, ok := drop[*stream](uint64(handle)); ok {
		s.Close()
	}
}

package restore

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
)

// Frame is a frame given to a Stream.
type Frame struct {
	Planes frame.Planes // where it lies; not needed any more when Submit has returned
	// Mask is this frame's, if not nil, in place of StreamConfig's; for inpainting. A mask that
	// differs from the frame's before costs time and memory.
	Mask []bool
	// Timestamp and Cookie, whatever they mean, come back with the restored frame: a capture time,
	// an index of buffers, a pointer of C.
	Timestamp int64
	Cookie    uint64
}

// FrameInfo tells about a restored frame.
type FrameInfo struct {
	Index     int64 // counted from 0 in the order of Submit; frames that were dropped are counted
	W, H      int   // of the restored frame, in pixels
	Timestamp int64 // of the Frame given
	Cookie    uint64
	Began     time.Time     // when Submit was called
	Latency   time.Duration // from the beginning of Submit to the end of Receive
	Noise     float64       // the noise level used, in 8-bit levels
}

// none is no frame.
var noFrame = FrameInfo{Index: -1}

// Submit gives the next frame, InSize bytes without gaps, which are not needed any more when it
// returns. It waits while InFlight frames are on their way, but with StreamConfig.DropOldest.
// Errors: ctx.Err(), ErrClosed, ErrEnded, *RequestError for a wrong length.
func (s *Stream) Submit(ctx context.Context, data []byte) error {
	_, err := s.submit(ctx, Frame{}, data)
	return err
}

// SubmitFrame is Submit for frames as cameras deliver them. dropped is the frame that had to go for
// this one, with an Index of -1 if none had to. Errors: those of Submit, a mask that does not fit,
// and planes that a frame does not lie in.
func (s *Stream) SubmitFrame(ctx context.Context, f Frame) (dropped FrameInfo, err error) {
	return s.submit(ctx, f, nil)
}

// submit takes the frame's planes from data if this is not nil.
func (s *Stream) submit(ctx context.Context, given Frame, data []byte) (dropped FrameInfo, err error) {
	began := time.Now()
	if err := s.format.Load().check(&given, data); err != nil { // before another frame has to go for it
		return noFrame, err
	}
	f, dropped, err := s.acquireSlot(ctx)
	if err != nil {
		return noFrame, err
	}
	if err := s.pack(f, &given, data); err != nil {
		s.free <- f
		return dropped, err
	}
	f.info = FrameInfo{Timestamp: given.Timestamp, Cookie: given.Cookie, Began: began}
	f.info.W, f.info.H = f.format.out.Size()
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.sent < 0 {
		s.free <- f
		return dropped, ErrEnded
	}
	f.info.Index = s.sent
	s.sent++
	s.queue <- f // never waits: there are as many places as slots
	return dropped, nil
}

// accepts looks at a frame, whose planes are set to those of data if this is not nil.
func (g *streamFormat) check(given *Frame, data []byte) error {
	if data != nil {
		if n := g.inSize(); len(data) != n {
			return badRequest("frame", "has %d bytes, must have %d", len(data), n)
		}
		if given.Planes = (frame.Planes{{Data: data}}); g.raw == nil {
			given.Planes = g.in.Format().Contiguous(data, g.w, g.h)
		}
	}
	if g.raw != nil {
		if _, err := g.raw.check(given.Planes[0]); err != nil {
			return err
		}
	} else if err := g.in.Check(given.Planes); err != nil {
		return &RequestError{"frame", "cannot be read: " + err.Error()}
	}
	switch {
	case given.Mask == nil:
	case !g.task.Masked():
		return badRequest("mask", "has no meaning for task %v", g.task)
	case len(given.Mask) != g.w*g.h:
		return badRequest("mask", "has %d values, the frame has %d×%d pixels", len(given.Mask), g.w, g.h)
	case !anyKnown(given.Mask):
		return badRequest("mask", "leaves nothing of the frame: every pixel is missing")
	}
	return nil
}

// pack reads a frame into a slot.
func (s *Stream) pack(f *slot, given *Frame, data []byte) error {
	s.packing.Lock()
	defer s.packing.Unlock()
	g := s.format.Load()
	if err := g.check(given, data); err != nil { // it may have been resized in between
		return err
	}
	f.fit(g)
	f.err = nil
	f.mask, f.hasMask = append(f.mask[:0], given.Mask...), given.Mask != nil
	f.hasNoise = false
	if g.raw != nil {
		p, err := g.raw.read(f.pix, given.Planes[0])
		if p != nil {
			f.noise, f.hasNoise = *p, true
		}
		return err
	}
	err := g.in.Read(f.pix, given.Planes)
	if err == nil && g.changes {
		err = g.in.ReadCodes(f.codes, given.Planes)
	}
	if err == nil && f.alpha != nil {
		err = g.in.ReadAlpha(f.alpha, given.Planes)
	}
	return err
}

// room waits for a slot to send, or takes that of the oldest frame that is not on the device where
// these may be dropped.
func (s *Stream) acquireSlot(ctx context.Context) (f *slot, dropped FrameInfo, err error) {
	select {
	case <-s.ended:
		return nil, noFrame, ErrEnded
	default:
	}
	if s.ctx.Err() != nil {
		return nil, noFrame, ErrClosed
	}
	select { // what is free is given even where no time is left to wait
	case f := <-s.free:
		return f, noFrame, nil
	default:
	}
	var head, ready, queue chan *slot // nil, which gives nothing, unless frames are dropped
	if s.cfg.DropOldest {
		head, ready, queue = s.head, s.ready, s.queue
		for _, from := range []chan *slot{head, ready, queue} { // from the oldest on
			select {
			case f := <-from:
				return s.drop(f)
			default:
			}
		}
	}
	select { // all are in somebody's hands
	case f := <-s.free:
		return f, noFrame, nil
	case f := <-head:
		return s.drop(f)
	case f := <-ready:
		return s.drop(f)
	case f := <-queue:
		return s.drop(f)
	case <-s.ended:
		return nil, noFrame, ErrEnded
	case <-s.ctx.Done():
		return nil, noFrame, ErrClosed
	case <-ctx.Done():
		return nil, noFrame, ctx.Err()
	}
}

// drop gives up a frame for its slot. None: the channel that it came from was closed, by End.
func (s *Stream) drop(f *slot) (*slot, FrameInfo, error) {
	if f == nil {
		return nil, noFrame, ErrEnded
	}
	s.lock.Lock()
	s.dropped++
	s.lock.Unlock()
	return f, f.info, nil
}

// take waits for a restored frame; nil without an error: there will be none any more.
func (s *Stream) nextRestored(ctx context.Context) (*slot, error) {
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	for _, from := range []chan *slot{s.head, s.ready} { // what is there is given even where no time is left to wait
		select {
		case f := <-from:
			return f, nil
		default:
		}
	}
	select {
	case f := <-s.head:
		return f, nil
	case f := <-s.ready:
		return f, nil
	case <-s.ctx.Done():
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Next waits for the next restored frame, which Receive then gives, and tells about it: its size,
// where frames are resized. Errors: as of Receive, but for those of the frame.
func (s *Stream) Next(ctx context.Context) (FrameInfo, error) {
	f, err := s.nextRestored(ctx)
	if err != nil {
		return noFrame, err
	}
	if f == nil {
		return noFrame, io.EOF
	}
	info := f.info
	s.head <- f // never waits: there are as many places as slots
	return info, nil
}

// Receive waits for the next restored frame and writes it to dst, OutSize bytes without gaps.
// io.EOF: after End, all have been received. A frame that could not be restored gives its error (as
// Model.Restore would) and its FrameInfo; the ones after it are tried. Other errors: ctx.Err(),
// ErrClosed, *RequestError for a wrong length: after Resize, if the frame, which stays the next
// one, is of another size, as FrameInfo tells.
func (s *Stream) Receive(ctx context.Context, dst []byte) (FrameInfo, error) {
	if n := s.OutSize(); len(dst) != n && !s.resized.Load() {
		return FrameInfo{}, badRequest("frame", "has room for %d bytes, must have %d", len(dst), n)
	}
	return s.receive(ctx, func(g *streamFormat) (frame.Planes, error) {
		if len(dst) != g.out.Bytes() {
			return frame.Planes{}, badRequest("frame", "has room for %d bytes, must have %d", len(dst), g.out.Bytes())
		}
		w, h := g.out.Size()
		return g.out.Format().Contiguous(dst, w, h), nil
	})
}

// ReceiveFrame is Receive to planes with strides of their own. Nothing is written between pixels
// and rows.
func (s *Stream) ReceiveFrame(ctx context.Context, dst frame.Planes) (FrameInfo, error) {
	return s.receive(ctx, func(g *streamFormat) (frame.Planes, error) {
		if err := g.out.Check(dst); err != nil {
			return dst, &RequestError{"frame", "has no room: " + err.Error()}
		}
		return dst, nil
	})
}

// receive writes the next frame to where place says.
func (s *Stream) receive(ctx context.Context, place func(g *streamFormat) (frame.Planes, error)) (FrameInfo, error) {
	f, err := s.nextRestored(ctx)
	if err != nil {
		return FrameInfo{}, err
	}
	if f == nil {
		return FrameInfo{}, io.EOF
	}
	if f.err == nil {
		dst, err := place(f.format)
		if err != nil {
			info := f.info
			s.head <- f
			return info, err
		}
		f.err = s.unpack(dst, f)
	}
	f.info.Latency = time.Since(f.info.Began)
	info := f.info
	err = f.err
	s.free <- f
	if err != nil {
		return info, fmt.Errorf("frame %d: %w", info.Index+1, err)
	}
	s.lock.Lock()
	s.times[s.received%int64(len(s.times))] = info.Latency
	s.received++
	s.lock.Unlock()
	return info, nil
}

// unpack writes a restored frame.
func (s *Stream) unpack(dst frame.Planes, f *slot) error {
	s.unpacking.Lock()
	defer s.unpacking.Unlock()
	g := f.format
	var err error
	if g.changes {
		err = g.out.Change(dst, g.in, f.codes, f.pix, f.out)
	} else {
		err = g.out.Write(dst, f.out)
	}
	if err != nil {
		return err
	}
	return g.out.WriteAlpha(dst, f.alpha, s.cfg.Task.Scale())
}

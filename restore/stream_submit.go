package restore

import (
	"context"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
)

// Frame is a frame given to a Stream.
type Frame struct {
	Planes frame.Planes // its values; not used any more after Submit has returned
	Memory Memories     // shared memory in which the planes lie, read in place; nil: they have Data
	// Mask is this frame's, if not nil, instead of StreamConfig's; for inpainting. A mask that
	// differs from that of the frame before costs time and memory.
	Mask []bool
	// Timestamp and Cookie may have any meaning. They come back with the restored frame: a capture
	// time, an index of buffers, a pointer of C.
	Timestamp int64
	Cookie    uint64
}

// FrameInfo describes a restored frame.
type FrameInfo struct {
	Index     int64 // counted from 0 in the order of Submit, including dropped frames
	W, H      int   // of the restored frame, in pixels
	Timestamp int64 // of the Frame given
	Cookie    uint64
	Began     time.Time     // when Submit was called
	Latency   time.Duration // from the beginning of Submit to the end of Receive
	Noise     float64       // the noise level used, in 8-bit levels
}

// noFrame describes no frame.
var noFrame = FrameInfo{Index: -1}

// Submit gives the next frame, InSize bytes without gaps, which are not used any more after it
// returns. It waits while InFlight frames are on their way, unless StreamConfig.DropOldest is set.
// Errors: ctx.Err(), ErrClosed, ErrEnded, *RequestError for a wrong length.
func (s *Stream) Submit(ctx context.Context, data []byte) error {
	_, err := s.submit(ctx, Frame{}, data)
	return err
}

// SubmitFrame is Submit for frames in the layout of cameras. dropped is the frame that was dropped
// for this one; its Index is -1 if none was. Errors: those of Submit, a mask of the wrong size, and
// planes too small for a frame.
func (s *Stream) SubmitFrame(ctx context.Context, f Frame) (dropped FrameInfo, err error) {
	return s.submit(ctx, f, nil)
}

// submit takes the frame's planes from data if this is not nil.
func (s *Stream) submit(ctx context.Context, given Frame, data []byte) (dropped FrameInfo, err error) {
	began := time.Now()
	if err := s.checkFrame(&given, data); err != nil { // before another frame is dropped for it
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

// checkFrame checks a frame before it is read, and sets its planes to those of data if this is not
// nil.
func (s *Stream) checkFrame(given *Frame, data []byte) error {
	g := s.format.Load()
	if given.Memory == (Memories{}) {
		return g.check(given, data)
	}
	return given.Memory.Check(given.Planes, func(ps frame.Planes) error {
		placed := *given
		placed.Planes = ps
		return g.check(&placed, data)
	})
}

// check checks a frame, whose planes are set to those of data if this is not nil.
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
	if given.Memory == (Memories{}) {
		return s.packPlanes(f, given, data)
	}
	return given.Memory.Access(given.Planes, false, func(ps frame.Planes) error {
		placed := *given
		placed.Planes = ps
		return s.packPlanes(f, &placed, data)
	})
}

// packPlanes is pack for planes with Data.
func (s *Stream) packPlanes(f *slot, given *Frame, data []byte) error {
	g := s.format.Load()
	if err := g.check(given, data); err != nil { // Resize may have been called in between
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
	return g.read(f, given)
}

// read reads a frame that is no mosaic.
func (g *streamFormat) read(f *slot, given *Frame) error {
	err := g.in.Read(f.pix, given.Planes)
	if err == nil && g.changes {
		err = g.in.ReadCodes(f.codes, given.Planes)
	}
	if err == nil && f.alpha != nil {
		err = g.in.ReadAlpha(f.alpha, given.Planes)
	}
	return err
}

// acquireSlot waits for a free slot. If frames may be dropped, it takes the slot of the oldest
// frame that is not on the device.
func (s *Stream) acquireSlot(ctx context.Context) (f *slot, dropped FrameInfo, err error) {
	select {
	case <-s.ended:
		return nil, noFrame, ErrEnded
	default:
	}
	if s.ctx.Err() != nil {
		return nil, noFrame, ErrClosed
	}
	select { // a free slot is returned even if ctx is done
	case f := <-s.free:
		return f, noFrame, nil
	default:
	}
	var head, ready, queue chan *slot // nil, so never ready, unless frames may be dropped
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
	select { // all slots are in use
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

// drop drops a frame and returns its slot. f is nil if the channel that it came from was closed, by
// End.
func (s *Stream) drop(f *slot) (*slot, FrameInfo, error) {
	if f == nil {
		return nil, noFrame, ErrEnded
	}
	s.lock.Lock()
	s.dropped++
	s.lock.Unlock()
	return f, f.info, nil
}

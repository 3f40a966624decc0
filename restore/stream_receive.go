package restore

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
)

// nextRestored waits for a restored frame. It returns nil without an error if there will be none.
func (s *Stream) nextRestored(ctx context.Context) (*slot, error) {
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	for _, from := range []chan *slot{s.head, s.ready} { // a frame is returned even if ctx is done
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

// Next waits for the next restored frame, which Receive then returns, and describes it; its size
// may differ after Resize. Errors: as of Receive, but not those of the frame.
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

// Receive waits for the next restored frame and writes it to dst, OutSize bytes without gaps. After
// End and the last frame it returns io.EOF. A frame that could not be restored gives its error (as
// of Model.Restore) and its FrameInfo; the frames after it are tried. Other errors: ctx.Err(),
// ErrClosed, *RequestError for a wrong length. After Resize, that error means that the frame has
// another size, which FrameInfo tells; the frame then stays the next one.
func (s *Stream) Receive(ctx context.Context, dst []byte) (FrameInfo, error) {
	if n := s.OutSize(); len(dst) != n && !s.resized.Load() {
		return FrameInfo{}, badRequest("frame", "has room for %d bytes, must have %d", len(dst), n)
	}
	return s.receive(ctx, Memories{}, func(g *streamFormat) (frame.Planes, error) {
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
	return s.receive(ctx, Memories{}, func(g *streamFormat) (frame.Planes, error) {
		if err := g.out.Check(dst); err != nil {
			return dst, noRoom(err)
		}
		return dst, nil
	})
}

func noRoom(err error) error { return &RequestError{"frame", "has no room: " + err.Error()} }

// ReceiveShared is ReceiveFrame to planes in shared memory, which are written in place.
func (s *Stream) ReceiveShared(ctx context.Context, dst frame.Planes, in Memories) (FrameInfo, error) {
	return s.receive(ctx, in, func(g *streamFormat) (frame.Planes, error) {
		return dst, in.Check(dst, func(ps frame.Planes) error {
			if err := g.out.Check(ps); err != nil {
				return noRoom(err)
			}
			return nil
		})
	})
}

// receive writes the next frame to the planes that place returns.
func (s *Stream) receive(ctx context.Context, in Memories, place func(g *streamFormat) (frame.Planes, error)) (FrameInfo, error) {
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
		f.err = s.unpack(dst, in, f)
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
func (s *Stream) unpack(dst frame.Planes, in Memories, f *slot) error {
	s.unpacking.Lock()
	defer s.unpacking.Unlock()
	if in == (Memories{}) {
		return s.unpackPlanes(dst, f)
	}
	return in.Access(dst, true, func(ps frame.Planes) error { return s.unpackPlanes(ps, f) })
}

// unpackPlanes is unpack to planes with Data.
func (s *Stream) unpackPlanes(dst frame.Planes, f *slot) error {
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

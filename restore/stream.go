package restore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// StreamConfig says what to do with every frame of a Stream.
type StreamConfig struct {
	Task task.Task // GaussianDeblur undoes TrainedBlur: the blur of frames is not estimated
	// Mask has a value for every pixel, true if the pixel is missing, for all frames that bring no
	// mask of their own. Inpainting needs it.
	Mask []bool
	// Noise is the standard deviation of the frames' noise in 8-bit levels, or NoNoise (see
	// Request). At 0 and below it is estimated in every frame and smoothed over about eight, so
	// that the picture does not flicker with the estimate.
	Noise float64

	W, H int          // of the frames given, in pixels; Stream.Resize changes them
	In   frame.Format // of the frames given
	// Raw, if not nil, says that the frames given are mosaics of a sensor, in plane 0 of
	// Frame.Planes, and replaces In.
	Raw *RawFormat
	Out frame.Format // of the frames returned; those of super-resolution are 4·W by 4·H pixels
	// InFlight is how many frames may be between Submit and Receive. 0 means 3: one is packed, one
	// is on the device, one is unpacked.
	InFlight int
	// DropOldest is for live pictures. If InFlight frames are on their way, Submit drops the oldest
	// that is not on the device instead of waiting for Receive. InFlight must then be at least 2.
	DropOldest bool
	// Temporal averages every frame with those before it (package temporal), for Denoise alone. The
	// remaining noise flickers less, and what does not move, or can be followed, gets clearer. The
	// only delay is the time on the host, while the next frame is on the device. A frame then
	// depends on those before it; after DropOldest or an error, on those that came before that.
	Temporal bool
}

// Stream restores frames of one format, in order. While one frame is on the device, the next is
// packed and the last unpacked. After the first frames, frames allocate no memory if they fit in a
// tile, have no alpha of 0 and bring no mask of their own.
//
// If the frames given and returned have the same matrix, subsampling (frame.CanChange) and size,
// luma and chroma are changed by what the networks changed, not by the way to RGB and back: pixels
// that stay the same keep their codes.
//
// Several goroutines may call all methods at once. Of frames that are submitted at the same time
// any may be the first. So one goroutine should submit and one receive (or one do both, if it never
// submits more than InFlight frames ahead). Several Streams of a Model share its device.
type Stream struct {
	m      *Model
	cfg    StreamConfig
	ctx    context.Context
	cancel context.CancelFunc
	free   chan *slot
	queue  chan *slot // to the device
	ready  chan *slot // to Receive
	head   chan *slot // taken from ready, and did not fit where it was to be written
	worker sync.WaitGroup
	once   sync.Once
	last   *streamFormat // of the last frame on the device; for the worker

	format    atomic.Pointer[streamFormat] // of the next frame
	resized   atomic.Bool
	packing   sync.Mutex // guards the scratch memory for reading of all formats
	unpacking sync.Mutex // and for writing

	sending sync.Mutex    // guards sent, and that nothing is queued after End
	sent    int64         // frames; -1 after End
	ended   chan struct{} // closed by End

	lock     sync.Mutex
	times    [1024]time.Duration // of the last frames received
	received int64               // frames
	dropped  int64
}

// Latency holds percentiles of FrameInfo.Latency over the last 1024 frames.
type Latency struct {
	Frames             int64 // received in all
	Dropped            int64 // dropped, by StreamConfig.DropOldest
	P50, P95, P99, Max time.Duration
}

// NewStream makes a Stream and starts its worker. The device is used from the first frame on.
// Errors: *RequestError, *UnsupportedTaskError, *task.UnknownTaskError, *MemoryError, ErrClosed,
// and those of frame.NewConverter.
func (m *Model) NewStream(cfg StreamConfig) (*Stream, error) {
	if err := m.checkAlive(context.Background()); err != nil {
		return nil, err
	}
	if cfg.InFlight == 0 {
		cfg.InFlight = 3
	}
	if cfg.InFlight < 1 || cfg.InFlight > 64 {
		return nil, badRequest("frames in flight", "are %d, must be 1 to 64", cfg.InFlight)
	}
	if cfg.DropOldest && cfg.InFlight < 2 {
		return nil, badRequest("frames in flight", "are 1, must be at least 2 to drop the oldest: one is on the device")
	}
	if cfg.Temporal && !cfg.Task.Takes(task.OptionSingle) {
		return nil, badRequest("frames", "can be averaged in time for task %v only, not for %v", task.Denoise, cfg.Task)
	}
	if !cfg.Task.Valid() {
		return nil, &task.UnknownTaskError{Name: cfg.Task.String()}
	}
	s := &Stream{m: m, cfg: cfg, ended: make(chan struct{})}
	g, err := s.newFormat(cfg.W, cfg.H, cfg.Mask)
	if err != nil {
		return nil, err
	}
	s.format.Store(g)
	for _, c := range []*chan *slot{&s.free, &s.queue, &s.ready, &s.head} {
		*c = make(chan *slot, cfg.InFlight)
	}
	for range cfg.InFlight {
		f := &slot{}
		f.fit(g)
		s.free <- f
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	restored := s.ready
	if cfg.Temporal {
		restored = make(chan *slot, cfg.InFlight)
		s.worker.Go(func() { s.runStage(restored, s.ready, s.averager()) })
	}
	s.worker.Go(func() { s.runStage(s.queue, restored, s.restoreSlot) })
	return s, nil
}

// ErrEnded is returned by Submit after End.
var ErrEnded = errors.New("restore: the stream has been ended")

// End says that no more frames come. Receive returns the frames on their way and then io.EOF. A
// Submit that is waiting returns ErrEnded, and so do later ones.
func (s *Stream) End() {
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.sent >= 0 {
		s.sent = -1
		close(s.ended)
		close(s.queue)
	}
}

// Latency returns how long frames took so far. It may be called at any time, from any goroutine.
func (s *Stream) Latency() Latency {
	s.lock.Lock()
	n := min(s.received, int64(len(s.times)))
	l := Latency{Frames: s.received, Dropped: s.dropped}
	v := slices.Clone(s.times[:n])
	s.lock.Unlock()
	if n == 0 {
		return l
	}
	slices.Sort(v)
	at := func(p int) time.Duration { return v[(len(v)-1)*p/100] }
	l.P50, l.P95, l.P99, l.Max = at(50), at(95), at(99), v[len(v)-1]
	return l
}

// Close ends the Stream at once. Frames on their way are dropped; it waits for the one on the
// device. Closing again does nothing.
func (s *Stream) Close() error {
	s.once.Do(func() {
		s.cancel()
		s.worker.Wait()
	})
	return nil
}

// runStage takes frames from one channel, calls do and sends them to the next channel, until the
// first is closed, which closes the next one too, or the Stream is closed. Frames that failed
// before are passed on.
func (s *Stream) runStage(from, to chan *slot, do func(*slot) error) {
	for {
		select {
		case f, open := <-from:
			if !open {
				close(to)
				return
			}
			if f.err == nil {
				f.err = recoverPanic(f, do)
			}
			to <- f
		case <-s.ctx.Done():
			return
		}
	}
}

// recoverPanic calls do with a frame. A panic becomes the frame's error: it would end the process,
// and no caller could prevent that.
func recoverPanic(f *slot, do func(*slot) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("restore: an error in this program: %v\n%s", p, debug.Stack())
		}
	}()
	return do(f)
}

// restoreSlot takes a frame to the device and back.
func (s *Stream) restoreSlot(f *slot) (err error) {
	frames := &f.format.frames
	if s.last != nil && s.last != f.format {
		frames.noise, frames.hasNoise = s.last.frames.noise, s.last.frames.hasNoise
	}
	s.last = f.format
	if f.hasMask {
		if err := frames.setMask(f.mask); err != nil {
			return err
		}
	} else if err := frames.setMask(f.format.mask); err != nil {
		return err
	}
	f.info.Noise, err = frames.restore(s.ctx, f.out, f.pix, f.alpha, f.sensor())
	return err
}

package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/task"
)

// StreamConfig says what to do with every frame of a Stream.
type StreamConfig struct {
	Task task.Task // GaussianDeblur is of TrainedBlur: the blur of frames is not looked for
	// Mask has a value for every pixel, true where it is missing, the same for all frames; for inpainting, which needs it.
	Mask []bool
	// Noise is the standard deviation of the frames' noise in 8-bit levels, or NoNoise (see Request). At 0 and below it is estimated in every
	// frame and smoothed over about eight, so that the picture does not flicker with the estimate.
	Noise float64

	W, H int          // of the frames given, in pixels
	In   frame.Format // of their bytes
	Out  frame.Format // of the bytes returned; those of super-resolution are 4·W by 4·H pixels
	// InFlight is how many frames may be between Submit and Receive; 0 means 3: one being packed, one on the device, one being unpacked.
	InFlight int
}

// Stream restores frames of one size and format, in order. While one frame is on the device the next is packed and the last unpacked. Once the
// first frames are through, streams with a given noise level whose frames fit a tile
// and hide nothing under alpha of 0 allocate no memory any more.
//
// All methods may be called by several goroutines at once. Of frames that are submitted at the same time any may be the first, so one goroutine should submit and one
// receive (or one do both, if it never submits more than InFlight frames ahead). Several Streams of a Model share its device.
type Stream struct {
	m      *Model
	cfg    StreamConfig
	in     *frame.Converter
	out    *frame.Converter
	ctx    context.Context
	cancel context.CancelFunc
	free   chan *slot
	queue  chan *slot // to the device
	ready  chan *slot // to Receive
	worker sync.WaitGroup
	once   sync.Once
	eng    engine

	sending sync.Mutex    // guards sent, and that nothing is queued after End
	sent    int64         // frames; -1 after End
	over    chan struct{} // closed by End

	lock    sync.Mutex
	times   [1024]time.Duration // of the last frames received
	settled int64               // frames received
}

// slot is a frame on its way.
type slot struct {
	index int64
	began time.Time
	pix   []float32 // of the frame given
	out   []float32 // and of the restored one
	alpha []byte    // RGBA only: of the frame given
	noise float64
	err   error
}

// FrameInfo tells about a restored frame.
type FrameInfo struct {
	Index   int64         // counted from 0 in the order of Submit
	Latency time.Duration // from the beginning of Submit to the end of Receive
	Noise   float64       // the noise level used, in 8-bit levels
}

// Latency holds percentiles of FrameInfo.Latency over the last 1024 frames.
type Latency struct {
	Frames             int64 // in all
	P50, P95, P99, Max time.Duration
}

// NewStream makes a Stream and starts its worker. Errors: *RequestError, *UnsupportedTaskError, *task.UnknownTaskError, *MemoryError, ErrClosed, those of
// frame.NewConverter. The device is used from the first frame on.
func (m *Model) NewStream(cfg StreamConfig) (*Stream, error) {
	if err := m.alive(context.Background()); err != nil {
		return nil, err
	}
	if cfg.InFlight == 0 {
		cfg.InFlight = 3
	}
	if cfg.InFlight < 1 || cfg.InFlight > 64 {
		return nil, badRequest("frames in flight", "are %d, must be 1 to 64", cfg.InFlight)
	}
	if !cfg.Task.Valid() {
		return nil, &task.UnknownTaskError{Name: cfg.Task.String()}
	}
	if err := cfg.fits(); err != nil {
		return nil, err
	}
	s := &Stream{m: m, cfg: cfg, over: make(chan struct{})}
	var err error
	if s.in, err = frame.NewConverter(cfg.In, cfg.W, cfg.H); err != nil {
		return nil, err
	}
	scale := cfg.Task.Scale()
	if s.out, err = frame.NewConverter(cfg.Out, scale*cfg.W, scale*cfg.H); err != nil {
		return nil, err
	}
	if err := s.eng.init(m, cfg); err != nil {
		return nil, err
	}
	s.free, s.queue, s.ready = make(chan *slot, cfg.InFlight), make(chan *slot, cfg.InFlight), make(chan *slot, cfg.InFlight)
	n := 3 * cfg.W * cfg.H
	for range cfg.InFlight {
		f := &slot{pix: make([]float32, n), out: make([]float32, n*scale*scale)}
		if cfg.In.Kind == frame.RGBA && cfg.Out.Kind == frame.RGBA {
			f.alpha = make([]byte, cfg.W*cfg.H)
		}
		s.free <- f
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.worker.Go(s.work)
	return s, nil
}

// InSize and OutSize are the numbers of bytes of the frames given and returned.
func (s *Stream) InSize() int  { return s.in.Bytes() }
func (s *Stream) OutSize() int { return s.out.Bytes() }

// ErrEnded is returned by Submit after End.
var ErrEnded = errors.New("restore: the stream has been ended")

// Submit gives the next frame, InSize bytes, which are not needed any more when it returns. It waits while InFlight frames are on their way.
// Errors: ctx.Err(), ErrClosed, ErrEnded, *RequestError for a wrong length.
func (s *Stream) Submit(ctx context.Context, data []byte) error {
	began := time.Now()
	if len(data) != s.InSize() {
		return badRequest("frame", "has %d bytes, must have %d", len(data), s.InSize())
	}
	f, err := s.room(ctx)
	if err != nil {
		return err
	}
	f.began, f.err = began, nil
	s.in.ToRGB(f.pix, data)
	for i := range f.alpha {
		f.alpha[i] = data[4*i+3]
	}
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.sent < 0 {
		s.free <- f
		return ErrEnded
	}
	f.index = s.sent
	s.sent++
	s.queue <- f // never waits: there are as many places as slots
	return nil
}

// End says that no more frames come: Receive gives what is on its way and then io.EOF. A Submit that waits beside it returns ErrEnded, as do later ones.
func (s *Stream) End() {
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.sent >= 0 {
		s.sent = -1
		close(s.over)
		close(s.queue)
	}
}

// room waits for a slot to send.
func (s *Stream) room(ctx context.Context) (*slot, error) {
	select {
	case <-s.over:
		return nil, ErrEnded
	default:
	}
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	select {
	case f := <-s.free:
		return f, nil
	case <-s.over:
		return nil, ErrEnded
	case <-s.ctx.Done():
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take waits for a restored frame; nil without an error: there will be none any more.
func (s *Stream) take(ctx context.Context) (*slot, error) {
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	select {
	case f := <-s.ready:
		return f, nil
	case <-s.ctx.Done():
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Receive waits for the next restored frame and writes it to dst, OutSize bytes. io.EOF: after End, all have been received. A frame that could
// not be restored gives its error (as Model.Restore would) and its FrameInfo; the ones after it are tried. Other errors: ctx.Err(),
// ErrClosed, *RequestError for a wrong length.
func (s *Stream) Receive(ctx context.Context, dst []byte) (FrameInfo, error) {
	if len(dst) != s.OutSize() {
		return FrameInfo{}, badRequest("frame", "has room for %d bytes, must have %d", len(dst), s.OutSize())
	}
	f, err := s.take(ctx)
	if err != nil {
		return FrameInfo{}, err
	}
	if f == nil {
		return FrameInfo{}, io.EOF
	}
	if f.err == nil {
		s.out.FromRGB(dst, f.out)
		if s.cfg.Out.Kind == frame.RGBA {
			s.alpha(dst, f)
		}
	}
	info := FrameInfo{Index: f.index, Latency: time.Since(f.began), Noise: f.noise}
	err = f.err
	s.free <- f
	if err != nil {
		return info, fmt.Errorf("frame %d: %w", info.Index+1, err)
	}
	s.lock.Lock()
	s.times[s.settled%int64(len(s.times))] = info.Latency
	s.settled++
	s.lock.Unlock()
	return info, nil
}

// alpha is the frame's own, repeated where the picture grows, or opaque.
func (s *Stream) alpha(dst []byte, f *slot) {
	scale := s.cfg.Task.Scale()
	w := scale * s.cfg.W
	for i := range len(dst) / 4 {
		a := byte(255)
		if f.alpha != nil {
			a = f.alpha[i/w/scale*s.cfg.W+i%w/scale]
		}
		dst[4*i+3] = a
	}
}

// Latency tells how long frames took so far. It may be called at any time, by anybody.
func (s *Stream) Latency() Latency {
	s.lock.Lock()
	n := min(s.settled, int64(len(s.times)))
	l := Latency{Frames: s.settled}
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

// Close ends the Stream at once; frames on their way are dropped. It waits for the one on the device. Closing again does nothing.
func (s *Stream) Close() error {
	s.once.Do(func() {
		s.cancel()
		s.worker.Wait()
	})
	return nil
}

// work takes frames to the device and back.
func (s *Stream) work() {
	for {
		var f *slot
		var open bool
		select {
		case f, open = <-s.queue:
		case <-s.ctx.Done():
			return
		}
		if !open {
			close(s.ready)
			return
		}
		f.noise, f.err = s.restore(f)
		s.ready <- f
	}
}

// restore takes a frame to the device and back. A panic is the frame's error: it would end the process, which nobody else can keep it from.
func (s *Stream) restore(f *slot) (noise float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("restore: a fault of this program: %v\n%s", p, debug.Stack())
		}
	}()
	return s.eng.restore(s.ctx, f.out, f.pix, f.alpha)
}

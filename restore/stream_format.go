package restore

import (
	"slices"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/task"
)

// streamFormat is what a Stream needs for frames of one size.
type streamFormat struct {
	task    task.Task
	w, h    int
	in, out *frame.Converter
	raw     *rawReader    // reads instead of in; nil if frames are no mosaics
	changes bool          // only the change is written to frames returned
	mask    []bool        // of frames without a mask of their own
	frames  frameRestorer // used by the worker
}

func (s *Stream) newFormat(w, h int, mask []bool) (*streamFormat, error) {
	cfg := s.cfg
	cfg.W, cfg.H, cfg.Mask = w, h, slices.Clone(mask)
	if err := cfg.checkMemory(); err != nil {
		return nil, err
	}
	g := &streamFormat{task: cfg.Task, w: w, h: h, mask: cfg.Mask}
	var err error
	if cfg.Raw != nil {
		cfg.In = frame.Format{Kind: frame.Float32} // the result of developing
		if g.raw, err = newRawReader(&cfg); err != nil {
			return nil, err
		}
	}
	if g.in, err = frame.NewConverter(cfg.In, w, h); err != nil {
		return nil, err
	}
	scale := cfg.Task.Scale()
	if g.out, err = frame.NewConverter(cfg.Out, scale*w, scale*h); err != nil {
		return nil, err
	}
	g.changes = scale == 1 && cfg.Raw == nil && frame.CanChange(cfg.In, cfg.Out)
	return g, g.frames.init(s.m, cfg)
}

// Resize says that the frames submitted from now on have w×h pixels and, for inpainting, this mask.
// Frames on their way keep theirs. The noise estimated so far is kept. Errors: as of NewStream; the
// Stream then goes on as before.
func (s *Stream) Resize(w, h int, mask []bool) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	g, err := s.newFormat(w, h, mask)
	if err != nil {
		return err
	}
	s.resized.Store(true)
	s.format.Store(g)
	return nil
}

// Size is the size of the frames given, in pixels, since the last Resize.
func (s *Stream) Size() (w, h int) {
	g := s.format.Load()
	return g.w, g.h
}

// InSize is the number of bytes of the frames given, without gaps, since the last Resize.
func (s *Stream) InSize() int { return s.format.Load().inSize() }

// OutSize is the number of bytes of the frames returned, without gaps, since the last Resize.
func (s *Stream) OutSize() int { return s.format.Load().out.Bytes() }

func (g *streamFormat) inSize() int {
	if g.raw != nil {
		return g.raw.bytes()
	}
	return g.in.Bytes()
}

// slot holds a frame on its way.
type slot struct {
	info     FrameInfo
	format   *streamFormat
	pix      []float32 // of the frame given
	out      []float32 // of the restored frame
	codes    []uint16  // of the frame given, if only the change is written
	alpha    []byte    // of the frame given, if both formats have alpha
	mask     []bool    // of its own, if hasMask
	hasMask  bool
	noise    noise.Profile // known by its sensor, if hasNoise
	hasNoise bool
	err      error
}

// sensor is the noise of a frame that is known by its sensor; nil if it is not known.
func (f *slot) sensor() *noise.Profile {
	if f.hasNoise {
		return &f.noise
	}
	return nil
}

// fit gives the slot the memory for a frame, if it was for another size.
func (f *slot) fit(g *streamFormat) {
	if f.format == g {
		return
	}
	f.format = g
	scale := g.task.Scale()
	f.pix, f.out = resized(f.pix, 3*g.w*g.h), resized(f.out, 3*g.w*g.h*scale*scale)
	if g.changes {
		f.codes = resized(f.codes, g.in.Codes())
	}
	if g.in.Format().HasAlpha() && g.out.Format().HasAlpha() {
		f.alpha = resized(f.alpha, g.w*g.h)
	}
}

// resized returns n values, in the old ones' memory if that is large enough.
func resized[T any](old []T, n int) []T {
	if cap(old) >= n {
		return old[:n]
	}
	return make([]T, n)
}

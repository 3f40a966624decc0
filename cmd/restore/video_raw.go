package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/y4m"
)

// frameReader reads one frame after another, and returns io.EOF after the last.
type frameReader interface{ Read(frame []byte) error }

// mosaicReader reads frames of a sensor from a stream without headers.
type mosaicReader struct {
	layout *raw.Layout
	r      *bufio.Reader
	n      int // frames read
}

// Read fills buf with the next frame.
func (m *mosaicReader) Read(buf []byte) error {
	m.n++
	skipped, err := io.CopyN(io.Discard, m.r, int64(m.layout.Offset))
	if err == io.EOF && skipped == 0 {
		return io.EOF
	}
	n := 0
	if err == nil {
		n, err = io.ReadFull(m.r, buf)
	}
	switch {
	case err == io.EOF && skipped == 0:
		return io.EOF
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("frame %d: the stream ends after %d of %d bytes", m.n, int(skipped)+n, m.layout.Offset+len(buf))
	}
	return err
}

// video returns the header of the output and the format of the frames.
func (r *rawFlags) video(rate string) (y4m.Header, *restore.RawFormat) {
	l := r.layout
	f := &restore.RawFormat{Packing: l.Packing, Bits: l.Bits, Stride: l.Stride, Mosaic: l.Mosaic, Rendering: raw.DefaultRendering}
	if o := r.options(); o.HasNoise() {
		f.Mosaic.Noise = o.Noise(&l.Mosaic)
	}
	return y4m.Header{W: l.W, H: l.H, Format: frame.I420(y4m.MatrixFor(l.H)), Space: "420mpeg2", Other: []string{"F" + rate, "Ip", "A1:1"}}, f
}

// parseRate reads -fps, 25 or 30000/1001, and returns it in the form of Y4M.
func parseRate(s string) (string, error) {
	a, b, two := strings.Cut(s, "/")
	if !two {
		b = "1"
	}
	n, e1 := strconv.Atoi(a)
	d, e2 := strconv.Atoi(b)
	if e1 != nil || e2 != nil || n < 1 || d < 1 || n > 1<<30 || d > 1<<30 {
		return "", errors.New("give frames per second as a whole number or a fraction such as 30000/1001")
	}
	return fmt.Sprintf("%d:%d", n, d), nil
}

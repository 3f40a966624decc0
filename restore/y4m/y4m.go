// Package y4m reads and writes YUV4MPEG2, the uncompressed video that ffmpeg and others pass
// through pipes.
//
//	ffmpeg -v error -i in.mp4 -f yuv4mpegpipe -strict -1 - | restore video -task denoise - - |
//	  ffmpeg -v error -i - -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv out.mp4
//
// It supports progressive video of 4:2:0, 4:2:2, 4:4:4 or luma alone, with 8 to 16 bits. Anything
// else is refused by name. A reader holds only one line; frames go to the caller's buffers.
package y4m

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/restore/frame"
)

const (
	magic     = "YUV4MPEG2"
	frameWord = "FRAME"
	maxLine   = 4096
	// MaxPixels is the largest number of pixels of a frame. Sides are also limited to 65536.
	MaxPixels = 1 << 26
)

// Header is the first line of a stream.
type Header struct {
	W, H   int
	Format frame.Format // Planar or Gray; Y4M has no matrix: BT.709 from 720 rows on, else BT.601
	// Space is the colour space as in the line ("420mpeg2"). Other holds all other parameters in
	// their order ("F30:1", "A1:1", "XCOLORRANGE=LIMITED").
	Space string
	Other []string
}

// Error says that a stream is invalid or not supported.
type Error struct {
	Frame  int // counted from 1; 0 for the header
	Reason string
}

func (e *Error) Error() string {
	if e.Frame == 0 {
		return "y4m: " + e.Reason
	}
	return fmt.Sprintf("y4m: frame %d: %s", e.Frame, e.Reason)
}

// Reader reads a stream.
type Reader struct {
	Header
	r *bufio.Reader
	n int // number of frames begun
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	y := &Reader{r: bufio.NewReaderSize(r, 1<<16)}
	line, err := y.line()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{0, "the stream is empty"}
		}
		return nil, err
	}
	if y.Header, err = parse(line); err != nil {
		return nil, err
	}
	return y, nil
}

// line reads up to a newline, at most maxLine bytes. It gives io.EOF at the end of the stream.
func (y *Reader) line() (string, error) {
	var b []byte
	for {
		c, err := y.r.ReadByte()
		switch {
		case err == io.EOF && len(b) == 0:
			return "", io.EOF
		case err == io.EOF:
			return "", &Error{y.n, "the stream ends inside a line of parameters"}
		case err != nil:
			return "", err
		case c == '\n':
			return string(b), nil
		case len(b) == maxLine || len(b) == len(magic) && y.n == 0 && string(b) != magic:
			return "", &Error{y.n, "this is not YUV4MPEG2 video (ffmpeg makes it with -f " +
				"yuv4mpegpipe)"}
		}
		b = append(b, c)
	}
}

func parse(line string) (Header, error) {
	h := Header{Space: "420jpeg"} // the default of mjpegtools
	bad := func(format string, args ...any) (Header, error) {
		return h,
			&Error{0, fmt.Sprintf(format, args...)}
	}
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != magic {
		return bad("this is not YUV4MPEG2 video (ffmpeg makes it with -f yuv4mpegpipe)")
	}
	full := false
	for _, w := range words[1:] {
		v := w[1:]
		switch w[0] {
		case 'W', 'H':
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 || n > 1<<16 {
				return bad("the header has a side of %.20q; it must be 1 to 65536 pixels", w)
			}
			if w[0] == 'W' {
				h.W = n
			} else {
				h.H = n
			}
			continue
		case 'C':
			h.Space = v
			continue
		case 'I':
			if v != "p" && v != "?" {
				return bad("the video is interlaced (I%.8s); deinterlace it first, e.g. with "+
					"ffmpeg -vf yadif", v)
			}
		case 'X':
			if w == "XCOLORRANGE=FULL" {
				full = true
			}
		}
		h.Other = append(h.Other, w)
	}
	if h.W == 0 || h.H == 0 {
		return bad("the header lacks width and height")
	}
	if h.W*h.H > MaxPixels {
		return bad("frames of %d×%d pixels; at most %d pixels are possible", h.W, h.H, MaxPixels)
	}
	f, err := format(h.Space)
	if err != nil {
		return bad("%v", err)
	}
	f.Full = full
	f.Matrix = MatrixFor(h.H)
	h.Format = f
	return h, nil
}

// MatrixFor gives the usual matrix for frames of that height, because Y4M does not give it.
func MatrixFor(height int) frame.Matrix {
	if height >= 720 {
		return frame.BT709
	}
	return frame.BT601
}

// format gives the format of a named colour space.
func format(space string) (frame.Format, error) {
	f := frame.Format{Kind: frame.Planar, Bits: 8}
	name := space
	// 420p10
	if i := strings.IndexByte(name, 'p'); i > 0 && i < len(name)-1 && name[i+1] >= '0' &&
		name[i+1] <= '9' {
		bits, err := strconv.Atoi(name[i+1:])
		if err != nil || bits < 9 || bits > 16 {
			return f, fmt.Errorf("colour space %.20q has samples of another size than 8 to 16 bits",
				space)
		}
		f.Bits, name = bits, name[:i]
	}
	switch name {
	case "420jpeg":
		f.HalfX, f.HalfY = true, true
	case "420", "420mpeg2":
		f.HalfX, f.HalfY, f.CositedX = true, true, true
	case "420paldv":
		f.HalfX, f.HalfY, f.CositedX, f.CositedY = true, true, true, true
	case "422":
		f.HalfX, f.CositedX = true, true
	case "444":
	default:
		bits, mono := strings.CutPrefix(space, "mono")
		if !mono {
			return f, fmt.Errorf("colour space %.20q is not supported: 420, 422 and 444 (8 to "+
				"16 bits) and mono are", space)
		}
		f.Kind = frame.Gray
		if bits == "" {
			break
		}
		n, err := strconv.Atoi(bits)
		if err != nil || n < 9 || n > 16 {
			return f, fmt.Errorf("colour space %.20q has samples of another size than 8 to 16 bits",
				space)
		}
		f.Bits = n
	}
	return f, nil
}

// FrameSize is the number of bytes of a frame.
func (h Header) FrameSize() int { return h.Format.Size(h.W, h.H) }

// Read fills buf, FrameSize bytes, with the next frame. After the last frame it gives io.EOF. It
// gives an *Error if the stream ends inside a frame, or if no frame follows.
func (y *Reader) Read(buf []byte) error {
	y.n++
	line, err := y.line()
	if err != nil {
		return err
	}
	if line != frameWord && !strings.HasPrefix(line, frameWord+" ") {
		return &Error{y.n, fmt.Sprintf("begins with %.20q instead of FRAME", line)}
	}
	for _, w := range strings.Fields(line)[1:] {
		if w[0] == 'I' && len(w) > 1 && w[1] != 'p' && w[1] != '1' {
			return &Error{y.n, "is interlaced; deinterlace the video first, e.g. with ffmpeg " +
				"-vf yadif"}
		}
	}
	n, err := io.ReadFull(y.r, buf[:y.FrameSize()])
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{y.n, fmt.Sprintf("the stream ends after %d of %d bytes", n, y.FrameSize())}
	}
	return err
}

// Writer writes a stream.
type Writer struct {
	w io.Writer
	h Header
	b []byte
}

// NewWriter writes the header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	line := fmt.Sprintf("%s W%d H%d", magic, h.W, h.H)
	for _, p := range append(append([]string{}, h.Other...), "C"+h.Space) {
		line += " " + p
	}
	if _, err := io.WriteString(w, line+"\n"); err != nil {
		return nil, err
	}
	return &Writer{w: w, h: h}, nil
}

// Write writes a frame of FrameSize bytes.
func (y *Writer) Write(data []byte) error {
	if len(data) != y.h.FrameSize() {
		return fmt.Errorf("y4m: a frame of %d bytes, want %d", len(data), y.h.FrameSize())
	}
	// one write, so that a pipe's reader wakes once
	y.b = append(append(y.b[:0], frameWord+"\n"...), data...)
	_, err := y.w.Write(y.b)
	return err
}

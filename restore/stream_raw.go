package restore

import (
	"math"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/raw"
)

// RawFormat describes frames that are mosaics of a sensor.
type RawFormat struct {
	Packing raw.Packing
	Bits    int // of a sample
	Stride  int // bytes from row to row, if a frame.Plane does not say; 0: no gaps
	// Mosaic gives everything but the size and the samples: pattern, black and white level, white
	// balance, matrix, exposure. If it has Noise, and StreamConfig.Noise gives no level, frames are
	// restored by that. The noise of the developed picture is then measured in the first frame and
	// again in every 64th.
	Mosaic    raw.Mosaic
	Rendering raw.Rendering // raw.DefaultRendering, or another one
}

// measureEvery is the number of frames after which the noise of a sensor is measured again: it
// grows with the light.
const measureEvery = 64

// rawReader reads frames of one size that are mosaics.
type rawReader struct {
	format  RawFormat
	mosaic  raw.Mosaic
	develop *raw.Developer
	known   bool // the noise is known by the sensor
	profile noise.Profile
	count   int
}

func newRawReader(cfg *StreamConfig) (*rawReader, error) {
	if cfg.W < 2 || cfg.H < 2 || cfg.W > 1<<16 || cfg.H > 1<<16 {
		return nil, badRequest("raw format", "has no mosaics of %d×%d pixels; sides are 2 to 65536", cfg.W, cfg.H)
	}
	r := &rawReader{format: *cfg.Raw, mosaic: cfg.Raw.Mosaic, develop: raw.NewDeveloper()}
	m := &r.mosaic
	m.W, m.H = cfg.W, cfg.H
	m.Pix = make([]uint16, m.W*m.H)
	if err := m.Check(); err != nil {
		return nil, badRequest("raw format", "cannot be used: %v", err)
	}
	if err := r.format.Packing.Check(r.format.Bits); err != nil {
		return nil, badRequest("raw format", "cannot be used: %v", err)
	}
	if s := r.format.Stride; s != 0 && (s < r.row() || s > 1<<24) {
		return nil, badRequest("raw format", "has a stride of %d bytes, where a row takes %d", s, r.row())
	}
	_, given := requestedNoise(cfg.Noise)
	r.known = m.Noise != nil && !given
	return r, nil
}

// row is the number of bytes of a row without a gap after it.
func (r *rawReader) row() int { return r.format.Packing.RowBytes(r.mosaic.W, r.format.Bits) }

// stride is the number of bytes from row to row, if the frame does not say.
func (r *rawReader) stride() int {
	if r.format.Stride != 0 {
		return r.format.Stride
	}
	return r.row()
}

// bytes is the number of bytes of a frame of such rows.
func (r *rawReader) bytes() int { return r.mosaic.H * r.stride() }

// check returns the plane with its stride set. It returns an error if a frame does not fit in it.
func (r *rawReader) check(p frame.Plane) (frame.Plane, error) {
	row, rows := r.row(), r.mosaic.H
	if p.Stride == 0 {
		p.Stride = r.stride()
	}
	stride := max(p.Stride, -p.Stride)
	if p.Step != 0 {
		return p, badRequest("frame", "cannot be read: a step of %d bytes from pixel to pixel has no meaning for a mosaic", p.Step)
	}
	if p.Offset < 0 || p.Offset > len(p.Data) {
		return p, badRequest("frame", "cannot be read: an offset of %d in %d bytes", p.Offset, len(p.Data))
	}
	if stride < row || stride > (math.MaxInt-row-len(p.Data))/rows {
		return p, badRequest("frame", "cannot be read: a stride of %d bytes, where a row takes %d", p.Stride, row)
	}
	low, high := p.Offset, p.Offset
	if p.Stride < 0 {
		low -= (rows - 1) * stride
	} else {
		high += (rows - 1) * stride
	}
	if low < 0 || high > len(p.Data)-row {
		return p, badRequest("frame",
			"cannot be read: a mosaic of %d×%d pixels with an offset of %d and a stride of %d does not lie in %d bytes",
			r.mosaic.W, rows, p.Offset, p.Stride, len(p.Data))
	}
	return p, nil
}

// read develops a frame into pix. It returns the frame's noise; nil if that is to be estimated or
// is given by StreamConfig.Noise.
func (r *rawReader) read(pix []float32, p frame.Plane) (*noise.Profile, error) {
	p, err := r.check(p)
	if err != nil {
		return nil, err
	}
	m, row := &r.mosaic, r.row()
	for y := range m.H {
		src := p.Data[p.Offset+y*p.Stride:][:row]
		err := r.format.Packing.Unpack(m.Pix[y*m.W:][:m.W], src, m.W, 1, r.format.Bits, 0)
		if err != nil {
			return nil, err
		}
	}
	if r.known && r.count%measureEvery == 0 {
		if r.profile, err = m.Profile(r.format.Rendering); err != nil {
			return nil, err
		}
	}
	r.count++
	if err := r.develop.Develop(pix, m, r.format.Rendering); err != nil || !r.known {
		return nil, err
	}
	return &r.profile, nil
}

package restore

import (
	"math"

	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/raw"
)

// RawFormat says how frames are given that are mosaics of a sensor.
type RawFormat struct {
	Packing raw.Packing
	Bits    int // of a sample
	Stride  int // bytes from row to row, where a frame.Plane does not tell; 0: without gaps
	// Mosaic tells all but the sides and the levels: pattern, black and white, white balance,
	// matrix, exposure. Where it has Noise, and StreamConfig.Noise tells none, frames are restored
	// by that; what it becomes is measured in the first frame and again in every 64th.
	Mosaic    raw.Mosaic
	Rendering raw.Rendering // raw.DefaultRendering, or one's own
}

// again is after how many frames the noise of a sensor is measured again: it grows with the light.
const measureEvery = 64

// rawReader reads frames of one size that are mosaics.
type rawReader struct {
	format  RawFormat
	mosaic  raw.Mosaic
	develop *raw.Developer
	known   bool // the noise is the sensor's
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
	_, told := requestedNoise(cfg.Noise)
	r.known = m.Noise != nil && !told
	return r, nil
}

// row is the number of bytes of a row without a gap behind it.
func (r *rawReader) row() int { return r.format.Packing.RowBytes(r.mosaic.W, r.format.Bits) }

// stride is the number of bytes from row to row, where the frame does not tell.
func (r *rawReader) stride() int {
	if r.format.Stride != 0 {
		return r.format.Stride
	}
	return r.row()
}

// bytes is the number of bytes of a frame of such rows.
func (r *rawReader) bytes() int { return r.mosaic.H * r.stride() }

// check gives the plane with its stride settled, or says why a frame does not lie in it.
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
		return p, badRequest("frame", "cannot be read: a mosaic of %d×%d pixels with an offset of %d and a stride of %d does not lie in %d bytes", r.mosaic.W, rows, p.Offset, p.Stride, len(p.Data))
	}
	return p, nil
}

// read develops a frame into pix, and tells what noise it has; nil where that is found, or told.
func (r *rawReader) read(pix []float32, p frame.Plane) (*noise.Profile, error) {
	p, err := r.check(p)
	if err != nil {
		return nil, err
	}
	m, row := &r.mosaic, r.row()
	for y := range m.H {
		if err := r.format.Packing.Unpack(m.Pix[y*m.W:][:m.W], p.Data[p.Offset+y*p.Stride:][:row], m.W, 1, r.format.Bits, 0); err != nil {
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

package raw

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/picture"
)

// pixels describes the sensor's values in a DNG file.
type pixels struct {
	b              []byte
	w, h, bits     int
	lossless       bool
	bigEndian      bool
	blockW, blockH int // of strips or tiles
	across         int
	tiled          bool
	offsets, sizes []float64
	table          []uint16 // linearisation table, or nil
	x, y           int      // origin of the picture
	// Black offsets of columns and rows from (blackX, blackY) on, or nil.
	blackColumns, blackRows []float64
	blackX, blackY          int
}

// blockCost: starting a strip or tile takes as long as reading this many pixels.
const blockCost = 256

// open reads the layout of the values, and refuses a size that the file cannot hold.
func (p *pixels) open(b []byte, d picture.Directory) error {
	w, h := number(d, tagWidth, 0), number(d, tagHeight, 0)
	bits, samples := number(d, tagBits, 0), number(d, tagSamples, 1)
	compression := number(d, tagCompression, 0)
	switch {
	case !(w >= 2 && w <= 1<<20 && h >= 2 && h <= 1<<20):
		return wrong("its mosaic has %.0f×%.0f pixels; sides must be 2 to %d", w, h, 1<<20)
	case samples != 1:
		return unsupported("its mosaic has %g samples in a pixel, which is not supported", samples)
	case compression == 34892 || compression == 52546:
		return unsupported("its mosaic is compressed with loss (method %g), which is not supported",
			compression)
	case compression != compressionNone && compression != compressionLossless:
		return unsupported("its mosaic is compressed by method %g, which is not supported; "+
			"uncompressed and lossless JPEG are", compression)
	case !(bits >= 8 && bits <= 16) || bits != math.Floor(bits):
		return wrong("its mosaic has samples of %g bits; 8 to 16 are supported", bits)
	case compression == compressionNone && number(d, tagPredictor, 1) != 1:
		return unsupported("its mosaic is stored as differences (predictor %g), which is not supported",
			number(d, tagPredictor, 1))
	}
	p.b, p.w, p.h, p.bits = b, int(w), int(h), int(bits)
	p.lossless, p.bigEndian = compression == compressionLossless, d.BigEndian()
	least := memory.Bytes(p.w, p.h) / 8 // at least one bit per sample
	if !p.lossless {
		least = memory.Bytes(p.w, p.h, p.bits) / 8
	}
	if least > int64(len(b)) {
		return wrong("the file is cut off: %d×%d pixels do not fit into its %d bytes", p.w, p.h,
			len(b))
	}
	if err := p.blocks(d); err != nil {
		return err
	}
	for _, v := range d.Numbers(tagLinear, 1<<16) {
		p.table = append(p.table, uint16(min(max(v, 0), 65535)))
	}
	p.blackColumns, p.blackRows = offsets(d.Numbers(tagBlackColumns, 1<<20)),
		offsets(d.Numbers(tagBlackRows, 1<<20))
	return nil
}

// offsets is v, or nil if all its values are negligible.
func offsets(v []float64) []float64 {
	for _, x := range v {
		if math.Abs(x) >= 0.25 {
			return v
		}
	}
	return nil
}

// blocks finds the strips or tiles.
func (p *pixels) blocks(d picture.Directory) error {
	from, size := uint16(tagOffsets), uint16(tagCounts)
	w, h := float64(p.w), min(max(number(d, tagRows, float64(p.h)), 1), float64(p.h))
	if d.Has(tagTileWidth) {
		p.tiled, from, size = true, tagTileOffsets, tagTileCounts
		w, h = number(d, tagTileWidth, 0), number(d, tagTileHeight, 0)
		// Hostile files may have tiles far larger than the picture.
		if !(w >= 8 && h >= 8 && w <= float64(p.w)+1024 && h <= float64(p.h)+1024) {
			return wrong("its tiles have %.0f×%.0f pixels, which is invalid", w, h)
		}
	}
	p.blockW, p.blockH = int(w), int(h)
	p.across = (p.w + p.blockW - 1) / p.blockW
	n := p.across * ((p.h + p.blockH - 1) / p.blockH)
	most := 4*memory.Bytes(p.w, p.h) + 4<<20
	if memory.Bytes(n, p.blockW, p.blockH) > most || memory.Bytes(n, blockCost) > most {
		return wrong("its %d strips or tiles of %d×%d pixels are far more than %d×%d pixels need",
			n, p.blockW, p.blockH, p.w, p.h)
	}
	p.offsets, p.sizes = d.Numbers(from, n), d.Numbers(size, n)
	if len(p.offsets) < n || len(p.sizes) < n {
		return wrong("strips or tiles are missing in its directory")
	}
	return nil
}

// read gives the values of w×h pixels from (x, y) on.
func (p *pixels) read(w, h int) ([]uint16, error) {
	if err := memory.Check(fmt.Sprintf("a mosaic of %d×%d pixels", w, h),
		memory.Bytes(w, h, 2)); err != nil {
		return nil, err
	}
	out := make([]uint16, w*h)
	workers := team.New(0)
	buffers := make([][]uint16, workers.Workers())
	var lock sync.Mutex
	var failed error
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	_ = workers.Each(ctx, len(p.offsets), func(worker, i int) {
		block, err := p.block(&buffers[worker], i)
		if err != nil {
			lock.Lock()
			defer lock.Unlock()
			failed = err
			stop()
			return
		}
		p.place(out, w, h, block, i)
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// rows is the number of rows of block i.
func (p *pixels) rows(i int) int {
	if p.tiled {
		return p.blockH
	}
	return min(p.blockH, p.h-i*p.blockH)
}

// block reads strip or tile i into a buffer: rows of blockW values.
func (p *pixels) block(buffer *[]uint16, i int) ([]uint16, error) {
	at, size := p.offsets[i], p.sizes[i]
	if !(at >= 0 && at <= float64(len(p.b))) || !(size >= 0) {
		return nil, wrong("the file is cut off: strip or tile %d begins beyond its end", i+1)
	}
	packed := p.b[int(at):]
	packed = packed[:int(min(size, float64(len(packed))))]
	rows := p.rows(i)
	n := p.blockW * rows
	var l *lossless
	if p.lossless {
		var err error
		if l, err = openLossless(packed); err != nil {
			return nil, err
		}
		// The JPEG may treat several samples as a pixel, or two rows as one. The order of samples
		// is the same.
		if l.samples() < n || l.samples() > p.blockW*p.blockH || l.bits > 16 {
			return nil, wrong("a lossless JPEG in it has %d×%d pixels of %d samples, and %d×%d "+
				"are wanted", l.w, l.h, l.components, p.blockW, rows)
		}
		if n = l.samples(); n/8 > len(l.scan) {
			return nil, errCut
		}
	}
	if cap(*buffer) < n {
		*buffer = make([]uint16, n)
	}
	out := (*buffer)[:n]
	if l != nil {
		return out, l.decode(out)
	}
	return out, p.unpack(out, packed, rows)
}

// unpack reads a block without compression.
func (p *pixels) unpack(out []uint16, packed []byte, rows int) error {
	packing := BigEndian
	if p.bits == 16 && !p.bigEndian {
		packing = Words
	}
	if need := rows * packing.RowBytes(p.blockW, p.bits); len(packed) < need {
		return wrong("the file is cut off: a strip or tile has %d bytes, not %d", len(packed), need)
	}
	return packing.Unpack(out, packed, p.blockW, rows, p.bits, 0)
}

// place copies the part of a block that is inside the picture of w×h pixels.
func (p *pixels) place(out []uint16, w, h int, block []uint16, i int) {
	bx, by := i%p.across*p.blockW, i/p.across*p.blockH
	for y := max(by, p.y); y < min(by+p.rows(i), p.y+h); y++ {
		from, to := max(bx, p.x), min(bx+p.blockW, p.x+w)
		if from >= to {
			return
		}
		row := out[(y-p.y)*w+from-p.x:][:to-from]
		copy(row, block[(y-by)*p.blockW+from-bx:])
		if p.table != nil {
			last := uint16(len(p.table) - 1)
			for k, v := range row {
				row[k] = p.table[min(v, last)]
			}
		}
		p.level(row, from, y)
	}
}

// level subtracts the black offsets of columns and rows from a row that begins at (x, y).
func (p *pixels) level(row []uint16, x, y int) {
	if p.blackColumns == nil && p.blackRows == nil {
		return
	}
	at := func(v []float64, i int) float64 {
		if i >= 0 && i < len(v) && math.Abs(v[i]) <= 1<<16 {
			return v[i]
		}
		return 0
	}
	above := at(p.blackRows, y-p.blackY)
	for k, v := range row {
		row[k] = uint16(min(max(math.Round(float64(v)-above-at(p.blackColumns, x+k-p.blackX)), 0),
			65535))
	}
}

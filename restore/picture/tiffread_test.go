package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

// TestTIFFLayouts compares separate planes, grey with alpha and further channels, in strips and
// tiles, with each compression, with the pixels that were written.
func TestTIFFLayouts(t *testing.T) {
	r := newRand()
	const w, h = 37, 29
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, c := range []struct {
			channels, colours, extra int // extra: value of ExtraSamples, -1 without
			planar                   bool
		}{{3, 3, -1, true}, {4, 3, 2, true}, {4, 3, 1, true}, {2, 1, 2, false}, {2, 1, 2, true},
			{2, 1, 0, false}, {5, 3, 2, false}, {4, 3, 0, false}} {
			for _, depth := range []int{8, 16} {
				for _, packing := range []int{tiffNone, tiffDeflate, tiffPackBits} {
					for _, tiled := range []bool{false, true} {
						predict := packing == tiffDeflate
						pix := make([]uint16, w*h*c.channels)
						for i := range pix {
							pix[i] = uint16(r.Uint32())
							if depth == 8 {
								pix[i] &= 0xff
							}
							// premultiplied colours must not exceed alpha
							if c.extra == 1 && i%c.channels == 3 {
								pix[i] = uint16(1<<depth - 1)
							}
						}
						b := testTIFF{order: order, w: w, h: h, channels: c.channels,
							colours: c.colours, extra: c.extra, depth: depth,
							compression: packing, planar: c.planar, predict: predict,
							tiled: tiled, pix: pix}.bytes()
						name := fmt.Sprintf("%v %+v depth %d compression %d tiles %v", order, c,
							depth, packing, tiled)
						p, err := Decode(bytes.NewReader(b), Limits{})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						alpha := c.extra > 0
						if p.W != w || p.H != h || p.Gray != (c.colours == 1) || p.Depth != depth ||
							(p.Alpha != nil) != alpha && c.extra != 1 {
							t.Fatalf("%s: %d×%d grey %v depth %d alpha %v", name, p.W, p.H, p.Gray,
								p.Depth, p.Alpha != nil)
						}
						if told := len(p.Dropped) == 1; told != (c.extra == 0 || c.channels == 5) {
							t.Errorf("%s: told %q", name, p.Dropped)
						}
						for ch := range 3 {
							for i, v := range levels(p.Pix[ch*w*h:(ch+1)*w*h], depth) {
								if want := int(pix[i*c.channels+min(ch, c.colours-1)]); v != want {
									t.Fatalf("%s: channel %d of pixel %d is %d, want %d", name, ch,
										i, v, want)
								}
							}
						}
						if c.extra == 2 {
							for i, a := range p.Alpha {
								if want := float64(pix[i*c.channels+c.colours]) / float64(
									int(1)<<depth-1); math.Abs(float64(a)-want) > 1e-6 {
									t.Fatalf("%s: alpha of pixel %d is %g, want %g", name, i, a,
										want)
								}
							}
						}
						if packing != tiffNone || tiled {
							continue
						}
						if _, err := Decode(bytes.NewReader(b[:len(b)/2]), Limits{}); err == nil {
							t.Fatalf("%s: half of it is a picture", name)
						}
					}
				}
			}
		}
	}
	odd := testTIFF{order: binary.LittleEndian, w: 8, h: 8, channels: 3, colours: 3, extra: -1,
		depth: 8, compression: 99, planar: true, pix: make([]uint16, 192)}.bytes()
	wantDecodeError(t, odd, "separate planes")
}

// testTIFF describes a TIFF file to write.
type testTIFF struct {
	order             binary.AppendByteOrder
	w, h              int
	channels, colours int
	extra             int // value of ExtraSamples; -1: none
	depth             int
	compression       int
	planar            bool
	predict, tiled    bool
	pix               []uint16 // channels of a pixel after each other
}

// bytes writes the file.
func (t testTIFF) bytes() []byte {
	order, w, h, channels, pix := t.order, t.w, t.h, t.channels, t.pix
	f := newEXIF(order)
	bw, bh := w, 7
	if t.tiled {
		bw, bh = 16, 16
	}
	planes, per := 1, channels
	if t.planar {
		planes, per = channels, 1
	}
	var offsets, counts []byte
	for p := range planes {
		for y0 := 0; y0 < h; y0 += bh {
			for x0 := 0; x0 < w; x0 += bw {
				var raw []byte
				for y := y0; y < y0+bh; y++ {
					if y >= h && !t.tiled {
						break
					}
					for x := x0; x < x0+bw; x++ {
						for c := range per {
							at := func(x int) uint16 {
								if x < x0 || x >= w || y >= h {
									return 0
								}
								return pix[(y*w+x)*channels+p+c]
							}
							v := at(x)
							if t.predict {
								v -= at(x - 1)
							}
							if t.depth == 16 {
								raw = order.AppendUint16(raw, v)
							} else {
								raw = append(raw, byte(v))
							}
						}
					}
				}
				switch t.compression {
				case tiffDeflate:
					var z bytes.Buffer
					zw := zlib.NewWriter(&z)
					zw.Write(raw)
					zw.Close()
					raw = z.Bytes()
				case tiffPackBits:
					var packed []byte
					for len(raw) > 0 {
						n := min(len(raw), 128)
						if len(raw) > 2 && raw[0] == raw[1] {
							packed = append(packed, 0xff, raw[0])
							raw = raw[2:]
							continue
						}
						packed = append(append(packed, byte(n-1)), raw[:n]...)
						raw = raw[n:]
					}
					raw = packed
				}
				offsets = append(offsets, order.AppendUint32(nil, f.data(raw))...)
				counts = append(counts, order.AppendUint32(nil, uint32(len(raw)))...)
			}
		}
	}
	var bits []byte
	for range channels {
		bits = order.AppendUint16(bits, uint16(t.depth))
	}
	list := func(tag uint16, kind, count uint32, b []byte) [4]uint32 {
		if len(b) > 4 {
			return [4]uint32{uint32(tag), kind, count, f.data(b)}
		}
		if kind == typeShort && count == 1 {
			return [4]uint32{uint32(tag), kind, count, uint32(order.(binary.ByteOrder).Uint16(b))}
		}
		return [4]uint32{uint32(tag), kind, count,
			order.(binary.ByteOrder).Uint32(append(b, 0, 0, 0, 0))}
	}
	photometric, predictor, config := uint32(2), uint32(1), uint32(1)
	if t.colours == 1 {
		photometric = 1
	}
	if t.predict {
		predictor = 2
	}
	if t.planar {
		config = 2
	}
	n := uint32(len(offsets) / 4)
	e := [][4]uint32{{tagImageWidth, typeLong, 1, uint32(w)},
		{tagImageLength, typeLong, 1, uint32(h)},
		list(tagBitsPerSample, typeShort, uint32(channels), bits),
		{tagCompression, typeShort, 1, uint32(t.compression)},
		{tagPhotometric, typeShort, 1, photometric}}
	if !t.tiled {
		e = append(e, list(tagStripOffsets, typeLong, n, offsets))
	}
	e = append(e, [4]uint32{tagSamples, typeShort, 1, uint32(channels)})
	if !t.tiled {
		e = append(e, [4]uint32{tagRowsPerStrip, typeLong, 1, uint32(bh)},
			list(tagStripCounts, typeLong, n, counts))
	}
	e = append(e, [4]uint32{tagPlanarConfig, typeShort, 1, config},
		[4]uint32{tagPredictor, typeShort, 1, predictor})
	if t.tiled {
		e = append(e, [4]uint32{tagTileWidth, typeLong, 1, uint32(bw)},
			[4]uint32{tagTileLength, typeLong, 1, uint32(bh)},
			list(tagTileOffsets, typeLong, n, offsets), list(tagTileCounts, typeLong, n, counts))
	}
	if t.extra >= 0 {
		var b []byte
		for i := range channels - t.colours {
			v := 0
			if i == 0 {
				v = t.extra
			}
			b = order.AppendUint16(b, uint16(v))
		}
		e = append(e, list(tagExtraSamples, typeShort, uint32(channels-t.colours), b))
	}
	return f.done(f.dir(0, e...))
}

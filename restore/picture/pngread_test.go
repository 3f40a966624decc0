package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

// pngOf inserts chunks after the header of a PNG file, and others after its pixels.
func pngOf(b []byte, before, after []byte) []byte {
	return slices.Concat(b[:33], before, b[33:len(b)-12], after, b[len(b)-12:])
}

// badSum is a chunk with a wrong checksum.
func badSum(kind string, body []byte) []byte {
	c := pngChunk(kind, body)
	c[len(c)-1] ^= 0x55
	return c
}

// kinds lists a PNG file's chunks.
func kinds(b []byte) (k []string) {
	for b = b[8:]; len(b) >= 12; b = b[12+binary.BigEndian.Uint32(b):] {
		k = append(k, string(b[4:8]))
	}
	return k
}

// TestPNGOtherProgramsRead: faults that libpng ignores are ignored here too, and the pixels are
// equal.
func TestPNGOtherProgramsRead(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		for _, alpha := range []bool{false, true} {
			p := random(r, 23, 17, depth, false, alpha)
			b := encode(t, p, PNG, 0)
			icc, err := iccChunk(profile(r, "RGB ", 500))
			if err != nil {
				t.Fatal(err)
			}
			icc[len(icc)-2] ^= 1
			for name, file := range map[string][]byte{
				"a profile with a wrong sum": pngOf(b, icc, nil),
				"text with a wrong sum": pngOf(b, badSum("tEXt", []byte("Comment\x00x")),
					nil),
				"text behind pixels, wrong": pngOf(b, nil,
					badSum("tEXt", []byte("Comment\x00x"))),
				"an unknown chunk, wrong sum": pngOf(b, badSum("quRk", make([]byte, 99)), nil),
				"no end":                      b[:len(b)-12],
				"an end that is cut off":      b[:len(b)-5],
				"no end, and text": slices.Concat(b[:len(b)-12],
					pngChunk("tEXt", []byte("a\x00b"))),
				"no end, and text that breaks": slices.Concat(b[:len(b)-12],
					pngChunk("tEXt", []byte("a\x00b"))[:9]),
				"zeros behind the end":           slices.Concat(b, make([]byte, 1000)),
				"zeros instead of the end":       slices.Concat(b[:len(b)-12], make([]byte, 1000)),
				"a chunk of transparency, wrong": pngOf(b, badSum("tRNS", make([]byte, 6)), nil),
			} {
				q, err := Decode(bytes.NewReader(file), Limits{})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if !equalFloats(p.Pix, q.Pix) || !equalFloats(p.Alpha, q.Alpha) || q.ICC != nil ||
					q.Salvaged != nil {
					t.Errorf("%s: another picture", name)
				}
				if wrong := strings.Contains(name, "wrong"); wrong != (len(q.Dropped) == 1 &&
					strings.Contains(q.Dropped[0], "checksum")) {
					t.Errorf("%s: told %q", name, q.Dropped)
				}
			}
			// Pixel chunks with a wrong checksum are an error.
			c := bytes.Clone(b)
			c[29] ^= 1
			wantDecodeError(t, c, "checksum")
		}
	}
}

// rawPNG is a PNG file of 8-bit colour from unpacked rows.
func rawPNG(w, h, interlaced int, rows []byte, sum bool) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	head = append(head, 8, 2, 0, 0, byte(interlaced))
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	zw.Write(rows)
	zw.Close()
	body := z.Bytes()
	if !sum {
		body[len(body)-1] ^= 1
	}
	return slices.Concat([]byte(pngSignature), pngChunk("IHDR", head), pngChunk("IDAT", body),
		pngChunk("IEND", nil))
}

// TestPNGTooMuchData: more rows than in the header, with and without interlacing, and a wrong
// checksum after the last pixel.
func TestPNGTooMuchData(t *testing.T) {
	r := newRand()
	for _, interlaced := range []int{0, 1} {
		const w, h = 13, 11
		size := h * (1 + 3*w)
		if interlaced == 1 {
			size = 0
			for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
				{0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
				pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
				size += ph * (1 + 3*pw)
			}
		}
		rows := make([]byte, size)
		for i := range rows {
			rows[i] = byte(r.Uint32())
		}
		at := 0
		filter := func(pw, ph int) {
			for range ph {
				rows[at] = byte(r.IntN(5))
				at += 1 + 3*pw
			}
		}
		if interlaced == 1 {
			for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
				{0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
				filter((w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3])
			}
		} else {
			filter(w, h)
		}
		want := decode(t, rawPNG(w, h, interlaced, rows, true))
		for _, extra := range []int{1, 40, 4000} {
			got := decode(t, rawPNG(w, h, interlaced,
				append(bytes.Clone(rows), make([]byte, extra)...), true))
			if !equalFloats(got.Pix, want.Pix) {
				t.Errorf("interlaced %d, %d bytes more: another picture", interlaced, extra)
			}
		}
		if got := decode(t, rawPNG(w, h, interlaced, rows, false)); !equalFloats(got.Pix,
			want.Pix) {
			t.Errorf("interlaced %d, wrong sum at the end: another picture", interlaced)
		}
		wantDecodeError(t, rawPNG(w, h, interlaced, rows[:len(rows)-1], true), "truncated PNG")
	}
}

// TestSalvage: with Limits.Salvage truncated files are read and reported, without it they are
// refused.
func TestSalvage(t *testing.T) {
	p := smooth(96, 64, false)
	for _, c := range []struct {
		f    Format
		gray bool
	}{{JPEG, false}, {JPEG, true}, {PNG, false}, {PNG, true}} {
		p.Gray = c.gray
		if c.gray {
			copy(p.Pix[96*64:], p.Pix[:96*64])
			copy(p.Pix[2*96*64:], p.Pix[:96*64])
		}
		b := encode(t, p, c.f, 90)
		whole := decode(t, b)
		for _, part := range []int{4, 6, 7} {
			cut := b[:len(b)*part/8]
			wantDecodeError(t, cut, "truncated "+c.f.String())
			for _, pack := range []int64{0, 1} {
				q, err := Decode(bytes.NewReader(cut), Limits{Salvage: true, Pack: pack})
				if err != nil {
					t.Fatal(err)
				}
				q = q.Unpacked()
				if q.W != 96 || q.H != 64 || q.Gray != c.gray || q.Salvaged == nil ||
					q.Salvaged.Share < 0.2 || q.Salvaged.Share >= 1 || q.Salvaged.Err == nil {
					t.Fatalf("%v, %d of 8: %+v", c.f, part, q.Salvaged)
				}
				rows := int(q.Salvaged.Share*64) / 16 * 16
				// the last row of blocks is next to grey blocks, from which chroma is interpolated
				for i := range 96 * max(rows-1, 0) {
					if q.Pix[i] != whole.Pix[i] {
						t.Fatalf("%v, %d of 8: pixel %d is not what it was", c.f, part, i)
					}
				}
				if last := q.Pix[96*64-1]; math.Abs(float64(last)) > 0.01 {
					t.Errorf("%v, %d of 8: the last pixel is %g, not grey", c.f, part, last)
				}
			}
		}
		if q, err := Decode(bytes.NewReader(b), Limits{Salvage: true}); err != nil ||
			q.Salvaged != nil || !equalFloats(q.Pix, whole.Pix) {
			t.Errorf("%v: a whole file is salvaged: %v", c.f, err)
		}
		if _, err := Decode(bytes.NewReader(b[:30]), Limits{Salvage: true}); err == nil {
			t.Errorf("%v: of 30 bytes a picture was made", c.f)
		}
	}
}

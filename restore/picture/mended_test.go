package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// TestNewFilesDamaged: changed bytes in such files give a picture or an error.
func TestNewFilesDamaged(t *testing.T) {
	r := newRand()
	pix := make([]uint16, 20*15*4)
	for i := range pix {
		pix[i] = uint16(i * 7 % 256)
	}
	files := [][]byte{
		testTIFF{order: binary.LittleEndian, w: 20, h: 15, channels: 3, colours: 3, extra: -1,
			depth: 8, compression: tiffDeflate, planar: true, predict: true, pix: pix}.bytes(),
		testTIFF{order: binary.BigEndian, w: 20, h: 15, channels: 2, colours: 1, extra: 2,
			depth: 8, compression: tiffPackBits, tiled: true, pix: pix}.bytes(),
		pngOf(encode(t, smooth(20, 15, false), PNG, 0),
			slices.Concat(pngChunk("cICP", []byte{12, 13, 0, 1}),
				pngChunk("zTXt", []byte("Raw profile type iptc\x00\x00abc"))),
			pngChunk("iTXt", []byte(xmpKeyword+"\x00\x00\x00\x00\x00"+somebodysXMP))),
	}
	for _, b := range files {
		for range 500 {
			c := bytes.Clone(b)
			for range 1 + r.IntN(3) {
				c[r.IntN(len(c))] = byte(r.Uint32())
			}
			if r.IntN(4) == 0 {
				c = c[:r.IntN(len(c))]
			}
			// so that the checksum is right and the contents are read
			if bytes.HasPrefix(c, []byte(pngSignature)) {
				mendSums(c)
			}
			p, err := Decode(bytes.NewReader(c),
				Limits{MaxPixels: 1 << 16, Salvage: r.IntN(2) == 0})
			if err != nil {
				continue
			}
			if err := p.Check(); err != nil {
				t.Fatal(err)
			}
			for _, f := range []Format{PNG, TIFF} {
				if q := decode(t, encode(t, p, f, 0)); q.W != p.W || q.H != p.H {
					t.Fatal("another size")
				}
			}
		}
	}
}

func mendSums(b []byte) {
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n < 0 || at+12+n > len(b) {
			return
		}
		binary.BigEndian.PutUint32(b[at+8+n:], crc32.ChecksumIEEE(b[at+4:at+8+n]))
		at += 12 + n
	}
}

// TestPackedSame: with Levels such files are read like with floats.
func TestPackedSame(t *testing.T) {
	dir := t.TempDir()
	p := random(newRand(), 40, 50, 8, true, true)
	path := filepath.Join(dir, "a.tif")
	if err := EncodeFile(path, p, 0); err != nil {
		t.Fatal(err)
	}
	a, err1 := DecodeFile(path, Limits{})
	b, err2 := DecodeFile(path, Limits{Pack: 1})
	if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b.Unpacked()) ||
		!equalFloats(a.Pix, p.Pix) || !equalFloats(a.Alpha, p.Alpha) {
		t.Errorf("%v %v", err1, err2)
	}
}

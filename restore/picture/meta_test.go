package picture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

// exif is an EXIF block with a few entries before the orientation.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	var b []byte
	if order.String() == "BigEndian" {
		b = append(b, "MM\x00*"...)
	} else {
		b = append(b, "II*\x00"...)
	}
	b = order.AppendUint32(b, 8+4) // the directory, with a gap before it
	b = append(b, 9, 9, 9, 9)
	b = order.AppendUint16(b, 3)
	for _, e := range [][4]uint32{{0x010f, 2, 4, 0}, {0x0112, 3, 1, uint32(orientation)},
		{0x0128, 3, 1, 2}} {
		b = order.AppendUint16(b, uint16(e[0]))
		b = order.AppendUint16(b, uint16(e[1]))
		b = order.AppendUint32(b, e[2])
		if e[1] == 3 {
			b = order.AppendUint16(b, uint16(e[3]))
			b = append(b, 0, 0)
		} else {
			b = order.AppendUint32(b, e[3])
		}
	}
	return order.AppendUint32(b, 0)
}

// withExif inserts an XMP segment, which is APP1 too, and the EXIF segment at the start of a JPEG.
func withExif(jpg, exif []byte) []byte {
	segment := func(body []byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(body))),
			body...)
	}
	out := append([]byte{}, jpg[:2]...)
	out = append(out, segment([]byte("http://ns.adobe.com/xap/1.0/\x00<x/>"))...)
	out = append(out, segment(append([]byte("Exif\x00\x00"), exif...))...)
	return append(out, jpg[2:]...)
}

// asStored gives the pixels that a camera stores with that orientation if p is the upright picture.
// It follows the text of the EXIF standard (which side of the picture row 0 and column 0 are), not
// the table in orient.
func asStored(p *Picture, o int) *Picture {
	w, h := p.W, p.H
	if o >= 5 {
		w, h = h, w
	}
	q := p.Like(p.W, p.H, make([]float32, len(p.Pix)))
	q.W, q.H = w, h
	if p.Alpha != nil {
		q.Alpha = make([]float32, len(p.Alpha))
	}
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			// Position in the upright picture of row y and column x of the stored one:
			var u, v int
			switch o {
			case 1: // row 0 top, column 0 left
				u, v = x, y
			case 2: // top, right
				u, v = p.W-1-x, y
			case 3: // bottom, right
				u, v = p.W-1-x, p.H-1-y
			case 4: // bottom, left
				u, v = x, p.H-1-y
			case 5: // left, top
				u, v = y, x
			case 6: // right, top
				u, v = p.W-1-y, x
			case 7: // right, bottom
				u, v = p.W-1-y, p.H-1-x
			case 8: // left, bottom
				u, v = y, p.H-1-x
			}
			for c := 0; c < 3; c++ {
				q.Pix[(c*h+y)*w+x] = p.Pix[(c*p.H+v)*p.W+u]
			}
			if p.Alpha != nil {
				q.Alpha[y*w+x] = p.Alpha[v*p.W+u]
			}
		}
	}
	return q
}

func TestOrientations(t *testing.T) {
	r := newRand()
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			// PNG with eXIf, where all values must be equal, alpha too.
			p := random(r, 13, 6, 16, false, true)
			b := encode(t, asStored(p, o), PNG, 0)
			withChunk := append(append(bytes.Clone(b[:33]),
				pngChunk("eXIf", exif(order, uint16(o)))...), b[33:]...)
			q := decode(t, withChunk)
			if q.W != 13 || q.H != 6 || !equalFloats(p.Pix, q.Pix) ||
				!equalFloats(p.Alpha, q.Alpha) {
				t.Errorf("PNG, orientation %d: not the right way up (%d×%d)", o, q.W, q.H)
			}
			// JPEG: equal to the decoded stored picture, turned.
			j := smooth(40, 24, false)
			plain := encode(t, asStored(j, o), JPEG, 90)
			q = decode(t, withExif(plain, exif(order, uint16(o))))
			if q.W != 40 || q.H != 24 {
				t.Fatalf("JPEG, orientation %d: %d×%d", o, q.W, q.H)
			}
			worst := float32(0)
			for i := range j.Pix {
				worst = max(worst, q.Pix[i]-j.Pix[i], j.Pix[i]-q.Pix[i])
			}
			if worst > 0.1 {
				t.Errorf("JPEG, orientation %d: off by %g", o, worst)
			}
			// Header is called before the pixels are read, also for a truncated file, but not for a
			// refused one.
			var told [2]int
			lim := Limits{Header: func(p *Picture) { told = [2]int{p.W, p.H} }}
			if _, err := Decode(bytes.NewReader(withChunk[:len(withChunk)-40]), lim); err == nil ||
				told != [2]int{13, 6} {
				t.Errorf("PNG, orientation %d, cut: told of %v, %v", o, told, err)
			}
			told, lim.MaxPixels = [2]int{}, 50
			if _, err := Decode(bytes.NewReader(withChunk), lim); err == nil || told != [2]int{} {
				t.Errorf("too large: told of %v, %v", told, err)
			}
		}
	}
}

func TestOddExif(t *testing.T) {
	good := exif(binary.LittleEndian, 6)
	if exifOrientation(good) != 6 {
		t.Fatal("good EXIF not understood")
	}
	for n := range good { // any part: no crash, and the value only if all of it is there
		if o := exifOrientation(good[:n]); o != 0 && o != 6 {
			t.Errorf("%d bytes give %d", n, o)
		}
	}
	for _, v := range []uint16{0, 9, 65535} {
		if o := exifOrientation(exif(binary.BigEndian, v)); o != 0 {
			t.Errorf("%d taken as %d", v, o)
		}
	}
	r := newRand()
	for i := 0; i < 3000; i++ {
		c := bytes.Clone(good)
		c[r.IntN(len(c))] = byte(r.Uint32())
		exifOrientation(c)
	}
}

// profile makes bytes that are accepted as an ICC profile.
func profile(r *rand.Rand, space string, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	binary.BigEndian.PutUint32(b, uint32(size))
	copy(b[16:], space)
	copy(b[36:], "acsp")
	return b
}

func TestProfileIsCarried(t *testing.T) {
	r := newRand()
	for _, gray := range []bool{false, true} {
		for _, alpha := range []bool{false, true} {
			for _, size := range []int{200, 70000, 300000} { // one, two and five segments of JPEG
				p := random(r, 11, 7, 8, gray, alpha)
				p.ICC = profile(r, "RGB ", size)
				if gray {
					p.ICC = profile(r, "GRAY", size)
				}
				formats := []Format{PNG}
				if !alpha {
					formats = append(formats, JPEG)
				}
				for _, f := range formats {
					q := decode(t, encode(t, p, f, 0))
					if !bytes.Equal(q.ICC, p.ICC) {
						t.Errorf("%v gray %v alpha %v: a profile of %d bytes came back with %d", f,
							gray, alpha, size, len(q.ICC))
					}
					if f == PNG && !equalFloats(p.Pix, q.Pix) {
						t.Error("the profile harmed the pixels")
					}
				}
			}
		}
	}
}

func TestProfileThatDoesNotFitIsDropped(t *testing.T) {
	r := newRand()
	cut := profile(r, "RGB ", 500)
	for name, icc := range map[string][]byte{
		"grey profile on colour": profile(r, "GRAY", 500), "CMYK": profile(r, "CMYK", 500),
		"cut off": cut[:400], "tiny": cut[:20],
	} {
		p := random(r, 4, 4, 8, false, false)
		p.ICC = icc
		for _, f := range []Format{PNG, JPEG} {
			if b := encode(t, p, f, 0); bytes.Contains(b, []byte("iCCP")) ||
				bytes.Contains(b, []byte("ICC_PROFILE")) {
				t.Errorf("%s was written to %v", name, f)
			}
		}
	}
	// A JPEG with a part missing: the picture is read, the profile is not.
	p := random(r, 4, 4, 8, false, false)
	p.ICC = profile(r, "RGB ", 70000)
	b := encode(t, p, JPEG, 0)
	i := bytes.Index(b, []byte("ICC_PROFILE\x00\x01\x02"))
	b[i+12] = 7
	if q := decode(t, b); q.ICC != nil {
		t.Error("a profile with a part missing was taken")
	}
}

func TestMask(t *testing.T) {
	r := newRand()
	missing := make([]bool, 12*5)
	for i := range missing {
		missing[i] = r.IntN(2) == 0
	}
	for _, f := range []Format{PNG, JPEG} {
		p := decode(t, encode(t, FromMask(missing, 12, 5), f, 0))
		got, err := p.Mask(12, 5)
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for i := range got {
			if got[i] != missing[i] {
				wrong++
			}
		}
		if wrong > 0 {
			t.Errorf("%v: %d of %d pixels of the mask changed", f, wrong, len(missing))
		}
	}
	_, err := FromMask(make([]bool, 200), 10, 20).Mask(30, 40)
	if err == nil || err.Error() != "mask is 10×20 but picture is 30×40" {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	if err := EncodeFile(dir+"/m.png", FromMask(make([]bool, 200), 10, 20), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeMaskFile(dir+"/m.png", 30, 40, Limits{}); err == nil ||
		!strings.HasSuffix(err.Error(), "m.png: mask is 10×20 but picture is 30×40") {
		t.Errorf("got %v", err)
	}
	// Half transparent white is not white enough, and 128 of 255 is.
	p := New(2, 1, []float32{1, level8(128), 1, level8(128), 1, level8(128)})
	p.Alpha = []float32{0.4, 1}
	if m, _ := p.Mask(2, 1); m[0] || !m[1] {
		t.Errorf("threshold: %v", m)
	}
}

func TestStdMap(t *testing.T) {
	// In 8-bit levels: 0, 1, 10 in all channels; 30 in one channel only, so 30/√3 in the mean; 100,
	// which is beyond white.
	levels8 := []float32{0, 1, 10, 30, 100}
	std := make([]float32, 15)
	for i, l := range levels8 {
		for c := 0; c < 3; c++ {
			if l != 30 || c == 1 {
				std[c*5+i] = l / 127.5
			}
		}
	}
	var b bytes.Buffer
	if err := Encode(&b, FromStd(std, 5, 1), PNG, 0); err != nil {
		t.Fatal(err)
	}
	p := decode(t, b.Bytes())
	if !p.Gray || p.Depth != 16 {
		t.Fatalf("gray %v depth %d", p.Gray, p.Depth)
	}
	want := []int{0, 1028, 10280, 17805, 65535}
	for i, v := range levels(p.Pix[:5], 16) {
		if v < want[i]-1 || v > want[i]+1 {
			t.Errorf("std %g is stored as %d, want %d", levels8[i], v, want[i])
		}
	}
}

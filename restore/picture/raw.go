package picture

import (
	"path/filepath"
	"slices"
	"strings"
)

// Camera raw files of most makers are TIFF inside, in which a thumbnail or a preview stands first and the sensor's values elsewhere.

const (
	tagNewSubfile  = 0x00fe
	tagCompression = 0x0103
	tagMake        = 0x010f
	tagDNGVersion  = 0xc612
	tagCR2Slice    = 0xc640

	photometricCFA       = 32803
	photometricLinearRaw = 34892

	maxDirectories = 64

	rawDNG = "DNG"
)

// rawCompressions are those that only raw files have: Nikon's, Sony's, Samsung's, Pentax's, Kodak's and DNG's lossy JPEG.
var rawCompressions = map[int64]bool{34713: true, 32767: true, 32769: true, 32770: true, 65535: true, 65000: true, 262: true, 34892: true}

// rawKind names the kind of raw file that a TIFF is; "" if it is none.
func rawKind(b []byte) string {
	first, ok := firstDirectory(b)
	if !ok {
		return ""
	}
	if at, _, _ := first.find(tagDNGVersion); at != 0 {
		return rawDNG
	}
	if len(b) >= 10 && string(b[8:10]) == "CR" {
		return "CR2"
	}
	if len(b) >= 16 && (string(b[8:16]) == "IIIITwaR" || string(b[8:16]) == "MMMMRawT") {
		return "IIQ"
	}
	raw := false
	for _, d := range allDirectories(first) {
		v, _ := d.number(tagPhotometric)
		c, _ := d.number(tagCompression)
		slice, _, _ := d.find(tagCR2Slice)
		raw = raw || v == photometricCFA || v == photometricLinearRaw || rawCompressions[c] || slice != 0
	}
	if !raw {
		return ""
	}
	maker := strings.ToUpper(string(first.bytes(tagMake)))
	for _, x := range [][2]string{{"NIKON", "NEF"}, {"SONY", "ARW"}, {"PENTAX", "PEF"}, {"SAMSUNG", "SRW"}, {"CANON", "CR2"}, {"HASSELBLAD", "3FR"}, {"KODAK", "DCR"}, {"EPSON", "ERF"}, {"SEIKO EPSON", "ERF"}, {"LEAF", "MOS"}, {"MAMIYA", "MEF"}} {
		if strings.HasPrefix(maker, x[0]) {
			return x[1]
		}
	}
	return "of a sensor's values"
}

// rawEndings are those of camera raw files that are TIFF inside, and in which nothing else may
// tell: the sensor's values can stand in the maker's notes.
var rawEndings = []string{".dng", ".nef", ".nrw", ".cr2", ".arw", ".srf", ".sr2", ".pef", ".srw", ".3fr", ".fff", ".iiq", ".erf", ".mef", ".mos", ".dcr", ".kdc", ".rwl", ".gpr"}

// rawName tells whether a name ends like that of a raw file that is TIFF inside.
func rawName(path string) bool {
	return slices.Contains(rawEndings, strings.ToLower(filepath.Ext(path)))
}

// allDirectories are the first, those that follow it, and those below, at most maxDirectories.
func allDirectories(first directory) []directory {
	all := []directory{first}
	seen := map[int64]bool{first.at: true}
	add := func(at int64) {
		if at == 0 || seen[at] || len(all) >= maxDirectories {
			return
		}
		seen[at] = true
		if d, ok := readDirectory(first.b, first.order, at); ok && len(d.entries) <= 512 {
			all = append(all, d)
		}
	}
	for i := 0; i < len(all); i++ {
		d := all[i]
		if d.next != 0 {
			add(int64(d.order.Uint32(d.b[d.next:])))
		}
		for _, at := range d.numbers(tagSubDirs, maxDirectories) {
			add(at)
		}
	}
	return all
}

// numbers are the values of an entry of short or long numbers, at most so many; a type that holds offsets of directories counts too. nil if they are not there.
func (d directory) numbers(tag uint16, most int) (v []int64) {
	e, kind, count := d.find(tag)
	if e == 0 || kind != typeShort && kind != typeLong && kind != 13 {
		return nil
	}
	from, _, ok := d.value(e)
	if !ok {
		return nil
	}
	size := elementSize(kind)
	for i := int64(0); i < min(count, int64(most)); i++ {
		if at := from + i*size; size == 2 {
			v = append(v, int64(d.order.Uint16(d.b[at:])))
		} else {
			v = append(v, int64(d.order.Uint32(d.b[at:])))
		}
	}
	return v
}

// largerElsewhere tells whether the first directory says of itself that it is a reduction of another that is larger.
func largerElsewhere(b []byte) bool {
	first, ok := firstDirectory(b)
	if !ok {
		return false
	}
	if v, _ := first.number(tagNewSubfile); v&1 == 0 {
		return false
	}
	w, _ := first.number(tagImageWidth)
	h, _ := first.number(tagImageLength)
	for _, d := range allDirectories(first)[1:] {
		w2, _ := d.number(tagImageWidth)
		h2, _ := d.number(tagImageLength)
		if w2 > w && h2 > h {
			return true
		}
	}
	return false
}

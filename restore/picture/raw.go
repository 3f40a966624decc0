package picture

import (
	"path/filepath"
	"slices"
	"strings"
)

// Camera raw files of most makers are TIFF files in which the first directory is a thumbnail or a
// preview, and another holds the sensor's values.

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

// rawCompressions are the compression methods that only raw files have: of Nikon, Sony, Samsung,
// Pentax and Kodak, and DNG's lossy JPEG.
var rawCompressions = map[int64]bool{34713: true, 32767: true, 32769: true, 32770: true,
	65535: true, 65000: true, 262: true, 34892: true}

// rawKind names the kind of raw file, or gives "" if the file is not raw.
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
		raw = raw || v == photometricCFA || v == photometricLinearRaw || rawCompressions[c] ||
			slice != 0
	}
	if !raw {
		return ""
	}
	maker := strings.ToUpper(string(first.bytes(tagMake)))
	for _, x := range [][2]string{{"NIKON", "NEF"}, {"SONY", "ARW"}, {"PENTAX", "PEF"},
		{"SAMSUNG", "SRW"}, {"CANON", "CR2"}, {"HASSELBLAD", "3FR"}, {"KODAK", "DCR"},
		{"EPSON", "ERF"}, {"SEIKO EPSON", "ERF"}, {"LEAF", "MOS"}, {"MAMIYA", "MEF"}} {
		if strings.HasPrefix(maker, x[0]) {
			return x[1]
		}
	}
	return "of a sensor's values"
}

// rawEndings are the extensions of camera raw files that are TIFF files. Some cannot be recognised
// otherwise, because the sensor's values are in the maker's notes.
var rawEndings = []string{".dng", ".nef", ".nrw", ".cr2", ".arw", ".srf", ".sr2", ".pef", ".srw",
	".3fr", ".fff", ".iiq", ".erf", ".mef", ".mos", ".dcr", ".kdc", ".rwl", ".gpr"}

// rawName tells whether a file name has such an extension.
func rawName(path string) bool {
	return slices.Contains(rawEndings, strings.ToLower(filepath.Ext(path)))
}

// allDirectories gives the first directory, those that follow it, and those below them, at most
// maxDirectories.
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

// numbers gives at most `most` values of an entry of short or long numbers or offsets of
// directories. It gives nil if there is no such entry, or if the file does not hold its values.
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

// largerElsewhere tells whether the first directory is marked as a reduced version of a larger
// picture in the file.
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

package picture

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// Format is a file format of pictures.
type Format int

const (
	PNG Format = iota
	JPEG
	TIFF
	WebP // read only
	DNG  // read only, if Limits.Raw is set
)

func (f Format) String() string {
	switch f {
	case PNG:
		return "PNG"
	case JPEG:
		return "JPEG"
	case TIFF:
		return "TIFF"
	case WebP:
		return "WebP"
	case DNG:
		return "DNG"
	}
	return fmt.Sprintf("Format(%d)", int(f))
}

// FormatError says that a format is not supported or cannot hold the picture.
type FormatError struct {
	Path string // "" if the picture did not come from a file
	What string
}

func (e *FormatError) Error() string {
	if e.Path == "" {
		return e.What
	}
	return e.Path + ": " + e.What
}

// FormatOf gives the format to write from the extension of a file name: .png, .jpg, .jpeg, .tif or
// .tiff, in upper or lower case. Others are a [*FormatError].
func FormatOf(path string) (Format, error) {
	ext := strings.ToLower(filepath.Ext(path))
	switch ext {
	case ".png":
		return PNG, nil
	case ".jpg", ".jpeg":
		return JPEG, nil
	case ".tif", ".tiff":
		return TIFF, nil
	case "":
		return 0, &FormatError{path, "a picture's name must end in .png, .jpg or .tif"}
	}
	return 0, &FormatError{path, fmt.Sprintf(
		"cannot write %s files; the name must end in .png, .jpg or .tif", ext)}
}

var signatures = []struct {
	offset int
	magic  string
	name   string
}{
	{0, "II+\x00", "BigTIFF"}, {0, "MM\x00+", "BigTIFF"}, {0, "#?RADIANCE", "Radiance HDR"},
	{0, "v/1\x01", "OpenEXR"},
	{0, "GIF8", "GIF"}, {0, "BM", "BMP"},
	{4, "ftypavif", "AVIF"}, {4, "ftypheic", "HEIC"}, {4, "ftypheix", "HEIC"},
	{4, "ftypmif1", "HEIC"}, {4, "ftypheim", "HEIC"}, {4, "ftypheis", "HEIC"},
	{4, "ftyphevc", "HEIC"}, {4, "ftyphevx", "HEIC"}, {4, "ftypmsf1", "HEIC"},
	{4, "ftypavis", "AVIF"},
	{0, "\xff\x0a", "JPEG XL"}, {4, "JXL \r\n", "JPEG XL"}, {4, "jP  \r\n", "JPEG 2000"},
	{0, "IIU\x00", "a camera raw file (RW2)"}, {0, "IIRO", "a camera raw file (ORF)"},
	{0, "IIRS", "a camera raw file (ORF)"}, {0, "MMOR", "a camera raw file (ORF)"},
	{0, "FUJIFILMCCD-RAW", "a camera raw file (RAF)"}, {4, "ftypcrx ", "a camera raw file (CR3)"},
	{0, "FOVb", "a camera raw file (X3F)"},
	{0, "\x00MRM", "a camera raw file (MRW)"},
	{0, "II\x1a\x00\x00\x00HEAPCCDR", "a camera raw file (CRW)"},
	{0, "8BPS", "Photoshop"}, {0, "%PDF", "PDF"}, {0, "P6", "PPM"}, {0, "P5", "PGM"},
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// sniff recognises the format by a file's first bytes. If the format is known but not supported, ok
// is false and name is its name.
func sniff(b []byte) (f Format, ok bool, name string) {
	if len(b) > 0 && bytes.HasPrefix([]byte(pngSignature), b[:min(len(b), 8)]) {
		return PNG, true, ""
	}
	if len(b) > 0 && bytes.HasPrefix([]byte("\xff\xd8\xff"), b[:min(len(b), 3)]) {
		return JPEG, true, ""
	}
	if len(b) >= 4 && (string(b[:4]) == "II*\x00" || string(b[:4]) == "MM\x00*") {
		return TIFF, true, ""
	}
	if len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" {
		return WebP, true, ""
	}
	for _, s := range signatures {
		if len(b) >= s.offset+len(s.magic) && string(b[s.offset:s.offset+len(s.magic)]) == s.magic {
			return 0, false, s.name
		}
	}
	return 0, false, ""
}

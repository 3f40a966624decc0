// Package weights reads and writes `.vfm` files: the parameters of a network, together with the
// metadata needed to use and to verify them.
//
// A `.vfm` file is exactly one zstd frame (RFC 8878) whose content is a safetensors file: eight
// bytes with the little-endian length of a JSON header, the header, and the bytes of the tensors,
// little-endian and row-major. `zstd -d < edge.vfm > edge.safetensors` makes a file that any
// safetensors reader can open. This package requires more than that format: all values are finite,
// the tensors follow each other without gaps in the order of their offsets, and the metadata has
// the required Key constants.
//
// The reader trusts nothing. It checks sizes against [Limits] before it allocates memory. If it
// rejects a file, the error is a [*FormatError] that says where in the file the problem is and what
// it is.
package weights

import (
	"fmt"
)

// Keys of [File.Meta] that this project uses. Other keys are kept unchanged.
const (
	KeyFormat  = "vfm.format"  // version of this format; written by Encode, checked by Decode
	KeyNetwork = "vfm.network" // name of the network, e.g. "edge"; required
	KeyConfig  = "vfm.config"  // hyper-parameters, a JSON object
	// KeyTasks holds the names of the tasks that the network was trained for, separated by commas,
	// in the order of the one-hot task vector. An empty name is an unused element of the vector.
	KeyTasks      = "vfm.tasks"
	KeyProvenance = "vfm.provenance" // how it was trained and on what, a JSON object
	KeySHA256     = "vfm.sha256"     // hex SHA-256 of the tensor bytes; set by Encode, checked by Decode
)

// FormatVersion is the value of [KeyFormat] that this package writes and reads.
const FormatVersion = "1"

// DType is how the numbers of a tensor are stored in the file. In memory they are always float32.
type DType int

const (
	F32 DType = iota // IEEE 754 binary32
	F16              // IEEE 754 binary16, rounded to nearest even when written
	I8               // integers times a scale for each index of the last axis; see int8.go
)

// String returns the safetensors name of the type.
func (d DType) String() string {
	switch d {
	case F32:
		return "F32"
	case F16:
		return "F16"
	case I8:
		return "I8"
	}
	return fmt.Sprintf("DType(%d)", int(d))
}

// Size returns the bytes of one stored value, or 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case F32:
		return 4
	case F16:
		return 2
	case I8:
		return 1
	}
	return 0
}

// Tensor is a named parameter.
type Tensor struct {
	Name  string
	Shape []int     // every axis ≥ 1; no axes: a scalar
	DType DType     // how the file stores it
	Data  []float32 // row-major; as many values as the product of Shape, all finite
}

// File is the content of a `.vfm` file. Decode returns the tensors in the order of their offsets in
// the file. Encode writes wider types first, then sorts by name.
type File struct {
	Meta    map[string]string
	Tensors []Tensor
}

// Find returns the tensor with the given name, or nil.
func (f *File) Find(name string) *Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}

// Params returns the values of all tensors by name. The slices are shared with f, not copied.
func (f *File) Params() map[string][]float32 {
	m := make(map[string][]float32, len(f.Tensors))
	for i := range f.Tensors {
		m[f.Tensors[i].Name] = f.Tensors[i].Data
	}
	return m
}

// Limits limit what Decode holds in memory. A zero field means its default.
type Limits struct {
	MaxPacked int64 // bytes of the file as stored; default MaxFile
	// MaxBytes is the limit for the bytes after decompression. The default is MaxFile, but no more
	// than trained weights unpack to (see maxUnpacked).
	MaxBytes   int64
	MaxHeader  int64 // bytes of the JSON header; default 4 MiB
	MaxTensors int   // number of tensors; default 65536
}

// MaxFile is the default limit for the bytes of a weights file, before and after decompression.
const MaxFile = 256 << 20

// maxUnpacked returns how many bytes a weights file of the given size may plausibly hold. Trained
// numbers can hardly be compressed, and zeros (of layers or moments that are not trained yet) are
// never most of a file. A small file that claims to hold much was made to waste time and memory.
func maxUnpacked(packed int64) int64 { return 16<<20 + 32*packed }

// withDefaults fills in the fields that are not set, for a file of the given size.
func (l Limits) withDefaults(packed int64) Limits {
	if l.MaxPacked <= 0 {
		l.MaxPacked = MaxFile
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = min(MaxFile, maxUnpacked(packed))
	}
	if l.MaxHeader <= 0 {
		l.MaxHeader = 4 << 20
	}
	if l.MaxTensors <= 0 {
		l.MaxTensors = 1 << 16
	}
	return l
}

// FormatError says that bytes are not a weights file that this package accepts, or that a File
// cannot be stored.
type FormatError struct {
	Where string // where the problem is: "zstd frame", "header", "tensor \"flow/in\"", …
	What  string // what the problem is
	Err   error  // the underlying error, may be nil
}

func (e *FormatError) Error() string {
	s := "unreadable weights: " + e.Where + ": " + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *FormatError) Unwrap() error { return e.Err }

func bad(where, format string, args ...any) error {
	return &FormatError{Where: where, What: fmt.Sprintf(format, args...)}
}

// elements returns the product of a shape. It fails if an axis is not positive or the product
// exceeds limit.
func elements(shape []int, limit int64) (int64, error) {
	if len(shape) > 16 {
		return 0, fmt.Errorf("%d axes are more than the 16 allowed", len(shape))
	}
	n := int64(1)
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("axis of size %d in shape %v", d, shape)
		}
		if int64(d) > limit/n {
			return 0, fmt.Errorf("shape %v is larger than %d values", shape, limit)
		}
		n *= int64(d)
	}
	return n, nil
}

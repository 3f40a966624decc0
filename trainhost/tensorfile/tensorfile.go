// Package tensorfile reads tensors from the files of other programs: safetensors, and the zip files
// that PyTorch's torch.save writes. It runs nothing that a file contains. Sizes are checked before
// memory is taken, and values are read only when they are requested.
package tensorfile

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/vfmrestore/restore/internal/memory"
)

// DType is the type of a tensor's elements, named as in safetensors.
type DType string

// The types whose values can be read. Tensors of other types can only be listed.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// size returns the bytes of an element, or 0 for types without values here.
func (d DType) size() int64 {
	switch d {
	case F64:
		return 8
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

// Tensor is a tensor of a file.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // no axes: a single number

	data    span  // where the elements begin, and the bytes to which they may extend
	strides []int // in elements; nil: row-major without gaps
}

// span is a part of the file.
type span struct{ off, size int64 }

// File is an open file of tensors. It is safe for concurrent use.
type File struct {
	// Format is "safetensors" or "PyTorch".
	Format string
	// Tensors are sorted by name. The names of tensors in nested dictionaries are joined by dots,
	// as in "ema.blocks.0.attn.qkv.weight".
	Tensors []*Tensor

	r     io.ReaderAt
	zip   *zip.Reader // of PyTorch's files
	close func() error
}

// Error reports a file that is damaged, is not of a known format, or exceeds a limit.
type Error struct {
	Where, What string
	Err         error // may be nil
}

func (e *Error) Error() string {
	s := e.Where + ": " + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func bad(where, format string, a ...any) error {
	return &Error{Where: where, What: fmt.Sprintf(format, a...)}
}

// Limits of what a file may contain.
const (
	maxTensors = 1 << 16
	maxAxes    = 8
	maxHeader  = 32 << 20 // bytes of safetensors' header and of PyTorch's pickle
)

// Open opens the file at path. Its errors name the path. The caller closes the File.
func Open(path string) (*File, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a regular file", path) // opening a pipe would wait for a writer
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err // it names the path
	}
	st, err := in.Stat()
	if err == nil {
		var f *File
		if f, err = New(in, st.Size()); err == nil {
			f.close = in.Close
			return f, nil
		}
	}
	in.Close()
	return nil, fmt.Errorf("%s: %w", path, err)
}

// New reads the list of tensors from a file of the given size in bytes. r must stay valid as long
// as values are read. Errors are an *Error, or those of r.
func New(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, 16))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	f := &File{r: r, close: func() error { return nil }}
	var err error
	switch {
	case len(head) > 4 && string(head[:4]) == "PK\x03\x04":
		f.Format = "PyTorch"
		if f.zip, err = zip.NewReader(r, size); err != nil {
			return nil, &Error{Where: "zip file", What: "it cannot be read", Err: err}
		}
		f.Tensors, err = readZip(f.zip, r)
	case len(head) > 8 && head[8] == '{':
		f.Format = "safetensors"
		f.Tensors, err = readSafetensors(r, size)
	case len(head) > 1 && head[0] == 0x80 && head[1] <= 5:
		return nil, bad("file", "it is a pickle, PyTorch's format before version 1.6; load it there and save it again with torch.save, or as safetensors")
	default:
		return nil, bad("file", "it is neither a safetensors file nor a checkpoint of PyTorch")
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(f.Tensors, func(a, b *Tensor) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return f, nil
}

// Check reads the whole file and compares it with its checksums, if it has any.
func (f *File) Check() error {
	if f.zip == nil {
		return nil
	}
	return check(f.zip)
}

// Close closes the file that Open opened.
func (f *File) Close() error { return f.close() }

// elements returns the number of elements of a shape, or an error if there are more than limit.
func elements(shape []int, limit int64) (int64, error) {
	if len(shape) > maxAxes {
		return 0, fmt.Errorf("%d axes, at most %d are read", len(shape), maxAxes)
	}
	n := int64(1)
	for _, s := range shape {
		if s < 0 {
			return 0, fmt.Errorf("axis of size %d", s)
		}
		if s > 0 && n > limit/int64(s) {
			return 0, fmt.Errorf("shape %v has more than %d elements", shape, limit)
		}
		n *= int64(s)
	}
	return n, nil
}

// Values reads a tensor of f, in row-major order and as float32. It fails for types that are not
// floating-point, and if there is not enough memory.
func (f *File) Values(t *Tensor) ([]float32, error) {
	where := fmt.Sprintf("tensor %q", t.Name)
	width := t.DType.size()
	if width == 0 {
		return nil, bad(where, "type %s is not a floating-point type that this program reads (F64, F32, F16, BF16)", t.DType)
	}
	n, err := elements(t.Shape, math.MaxInt32)
	if err != nil {
		return nil, &Error{Where: where, What: "bad shape", Err: err}
	}
	need := n // elements that are read
	if t.strides != nil {
		need = 1
		for i, s := range t.Shape {
			need += int64(s-1) * int64(t.strides[i])
		}
		if n == 0 {
			need = 0
		}
	}
	if need < 0 || need > t.data.size/width {
		return nil, bad(where, "it has elements outside of its data of %d bytes", t.data.size)
	}
	if err := memory.Check("reading "+where, memory.Sum(memory.Bytes(int(need), int(width)), memory.Bytes(int(n), 4))); err != nil {
		return nil, err
	}
	raw := make([]byte, need*width)
	if _, err := io.ReadFull(io.NewSectionReader(f.r, t.data.off, need*width), raw); err != nil {
		return nil, &Error{Where: where, What: "its data cannot be read", Err: err}
	}
	out := make([]float32, n)
	at := func(i int64) float32 { return value(raw[i*width:], t.DType) }
	if t.strides == nil {
		for i := range out {
			out[i] = at(int64(i))
		}
		return out, nil
	}
	index := make([]int, len(t.Shape))
	from := int64(0)
	for i := range out {
		out[i] = at(from)
		for a := len(index) - 1; a >= 0; a-- {
			index[a]++
			from += int64(t.strides[a])
			if index[a] < t.Shape[a] {
				break
			}
			from -= int64(index[a]) * int64(t.strides[a])
			index[a] = 0
		}
	}
	return out, nil
}

// value converts the element at the beginning of b.
func value(b []byte, d DType) float32 {
	switch d {
	case F64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case F16:
		return half(binary.LittleEndian.Uint16(b))
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b))
}

// half converts an IEEE 754 binary16 number.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, int(h>>10&31), uint32(h&1023)
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case 0:
		v := float32(math.Ldexp(float64(frac), -24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
	return math.Float32frombits(sign | uint32(exp+112)<<23 | frac<<13)
}

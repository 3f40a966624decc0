package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/internal/memory"
)

// Decode reads the bytes of a `.vfm` file, or of the safetensors file inside of one. If they are
// not a complete, valid and undamaged file, it fails with a [*FormatError].
func Decode(packed []byte, lim Limits) (*File, error) {
	lim = lim.withDefaults(int64(len(packed)))
	if int64(len(packed)) > lim.MaxPacked {
		return nil, bad("file", "it is larger than the %d bytes allowed", lim.MaxPacked)
	}
	if isSafetensors(packed) {
		return decodePlain(bytes.NewReader(packed), lim)
	}
	if err := checkFrame(packed, lim.MaxBytes); err != nil {
		return nil, err
	}
	dec, err := decompress(bytes.NewReader(packed), lim)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	return decodePlain(dec, lim)
}

// decompress opens a zstd frame. The decoder uses one goroutine, and a window no larger than the
// allowed content: a frame cannot make it allocate more, whatever its header says.
func decompress(packed io.Reader, lim Limits) (*zstd.Decoder, error) {
	dec, err := zstd.NewReader(packed,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(lim.MaxBytes)),
		zstd.WithDecoderMaxWindow(uint64(min(max(lim.MaxBytes, zstd.MinWindowSize), 128<<20))))
	if err != nil {
		return nil, &FormatError{Where: "zstd frame", What: "it cannot be opened", Err: err}
	}
	return dec, nil
}

// isSafetensors distinguishes a safetensors file, which begins with the length of its header and a
// brace, from a zstd frame.
func isSafetensors(b []byte) bool {
	return len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= uint64(len(b)-8)
}

// Read reads r to its end and decodes it. Errors of r are returned unchanged.
func Read(r io.Reader, lim Limits) (*File, error) {
	packed, err := io.ReadAll(io.LimitReader(r, lim.withDefaults(0).MaxPacked+1))
	if err != nil {
		return nil, err
	}
	return Decode(packed, lim)
}

// header is what stands before the tensor data of a safetensors file.
type header struct {
	meta    map[string]string
	entries []entry
	total   int64 // bytes of tensor data
}

// readHeader reads the header of a safetensors file and checks it.
func readHeader(r io.Reader, lim Limits) (*header, error) {
	var size [8]byte
	if err := readFull(r, size[:], "header length"); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > uint64(min(lim.MaxHeader, lim.MaxBytes)) {
		return nil, bad("header", "it says it is %d bytes long, more than the %d allowed", n, min(lim.MaxHeader, lim.MaxBytes))
	}
	head := make([]byte, n)
	if err := readFull(r, head, "header"); err != nil {
		return nil, err
	}
	meta, entries, total, err := parseHeader(head, lim)
	if err != nil {
		return nil, err
	}
	if total > lim.MaxBytes-8-int64(n) {
		return nil, bad("tensor data", "header and tensors take %d bytes, more than the %d allowed", 8+int64(n)+total, lim.MaxBytes)
	}
	switch {
	case meta[KeyFormat] == "":
		return nil, bad("metadata", "%s is missing: this was not written as a .vfm file", KeyFormat)
	case meta[KeyFormat] != FormatVersion:
		return nil, bad("metadata", "format version %q is not the %q that this program reads; a newer program may", meta[KeyFormat], FormatVersion)
	}
	return &header{meta, entries, total}, checkMeta(meta)
}

// decodePlain reads a safetensors file, which must end exactly where its header says.
func decodePlain(r io.Reader, lim Limits) (*File, error) {
	h, err := readHeader(r, lim)
	if err != nil {
		return nil, err
	}
	meta, entries, total := h.meta, h.entries, h.total
	if err := memory.Check("reading the weights", total+floats(entries)); err != nil {
		return nil, err
	}
	data := make([]byte, total)
	if err := readFull(r, data, "tensor data"); err != nil {
		return nil, err
	}
	// Reading past the end also makes the zstd decoder verify its own checksum.
	if k, err := io.ReadFull(r, make([]byte, 1)); k != 0 {
		return nil, bad("tensor data", "bytes follow the last tensor")
	} else if err != io.EOF {
		return nil, &FormatError{Where: "zstd frame", What: "it is damaged", Err: err}
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != meta[KeySHA256] {
		return nil, bad("tensor data", "the checksum is %s, but %s says %q: the file is damaged", got, KeySHA256, meta[KeySHA256])
	}
	f := &File{Meta: meta, Tensors: make([]Tensor, len(entries))}
	quantised := map[string][]byte{}
	for i, e := range entries {
		if e.dtype == I8 {
			f.Tensors[i] = Tensor{Name: e.name, Shape: e.shape, DType: I8}
			quantised[e.name] = data[e.from:e.to]
			continue
		}
		f.Tensors[i] = Tensor{Name: e.name, Shape: e.shape, DType: e.dtype, Data: values(data[e.from:e.to], e.dtype)}
		if k := finite.FirstNot(f.Tensors[i].Data); k >= 0 {
			return nil, bad(tensorPlace(e.name), "value at index %d is %v, not a finite number", k, f.Tensors[i].Data[k])
		}
	}
	if len(quantised) > 0 {
		if f.Tensors, err = withScales(f.Tensors, quantised); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// floats returns how many bytes the tensors take as float32.
func floats(entries []entry) (n int64) {
	for _, e := range entries {
		n += (e.to - e.from) / int64(e.dtype.Size()) * 4
	}
	return n
}

func values(b []byte, d DType) []float32 {
	out := make([]float32, len(b)/d.Size())
	for i := range out {
		if d == F16 {
			out[i] = halfValue(binary.LittleEndian.Uint16(b[2*i:]))
		} else {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	}
	return out
}

func readFull(r io.Reader, p []byte, where string) error {
	n, err := io.ReadFull(r, p)
	switch err {
	case nil:
		return nil
	case io.EOF, io.ErrUnexpectedEOF:
		return bad(where, "it ends after %d of %d bytes", n, len(p))
	}
	return &FormatError{Where: where, What: fmt.Sprintf("the file is damaged after %d of %d bytes", n, len(p)), Err: err}
}

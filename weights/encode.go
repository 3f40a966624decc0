package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"sort"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/vfmrestore/restore/internal/finite"
)

// Encode writes f as a `.vfm` file. Each tensor is stored with its DType. Equal Files give equal
// bytes. Encode fails with a [*FormatError] if f is not valid: names that are empty, repeated or
// not UTF-8; shapes that do not match the data; values that are not finite, or too large for F16;
// KeyNetwork missing; KeyConfig or KeyProvenance not JSON. Encode sets KeyFormat and KeySHA256 in
// the file; it does not change f.
func Encode(w io.Writer, f *File) error {
	plain, err := safetensors(f)
	if err != nil {
		return err
	}
	enc, err := zstd.NewWriter(w,
		zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(true))
	if err != nil {
		return err
	}
	if _, err := enc.Write(plain); err != nil {
		enc.Close()
		return err
	}
	return enc.Close()
}

type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// safetensors returns the content of the zstd frame: header length, header padded to a multiple of
// eight bytes, tensor bytes.
func safetensors(f *File) ([]byte, error) {
	if err := validate(f); err != nil {
		return nil, err
	}
	var order []*Tensor
	scales := map[string][]float32{}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		order = append(order, t)
		if t.DType == I8 {
			s := scalesOf(t)
			order = append(order, s)
			scales[t.Name] = s.Data
		}
	}
	// Wider types first: every tensor is then aligned to the size of its type.
	sort.Slice(order, func(i, j int) bool {
		if a, b := order[i].DType.Size(), order[j].DType.Size(); a != b {
			return a > b
		}
		return order[i].Name < order[j].Name
	})
	var data []byte
	header := map[string]any{}
	for _, t := range order {
		from := int64(len(data))
		var err error
		if t.DType == I8 {
			data = quantise(data, t, scales[t.Name])
		} else if data, err = appendTensor(data, t); err != nil {
			return nil, err
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		header[t.Name] = tensorEntry{t.DType.String(), shape, [2]int64{from, int64(len(data))}}
	}
	sum := sha256.Sum256(data)
	meta := map[string]string{}
	for k, v := range f.Meta {
		meta[k] = v
	}
	meta[KeyFormat] = FormatVersion
	meta[KeySHA256] = hex.EncodeToString(sum[:])
	header[metadataKey] = meta
	head, err := json.Marshal(header) // sorts the keys, so equal Files give equal bytes
	if err != nil {
		return nil, err
	}
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	var out bytes.Buffer
	out.Grow(8 + len(head) + len(data))
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(head)))
	out.Write(size[:])
	out.Write(head)
	out.Write(data)
	return out.Bytes(), nil
}

func appendTensor(data []byte, t *Tensor) ([]byte, error) {
	switch t.DType {
	case F32:
		for _, x := range t.Data {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	case F16:
		for i, x := range t.Data {
			h, ok := halfBits(x)
			if !ok {
				return nil, bad(tensorPlace(t.Name), "value %g at index %d is too large for F16 (at most 65504); store this tensor as F32", x, i)
			}
			data = binary.LittleEndian.AppendUint16(data, h)
		}
	}
	return data, nil
}

func validate(f *File) error {
	seen := map[string]bool{}
	for i := range f.Tensors {
		if t := &f.Tensors[i]; t.DType == I8 {
			seen[t.Name+scaleSuffix] = true
		}
	}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		where := tensorPlace(t.Name)
		switch {
		case t.Name == "" || t.Name == metadataKey || !utf8.ValidString(t.Name):
			return bad(where, "not a usable name")
		case seen[t.Name]:
			return bad(where, "there are two tensors of this name")
		case t.DType.Size() == 0:
			return bad(where, "unknown type %v", t.DType)
		}
		seen[t.Name] = true
		n, err := elements(t.Shape, math.MaxInt64/4)
		if err != nil {
			return &FormatError{Where: where, What: "bad shape", Err: err}
		}
		if n != int64(len(t.Data)) {
			return bad(where, "shape %v means %d values, but there are %d", t.Shape, n, len(t.Data))
		}
		if i := finite.FirstNot(t.Data); i >= 0 {
			return bad(where, "value at index %d is %v, not a finite number", i, t.Data[i])
		}
	}
	for k, v := range f.Meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return bad("metadata", "key or value of %q is not UTF-8", k)
		}
	}
	return checkMeta(f.Meta)
}

// checkMeta checks the metadata that both the writer and the reader require, besides the checksum.
func checkMeta(meta map[string]string) error {
	if meta[KeyNetwork] == "" {
		return bad("metadata", "%s, the name of the network, is missing", KeyNetwork)
	}
	for _, k := range []string{KeyConfig, KeyProvenance} {
		if v, ok := meta[k]; ok && !json.Valid([]byte(v)) {
			return bad("metadata", "%s is not JSON", k)
		}
	}
	return nil
}

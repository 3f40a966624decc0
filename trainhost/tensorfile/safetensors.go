package tensorfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// readSafetensors reads the header of a safetensors file: its length in 8 bytes, then a JSON object
// that gives the type, shape and place of every tensor.
func readSafetensors(r io.ReaderAt, size int64) ([]*Tensor, error) {
	var b [8]byte
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), b[:]); err != nil {
		return nil, &Error{Where: "header", What: "it cannot be read", Err: err}
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n > uint64(min(maxHeader, size-8)) {
		return nil, bad("header", "it says it is %d bytes long, more than the file's %d or the %d allowed", n, size, maxHeader)
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(r, 8, int64(n)), head); err != nil {
		return nil, &Error{Where: "header", What: "it cannot be read", Err: err}
	}
	d := json.NewDecoder(bytes.NewReader(head))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, bad("header", "it is not a JSON object")
	}
	var list []*Tensor
	seen := map[string]bool{}
	data := span{8 + int64(n), size - 8 - int64(n)}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, &Error{Where: "header", What: "bad JSON", Err: err}
		}
		name := key.(string) // keys of objects are strings, or Token fails
		if seen[name] {
			return nil, bad("header", "%q appears twice", name)
		}
		if seen[name] = true; len(seen) > maxTensors {
			return nil, bad("header", "more than %d tensors", maxTensors)
		}
		if name == "__metadata__" {
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return nil, &Error{Where: "metadata", What: "bad JSON", Err: err}
			}
			continue
		}
		t, err := safetensor(d, name, data)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	if _, err := d.Token(); err != nil {
		return nil, &Error{Where: "header", What: "bad JSON", Err: err}
	}
	return list, nil
}

func safetensor(d *json.Decoder, name string, data span) (*Tensor, error) {
	where := fmt.Sprintf("tensor %q", name)
	var e struct {
		DType   DType   `json:"dtype"`
		Shape   []int   `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&e); err != nil {
		return nil, &Error{Where: where, What: "bad JSON", Err: err}
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > data.size {
		return nil, bad(where, "data_offsets %v are not inside of the %d bytes of data", e.Offsets, data.size)
	}
	t := &Tensor{Name: name, DType: e.DType, Shape: e.Shape, data: span{data.off + e.Offsets[0], e.Offsets[1] - e.Offsets[0]}}
	n, err := elements(t.Shape, 1<<40)
	if err != nil {
		return nil, &Error{Where: where, What: "bad shape", Err: err}
	}
	if w := t.DType.size(); w > 0 && n*w != t.data.size {
		return nil, bad(where, "%s of shape %v takes %d bytes, but its offsets are %v", t.DType, t.Shape, n*w, e.Offsets)
	}
	return t, nil
}

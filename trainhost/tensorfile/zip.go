package tensorfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// readZip reads a file of torch.save: a zip file with a pickle, NAME/data.pkl, that describes the
// tensors, and their elements in NAME/data/KEY.
func readZip(z *zip.Reader, r io.ReaderAt) ([]*Tensor, error) {
	if len(z.File) > maxTensors {
		return nil, bad("zip file", "more than %d entries", maxTensors)
	}
	entries := map[string]*zip.File{}
	var pickles []string
	for _, e := range z.File {
		if entries[e.Name] != nil {
			return nil, bad("zip file", "there are two entries %q", e.Name)
		}
		entries[e.Name] = e
		if path.Base(e.Name) == "data.pkl" {
			pickles = append(pickles, e.Name)
		}
	}
	if len(pickles) != 1 {
		return nil, bad("zip file", "it has %d entries data.pkl, a checkpoint of PyTorch has one", len(pickles))
	}
	folder := strings.TrimSuffix(pickles[0], "data.pkl")
	if e := entries[folder+"byteorder"]; e != nil {
		order, err := content(r, e, 16)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(bytes.TrimSpace(order), []byte("little")) {
			return nil, bad("zip file", "its byte order is %q, only little is read", order)
		}
	}
	code, err := content(r, entries[pickles[0]], maxHeader)
	if err != nil {
		return nil, err
	}
	root, err := unpickle(code)
	if err != nil {
		return nil, err
	}
	var list []*Tensor
	err = walk(root, func(name string, t *rawTensor) error {
		where := fmt.Sprintf("tensor %q", name)
		e := entries[folder+"data/"+t.storage.key]
		if e == nil {
			return bad(where, "its data, entry %q, is missing", folder+"data/"+t.storage.key)
		}
		at, err := place(e)
		if err != nil {
			return err
		}
		out := &Tensor{Name: name, DType: t.storage.dtype, Shape: t.shape, strides: t.strides, data: at}
		if w := t.storage.dtype.size(); w > 0 {
			if t.storage.elements > at.size/w || t.offset > at.size/w {
				return bad(where, "its data has %d bytes, less than the %d elements of %s that it should", at.size, t.storage.elements, t.storage.dtype)
			}
			out.data.off += t.offset * w
			out.data.size -= t.offset * w
		}
		if slices.Equal(t.strides, rowMajor(t.shape)) {
			out.strides = nil
		}
		list = append(list, out)
		return nil
	})
	return list, err
}

// place returns where the bytes of an entry are. Entries must not be compressed, as torch.save
// leaves them: so none can be larger than the file.
func place(e *zip.File) (span, error) {
	where := fmt.Sprintf("entry %q", e.Name)
	if e.Method != zip.Store {
		return span{}, bad(where, "it is compressed, which torch.save does not do")
	}
	off, err := e.DataOffset()
	if err != nil {
		return span{}, &Error{Where: where, What: "it cannot be read", Err: err}
	}
	if e.UncompressedSize64 != e.CompressedSize64 || e.UncompressedSize64 > 1<<50 {
		return span{}, bad(where, "its sizes contradict each other")
	}
	return span{off, int64(e.UncompressedSize64)}, nil
}

// content reads an entry of at most the given number of bytes.
func content(r io.ReaderAt, e *zip.File, most int64) ([]byte, error) {
	at, err := place(e)
	if err != nil {
		return nil, err
	}
	if at.size > most {
		return nil, bad(fmt.Sprintf("entry %q", e.Name), "it has %d bytes, more than the %d allowed", at.size, most)
	}
	b, err := io.ReadAll(io.NewSectionReader(r, at.off, at.size))
	if err == nil && int64(len(b)) < at.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, &Error{Where: fmt.Sprintf("entry %q", e.Name), What: "it cannot be read", Err: err}
	}
	return b, nil
}

// check reads every entry and compares it with its checksum.
func check(z *zip.Reader) error {
	for _, e := range z.File {
		where := fmt.Sprintf("entry %q", e.Name)
		in, err := e.Open()
		if err != nil {
			return &Error{Where: where, What: "it cannot be read", Err: err}
		}
		_, err = io.Copy(io.Discard, in)
		in.Close()
		if err != nil {
			return &Error{Where: where, What: "it is damaged", Err: err}
		}
	}
	return nil
}

func rowMajor(shape []int) []int {
	s, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

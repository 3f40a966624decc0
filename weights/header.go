package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"unicode/utf8"
)

const metadataKey = "__metadata__"

// entry is a tensor as described in the header.
type entry struct {
	name     string
	dtype    DType
	shape    []int
	from, to int64 // byte range in the tensor data
}

func tensorPlace(name string) string { return fmt.Sprintf("tensor %q", name) }

// parseHeader reads the JSON header strictly: no repeated keys, only the known fields, integers
// written as integers, and only spaces after the object. It returns the entries in the order of
// their offsets, and has checked that they fill the data from 0 to its end, total, without gap or
// overlap.
func parseHeader(head []byte, lim Limits) (meta map[string]string, entries []entry, total int64, err error) {
	if len(head) == 0 || head[0] != '{' {
		return nil, nil, 0, bad("header", "it does not begin with {")
	}
	if !utf8.Valid(head) {
		return nil, nil, 0, bad("header", "it is not UTF-8")
	}
	p := &parser{dec: json.NewDecoder(bytes.NewReader(head))}
	p.dec.UseNumber()
	err = p.object("header", func(key string) error {
		if key == metadataKey {
			meta = map[string]string{}
			return p.object("metadata", func(k string) error {
				v, err := p.text("metadata " + strconv.Quote(k))
				meta[k] = v
				return err
			})
		}
		if len(entries) == lim.MaxTensors {
			return bad("header", "more than %d tensors", lim.MaxTensors)
		}
		e, err := p.tensor(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, 0, err
	}
	if rest := bytes.Trim(head[p.dec.InputOffset():], " "); len(rest) != 0 {
		return nil, nil, 0, bad("header", "something follows the JSON object")
	}
	total, err = layout(entries, lim)
	return meta, entries, total, err
}

// layout sorts the entries by offset and checks that they have the right sizes and follow each
// other without gap or overlap.
func layout(entries []entry, lim Limits) (int64, error) {
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].from < entries[j].from })
	at := int64(0)
	for _, e := range entries {
		where := tensorPlace(e.name)
		n, err := elements(e.shape, lim.MaxBytes/int64(e.dtype.Size()))
		if err != nil {
			return 0, &FormatError{Where: where, What: "bad shape", Err: err}
		}
		switch size := n * int64(e.dtype.Size()); {
		case e.to < e.from || e.to-e.from != size:
			return 0, bad(where, "%v of shape %v takes %d bytes, but its offsets are %d to %d", e.dtype, e.shape, size, e.from, e.to)
		case e.from < at:
			return 0, bad(where, "it overlaps the tensor before it (starts at byte %d, which is before %d)", e.from, at)
		case e.from > at:
			return 0, bad(where, "there is a gap of %d bytes before it", e.from-at)
		case e.to > lim.MaxBytes:
			return 0, bad(where, "the tensors take more than the %d bytes allowed", lim.MaxBytes)
		}
		at = e.to
	}
	return at, nil
}

// parser reads the tokens of encoding/json. The structure of the document is fixed, so there is no
// recursion.
type parser struct{ dec *json.Decoder }

func (p *parser) token(where string) (json.Token, error) {
	t, err := p.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, &FormatError{Where: where, What: "bad JSON", Err: err}
	}
	return t, nil
}

func (p *parser) delim(where string, want json.Delim) error {
	t, err := p.token(where)
	if err != nil {
		return err
	}
	if t != want {
		return bad(where, "found %v where %v was expected", t, want)
	}
	return nil
}

func (p *parser) text(where string) (string, error) {
	t, err := p.token(where)
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", bad(where, "found %v where a string was expected", t)
	}
	return s, nil
}

// object calls field for every key. field must read the value.
func (p *parser) object(where string, field func(key string) error) error {
	if err := p.delim(where, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.text(where)
		if err != nil {
			return err
		}
		if seen[key] {
			return bad(where, "key %q appears twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	return p.delim(where, '}')
}

// integers reads an array of at most max non-negative integers.
func (p *parser) integers(where string, max int) ([]int64, error) {
	if err := p.delim(where, '['); err != nil {
		return nil, err
	}
	out := []int64{}
	for p.dec.More() {
		t, err := p.token(where)
		if err != nil {
			return nil, err
		}
		num, ok := t.(json.Number)
		if !ok {
			return nil, bad(where, "found %v where a whole number was expected", t)
		}
		v, err := strconv.ParseInt(num.String(), 10, 64)
		if err != nil || v < 0 {
			return nil, bad(where, "%s is not a whole number from 0 to 2⁶³−1", num)
		}
		if len(out) == max {
			return nil, bad(where, "more than %d numbers in a list", max)
		}
		out = append(out, v)
	}
	return out, p.delim(where, ']')
}

func (p *parser) tensor(name string) (entry, error) {
	e := entry{name: name, dtype: -1}
	where := tensorPlace(name)
	if name == "" {
		return e, bad(where, "a tensor without a name")
	}
	var offsets []int64
	err := p.object(where, func(key string) (err error) {
		switch key {
		case "dtype":
			var s string
			if s, err = p.text(where); err != nil {
				return err
			}
			switch s {
			case "F32":
				e.dtype = F32
			case "F16":
				e.dtype = F16
			case "I8":
				e.dtype = I8
			default:
				return bad(where, "type %q is not one that this program reads (F32, F16, I8)", s)
			}
		case "shape":
			var dims []int64
			if dims, err = p.integers(where, 16); err != nil {
				return err
			}
			e.shape = make([]int, len(dims))
			for i, d := range dims {
				if d > math.MaxInt32 {
					return bad(where, "axis of size %d", d)
				}
				e.shape[i] = int(d)
			}
		case "data_offsets":
			offsets, err = p.integers(where, 2)
		default:
			err = bad(where, "unknown field %q", key)
		}
		return err
	})
	switch {
	case err != nil:
	case e.dtype < 0:
		err = bad(where, "it has no dtype")
	case e.shape == nil:
		err = bad(where, "it has no shape")
	case len(offsets) != 2:
		err = bad(where, "it must have two data_offsets")
	default:
		e.from, e.to = offsets[0], offsets[1]
	}
	return e, err
}

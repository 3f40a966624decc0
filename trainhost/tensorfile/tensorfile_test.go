package tensorfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testdata/make.py wrote the files by Python's pickle and zipfile in the form of torch.save, with
// protocols 2 and 4: dictionaries in dictionaries, tensors that share a storage, a transposed and
// an expanded view, a parameter, three floating-point types, an optimiser's state and an
// argparse.Namespace.
func TestPyTorch(t *testing.T) {
	want := map[string][]float32{
		"model.w": {1, 2, 3, 4, 5, 6}, "model.wt": {1, 4, 2, 5, 3, 6}, "model.tail": {5, 6}, "model.half": {0.5, -2},
		"model.param": {2}, "model.expanded": {3, 4, 3, 4}, "ema.b": {1.5},
	}
	for _, name := range []string{"small.pt", "small4.pt"} {
		f, err := Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		var names []string
		for _, x := range f.Tensors {
			names = append(names, x.Name)
			v, err := f.Values(x)
			if x.Name == "opt.state.0.step" {
				if err == nil || x.DType != "I64" {
					t.Errorf("%s: integers were read: %v %v", name, x, v)
				}
				continue
			}
			if err != nil || !slices.Equal(v, want[x.Name]) {
				t.Errorf("%s: %s is %v, %v; want %v", name, x.Name, v, err, want[x.Name])
			}
		}
		if len(names) != len(want)+1 || !slices.IsSorted(names) {
			t.Errorf("%s: tensors %v", name, names)
		}
	}
}

func TestDamage(t *testing.T) {
	good, err := os.ReadFile("testdata/small.pt")
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(good, binary.LittleEndian.AppendUint32(nil, math.Float32bits(3)))
	broken := slices.Clone(good)
	broken[i] ^= 1
	f, err := New(bytes.NewReader(broken), int64(len(broken)))
	if err == nil {
		err = f.Check()
	}
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a flipped bit: %v", err)
	}
	for n := range len(good) {
		if _, err := New(bytes.NewReader(good[:n]), int64(n)); err == nil {
			t.Fatalf("the first %d bytes were read", n)
		}
	}
}

// pack returns a zip file as torch.save makes it.
func pack(t testing.TB, pickle string, data map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name, text string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("a/data.pkl", pickle)
	for k, v := range data {
		put("a/data/"+k, v)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensor is a pickle of one tensor of the given offset, shape and strides in a storage of n float32
// numbers under key 0.
func tensor(n, off, shape, strides string) string {
	return "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu" + n + "tQ" + off + shape + strides + "\x89N" + "tR."
}

func TestHostilePickles(t *testing.T) {
	four := strings.Repeat("\x00", 16)
	for name, c := range map[string]struct{ pickle, want string }{
		"a call":                {"\x80\x02cos\nsystem\nU\x02ls\x85R.", `names "os.system"`},
		"a call by the stack":   {"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.", `names "posix.system"`},
		"eval":                  {"\x80\x02c__builtin__\neval\nU\x011\x85R.", `names "__builtin__.eval"`},
		"an instance":           {"\x80\x02(ios\nsystem\n.", "not one that tensors need"},
		"an extension":          {"\x80\x02\x82\x01.", "not one that tensors need"},
		"too long":              {tensor("K\x04", "K\x00", "K\x05\x85", "K\x01\x85"), "not inside"},
		"strides beyond":        {tensor("K\x04", "K\x00", "K\x02\x85", "K\x04\x85"), "not inside"},
		"offset beyond":         {tensor("K\x04", "K\x04", "K\x01\x85", "K\x01\x85"), "not inside"},
		"negative offset":       {tensor("K\x04", "J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85"), "not valid"},
		"negative stride":       {tensor("K\x04", "K\x00", "K\x01\x85", "J\xff\xff\xff\xff\x85"), "not valid"},
		"product overflows":     {tensor("K\x04", "K\x00", "J\xff\xff\xff\x7f\x8a\x04\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", "K\x00K\x00K\x00\x87"), "more than"},
		"a storage that lies":   {tensor("M\xff\xff", "K\x00", "M\xff\xff\x85", "K\x01\x85"), "less than"},
		"memo":                  {"\x80\x02h\x07.", "used before"},
		"empty stack":           {"\x80\x02.", "empty"},
		"mark as a value":       {"\x80\x02(.", "mark"},
		"no mark":               {"\x80\x02K\x01t.", "no mark"},
		"protocol":              {"\x80\x06N.", "not known"},
		"string beyond the end": {"\x80\x02X\xff\xff\xff\xffabc.", "within"},
		"items of a number":     {"\x80\x02K\x01(K\x01e.", "items are added"},
		"never ends":            {"\x80\x02N", "ends early"},
		"contains itself":       {"\x80\x02}q\x00U\x01ah\x00s.", "nested"},
		"shared a thousand times": {
			"\x80\x02}q\x00" + strings.Repeat("0", 0) + doubling(24) + ".", "nested",
		},
	} {
		b := pack(t, c.pickle, map[string]string{"0": four})
		_, err := New(bytes.NewReader(b), int64(len(b)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something with %q", name, err, c.want)
		}
	}
	b := pack(t, tensor("K\x04", "K\x00", "K\x04\x85", "K\x01\x85"), nil)
	if _, err := New(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("no data: %v", err)
	}
}

// doubling is a pickle of lists of which each holds the one before it twice.
func doubling(n int) string {
	s := "]q\x01"
	for i := 1; i < n; i++ {
		s += fmt.Sprintf("](h%ch%ceq%c", i, i, i+1)
	}
	return s
}

func TestSafetensors(t *testing.T) {
	file := func(head string, data ...byte) []byte {
		return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), data...)
	}
	good := file(`{"__metadata__":{"a":"b"},"y":{"dtype":"F32","shape":[],"data_offsets":[4,8]},"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`,
		0xc0, 0x3f, 0, 0xc0, 0, 0, 0x40, 0x40)
	f, err := New(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{1.5, -2}, {3}} {
		if v, err := f.Values(f.Tensors[i]); err != nil || !slices.Equal(v, want) {
			t.Errorf("tensor %d: %v, %v", i, v, err)
		}
	}
	for head, want := range map[string]string{
		`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`:                                                      "takes 8 bytes",
		`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`:                                                      "not inside",
		`{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`:                                                     "not inside",
		`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`:                                                     "axis of size",
		`{"x":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}`:                       "elements",
		`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`: "twice",
		`{"x":[]}`: "bad JSON",
		`{"x"`:     "bad JSON",
	} {
		b := file(head, 0, 0, 0, 0)
		if _, err := New(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something with %q", head, err, want)
		}
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{0x3c00: 1, 0xc000: -2, 0x0001: math.Ldexp(1, -24), 0x83ff: -math.Ldexp(1023, -24), 0x7bff: 65504, 0x7c00: math.Inf(1)} {
		if v := half(bits); float64(v) != want {
			t.Errorf("%#x: %g, want %g", bits, v, want)
		}
	}
	if v := half(0x8000); v != 0 || !math.Signbit(float64(v)) {
		t.Errorf("minus zero: %g", v)
	}
	if v := half(0x7e00); v == v {
		t.Errorf("not a number: %g", v)
	}
}

// Whatever the bytes, reading neither crashes nor takes much memory or time. The seeds are valid
// files and the hostile ones that have been found.
func FuzzNew(f *testing.F) {
	for _, name := range []string{"small.pt", "small4.pt"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(append(binary.LittleEndian.AppendUint64(nil, 54), `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}abcd`...))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := New(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, x := range file.Tensors {
			// Expanded tensors may be larger than the file.
			if n, err := elements(x.Shape, 1<<16); err == nil {
				if v, err := file.Values(x); err == nil && int64(len(v)) != n {
					t.Errorf("%s: %d values for shape %v", x.Name, len(v), x.Shape)
				}
			}
		}
	})
}

// The same for pickles alone, which the fuzzer would rarely find inside of a zip file.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(tensor("K\x04", "K\x00", "K\x04\x85", "K\x01\x85")))
	f.Add([]byte("\x80\x02}q\x00U\x01ah\x00s."))
	f.Add([]byte("\x80\x02" + doubling(24) + "."))
	for _, name := range []string{"small.pt", "small4.pt"} {
		z, err := zip.OpenReader(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		b, err := content(mustOpen(f, filepath.Join("testdata", name)), z.File[0], maxHeader)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		z.Close()
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		v, err := unpickle(code)
		if err != nil {
			return
		}
		_ = walk(v, func(name string, x *rawTensor) error {
			last := x.offset
			for i, s := range x.shape {
				if s == 0 {
					return nil
				}
				last += int64(s-1) * int64(x.strides[i])
			}
			if last < 0 || last >= x.storage.elements {
				t.Errorf("%s: element %d of %d", name, last, x.storage.elements)
			}
			return nil
		})
	})
}

func mustOpen(t testing.TB, path string) *os.File {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

package weights

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
)

// sample returns a file of random tensors of all types whose values do not change when they are
// stored.
func sample(r *rand.Rand, tensors, most int) *File {
	f := &File{Meta: map[string]string{
		KeyNetwork:    "edge",
		KeyConfig:     `{"widths":[48,96]}`,
		KeyTasks:      "denoise,motion-deblur",
		KeyProvenance: `{"steps":12,"note":"ümlaut \u0000 <&>"}`,
		"other":       "kept",
	}}
	for i := 0; i < tensors; i++ {
		t := Tensor{Name: "net/" + string(rune('a'+i%26)) + strings.Repeat("x", i/26), DType: DType(i % 3)}
		n := 1
		for k := r.IntN(5); k > 0; k-- {
			d := 1 + r.IntN(most)
			t.Shape = append(t.Shape, d)
			n *= d
		}
		if t.Shape == nil {
			t.Shape = []int{}
		}
		for k := 0; k < n; k++ {
			v := float32(r.NormFloat64())
			if t.DType == F16 {
				h, _ := halfBits(v)
				v = halfValue(h)
			}
			t.Data = append(t.Data, v)
		}
		if t.DType == I8 {
			s := scalesOf(&t).Data
			for k, q := range quantise(nil, &t, s) {
				t.Data[k] = float32(int8(q)) * s[k%len(s)]
			}
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f
}

func pack(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same compares two files. It ignores the order of the tensors and the keys that Encode adds.
func same(a, b *File) bool {
	norm := func(f *File) (map[string]string, []Tensor) {
		m := map[string]string{}
		for k, v := range f.Meta {
			if k != KeyFormat && k != KeySHA256 {
				m[k] = v
			}
		}
		ts := append([]Tensor(nil), f.Tensors...)
		sort.Slice(ts, func(i, j int) bool { return ts[i].Name < ts[j].Name })
		return m, ts
	}
	am, at := norm(a)
	bm, bt := norm(b)
	return reflect.DeepEqual(am, bm) && reflect.DeepEqual(at, bt)
}

func wantFormatError(t *testing.T, err error, part string) {
	t.Helper()
	var fe *FormatError
	if !errors.As(err, &fe) {
		t.Fatalf("got %v (%T), want a *FormatError with %q", err, err, part)
	}
	if !strings.Contains(err.Error(), part) {
		t.Fatalf("got %q, want it to say %q", err, part)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for i := 0; i < 12; i++ {
		f := sample(r, r.IntN(40), 7)
		b := pack(t, f)
		got, err := Decode(b, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !same(f, got) {
			t.Fatalf("%d tensors: read back something else", len(f.Tensors))
		}
		if !bytes.Equal(b, pack(t, got)) {
			t.Fatal("encoding what was decoded gives other bytes")
		}
		if i == 0 {
			viaReader, err := Read(bytes.NewReader(b), Limits{})
			if err != nil || !same(f, viaReader) {
				t.Fatalf("Read: %v", err)
			}
		}
	}
}

func TestEmptyFile(t *testing.T) {
	f := &File{Meta: map[string]string{KeyNetwork: "none"}}
	got, err := Decode(pack(t, f), Limits{})
	if err != nil || len(got.Tensors) != 0 {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestAccessors(t *testing.T) {
	f := sample(rand.New(rand.NewPCG(1, 2)), 6, 4)
	if f.Find("nothing") != nil {
		t.Error("found what is not there")
	}
	for i := range f.Tensors {
		if f.Find(f.Tensors[i].Name) != &f.Tensors[i] {
			t.Error("Find gives another tensor")
		}
	}
	if p := f.Params(); len(p) != 6 || !reflect.DeepEqual(p[f.Tensors[3].Name], f.Tensors[3].Data) {
		t.Error("Params")
	}
	for i := range f.Tensors {
		f.Tensors[i].DType = F16
	}
	got, err := Decode(pack(t, f), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got.Tensors {
		if g.DType != F16 {
			t.Error("not stored as F16")
		}
		for i, v := range f.Find(g.Name).Data {
			if e := math.Abs(float64(v - g.Data[i])); e > math.Abs(float64(v))/2048 {
				t.Fatalf("%g became %g", v, g.Data[i])
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	one := func(t Tensor) *File {
		return &File{Meta: map[string]string{KeyNetwork: "n"}, Tensors: []Tensor{t}}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, c := range map[string]struct {
		f    *File
		want string
	}{
		"no network":    {&File{}, KeyNetwork},
		"config":        {&File{Meta: map[string]string{KeyNetwork: "n", KeyConfig: "{"}}, KeyConfig},
		"meta utf8":     {&File{Meta: map[string]string{KeyNetwork: "n", "x": "\xff"}}, "UTF-8"},
		"empty name":    {one(Tensor{Shape: []int{1}, Data: []float32{1}}), "name"},
		"reserved name": {one(Tensor{Name: metadataKey, Shape: []int{1}, Data: []float32{1}}), "name"},
		"bad utf8":      {one(Tensor{Name: "\xff", Shape: []int{1}, Data: []float32{1}}), "name"},
		"shape":         {one(Tensor{Name: "a", Shape: []int{2, 3}, Data: make([]float32, 5)}), "6 values"},
		"zero axis":     {one(Tensor{Name: "a", Shape: []int{2, 0}}), "axis of size 0"},
		"overflow":      {one(Tensor{Name: "a", Shape: []int{1 << 31, 1 << 31, 4}}), "larger"},
		"nan":           {one(Tensor{Name: "a", Shape: []int{2}, Data: []float32{0, nan}}), "index 1"},
		"inf":           {one(Tensor{Name: "a", Shape: []int{1}, Data: []float32{inf}}), "finite"},
		"f16 overflow":  {one(Tensor{Name: "a", DType: F16, Shape: []int{1}, Data: []float32{65520}}), "too large for F16"},
		"type":          {one(Tensor{Name: "a", DType: 7, Shape: []int{1}, Data: []float32{1}}), "unknown type"},
		"twice": {&File{Meta: map[string]string{KeyNetwork: "n"}, Tensors: []Tensor{
			{Name: "a", Data: []float32{1}}, {Name: "a", Data: []float32{1}}}}, "two tensors"},
	} {
		var b bytes.Buffer
		err := Encode(&b, c.f)
		t.Run(name, func(t *testing.T) { wantFormatError(t, err, c.want) })
		if b.Len() != 0 {
			t.Errorf("%s: wrote %d bytes before failing", name, b.Len())
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.vfm")
	f := sample(rand.New(rand.NewPCG(rand.Uint64(), 3)), 9, 5)
	if err := Save(path, f); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !same(f, got) {
		t.Fatalf("read back: %v", err)
	}
	plain := strings.TrimSuffix(path, ".vfm") + ".safetensors"
	if err := Save(plain, f); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(plain)
	if want, _ := safetensors(f); err != nil || !bytes.Equal(b, want) {
		t.Errorf("the plain file is not the frame's content: %v", err)
	}
	if got, err := Load(plain); err != nil || !same(f, got) {
		t.Fatalf("plain, read back: %v", err)
	}
	for n := range b {
		if _, err := Decode(b[:n], Limits{}); err == nil {
			t.Fatalf("%d of %d plain bytes were accepted", n, len(b))
		}
	}
	if err := os.Remove(plain); err != nil {
		t.Fatal(err)
	}
	// A failed save does not change the existing file.
	f.Tensors[0].Data[0] = float32(math.NaN())
	if Save(path, f) == nil {
		t.Fatal("saved NaN")
	}
	if again, err := Load(path); err != nil || !same(got, again) {
		t.Fatalf("old file harmed: %v", err)
	}
	if es, _ := os.ReadDir(filepath.Dir(path)); len(es) != 1 {
		t.Errorf("%d files in the directory", len(es))
	}
}

func TestLoadErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.vfm")
	os.WriteFile(path, []byte("hello, not weights"), 0o644)
	_, err := Load(path)
	wantFormatError(t, err, path)
	for _, p := range []string{dir, filepath.Join(dir, "none.vfm")} {
		if _, err := Load(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("got %v", err)
		}
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestReadPassesOnErrors(t *testing.T) {
	want := errors.New("unplugged")
	if _, err := Read(failingReader{want}, Limits{}); err != want {
		t.Errorf("got %v", err)
	}
	_, err := Read(io.LimitReader(zeros{}, 1<<20), Limits{MaxPacked: 1 << 10})
	wantFormatError(t, err, "larger than the 1024 bytes")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDefault(t *testing.T) {
	f, err := Default()
	var missing *MissingDefaultError
	if errors.As(err, &missing) {
		if !strings.Contains(err.Error(), "-weights") {
			t.Errorf("does not say what to do: %v", err)
		}
		t.Skip("no weights embedded yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	if f.Meta[KeyProvenance] == "" || f.Meta[KeyConfig] == "" || len(f.Tensors) == 0 {
		t.Error("the embedded weights lack provenance, configuration or tensors")
	}
	for _, tasks := range Specials() {
		s, err := Special(tasks)
		if err != nil || s.Meta[KeyProvenance] == "" || s.Meta[KeyNetwork] != f.Meta[KeyNetwork] || s.Meta[KeyConfig] == "" || len(s.Tensors) == 0 {
			t.Errorf("the embedded weights for %v do not go with the general ones (%v)", tasks, err)
		}
	}
	if _, err := Special([]string{"cook"}); err == nil || !strings.Contains(err.Error(), "cook.vfm") {
		t.Errorf("weights for a task that has none: %v", err)
	}
	g, _ := Default()
	if &f.Tensors[0].Data[0] == &g.Tensors[0].Data[0] {
		t.Error("two calls share memory")
	}
}

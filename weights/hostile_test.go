package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// compress returns one zstd frame.
func compress(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// build returns a safetensors file with the given header, in which $META is replaced by valid
// metadata for data.
func build(t testing.TB, header string, data []byte) []byte {
	sum := sha256.Sum256(data)
	meta := fmt.Sprintf(`"__metadata__":{"vfm.format":"1","vfm.network":"n","vfm.sha256":"%s"}`, hex.EncodeToString(sum[:]))
	header = strings.ReplaceAll(header, "$META", meta)
	plain := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	plain = append(append(plain, header...), data...)
	return compress(t, plain)
}

func TestTruncationAtEveryLength(t *testing.T) {
	b := pack(t, sample(rand.New(rand.NewPCG(rand.Uint64(), 1)), 8, 4))
	for n := range b {
		f, err := Decode(b[:n], Limits{})
		if err == nil {
			t.Fatalf("%d of %d bytes were accepted: %v", n, len(b), f.Meta)
		}
		wantFormatError(t, err, ": ")
	}
}

// Flipping any single bit gives an error or changes nothing. In zstd, readers ignore some bits (one
// in the frame header, padding in the tables), and other window sizes work as well as the true one.
func TestEveryBitFlip(t *testing.T) {
	f := sample(rand.New(rand.NewPCG(rand.Uint64(), 2)), 6, 4)
	b := pack(t, f)
	harmless := 0
	for i := 0; i < 8*len(b); i++ {
		c := bytes.Clone(b)
		c[i/8] ^= 1 << (i % 8)
		got, err := Decode(c, Limits{})
		if err != nil {
			continue
		}
		harmless++
		if !same(f, got) {
			t.Fatalf("flip of bit %d in byte %d changed the content", i%8, i/8)
		}
	}
	if harmless > 64 {
		t.Errorf("%d of %d flips went unnoticed", harmless, 8*len(b))
	}
}

// The same without zstd's own checksum: the SHA-256 detects every flip in the tensors; the parser
// or the check of the metadata detects nearly all in the header. None may crash.
func TestEveryBitFlipInside(t *testing.T) {
	plain, err := safetensors(sample(rand.New(rand.NewPCG(rand.Uint64(), 3)), 3, 3))
	if err != nil {
		t.Fatal(err)
	}
	start := 8 + int(binary.LittleEndian.Uint64(plain))
	for i := 0; i < 8*len(plain); i++ {
		c := bytes.Clone(plain)
		c[i/8] ^= 1 << (i % 8)
		_, err := decodePlain(bytes.NewReader(c), Limits{}.withDefaults(1<<20))
		if i/8 >= start {
			wantFormatError(t, err, "checksum")
		}
	}
	for n := range plain {
		if _, err := decodePlain(bytes.NewReader(plain[:n]), Limits{}.withDefaults(1<<20)); err == nil {
			t.Fatalf("%d of %d bytes accepted", n, len(plain))
		}
	}
}

func TestHostileHeaders(t *testing.T) {
	data := make([]byte, 16)
	const a = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	const b = `"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}`
	if f, err := Decode(build(t, "{$META,"+a+","+b+"}   ", data), Limits{}); err != nil || len(f.Tensors) != 2 {
		t.Fatalf("the good case fails: %v", err)
	}
	entry := func(dtype, shape, off string) string {
		return `{$META,"a":{"dtype":"` + dtype + `","shape":` + shape + `,"data_offsets":` + off + `}}`
	}
	for _, c := range []struct{ header, want string }{
		{``, "begin with {"},
		{` {$META}`, "begin with {"},
		{`[]`, "begin with {"},
		{`{`, "bad JSON"},
		{`{$META`, "bad JSON"},
		{`{$META,}`, "bad JSON"},
		{`{$META} x`, "follows"},
		{`{$META}{}`, "follows"},
		{"{$META}\x00", "follows"},
		{"{$META,\"\xff\":1}", "UTF-8"},
		{`{$META,$META}`, "twice"},
		{`{$META,` + a + `,` + a + `}`, "twice"},
		{`{$META,` + a + `,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, "twice"},
		{`{$META,"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}`, "twice"},
		{`{"__metadata__":{"x":"1","x":"2"}}`, "twice"},
		{`{"__metadata__":{"x":1}}`, "string was expected"},
		{`{"__metadata__":[]}`, "was expected"},
		{`{"__metadata__":{}}`, "vfm.format"},
		{`{"__metadata__":{"vfm.format":"2","vfm.network":"n"}}`, "newer"},
		{`{"__metadata__":{"vfm.format":"1"}}`, "vfm.network"},
		{`{"__metadata__":{"vfm.format":"1","vfm.network":"n","vfm.config":"}"}}`, "vfm.config"},
		{`{"__metadata__":{"vfm.format":"1","vfm.network":"n"},` + a + `,` + b + `}`, "checksum"},
		{`{` + a + `,` + b + `}`, "vfm.format"},
		{`{$META,"a":7}`, "was expected"},
		{`{$META,"a":{}}`, "no dtype"},
		{`{$META,"a":{"dtype":"F32","data_offsets":[0,8]}}`, "no shape"},
		{`{$META,"a":{"dtype":"F32","shape":[2]}}`, "data_offsets"},
		{`{$META,"":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, "without a name"},
		{`{$META,"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"extra":1}}`, "unknown field"},
		{entry("F64", "[2]", "[0,16]"), "F64"},
		{entry("f32", "[4]", "[0,16]"), "f32"},
		{`{$META,"a":{"dtype":32,"shape":[4],"data_offsets":[0,16]}}`, "string"},
		{entry("F32", "[-4]", "[0,16]"), "whole number"},
		{entry("F32", "[-2,-2]", "[0,16]"), "whole number"},
		{entry("F32", "[4.0]", "[0,16]"), "whole number"},
		{entry("F32", "[4e0]", "[0,16]"), "whole number"},
		{entry("F32", `["4"]`, "[0,16]"), "whole number"},
		{entry("F32", `[[4]]`, "[0,16]"), "whole number"},
		{entry("F32", "4", "[0,16]"), "expected"},
		{entry("F32", "[4,0]", "[0,16]"), "size 0"},
		{entry("F32", "[4294967296]", "[0,16]"), "axis"},
		{entry("F32", "[65536,65536,65536,65536]", "[0,16]"), "larger"},
		{entry("F32", "[2147483647,2147483647,4]", "[0,16]"), "larger"},
		{entry("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]", "[0,16]"), "more than 16"},
		{entry("F32", "[5]", "[0,16]"), "takes 20 bytes"},
		{entry("F32", "[3]", "[0,16]"), "takes 12 bytes"},
		{entry("F16", "[4]", "[0,16]"), "takes 8 bytes"},
		{entry("F32", "[4]", "[16,0]"), "offsets"},
		{entry("F32", "[4]", "[-16,0]"), "whole number"},
		{entry("F32", "[4]", "[9223372036854775800,9223372036854775816]"), "whole number"},
		{entry("F32", "[4]", "[9223372036854775791,9223372036854775807]"), "gap"},
		{entry("F32", "[4]", "[0]"), "data_offsets"},
		{entry("F32", "[4]", "[0,16,32]"), "more than 2"},
		{entry("F32", "[5]", "[0,20]"), "ends after 16 of 20"},
		{entry("F32", "[3]", "[0,12]"), "follow the last"},
		{entry("F32", "[3]", "[4,16]"), "gap"},
		{entry("F32", "[4000000]", "[0,16000000]"), "ends after"},
		{entry("F32", "[67108864]", "[0,268435456]"), "larger than"},
		{`{$META,` + a + `,"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}`, "overlaps"},
		{`{$META,` + a + `,"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "overlaps"},
		{`{$META,` + a + `,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, "gap"},
		{`{$META,"x":` + strings.Repeat("[", 100000) + `}`, "expected"},
	} {
		name := c.header
		if len(name) > 60 {
			name = name[:60]
		}
		_, err := Decode(build(t, c.header, data), Limits{})
		t.Run(name, func(t *testing.T) { wantFormatError(t, err, c.want) })
	}
}

func TestHeaderLength(t *testing.T) {
	for _, n := range []uint64{5 << 20, 1 << 32, 1 << 63, math.MaxUint64} {
		_, err := Decode(compress(t, append(binary.LittleEndian.AppendUint64(nil, n), '{', '}')), Limits{})
		wantFormatError(t, err, "header: it says")
	}
	_, err := Decode(compress(t, append(binary.LittleEndian.AppendUint64(nil, 3), '{', '}')), Limits{})
	wantFormatError(t, err, "ends after 2 of 3")
}

func TestNonFiniteValuesInFile(t *testing.T) {
	for bits, dtype := range map[uint32]string{0x7fc00000: "F32", 0xff800000: "F32", 0x7e00: "F16", 0xfc00: "F16"} {
		data := make([]byte, 12)
		shape := "[3]"
		if dtype == "F16" {
			shape = "[6]"
			binary.LittleEndian.PutUint16(data[4:], uint16(bits))
		} else {
			binary.LittleEndian.PutUint32(data[4:], bits)
		}
		_, err := Decode(build(t, `{$META,"w":{"dtype":"`+dtype+`","shape":`+shape+`,"data_offsets":[0,12]}}`, data), Limits{})
		wantFormatError(t, err, "finite")
	}
}

func TestFrames(t *testing.T) {
	good := pack(t, sample(rand.New(rand.NewPCG(4, 4)), 3, 3))
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'h', 'i'}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"trailing byte":       {append(bytes.Clone(good), 0), "1 bytes follow"},
		"two frames":          {append(bytes.Clone(good), good...), "bytes follow"},
		"skippable after":     {append(bytes.Clone(good), skippable...), "bytes follow"},
		"skippable before":    {append(bytes.Clone(skippable), good...), "skippable"},
		"empty":               {nil, "begin like"},
		"text":                {[]byte("#!/bin/sh\necho hello\n"), "begin like"},
		"gzip":                {[]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3}, "begin like"},
		"bare safetensors":    {append(binary.LittleEndian.AppendUint64(nil, 2), '{', '}'), "vfm.format"},
		"frame of nothing":    {compress(t, nil), ": "},
		"garbage before data": {compress(t, []byte("garbage that is not safetensors")), "header"},
	} {
		_, err := Decode(c.b, Limits{})
		t.Run(name, func(t *testing.T) { wantFormatError(t, err, c.want) })
	}
}

// rleBomb returns a frame of RLE blocks. Each block of four bytes means 128 KiB of zeros, so 8 KiB
// hold 256 MiB.
func rleBomb(blocks int, begin []byte) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // no checksum, no content size, window of 2 MiB
	if len(begin) > 0 {
		n := len(begin) << 3
		b = append(b, byte(n), byte(n>>8), byte(n>>16))
		b = append(b, begin...)
	}
	for i := 0; i < blocks; i++ {
		h := 1<<17<<3 | 1<<1
		if i == blocks-1 {
			h |= 1
		}
		b = append(b, byte(h), byte(h>>8), byte(h>>16), 0)
	}
	return b
}

func TestBombs(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	// 8 GiB of zeros: the header is empty, so nothing behind it is decompressed.
	_, err := Decode(rleBomb(1<<16, nil), Limits{})
	wantFormatError(t, err, "header")
	// A valid header, followed by more bytes than it announces.
	head := `{"__metadata__":{"vfm.format":"1","vfm.network":"n","vfm.sha256":"0"},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`
	begin := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	_, err = Decode(rleBomb(1<<16, begin), Limits{})
	wantFormatError(t, err, "follow the last")
	// A frame that announces more bytes than the limit, and a window of 1 TiB.
	_, err = Decode([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0}, Limits{})
	wantFormatError(t, err, "more than")
	_, err = Decode([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf0, 1, 0, 0}, Limits{})
	wantFormatError(t, err, ": ")
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("refusing bombs allocated %d MiB", got>>20)
	}
	// A small limit of the caller applies to a valid file too.
	honest := pack(t, sample(rand.New(rand.NewPCG(1, 1)), 10, 6))
	_, err = Decode(honest, Limits{MaxBytes: 100})
	wantFormatError(t, err, "100")
	_, err = Decode(honest, Limits{MaxHeader: 64})
	wantFormatError(t, err, "64")
	_, err = Decode(honest, Limits{MaxTensors: 3})
	wantFormatError(t, err, "more than 3 tensors")
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := 0; i < 6; i++ {
		b := pack(f, sample(r, i, 4))
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Add(build(f, `{$META,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8)))
	f.Add(rleBomb(2, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkDecode(t, b, func(b []byte) (*File, error) { return Decode(b, Limits{MaxBytes: 1 << 22}) })
	})
}

// FuzzDecodePlain skips the zstd layer, so that random changes reach the parser.
func FuzzDecodePlain(f *testing.F) {
	r := rand.New(rand.NewPCG(13, 14))
	for i := 0; i < 6; i++ {
		b, err := safetensors(sample(r, i, 4))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checkDecode(t, b, func(b []byte) (*File, error) {
			return decodePlain(bytes.NewReader(b), Limits{MaxBytes: 1 << 22}.withDefaults(0))
		})
	})
}

// checkDecode checks that decode does not panic, whatever the bytes, and that what it accepts is
// valid and survives a round trip.
func checkDecode(t *testing.T, b []byte, decode func([]byte) (*File, error)) {
	got, err := decode(b)
	if err != nil {
		wantFormatError(t, err, ": ")
		return
	}
	for i := range got.Tensors { // integers that do not reach 127 get another scale
		if x := &got.Tensors[i]; x.DType == I8 {
			x.DType = F32
		}
	}
	var out bytes.Buffer
	if err := Encode(&out, got); err != nil {
		t.Fatalf("accepted what cannot be encoded: %v", err)
	}
	again, err := Decode(out.Bytes(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Params(), again.Params()) {
		t.Fatal("round trip changed values")
	}
}

// A small file that unpacks to much is rejected by its header, whatever the types of its tensors. A
// file that consists mostly of zeros is accepted.
func TestPacksTooTightly(t *testing.T) {
	const n = 40 << 20
	for _, dtype := range []struct {
		name string
		size int
	}{{"F32", 4}, {"F16", 2}, {"I8", 1}} {
		shape := strconv.Itoa(n / dtype.size)
		header := `{$META,"a":{"dtype":"` + dtype.name + `","shape":[` + shape + `],"data_offsets":[0,` + strconv.Itoa(n) + `]}}`
		packed := build(t, header, make([]byte, n))
		if len(packed) > 1<<17 {
			t.Fatalf("the test's file has %d bytes", len(packed))
		}
		_, err := Decode(packed, Limits{})
		var bad *FormatError
		if !errors.As(err, &bad) {
			t.Errorf("%s: got %v", dtype.name, err)
		}
	}
	header := `{$META,"a":{"dtype":"F32","shape":[1048576],"data_offsets":[0,4194304]}}`
	if _, err := Decode(build(t, header, make([]byte, 4<<20)), Limits{}); err != nil {
		t.Error(err)
	}
}

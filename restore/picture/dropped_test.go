package picture

import (
	"bytes"
	"compress/zlib"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What a JPEG holds beside its picture and what has no place in the new one is told, once each.
func TestSecondPartsAreTold(t *testing.T) {
	plain := encode(t, smooth(24, 16, false), JPEG, 0)
	more := segment(0xe1, xmpMore, []byte("0123456789ABCDEF0123456789ABCDEF\x00\x00\x00\x09\x00\x00\x00\x00<x:more/>"))
	mpf := segment(0xe2, "MPF\x00", []byte("MM\x00*\x00\x00\x00\x08\x00\x00"))
	for name, c := range map[string]struct {
		extra []byte
		told  []string
	}{
		"nothing": {nil, nil},
		"xmp":     {slices.Concat(more, more), []string{"second part of XMP"}},
		"mpf":     {mpf, []string{"further pictures"}},
		"both":    {slices.Concat(more, mpf, more), []string{"second part of XMP", "further pictures"}},
	} {
		q := decode(t, slices.Concat(plain[:2], c.extra, plain[2:]))
		if len(q.Dropped) != len(c.told) {
			t.Errorf("%s: told %q", name, q.Dropped)
			continue
		}
		for i, want := range c.told {
			if !strings.Contains(q.Dropped[i], want) {
				t.Errorf("%s: told %q, want %q", name, q.Dropped, c.told)
			}
		}
	}
}

// A hundred colour profiles of 16 MB, in kilobytes of chunks, are not all unpacked: what unpacks is
// bounded for the file, and the picture is read without a profile.
func TestHundredProfiles(t *testing.T) {
	body := bytes.NewBufferString("bomb\x00\x00")
	z, _ := zlib.NewWriterLevel(body, zlib.BestCompression)
	z.Write(make([]byte, 16<<20))
	z.Close()
	plain := encode(t, smooth(24, 16, false), PNG, 0)
	const head = 8 + 25 // signature and IHDR
	file := slices.Concat(plain[:head], bytes.Repeat(pngChunk("iCCP", body.Bytes()), 100), plain[head:])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	q := decode(t, file)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
		t.Errorf("%d MB allocated for %d kB", took>>20, len(file)>>10)
	}
	if q.W != 24 || q.ICC != nil || len(q.Dropped) != 1 || !strings.Contains(q.Dropped[0], "profile") {
		t.Errorf("%d×%d, profile of %d bytes, told %q", q.W, q.H, len(q.ICC), q.Dropped)
	}
}

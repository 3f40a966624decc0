package motionblur

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/vfmrestore/restore/internal/cachefile"
)

// The library that is read from a file is the one that was saved. Damaged, foreign and outdated
// files are not read.
func TestLibraryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", libraryFile)
	if readLibrary(path) != nil || readLibrary("") != nil {
		t.Fatal("a library without a file")
	}
	l := sharedLibrary()
	l.save("")
	l.save(path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := readLibrary(path); !reflect.DeepEqual(got, l) {
		t.Fatal("it is not what was saved")
	}
	data, _ := cachefile.Read(path, libraryMark, libraryMost)
	whole := func(change func(d []byte) []byte) []byte {
		d := change(bytes.Clone(data))
		sum := cachefile.SumOf(d)
		return append(append([]byte(libraryMark), sum[:]...), d...)
	}
	powers := len(data) - 8*(len(l.auto)+len(l.mean)) - 4*len(l.power)
	for name, bad := range map[string][]byte{
		"cut":     good[:len(good)-9],
		"flipped": append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"empty":   nil,
		// With a sum that fits:
		"too short":      whole(func(d []byte) []byte { return d[:len(d)-8] }),
		"too long":       whole(func(d []byte) []byte { return append(d, 0, 0, 0, 0) }),
		"a huge kernel":  whole(func(d []byte) []byte { d[3] = 0xff; return d }),
		"other spectra":  whole(func(d []byte) []byte { d[powers+2] ^= 1; return d }),
		"another kernel": whole(func(d []byte) []byte { d[4*len(l.kernels)] ^= 1; return d }),
		"a few bytes":    whole(func(d []byte) []byte { return d[:7] }),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if readLibrary(path) != nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

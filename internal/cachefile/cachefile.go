// Package cachefile keeps files that only save time: in the user's cache directory, whole or absent, and with a sum, so that damaged ones are told.
package cachefile

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
)

// Sum is the SHA-256 of a file's data.
type Sum = [sha256.Size]byte

// SumOf gives the sum of data.
func SumOf(data []byte) Sum { return sha256.Sum256(data) }

// Path names a file of a cache directory; dir "" means the user's, and "-" none: the path is "" then, as it is where the user has none.
func Path(dir, name string) string {
	switch dir {
	case "-":
		return ""
	case "":
		base, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(base, "vfmrestore")
	}
	return filepath.Join(dir, name)
}

// Read gives the data of a file that Write made with the same mark, of at most so many bytes; nil if there is none, or a damaged one.
func Read(path, mark string, most int64) (data []byte, sum Sum) {
	b := ReadPlain(path, most)
	head := len(mark) + len(sum)
	if len(b) <= head || string(b[:len(mark)]) != mark {
		return nil, sum
	}
	sum = SumOf(b[head:])
	if !bytes.Equal(sum[:], b[len(mark):head]) {
		return nil, Sum{}
	}
	return b[head:], sum
}

// Write makes the file: the mark, the sum of the data, the data. Path "" does nothing.
func Write(path, mark string, sum Sum, data []byte) error {
	return Replace(path, []byte(mark), sum[:], data)
}

// ReadPlain reads a file that is a regular one of at most so many bytes; nil for any other.
func ReadPlain(path string, most int64) []byte {
	if path == "" {
		return nil
	}
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Size() > most {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// Replace writes the parts to a file through a temporary one beside it, so that other processes never see half of it. Path "" does nothing.
func Replace(path string, parts ...[]byte) (err error) {
	if path == "" {
		return nil
	}
	if err = os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

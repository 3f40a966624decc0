// Package cachefile keeps files that only save time in the user's cache directory. They appear as a
// whole or not at all, and have a checksum, so that damaged ones are recognised.
package cachefile

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"

	"github.com/vfmrestore/restore/internal/atomicfile"
)

// Sum is the SHA-256 of a file's data.
type Sum = [sha256.Size]byte

// SumOf computes the checksum of data.
func SumOf(data []byte) Sum { return sha256.Sum256(data) }

// Path gives the path of a file in a cache directory. If dir is "", it is the user's cache
// directory. The path is "" if dir is "-", or if the user has no cache directory.
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

// Read gives the data of a file that Write has written with the same mark. It gives nil if the file
// is missing, damaged or larger than most bytes.
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

// Write writes a file of mark, sum and data. If path is "", it does nothing.
func Write(path, mark string, sum Sum, data []byte) error {
	return Replace(path, []byte(mark), sum[:], data)
}

// ReadPlain reads a regular file of at most most bytes. It gives nil for any other.
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

// Replace writes the parts to a file, which appears as a whole (package atomicfile). It does not
// wait for the disk: a damaged cache is only made again. If path is "", it does nothing.
func Replace(path string, parts ...[]byte) error {
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	f.SkipSync()
	for _, part := range parts {
		if _, err := f.Write(part); err != nil {
			return err
		}
	}
	return f.Commit()
}

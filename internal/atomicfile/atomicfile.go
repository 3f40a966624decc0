// Package atomicfile writes files that are either whole or not there: into a temporary file in the same directory, synced to
// disk, then renamed to its name. What stood under the name before is untouched until the rename.
package atomicfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file being written. It becomes visible under its name with Commit; until then Abort leaves no trace of it.
type File struct {
	path   string // as the caller named it
	target string // path with a symbolic link followed, so that the link stays
	temp   string
	f      *os.File
	synced bool
	done   bool
	mode   fs.FileMode // of the file it replaces, 0 if there was none
}

// Check tells whether a file could be created at path as far as can be known without writing: its directory must exist, and
// what is at path already, if anything, must be a regular file. (Renaming over a device such as /dev/null would remove it.)
func Check(path string) error {
	_, err := check(path)
	return err
}

func check(path string) (mode fs.FileMode, err error) {
	dir := filepath.Dir(path)
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%s: there is no directory %s", path, dir)
	case err != nil:
		return 0, fmt.Errorf("%s: %w", path, cause(err))
	case !st.IsDir():
		return 0, fmt.Errorf("%s: %s is not a directory", path, dir)
	}
	st, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A link to a file that is not there yet is followed, if a file can be there.
		if target := Target(path); target != path {
			st, err := os.Stat(filepath.Dir(target))
			if err != nil || !st.IsDir() {
				return 0, fmt.Errorf("%s: it is a link to %s, where no file can be", path, target)
			}
		}
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("%s: %w", path, cause(err))
	case st.IsDir():
		return 0, fmt.Errorf("%s: it is a directory", path)
	case !st.Mode().IsRegular():
		return 0, fmt.Errorf("%s: it is not a regular file", path)
	}
	return st.Mode().Perm(), nil
}

// Target is where a file written to path ends up: symbolic links are followed, also those to files that are not there.
func Target(path string) string {
	for range 40 { // as systems do
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			dir := filepath.Dir(path)
			if real, err := filepath.EvalSymlinks(dir); err == nil { // ".." in a link means the real folder's parent
				dir = real
			}
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return path
}

// Create begins a file at path. The first file of a directory also sweeps it of what processes left that were killed.
func Create(path string) (*File, error) {
	mode, err := check(path)
	if err != nil {
		return nil, err
	}
	target := Target(path)
	sweepOnce(filepath.Dir(target))
	for try := 0; ; try++ {
		var r [8]byte
		rand.Read(r[:])
		temp := filepath.Join(filepath.Dir(target), prefix+hex.EncodeToString(r[:]))
		// 0666 less the umask, as for any file that a program creates; os.CreateTemp would leave 0600.
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil && !claim(f, temp) { // swept by another process between its creation and its lock
			f.Close()
			continue
		}
		if err == nil {
			return &File{path: path, target: target, temp: temp, f: f, mode: mode}, nil
		}
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return nil, fmt.Errorf("%s: cannot write there: %w", path, cause(err))
		}
	}
}

// Write adds to the file. The error names the final path.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	if err != nil {
		err = fmt.Errorf("%s: cannot write: %w", f.path, cause(err))
	}
	return n, err
}

// Sync brings everything written to the disk; only the rename is left to Commit. A caller with
// several files syncs them all before it commits the first.
func (f *File) Sync() error {
	if f.synced {
		return nil
	}
	if f.mode != 0 {
		// Keeping the mode is a courtesy; file systems without modes refuse it.
		_ = f.f.Chmod(f.mode)
	}
	if err := f.f.Sync(); err != nil {
		return fmt.Errorf("%s: cannot write: %w", f.path, cause(err))
	}
	f.synced = true
	return nil
}

// Commit makes the file visible under its name. After an error the file has been aborted.
func (f *File) Commit() error {
	if f.done {
		return errors.New("atomicfile: Commit after Commit or Abort")
	}
	err := f.Sync()
	if closeFirst && err == nil {
		err = f.f.Close()
	}
	if err == nil {
		if err = os.Rename(f.temp, f.target); err != nil {
			err = fmt.Errorf("%s: cannot write: %w", f.path, cause(err))
		}
	}
	if err != nil {
		f.Abort()
		return err
	}
	f.done = true
	_ = f.f.Close() // with it goes the lock; what was written is on the disk
	// Makes the rename itself durable. Not every system can sync a directory, and the file is whole either way.
	if d, err := os.Open(filepath.Dir(f.target)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// Abort removes the temporary file. After Commit it does nothing, so it can be deferred.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	_ = f.f.Close()
	_ = os.Remove(f.temp)
}

// Write creates path with what fill writes. If fill or the disk fails, path is as it was before.
func Write(path string, fill func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := fill(f); err != nil {
		return err
	}
	return f.Commit()
}

// cause is err without the name of the temporary file, which means nothing to people.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// Package atomicfile writes files that appear as a whole or not at all: a temporary file in the
// same directory is written, synced to disk and renamed. An old file with the same name stays
// unchanged until the rename.
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

// File is a file being written. Commit makes it visible under its name. Before that Abort removes
// it.
type File struct {
	path   string // as given by the caller
	target string // path after following symbolic links, so that links stay
	temp   string
	f      *os.File
	synced bool
	noSync bool // see SkipSync
	done   bool
	mode   fs.FileMode // of the replaced file, 0 if there is none
}

// Check fails if a file cannot be created at path, as far as that is known without writing: its
// directory must exist, and anything at path must be a regular file. (A rename to a device such as
// /dev/null would remove it.)
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
		// A link to a missing file is followed if a file can be created there.
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

// Target follows symbolic links, including those to missing files, and gives the path that is
// written.
func Target(path string) string {
	for range 40 { // like operating systems
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			dir := filepath.Dir(path)
			// ".." in a link is the parent of the real directory
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				dir = real
			}
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return path
}

// Create begins a file at path. For the first file in a directory it also removes temporary files
// of killed processes there.
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
		// 0666 without the umask, the usual mode of new files; os.CreateTemp would use 0600.
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil && !claim(f, temp) { // another process removed it before it was locked
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

// Write appends to the file. Errors name the final path.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	if err != nil {
		err = fmt.Errorf("%s: cannot write: %w", f.path, cause(err))
	}
	return n, err
}

// SkipSync makes Sync and Commit not wait for the disk, for files that can be made again. After a
// crash of the system such a file may be damaged.
func (f *File) SkipSync() { f.noSync = true }

// Sync writes all data to the disk, so that Commit only renames. Callers with several files sync
// all of them before they commit the first.
func (f *File) Sync() error {
	if f.synced {
		return nil
	}
	if f.mode != 0 {
		// File systems without modes refuse this, which is no error.
		_ = f.f.Chmod(f.mode)
	}
	if f.noSync {
		f.synced = true
		return nil
	}
	if err := f.f.Sync(); err != nil {
		return fmt.Errorf("%s: cannot write: %w", f.path, cause(err))
	}
	f.synced = true
	return nil
}

// Commit makes the file visible under its name. If it fails, the file is aborted.
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
	_ = f.f.Close() // releases the lock; the data is on the disk
	if f.noSync {
		return nil
	}
	// This makes the rename durable. Some systems cannot sync a directory; the file is whole
	// anyway.
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

// Write creates path with the data that fill writes. If fill or the disk fails, path stays
// unchanged.
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

// cause is err without the name of the temporary file, which means nothing to users.
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

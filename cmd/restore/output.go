package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore/picture"
)

// staging holds files that are on the disk already, but do not have their names yet.
type staging struct {
	quality int
	files   []*atomicfile.File
	made    []string // directories that directory created
}

// directory makes sure that there is a directory at path.
func (s *staging) directory(path string) error {
	err := os.Mkdir(path, 0o777)
	switch {
	case err == nil:
		s.made = append(s.made, path)
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("cannot create the directory: %w", err)
	}
	return nil
}

func (s *staging) add(o output, p *picture.Picture) error { return s.addRows(o, p, nil) }

// addRows is add for a picture whose rows are still being computed; wait waits for them.
func (s *staging) addRows(o output, p *picture.Picture, wait picture.Waiter) error {
	f, err := atomicfile.Create(o.path)
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	if err := picture.EncodeRowsTo(f, o.path, p, o.format, s.quality, wait); err != nil {
		return err
	}
	return f.Sync()
}

// commit gives all files their names.
func (s *staging) commit() error {
	for _, f := range s.files {
		if err := f.Commit(); err != nil {
			return err
		}
	}
	s.made = nil
	return nil
}

// abort removes whatever has not been committed.
func (s *staging) abort() {
	for _, f := range s.files {
		f.Abort()
	}
	for _, dir := range s.made {
		_ = os.Remove(dir) // only if it is empty
	}
}

// writePictures writes a list of pictures. Outputs without a path are left out.
func writePictures(quality int, outs []output, pics []*picture.Picture) error {
	s := &staging{quality: quality}
	defer s.abort()
	for i, o := range outs {
		if o.path == "" {
			continue
		}
		if err := s.add(o, pics[i]); err != nil {
			return err
		}
	}
	return s.commit()
}

// progress is a line on a terminal that is rewritten in place. It is not shown for a picture of a
// single tile.
type progress struct {
	w     io.Writer
	on    bool
	shown bool
}

func (p *progress) update(done, total int) {
	if !p.on || total < 2 {
		return
	}
	fmt.Fprintf(p.w, "\rtile %d of %d (%d %%)\x1b[K", done, total, 100*done/total)
	p.shown = true
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

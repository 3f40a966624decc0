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

// staging holds pictures that are on the disk already, but not yet under their names.
type staging struct {
	quality int
	files   []*atomicfile.File
	made    []string // directories that directory() made
}

// directory makes sure that there is one at path.
func (s *staging) directory(path string) error {
	err := os.Mkdir(path, 0o777)
	switch {
	case err == nil:
		s.made = append(s.made, path)
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("cannot make the directory: %w", err)
	}
	return nil
}

func (s *staging) add(o output, p *picture.Picture) error { return s.addRows(o, p, nil) }

// addRows is add of a picture whose rows are still coming.
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

// commit shows all files under their names.
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

// writePictures is staging for commands with few outputs; those without a path are left out.
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

// progress is one line on a terminal, rewritten in place. A picture of a single tile is done before anybody could read it.
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

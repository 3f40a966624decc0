package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
)

// job is one picture of a folder.
type job struct {
	name          string // relative to the folder
	in, out, mask string
}

// pictureEndings are those of the files that a folder's pictures are looked for among.
var pictureEndings = map[string]bool{".png": true, ".jpg": true, ".jpeg": true, ".tif": true, ".tiff": true, ".webp": true}

// plan lists the pictures of the folder and where their restorations go; what exists already is counted and left out unless -overwrite.
// Names that differ only in what -format replaces would overwrite each other, which is an error.
func (o *options) plan() (jobs []job, skipped int, err error) {
	var all []job
	from := map[string]string{}
	err = filepath.WalkDir(o.in, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != o.in && (!o.recursive || same(path, o.out.path)) {
				return fs.SkipDir
			}
			return nil
		}
		if !pictureEndings[strings.ToLower(filepath.Ext(path))] || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		rel, err := filepath.Rel(o.in, path)
		if err != nil {
			return err
		}
		j := job{name: rel, in: path, out: filepath.Join(o.out.path, rel)}
		switch {
		case o.format == "" && strings.EqualFold(filepath.Ext(rel), ".webp"): // is not written
			j.out = strings.TrimSuffix(j.out, filepath.Ext(j.out)) + ".png"
		case o.format != "":
			j.out = strings.TrimSuffix(j.out, filepath.Ext(j.out)) + "." + o.format
		}
		if o.mask != "" {
			j.mask = maskFor(o.mask, rel)
		}
		if other, twice := from[j.out]; twice {
			return fmt.Errorf("%s and %s would both become %s", other, rel, j.out)
		}
		from[j.out] = rel
		all = append(all, j)
		return nil
	})
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	if err != nil {
		return nil, 0, err
	}
	if len(all) == 0 {
		deeper := ""
		if !o.recursive {
			deeper = " (-r looks into the folders below)"
		}
		return nil, 0, fmt.Errorf("%s: no pictures there: no file ends in .png, .jpg, .jpeg, .tif, .tiff or .webp%s", o.in, deeper)
	}
	for _, j := range take(o.shard, all) {
		if _, err := os.Lstat(j.out); err == nil && !o.overwrite {
			skipped++
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, skipped, nil
}

// maskFor is the mask of a picture: the one file given, or the PNG of the same name in the folder given.
func maskFor(mask, rel string) string {
	if st, err := os.Stat(mask); err == nil && st.IsDir() {
		return filepath.Join(mask, strings.TrimSuffix(rel, filepath.Ext(rel))+".png")
	}
	return mask
}

// same tells whether two paths are one folder.
func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// checkFolder holds the rules of restoring a folder.
func (o *options) checkFolder() error {
	for _, f := range []struct{ name, value string }{{"-mean", o.mean.path}, {"-std", o.std.path}, {"-samples-dir", o.samplesDir}, {"-explain", o.explain}, {"-report", o.report}} {
		if f.value != "" {
			return usagef("%s is for one picture, and %s is a folder", f.name, o.in)
		}
	}
	switch {
	case o.samples > 0:
		return usagef("-samples is for one picture, and %s is a folder", o.in)
	case o.out.path == "-":
		return usagef("the pictures of a folder cannot be written to stdout")
	case o.jobs < 1 || o.jobs > 64:
		return usagef("-jobs %d is not from 1 to 64", o.jobs)
	case same(o.in, o.out.path):
		return usagef("both names are the same folder; the originals would be lost")
	}
	if _, err := os.Stat(o.out.path); err != nil && pictureEndings[strings.ToLower(filepath.Ext(o.out.path))] {
		return usagef("%s is a folder, so the output must be one too, and %s is a picture's name", o.in, o.out.path)
	}
	if st, err := os.Stat(o.out.path); err == nil && !st.IsDir() {
		return fmt.Errorf("%s: it is not a folder, and %s is one", o.out.path, o.in)
	}
	return nil
}

// formatFlag checks -format.
func (o *options) checkFormat() error {
	switch o.format {
	case "", "png", "jpg", "tif":
		return nil
	}
	return usagef("-format %s is not png, jpg or tif", o.format)
}

// one is the options of a single picture of the folder.
func (o options) one(j job) (*options, error) {
	o.in, o.mask, o.out = j.in, j.mask, output{flag: "the output", path: j.out}
	var err error
	o.out.format, err = picture.FormatOf(j.out)
	return &o, err
}

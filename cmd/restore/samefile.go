package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vfmrestore/restore/internal/atomicfile"
)

// location is the file that a name leads to. Two names of one file have the same location, also
// through links.
type location struct {
	path string      // absolute, with links followed
	info fs.FileInfo // nil: there is no such file yet
}

func locationOf(name string) location {
	path := atomicfile.Target(name)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	info, _ := os.Stat(path)
	return location{path, info}
}

func (p location) same(q location) bool {
	if p.info != nil && q.info != nil {
		return os.SameFile(p.info, q.info)
	}
	return p.path == q.path
}

// fileUse is a file that a command reads or writes.
type fileUse struct {
	role, name string // "the input", "a.png"
	location
}

// fileUses lists all files of a command, so that none is lost because it has two names.
type fileUses struct{ reads, writes []fileUse }

// read adds a file that must not change. An empty name is ignored, and - is the file that stdin
// comes from.
func (c *fileUses) read(role, name string) {
	switch name {
	case "":
	case "-":
		if info, err := os.Stdin.Stat(); err == nil && info.Mode().IsRegular() {
			c.reads = append(c.reads, fileUse{role, "stdin", location{info: info}})
		}
	default:
		c.reads = append(c.reads, fileUse{role, name, locationOf(name)})
	}
}

// write adds a file that will be written, in the same way.
func (c *fileUses) write(role, name string) {
	switch name {
	case "":
	case "-":
		if info, err := os.Stdout.Stat(); err == nil && info.Mode().IsRegular() {
			c.writes = append(c.writes, fileUse{role, "stdout", location{info: info}})
		}
	default:
		c.writes = append(c.writes, fileUse{role, name, locationOf(name)})
	}
}

// check returns an error if a file that is written is also read, or is written twice. With replace
// the first file written may replace the first file read.
func (c *fileUses) check(replace bool) error {
	created := map[string]fileUse{} // new files, by path
	var existing []fileUse
	for i, w := range c.writes {
		for j, r := range c.reads {
			if !w.same(r.location) || replace && i == 0 && j == 0 {
				continue
			}
			hint := ""
			if i == 0 && j == 0 {
				hint = " (-overwrite allows it)"
			}
			return usagef("%s %s is the same file as %s %s, which would be lost%s", w.role, w.name, r.role, r.name, hint)
		}
		for _, o := range existing {
			if w.same(o.location) {
				return sameFileError(o, w)
			}
		}
		if o, is := created[w.path]; is {
			return sameFileError(o, w)
		}
		if w.info != nil {
			existing = append(existing, w)
		} else {
			created[w.path] = w
		}
	}
	return nil
}

func sameFileError(a, b fileUse) error {
	if a.name == b.name {
		return usagef("%s and %s both name %s", a.role, b.role, a.name)
	}
	return usagef("%s %s and %s %s are the same file", a.role, a.name, b.role, b.name)
}

// fileUses lists the files that the flags name, and those whose names the program makes.
func (o *options) fileUses() *fileUses {
	c := &fileUses{}
	c.read("the input", o.in)
	c.read("-mask", o.mask)
	c.read("-kernel", o.kernelFile)
	c.read("-weights", o.weights)
	c.write("the output", o.out.path)
	c.write("-mean", o.mean.path)
	c.write("-std", o.std.path)
	c.write("-kernel-out", o.kernelOut.path)
	c.write("-report", o.report)
	if o.samplesDir != "" {
		for i := range o.samples {
			c.write("-samples-dir's", seriesPath(o.samplesDir, "sample", i, o.extension()))
		}
	}
	if o.explain != "" {
		for _, name := range []string{"mu", "sigma", "kernel", "mean", "std"} {
			c.write("-explain's", filepath.Join(o.explain, name+".png"))
		}
		for i := range o.samples {
			c.write("-explain's", seriesPath(o.explain, "z", i, ".png"))
			c.write("-explain's", seriesPath(o.explain, "sample", i, ".png"))
		}
	}
	return c
}

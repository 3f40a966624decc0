package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vfmrestore/restore/internal/atomicfile"
)

// place is where a name leads: two names of one file have the same place, whatever links lie between.
type place struct {
	path string      // links followed
	info fs.FileInfo // nil: there is nothing yet
}

func placeOf(name string) place {
	path := atomicfile.Target(name)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	info, _ := os.Stat(path)
	return place{path, info}
}

func (p place) same(q place) bool {
	if p.info != nil && q.info != nil {
		return os.SameFile(p.info, q.info)
	}
	return p.path == q.path
}

// claim is a file that a command reads or writes.
type claim struct {
	role, name string // "the input", "a.png"
	place
}

// claims are all files of a command, so that none is lost because it has two names.
type claims struct{ reads, writes []claim }

// read adds files that must stay as they are; those without a name are left out, and - is what stdin is.
func (c *claims) read(role, name string) {
	switch name {
	case "":
	case "-":
		if info, err := os.Stdin.Stat(); err == nil && info.Mode().IsRegular() {
			c.reads = append(c.reads, claim{role, "stdin", place{info: info}})
		}
	default:
		c.reads = append(c.reads, claim{role, name, placeOf(name)})
	}
}

// write adds files that will be written, likewise.
func (c *claims) write(role, name string) {
	switch name {
	case "":
	case "-":
		if info, err := os.Stdout.Stat(); err == nil && info.Mode().IsRegular() {
			c.writes = append(c.writes, claim{role, "stdout", place{info: info}})
		}
	default:
		c.writes = append(c.writes, claim{role, name, placeOf(name)})
	}
}

// check fails if a file that is written is one that is read, or written twice. replace: the first file written may replace the first that is read.
func (c *claims) check(replace bool) error {
	fresh := map[string]claim{} // by their paths, as nothing is there yet
	var old []claim
	for i, w := range c.writes {
		for j, r := range c.reads {
			if !w.same(r.place) || replace && i == 0 && j == 0 {
				continue
			}
			hint := ""
			if i == 0 && j == 0 {
				hint = " (-overwrite allows it)"
			}
			return usagef("%s %s is the same file as %s %s, which would be lost%s", w.role, w.name, r.role, r.name, hint)
		}
		for _, o := range old {
			if w.same(o.place) {
				return twice(o, w)
			}
		}
		if o, is := fresh[w.path]; is {
			return twice(o, w)
		}
		if w.info != nil {
			old = append(old, w)
		} else {
			fresh[w.path] = w
		}
	}
	return nil
}

func twice(a, b claim) error {
	if a.name == b.name {
		return usagef("%s and %s both name %s", a.role, b.role, a.name)
	}
	return usagef("%s %s and %s %s are the same file", a.role, a.name, b.role, b.name)
}

// claims are the files that the flags name, also those whose names the program makes.
func (o *options) claims() *claims {
	c := &claims{}
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
			c.write("-samples-dir's", numbered(o.samplesDir, "sample", i, o.extension()))
		}
	}
	if o.explain != "" {
		for _, name := range []string{"mu", "sigma", "kernel", "mean", "std"} {
			c.write("-explain's", filepath.Join(o.explain, name+".png"))
		}
		for i := range o.samples {
			c.write("-explain's", numbered(o.explain, "z", i, ".png"))
			c.write("-explain's", numbered(o.explain, "sample", i, ".png"))
		}
	}
	return c
}

// checkLink refuses a name that is a symbolic link, for -no-links.
func checkLink(name string) error {
	if st, err := os.Lstat(name); err == nil && st.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s: it is a symbolic link, which -no-links refuses", name)
	}
	return nil
}

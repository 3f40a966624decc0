package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
)

// job is one picture of a folder.
type job struct {
	name          string // relative to the folder
	in, out, mask string
	err           error // why it cannot be restored, if this is known before it is read; it may then be a folder
}

// pictureEndings are the endings of names that are pictures in a folder.
var pictureEndings = map[string]bool{".png": true, ".jpg": true, ".jpeg": true, ".tif": true, ".tiff": true, ".webp": true, ".dng": true}

func isPicture(name string) bool { return pictureEndings[strings.ToLower(filepath.Ext(name))] }

// plan is what is to be done in a folder.
type plan struct {
	jobs    []job
	skipped int            // pictures whose outputs exist already
	others  map[string]int // files of other formats, by their endings
}

// plan lists the pictures of the folder and their outputs. Outputs that exist are counted and left
// out unless -overwrite is set. Names that differ only in the ending that -format replaces would
// overwrite each other: these pictures fail, and the others go on.
func (o *options) plan() (*plan, error) {
	w := &walk{o: o, seen: map[string]bool{}, others: map[string]int{}}
	if err := w.folder(o.in, ""); err != nil {
		return nil, pathError(o.in, err)
	}
	for len(w.links) > 0 { // after all other folders, so that a folder that a link also leads to has its own name
		link := w.links[0]
		w.links = w.links[1:]
		w.enter(filepath.Join(o.in, link), link)
	}
	if len(w.jobs) == 0 {
		deeper := ""
		if !o.recursive {
			deeper = " (-r includes the folders below)"
		}
		return nil, fmt.Errorf("%s: no pictures: no file ends in .png, .jpg, .jpeg, .tif, .tiff, .webp or .dng%s", o.in, deeper)
	}
	slices.SortStableFunc(w.jobs, func(a, b job) int { return strings.Compare(a.name, b.name) })
	o.rejectCollisions(w.jobs)
	p := &plan{others: w.others}
	for _, j := range partOf(o.shard, w.jobs) {
		if _, err := os.Lstat(j.out); err == nil && !o.overwrite && j.err == nil {
			p.skipped++
			continue
		}
		p.jobs = append(p.jobs, j)
	}
	return p, nil
}

// walk lists the files of a folder.
type walk struct {
	o      *options
	jobs   []job
	links  []string // to folders, relative
	seen   map[string]bool
	others map[string]int
}

// folder adds the files of a folder. rel is its path relative to the input folder.
func (w *walk) folder(path, rel string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if w.seen[real] {
			return nil
		}
		w.seen[real] = true
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path, rel := filepath.Join(path, e.Name()), filepath.Join(rel, e.Name())
		kind := e.Type()
		if kind&fs.ModeSymlink != 0 {
			if st, err := os.Stat(path); err == nil {
				kind = st.Mode().Type()
			}
			if w.o.noLinks && (isPicture(path) || kind.IsDir() && w.o.recursive) {
				w.fail(path, rel, checkLink(path))
				continue
			}
			if kind.IsDir() {
				if w.o.recursive {
					w.links = append(w.links, rel)
				}
				continue
			}
		}
		switch hidden := strings.HasPrefix(e.Name(), "."); {
		case kind.IsDir():
			if w.o.recursive {
				w.enter(path, rel)
			}
		case hidden:
		case !isPicture(path):
			w.others[strings.ToLower(filepath.Ext(path))]++
		case kind.IsRegular() || kind&fs.ModeSymlink != 0: // a broken link fails when it is opened
			w.add(path, rel)
		default:
			w.fail(path, rel, fmt.Errorf("%s: not a regular file", path))
		}
	}
	return nil
}

// enter adds a folder below. If it cannot be read, only it fails.
func (w *walk) enter(path, rel string) {
	if same(path, w.o.out.path) {
		return
	}
	if err := w.folder(path, rel); err != nil {
		w.fail(path, rel, pathError(path, err))
	}
}

func (w *walk) fail(path, rel string, err error) {
	w.jobs = append(w.jobs, job{name: rel, in: path, err: err})
}

func (w *walk) add(path, rel string) {
	o := w.o
	j := job{name: rel, in: path, out: filepath.Join(o.out.path, rel)}
	switch {
	case o.format == "" && slices.Contains([]string{".webp", ".dng"}, strings.ToLower(filepath.Ext(rel))): // cannot be written
		j.out = strings.TrimSuffix(j.out, filepath.Ext(j.out)) + ".png"
	case o.format != "":
		j.out = strings.TrimSuffix(j.out, filepath.Ext(j.out)) + "." + o.format
	}
	if o.mask != "" {
		j.mask = maskFor(o.mask, rel)
		if o.noLinks {
			j.err = checkLink(j.mask)
		}
	}
	w.jobs = append(w.jobs, j)
}

// rejectCollisions fails the jobs whose outputs are the same file, or are a picture or mask that is
// read, also through links.
func (o *options) rejectCollisions(jobs []job) {
	outs, ins := map[string][]int{}, map[string]string{}
	read := func(name string) {
		if real, err := filepath.EvalSymlinks(name); name != "" && err == nil {
			if abs, err := filepath.Abs(real); err == nil {
				ins[abs] = name
			}
		}
	}
	for i, j := range jobs {
		if j.err == nil {
			outs[locationOf(j.out).path] = append(outs[locationOf(j.out).path], i)
			read(j.in)
			read(j.mask)
		}
	}
	for path, of := range outs {
		if lost, is := ins[path]; is {
			for _, i := range of {
				jobs[i].err = fmt.Errorf("%s: its output would replace %s", jobs[i].in, lost)
			}
		}
		if len(of) < 2 {
			continue
		}
		for k, i := range of {
			other := of[0]
			if k == 0 {
				other = of[1]
			}
			jobs[i].err = fmt.Errorf("%s: it and %s would both become %s", jobs[i].in, jobs[other].name, jobs[i].out)
		}
	}
}

// pathError returns an error about a path without the name of the system call.
func pathError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// otherPictures are the endings of pictures that cannot be read.
var otherPictures = strings.Fields(".heic .heif .hif .avif .gif .bmp .jxl .jp2 .jfif .jpe .nef .nrw .cr2 .cr3 .crw .arw .srf .sr2 .orf .rw2 .raf .pef .srw .3fr .iiq .x3f .raw .psd " +
	".exr .hdr .ppm .pgm .pbm .pnm .tga .ico .svg .pcx .xcf .eps .pdf")

// otherFilesText lists the endings of files that were left out because of their formats. Unless all
// is set it lists pictures only. It is "" if there are none.
func otherFilesText(others map[string]int, all bool) string {
	total := 0
	var kinds []string
	for ending, n := range others {
		if !all && !slices.Contains(otherPictures, ending) {
			continue
		}
		total += n
		if ending == "" {
			ending = "without an ending"
		}
		kinds = append(kinds, fmt.Sprintf("%d %s", n, ending))
	}
	if total == 0 {
		return ""
	}
	sort.Strings(kinds)
	if len(kinds) > 8 {
		kinds = append(kinds[:8], "...")
	}
	files := "files"
	if total == 1 {
		files = "file"
	}
	return fmt.Sprintf("%d %s passed over, not PNG, JPEG, TIFF, WebP or DNG by name: %s", total, files, strings.Join(kinds, ", "))
}

// maskFor returns the mask of a picture: the file -mask, or the PNG of the same name in the folder
// -mask.
func maskFor(mask, rel string) string {
	if st, err := os.Stat(mask); err == nil && st.IsDir() {
		return filepath.Join(mask, strings.TrimSuffix(rel, filepath.Ext(rel))+".png")
	}
	return mask
}

// same tells whether two paths lead to the same folder.
func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// checkFolder applies the rules for folders.
func (o *options) checkFolder() error {
	for _, f := range []struct{ name, value string }{{"-mean", o.mean.path}, {"-std", o.std.path}, {"-samples-dir", o.samplesDir}, {"-explain", o.explain}, {"-kernel-out", o.kernelOut.path}, {"-report", o.report}} {
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
		return usagef("input and output are the same folder; the originals would be lost")
	case o.mask != "" && same(o.mask, o.out.path):
		return usagef("-mask and the output are the same folder; the masks would be lost")
	}
	if _, err := os.Stat(o.out.path); err != nil && isPicture(o.out.path) {
		return usagef("%s is a folder, so the output must be a folder too, and %s is the name of a picture", o.in, o.out.path)
	}
	if st, err := os.Stat(o.out.path); err == nil && !st.IsDir() {
		return fmt.Errorf("%s is not a folder, but %s is one", o.out.path, o.in)
	}
	return nil
}

// checkFormat checks -format.
func (o *options) checkFormat() error {
	switch o.format {
	case "", "png", "jpg", "tif":
		return nil
	}
	return usagef("-format %s is not png, jpg or tif", o.format)
}

// forPicture returns the options for one picture of the folder.
func (o options) forPicture(j job) (*options, error) {
	o.in, o.mask, o.out = j.in, j.mask, output{flag: "the output", path: j.out}
	var err error
	o.out.format, err = picture.FormatOf(j.out)
	return &o, err
}

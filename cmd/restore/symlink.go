package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkLink implements -no-links. It refuses a name that is a symbolic link, or that goes through a
// link out of the link's own folder. Links that stay below their folder, as a system's /tmp may be,
// are allowed.
func checkLink(name string) error {
	for i := range name {
		if i > 0 && os.IsPathSeparator(name[i]) && !os.IsPathSeparator(name[i-1]) && isLink(name[:i]) && leadsOut(name[:i]) {
			return fmt.Errorf("%s: %s is a symbolic link out of its folder, which -no-links refuses", name, name[:i])
		}
	}
	if isLink(name) {
		return fmt.Errorf("%s: it is a symbolic link, which -no-links refuses", name)
	}
	return nil
}

func isLink(name string) bool {
	st, err := os.Lstat(name)
	return err == nil && st.Mode()&fs.ModeSymlink != 0
}

// leadsOut tells whether a link's target is not below the link's own folder.
func leadsOut(link string) bool {
	folder, _ := filepath.Split(link) // not filepath.Dir, which drops "x/..", and x may be a link
	if folder == "" {
		folder = "."
	}
	from, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return true
	}
	to, err := filepath.EvalSymlinks(link)
	if err != nil {
		return true
	}
	if filepath.IsAbs(to) != filepath.IsAbs(from) {
		if from, err = filepath.Abs(from); err == nil {
			to, err = filepath.Abs(to)
		}
	}
	rel, err2 := filepath.Rel(from, to)
	return err != nil || err2 != nil || !filepath.IsLocal(rel)
}

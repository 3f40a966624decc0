package trainhost

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// listFiles lists the files of a folder that accept takes, sorted by path. recursive also lists
// those of the folders in it.
func listFiles(folder string, recursive bool, accept func(path string) bool) (paths []string, err error) {
	if target, err := filepath.EvalSymlinks(folder); err == nil { // a link to a folder is a folder
		folder = target
	}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == folder && !d.IsDir() && !recursive:
			return fmt.Errorf("%s is not a folder", folder)
		case path != folder && d.IsDir() && !recursive:
			return fs.SkipDir
		case !d.IsDir() && accept(path):
			paths = append(paths, path)
		}
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

// isPicture reports whether the file extension is that of a format that is read.
func isPicture(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// pictureFiles lists at most limit pictures of a folder, not of the folders in it (see atMost).
func pictureFiles(folder string, limit int, spread bool) ([]string, error) {
	paths, err := listFiles(folder, false, isPicture)
	if err != nil {
		return nil, fmt.Errorf("evaluation: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("evaluation: %s holds no picture (JPEG, PNG, TIFF, WebP)", folder)
	}
	return atMost(paths, limit, spread), nil
}

// CheckPictures reports before a run whether Evaluate will find pictures in a folder, and whether
// the headers of those that it takes can be read.
func CheckPictures(folder string, limit int, spread bool) error {
	paths, err := pictureFiles(folder, limit, spread)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := checkHeader(path); err != nil {
			return err
		}
	}
	return nil
}

// atMost keeps at most limit elements of list (0: all): the first ones, or with spread some at
// equal distances. It changes list.
func atMost[T any](list []T, limit int, spread bool) []T {
	all := len(list)
	if limit <= 0 || all <= limit {
		return list
	}
	if spread {
		for i := range limit {
			list[i] = list[i*all/limit]
		}
	}
	return list[:limit]
}

// VideoFrames lists the files of a folder in the order of their names, as the frames of a video. It
// fails if there are fewer than 5.
func VideoFrames(folder string) ([]string, error) {
	paths, err := listFiles(folder, false, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	if len(paths) < 5 {
		return nil, fmt.Errorf("%s holds %d frames; 5 are needed", folder, len(paths))
	}
	return paths, nil
}

package trainhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Folders writes the pictures of an evaluation to folders, as programs read them that compare
// folders of pictures by features (FID and the like): each folder holds 8-bit PNG files and nothing
// else.
//
//	reference/            the pictures as they should be
//	input/TASK/           the observations, enlarged for super-resolve
//	restored/TASK/        z = μ
//	samples/TASK/         all samples
//
// The files of a picture have the same beginning in all of them: its number and name.
type Folders struct{ dir string }

// NewFolders makes the folder dir. It fails if dir holds something: files of another evaluation
// would be compared too.
func NewFolders(dir string) (*Folders, error) {
	list, err := os.ReadDir(dir)
	switch {
	case err == nil && len(list) > 0:
		return nil, fmt.Errorf("%s is not empty; pictures of another run would be compared with these", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return &Folders{dir}, os.MkdirAll(dir, 0o777)
}

// Add writes the pictures of an evaluation.
func (f *Folders) Add(e *Evaluated) error {
	name := fmt.Sprintf("%05d-%s", e.Index+1, strings.TrimSuffix(filepath.Base(e.File), filepath.Ext(e.File)))
	t := e.Task.String()
	first := name
	if e.Draw > 0 {
		name += fmt.Sprintf("-draw%d", e.Draw+1)
	}
	if e.Fresh {
		first = name
	}
	if err := f.write(e.Truth, "reference", first); err != nil {
		return err
	}
	if err := f.write(e.Input, filepath.Join("input", t), name); err != nil {
		return err
	}
	if err := f.write(e.Mode, filepath.Join("restored", t), name); err != nil {
		return err
	}
	for i, img := range e.Samples {
		if err := f.write(img, filepath.Join("samples", t), fmt.Sprintf("%s-%03d", name, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// write writes a picture, unless it is there already.
func (f *Folders) write(img *planar.Image, folder, name string) error {
	path := filepath.Join(f.dir, folder, name+".png")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return picture.EncodeFile(path, picture.New(img.W, img.H, img.Pix), 0)
}

// Package levin reads Levin's data set of captured camera shake (Levin, Weiss, Durand, Freeman:
// Understanding and evaluating blind deconvolution algorithms, CVPR 2009), and scores restorations
// of it by the usual protocol.
package levin

import (
	"fmt"
	"path/filepath"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// Picture is a picture of the set: grey, in linear values from 0 to 1.
type Picture struct {
	Name           string
	Sharp, Blurred *blind.Plane
	Kernel         *task.Kernel // the true one
}

// Read reads the pictures of a folder: MATLAB 5 files (*.mat) with the matrices x (sharp), y
// (blurred) and f (kernel). It fails if there is none, or if a file lacks a matrix.
func Read(dir string) (list []Picture, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.mat"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		m, err := readMat(f)
		if err != nil {
			return nil, err
		}
		x, y, k := m["x"], m["y"], m["f"]
		if x.v == nil || y.v == nil || k.v == nil || x.rows != y.rows || x.cols != y.cols || k.rows != k.cols {
			return nil, fmt.Errorf("%s: needs matrices x and y of one size, and a square f", f)
		}
		kernel := &task.Kernel{Size: k.rows, W: make([]float32, len(k.v))}
		for i, v := range k.v {
			kernel.W[i] = float32(v)
		}
		list = append(list, Picture{
			filepath.Base(f), &blind.Plane{W: x.cols, H: x.rows, Pix: x.v}, &blind.Plane{W: y.cols, H: y.rows, Pix: y.v}, kernel,
		})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: holds no MATLAB files (*.mat)", dir)
	}
	return list, nil
}

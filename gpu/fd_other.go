//go:build !linux

package gpu

import "errors"

func duplicate(fd int) (int, error) {
	return -1, errors.New("memory behind file descriptors is for Linux")
}

func fileSize(fd int) int64 { return -1 }

func closeFD(fd int) {}

//go:build !linux

package restore

import (
	"errors"

	"github.com/vfmrestore/restore/gpu"
)

const canMap = false

func (x *SharedMemory) mapFD(s gpu.Shared) error {
	return errno("import", s, errors.New("dma-bufs are for Linux"))
}

func (x *SharedMemory) tell(write, begin bool) error { return nil }

func (x *SharedMemory) unmap() {}

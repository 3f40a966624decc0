package main

// #include "vfm.h"
import "C"

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"unsafe"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/plain"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// badArgument is a wrong argument of a call.
type badArgument string

func (e badArgument) Error() string { return string(e) }

// status returns the status of vfm.h for an error.
func status(err error) C.vfm_status {
	var (
		argument  badArgument
		request   *restore.RequestError
		config    *restore.ConfigError
		unknown   *task.UnknownTaskError
		untrained *restore.UnsupportedTaskError
		loader    *gpu.NoLoaderError
		driver    *gpu.NoDriverError
		device    *gpu.NoDeviceError
		borrowed  *gpu.BorrowedError
		memory    *gpu.OutOfMemoryError
		host      *restore.MemoryError
		lost      *gpu.DeviceLostError
		file      *weights.FormatError
		network   *restore.NetworkError
		path      *fs.PathError
	)
	switch {
	case errors.Is(err, restore.ErrClosed):
		return C.VFM_CLOSED
	case errors.Is(err, io.EOF):
		return C.VFM_END
	case errors.Is(err, context.DeadlineExceeded):
		return C.VFM_TIMEOUT
	case errors.Is(err, context.Canceled):
		return C.VFM_CANCELLED
	case errors.As(err, &argument), errors.As(err, &request), errors.As(err, &config), errors.As(err, &unknown), errors.As(err, &untrained), errors.As(err, &borrowed), errors.Is(err, restore.ErrEnded):
		return C.VFM_BAD_REQUEST
	case errors.As(err, &loader), errors.As(err, &driver), errors.As(err, &device):
		return C.VFM_NO_VULKAN
	case errors.As(err, &memory), errors.As(err, &host):
		return C.VFM_NO_MEMORY
	case errors.As(err, &lost):
		return C.VFM_DEVICE_LOST
	case errors.As(err, &file), errors.As(err, &network), errors.As(err, &path):
		return C.VFM_BAD_WEIGHTS
	}
	return C.VFM_FAILED
}

// fail writes the text of an error and returns its status.
func fail(err error, text *C.char, size C.size_t) C.vfm_status {
	s := err.Error()
	switch {
	case errors.Is(err, io.EOF):
		s = "all frames have been received"
	case errors.Is(err, context.DeadlineExceeded):
		s = "the given time was not enough"
	case errors.Is(err, context.Canceled):
		s = "cancelled"
	}
	writeText(s, text, size)
	return status(err)
}

// writeText writes a text with a final 0, cut to size bytes. Control characters are quoted, as
// programs print these texts to terminals and logs.
func writeText(s string, text *C.char, size C.size_t) {
	if text == nil || size == 0 {
		return
	}
	dst := unsafe.Slice((*byte)(unsafe.Pointer(text)), int(size))
	n := copy(dst[:len(dst)-1], plain.Line(s))
	dst[n] = 0
}

package motionblur

import (
	"encoding/binary"
	"slices"
	"sync/atomic"

	"github.com/vfmrestore/restore/internal/cachefile"
)

// libraryPath is the path (a string) of the file that keeps the library between runs of a program.
// "" means no file.
var libraryPath atomic.Value

const (
	libraryFile = "kernels-1.bin"
	libraryMark = "VFMKERN1" // at the start of the file; to be changed with its format
	libraryMost = 64 << 20   // bytes
)

// save writes the library to a file. Failures are ignored, as the file only saves time.
func (l *library) save(path string) {
	if path == "" {
		return
	}
	var lengths []uint32
	var places []int32
	var weights []float32
	for _, k := range l.kernels {
		lengths = append(lengths, uint32(len(k)))
		for _, t := range k {
			places, weights = append(places, t.at), append(weights, t.w)
		}
	}
	var data []byte
	for _, part := range []any{lengths, places, weights, l.power, l.mean, l.auto} {
		// Append fails only for types without a fixed size.
		data, _ = binary.Append(data, binary.LittleEndian, part)
	}
	_ = cachefile.Write(path, libraryMark, cachefile.SumOf(data), data)
}

// readLibrary reads what save wrote. It returns nil if there is no such file, or if it is not the
// library that this program would make.
func readLibrary(path string) *library {
	data, _ := cachefile.Read(path, libraryMark, libraryMost)
	if data == nil {
		return nil
	}
	l := emptyLibrary()
	read := func(v any) bool {
		n, err := binary.Decode(data, binary.LittleEndian, v)
		data = data[n:]
		return err == nil
	}
	lengths := make([]uint32, len(l.kernels))
	if !read(lengths) {
		return nil
	}
	total := 0
	for _, n := range lengths {
		if n > KernelSide*KernelSide {
			return nil
		}
		total += int(n)
	}
	places, weights := make([]int32, total), make([]float32, total)
	if !read(places) || !read(weights) || !read(l.power) || !read(l.mean) || !read(l.auto) || len(data) > 0 {
		return nil
	}
	all := make(blurKernel, total)
	for i := range all {
		all[i] = weight{places[i], weights[i]}
	}
	for i, n := range lengths {
		l.kernels[i], all = all[:n:n], all[n:]
	}
	// A few blur kernels are drawn again and compared: another version of this program, or one on
	// another machine, may draw other ones.
	var s spectrometer
	power := make([]float32, len(l.bins))
	for i := 0; i < len(l.kernels); i += len(l.kernels) / 4 {
		k := drawKernel(i)
		s.powers(power, l.bins, k)
		if !slices.Equal(k, l.kernels[i]) || !slices.Equal(power, l.kernelPower(i)) {
			return nil
		}
	}
	return l
}

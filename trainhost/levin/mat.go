package levin

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// matrix is a real matrix of rows × cols values, row by row.
type matrix struct {
	rows, cols int
	v          []float64
}

// The parts of the MATLAB 5 file format that real matrices of doubles need: little-endian files
// with matrices as elements, compressed or not.
const (
	matInt8       = 1
	matUint8      = 2
	matInt32      = 5
	matDouble     = 9
	matMatrix     = 14
	matCompressed = 15
	matHeader     = 128
)

// readMat reads the real matrices of doubles of a MATLAB 5 file, by name.
func readMat(path string) (map[string]matrix, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < matHeader || string(data[126:128]) != "IM" {
		return nil, fmt.Errorf("%s: not a little-endian MATLAB 5 file", path)
	}
	out := map[string]matrix{}
	for rest := data[matHeader:]; len(rest) > 0; {
		var kind int
		var body []byte
		if kind, body, rest, err = element(rest); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if kind == matCompressed {
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			plain, err := io.ReadAll(io.LimitReader(z, 1<<30))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if kind, body, _, err = element(plain); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		if kind != matMatrix {
			continue
		}
		name, m, err := realMatrix(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if m.v != nil {
			out[name] = m
		}
	}
	return out, nil
}

// element takes an element from the front of data. Elements are padded to multiples of eight bytes,
// except compressed ones. Small elements have their length in the same word as their type.
func element(data []byte) (kind int, body, rest []byte, err error) {
	if len(data) < 8 {
		return 0, nil, nil, fmt.Errorf("an element is truncated")
	}
	tag, n := binary.LittleEndian.Uint32(data), int(binary.LittleEndian.Uint32(data[4:]))
	if small := tag >> 16; small != 0 {
		if small > 4 {
			return 0, nil, nil, fmt.Errorf("a small element claims to have %d bytes", small)
		}
		return int(tag & 0xffff), data[4 : 4+small], data[8:], nil
	}
	if n > len(data)-8 {
		return 0, nil, nil, fmt.Errorf("an element of %d bytes is truncated", n)
	}
	end := 8 + n
	if tag != matCompressed {
		end = min((end+7)/8*8, len(data))
	}
	return int(tag), data[8 : 8+n], data[end:], nil
}

// realMatrix reads the name and the values of a matrix. A matrix of another type has no values.
func realMatrix(body []byte) (name string, m matrix, err error) {
	var parts [4][]byte
	var kinds [4]int
	for i := range parts {
		if kinds[i], parts[i], body, err = element(body); err != nil {
			return "", m, err
		}
	}
	if kinds[1] != matInt32 || len(parts[1]) != 8 || kinds[3] != matDouble {
		return string(parts[2]), m, nil
	}
	m.rows, m.cols = int(binary.LittleEndian.Uint32(parts[1])), int(binary.LittleEndian.Uint32(parts[1][4:]))
	if m.rows*m.cols*8 != len(parts[3]) {
		return "", m, fmt.Errorf("matrix %s of %d×%d holds %d bytes", parts[2], m.rows, m.cols, len(parts[3]))
	}
	m.v = make([]float64, m.rows*m.cols)
	for i := range m.v { // the file goes column by column
		m.v[i%m.rows*m.cols+i/m.rows] = math.Float64frombits(binary.LittleEndian.Uint64(parts[3][8*i:]))
	}
	return string(parts[2]), m, nil
}

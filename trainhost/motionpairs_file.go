package trainhost

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/vfmrestore/restore/internal/atomicfile"
)

// pairsMagic begins a file of MotionPairs. Side and count follow (uint32), and σ, sharp, blurred
// and guess of each pair, all little-endian and compressed by zstd.
const pairsMagic = "VFMSHK1\n"

// Save writes the pairs to a file, completely or not at all.
func (s *MotionPairs) Save(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return err
		}
		if _, err = io.WriteString(z, pairsMagic); err == nil {
			err = binary.Write(z, binary.LittleEndian, [2]uint32{uint32(s.Side), uint32(len(s.list))})
		}
		for i := 0; i < len(s.list) && err == nil; i++ {
			p := &s.list[i]
			for _, part := range []any{p.sigma, p.sharp, p.blurred, p.guess} {
				if err == nil {
					err = binary.Write(z, binary.LittleEndian, part)
				}
			}
		}
		if err != nil {
			return err
		}
		return z.Close()
	})
}

// LoadMotionPairs reads what Save wrote. It fails if the file is of another kind or truncated.
func LoadMotionPairs(path string) (*MotionPairs, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	magic, head := make([]byte, len(pairsMagic)), [2]uint32{}
	if _, err := io.ReadFull(z, magic); err != nil || string(magic) != pairsMagic {
		return nil, fmt.Errorf("%s: not a file of motion pairs (trainhost shakes)", path)
	}
	if err := binary.Read(z, binary.LittleEndian, &head); err != nil || head[0] < 16 || head[0] > 1024 || head[1] < 1 || head[1] > 1<<16 {
		return nil, fmt.Errorf("%s: the header is not valid", path)
	}
	s := &MotionPairs{Side: int(head[0])}
	n := 3 * s.Side * s.Side
	for range head[1] {
		p := motionPair{sharp: make([]uint8, n), blurred: make([]uint8, n), guess: make([]int16, n)}
		for _, part := range []any{&p.sigma, p.sharp, p.blurred, p.guess} {
			if err := binary.Read(z, binary.LittleEndian, part); err != nil {
				return nil, fmt.Errorf("%s: truncated after %d pairs: %w", path, len(s.list), err)
			}
		}
		s.list = append(s.list, p)
	}
	return s, nil
}

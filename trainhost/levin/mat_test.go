package levin

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
)

// matFile writes matrices as MATLAB does: column by column, compressed or not, short names in the
// same word as their type.
func matFile(compress bool, name string, rows, cols int, v []float64) []byte {
	put := func(b *bytes.Buffer, kind int, body []byte) {
		binary.Write(b, binary.LittleEndian, [2]uint32{uint32(kind), uint32(len(body))})
		b.Write(body)
		for b.Len()%8 != 0 {
			b.WriteByte(0)
		}
	}
	var body, file bytes.Buffer
	put(&body, 6, []byte{6, 0, 0, 0, 0, 0, 0, 0})
	dims := binary.LittleEndian.AppendUint32(nil, uint32(rows))
	put(&body, matInt32, binary.LittleEndian.AppendUint32(dims, uint32(cols)))
	binary.Write(&body, binary.LittleEndian, uint32(1<<16|matInt8))
	body.WriteString(name + "\x00\x00\x00")
	var values []byte
	for x := range cols {
		for y := range rows {
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(v[y*cols+x]))
		}
	}
	put(&body, matDouble, values)
	var whole bytes.Buffer
	put(&whole, matMatrix, body.Bytes())
	file.Write(make([]byte, 124))
	file.WriteString("\x00\x01IM")
	if compress {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(whole.Bytes())
		w.Close()
		binary.Write(&file, binary.LittleEndian, [2]uint32{matCompressed, uint32(z.Len())})
		file.Write(z.Bytes())
	} else {
		file.Write(whole.Bytes())
	}
	return file.Bytes()
}

func TestReadMat(t *testing.T) {
	v := []float64{1, 2, 3, 4, 5, 6.5}
	for _, compress := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a.mat")
		data := matFile(compress, "x", 2, 3, v)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readMat(path)
		if err != nil {
			t.Fatal(err)
		}
		x := m["x"]
		if x.rows != 2 || x.cols != 3 {
			t.Fatalf("%d×%d", x.rows, x.cols)
		}
		for i, w := range v {
			if x.v[i] != w {
				t.Errorf("value %d is %g, not %g", i, x.v[i], w)
			}
		}
		for n := range len(data) - 1 { // truncated anywhere: an error or nothing found, no panic
			if err := os.WriteFile(path, data[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if m, err := readMat(path); err == nil && m["x"].v != nil {
				t.Errorf("read %d of %d bytes without an error", n, len(data))
			}
		}
	}
}

// A picture that is the truth moved by a pixel and a half scores as the truth does, to what
// interpolation loses.
func TestScoreFollowsMoves(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := blind.NewPlane(120, 110), blind.NewPlane(120, 110)
	for i := range 40 {
		cx, cy, r := rng.Float64()*120, rng.Float64()*110, 8+4*rng.Float64()
		for j := range x.Pix {
			bump := func(dx float64) float64 {
				u, v := float64(j%120)-cx+dx, float64(j/120)-cy
				return 0.3 * float64(i%2*2-1) * math.Exp(-(u*u+v*v)/(2*r*r))
			}
			x.Pix[j] += 0.02 + bump(0)
			y.Pix[j] += 0.02 + bump(1.5)
		}
	}
	for j := range x.Pix {
		x.Pix[j], y.Pix[j] = min(max(x.Pix[j]/4+0.4, 0), 1), min(max(y.Pix[j]/4+0.4, 0), 1)
	}
	if whole, fine := PSNR(y, x, false), PSNR(y, x, true); !(fine > whole+10 && fine > 55) {
		t.Errorf("%.1f dB by whole pixels, %.1f by quarters", whole, fine)
	}
}

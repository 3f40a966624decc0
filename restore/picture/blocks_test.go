package picture

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/dctref"
	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// throughJPEG compresses a drawing and decodes it.
func throughJPEG(t *testing.T, w, h, quality int, change func(file []byte) []byte) *Picture {
	t.Helper()
	var file bytes.Buffer
	m := synth.Drawing(rand.New(rand.NewPCG(1, 2)), w, h)
	for i, v := range m.Pix { // away from black and white, where values are clipped
		if i%4 < 3 {
			m.Pix[i] = 64 + v/2
		}
	}
	if err := jpegcodec.Encode(&file, m,
		jpegcodec.Options{Quality: quality, Subsampling: jpegcodec.Sub420}); err != nil {
		t.Fatal(err)
	}
	b := file.Bytes()
	if change != nil {
		b = change(b)
	}
	p, err := Decode(bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// For every orientation the coefficients of the picture's blocks are multiples of Steps, up to
// rounding.
func TestBlocksTurned(t *testing.T) {
	for o := 1; o <= 8; o++ {
		t.Run(fmt.Sprint(o), func(t *testing.T) {
			p := throughJPEG(t, 45, 30, 20, nil)
			if b := p.Blocks; b == nil || b.X != 0 || b.Y != 0 || b.Steps[0] != 40 ||
				b.Steps[1] != 28 || b.Steps[8] != 30 {
				t.Fatalf("blocks %+v", b) // 16, 11 and 12 at quality 50
			}
			p.orient(o)
			near, far := 0, 0
			for y0 := p.Blocks.Y; y0+8 <= p.H; y0 += 8 {
				for x0 := p.Blocks.X; x0+8 <= p.W; x0 += 8 {
					for i, q := range p.Blocks.Steps {
						z := dctref.Luminance(p.Pix, p.W, p.H, x0, y0, i)
						if off := math.Abs(math.Remainder(z, float64(q))); off < 1.5 {
							near++
						} else {
							far++
						}
					}
				}
			}
			if near+far != 15*64 || far > 15 {
				t.Errorf("%d coefficients are near multiples of their steps, %d are not", near, far)
			}
		})
	}
}

// There are no Blocks if the first component is not luminance at full size, or a table is damaged.
func TestBlocksUnknown(t *testing.T) {
	// colours are R, G and B
	adobe := []byte{0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0}
	for name, change := range map[string]func(b []byte) []byte{
		"Adobe's RGB": func(b []byte) []byte {
			return append(
				append(append([]byte{}, b[:2]...), adobe...), b[2:]...)
		},
		"names R, G, B": func(b []byte) []byte { return named3(b, "RGB") },
		"a step of zero": func(b []byte) []byte {
			i := bytes.Index(b,
				[]byte{0xff, 0xdb})
			b[i+5+7] = 0
			return b
		},
	} {
		p := throughJPEG(t, 32, 24, 50, change)
		if p.Blocks != nil {
			t.Errorf("%s: blocks %+v", name, p.Blocks)
		}
	}
	if p := throughJPEG(t, 32, 24, 50, nil); p.Like(p.W, p.H, p.Pix).Blocks != nil {
		t.Error("a picture that was made of another has its blocks")
	}
}

// named3 changes the names of three components in the headers of frame and scan.
func named3(b []byte, names string) []byte {
	frame, scan := bytes.Index(b, []byte{0xff, 0xc0}), bytes.Index(b, []byte{0xff, 0xda})
	for i := range 3 {
		b[frame+10+3*i], b[scan+5+2*i] = names[i], names[i]
	}
	return b
}

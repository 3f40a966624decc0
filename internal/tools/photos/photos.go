// Package photos loads photographs from a folder, for programs that measure.
package photos

import (
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Options say which photographs are loaded, and how they are cropped.
type Options struct {
	Count    int        // number of photographs, at most
	Shuffle  *rand.Rand // draws the photographs; nil: in the order of their names
	Halve    bool       // reduce to half the size, which removes most noise and compression
	Side     int        // largest side of the centre crop in pixels; 0: no crop
	Multiple int        // sides of the crop are multiples of it; 0 and 1: any
}

// Photo is a photograph of 8 bits.
type Photo struct {
	Name string // of the file
	*planar.Image
}

// Load reads photographs from a folder. It skips files that are not pictures.
func Load(folder string, o Options) (list []Photo, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	if o.Shuffle != nil {
		o.Shuffle.Shuffle(len(entries), func(i, j int) {
			entries[i], entries[j] = entries[j], entries[i]
		})
	}
	for _, e := range entries {
		if len(list) == o.Count {
			break
		}
		path := filepath.Join(folder, e.Name())
		p, err := picture.DecodeFile(path, picture.Limits{Regular: true})
		if err != nil {
			continue
		}
		m := p.Planar().ToNRGBA()
		if o.Halve {
			m = imaging.Resize(m, p.W/2, p.H/2, imaging.Lanczos)
		}
		if o.Side > 0 {
			multiple := max(o.Multiple, 1)
			size := m.Bounds().Size()
			m = imaging.CropCenter(m, min(o.Side, size.X)/multiple*multiple,
				min(o.Side, size.Y)/multiple*multiple)
		}
		list = append(list, Photo{e.Name(), planar.FromNRGBA(m)})
	}
	return list, nil
}

package noise

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/pyramid"
)

// The halved profile is what is left of noise when a picture is made half as large.
func TestHalved(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	const side = 512
	m := planar.New(side, side)
	for i := range m.Pix {
		m.Pix[i] = float32(0.1 * rng.NormFloat64())
	}
	half := pyramid.Halve(side, side, pyramid.RowsOf(m))
	sum := 0.0
	for _, v := range half.Pix {
		sum += float64(v) * float64(v)
	}
	want := math.Sqrt(sum / float64(len(half.Pix)))
	got := White(0.1).Halved()
	for b := range Bands {
		if math.Abs(got.Luma[b]/want-1) > 0.01 || math.Abs(got.Chroma[b]/want-1) > 0.01 {
			t.Errorf("band %d of white noise of 0.1: %g and %g, measured %g", b, got.Luma[b], got.Chroma[b], want)
		}
	}
	p := Profile{Luma: [Bands]float64{1, 2, 3, 4}, Chroma: [Bands]float64{5, 6, 7, 8}, Tone: [Tones]float64{1, 2, 3}, Blocks: 2, Found: true}
	want2 := Profile{Luma: [Bands]float64{1.5, 1.5, 2, 2}, Chroma: [Bands]float64{3.5, 3.5, 4, 4}, Tone: p.Tone, Found: true}
	if h := p.Halved(); h != want2 {
		t.Errorf("%+v gives %+v", p, h)
	}
}

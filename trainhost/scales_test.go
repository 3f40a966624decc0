package trainhost

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
)

// Samples with the same distribution as the truth have deviations equal to the error at every
// scale, and the coverage of a calibrated ensemble. If the truth varies by blocks of 8 pixels,
// samples of white noise have neither.
func TestScaleScores(t *testing.T) {
	const side, count = 64, 9
	rng := rand.New(rand.NewPCG(3, 1))
	blocks := func(size int) []float32 { // of variance 0.01 per pixel
		v := make([]float32, 3*side*side)
		for c := range 3 {
			n := make([]float32, side*side)
			for i := range n {
				n[i] = float32(0.1 * rng.NormFloat64())
			}
			for i := range side * side {
				v[c*side*side+i] = n[i/side/size*side+i%side/size]
			}
		}
		return v
	}
	run := func(of int) Score {
		s := Score{}
		for range 60 {
			truth := &planar.Image{W: side, H: side, Pix: blocks(8)}
			r := &restore.Result{Picture: picture.New(side, side, make([]float32, 3*side*side))}
			for range count {
				r.Samples = append(r.Samples, picture.New(side, side, blocks(of)))
			}
			s.addBlocks(truth, r, nil)
		}
		for i := range s.Scales {
			s.Scales[i].finish()
		}
		return s
	}
	good, white := run(8), run(1)
	for i, x := range good.Scales {
		ratio := x.Std / x.Error
		if math.Abs(ratio-1) > 0.15 || math.Abs(x.Cover-0.8) > 0.12 {
			t.Errorf("%d pixels: covers %.3f, want 0.8; deviation / error %.3f", x.Side, x.Cover, ratio)
		}
		if y := white.Scales[i]; x.Side == 8 && (y.Cover > 0.4 || y.Std/y.Error > 0.2) {
			t.Errorf("white noise covers %.3f at 8 pixels, deviation / error %.3f", y.Cover, y.Std/y.Error)
		}
	}
	if text := ScaleTable([]Score{good}, count); !strings.Contains(text, "80.0 %") {
		t.Errorf("table:\n%s", text)
	}
	// Only blocks that lie in the mask count.
	where := make([]bool, side*side)
	for i := range where {
		where[i] = i%side >= 10 && i%side < 26 && i/side < 20
	}
	got := blockMeans(make([]float32, 3*side*side), side, side, 8, where)
	if len(got) != 3*2 {
		t.Errorf("%d blocks of 8 pixels in 16×20 from column 10 on, want 2 (in each of 3 planes)", len(got)/3)
	}
}

// mix recovers the variances that a mixture was made with.
func TestMix(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for range 20 {
		var rest, aim [len(blockSides)]float64
		responses := make([][len(blockSides)]float64, scaleCount)
		want := make([]float64, scaleCount)
		for i := range rest {
			rest[i] = 0.1 * math.Pow(4, -float64(i))
			aim[i] = rest[i]
		}
		for l := range responses {
			want[l] = rng.Float64()
			for i := range rest {
				responses[l][i] = 1 / (1 + math.Pow(float64(blockSides[i])/float64(int(4)<<l), 2))
				aim[i] += want[l] * want[l] * responses[l][i]
			}
		}
		shares := mix(rest, responses, aim)
		for i := range aim {
			v := rest[i]
			for l, a := range shares {
				v += float64(a) * float64(a) * responses[l][i]
			}
			if math.Abs(v/aim[i]-1) > 0.03 {
				t.Fatalf("variance at %d pixels is %g, want %g (shares %v, made with %v)", blockSides[i], v, aim[i], shares, want)
			}
		}
	}
}

package metric

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// fresh returns a generator with a random seed, which is printed if the test fails.
func fresh(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 5))
}

func randomImage(rng *rand.Rand, w, h int) *planar.Image {
	m := planar.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = 2*rng.Float32() - 1
	}
	return m
}

func isNear(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tol)
	}
}

func TestPSNR(t *testing.T) {
	rng := fresh(t)
	a := randomImage(rng, 31, 17)
	b := a.Clone()
	for i := range b.Pix {
		b.Pix[i] += 0.05
	}
	got, err := PSNR(a, b)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "PSNR of an offset of 0.05", got, 20*math.Log10(2/0.05), 1e-4)
	if p, _ := PSNR(a, a); !math.IsInf(p, 1) {
		t.Errorf("PSNR of equal pictures: %v", p)
	}
	// An equal change of all channels is a change of luminance.
	got, err = PSNRLuminance(a, b)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "PSNR of luminance", got, 20*math.Log10(2/0.05), 1e-4)
	for i := range a.W * a.H { // blue counts by 0.114
		b.Pix[i], b.Pix[a.W*a.H+i] = a.Pix[i], a.Pix[a.W*a.H+i]
	}
	got, _ = PSNRLuminance(a, b)
	isNear(t, "PSNR of luminance for a change of blue", got, 20*math.Log10(2/(0.114*0.05)), 1e-3)
	var shape *ShapeError
	if _, err := PSNR(a, planar.New(17, 31)); !errors.As(err, &shape) {
		t.Errorf("other size: %v", err)
	}
	if _, err := PSNRLuminance(a, planar.New(17, 31)); !errors.As(err, &shape) {
		t.Errorf("other size: %v", err)
	}
	if _, err := PSNR(&planar.Image{W: 3, H: 3}, &planar.Image{W: 3, H: 3}); err == nil {
		t.Error("pictures without values pass")
	}
}

// bruteSSIM computes SSIM by its definition: each window position separately, in two dimensions.
func bruteSSIM(a, b *planar.Image, size int, dataRange float64) float64 {
	c1, c2 := math.Pow(0.01*dataRange, 2), math.Pow(0.03*dataRange, 2)
	total, n := 0.0, 0.0
	for c := 0; c < 3; c++ {
		for y := 0; y+size <= a.H; y++ {
			for x := 0; x+size <= a.W; x++ {
				var norm, ma, mb, va, vb, cov float64
				for pass := 0; pass < 2; pass++ {
					for j := 0; j < size; j++ {
						for i := 0; i < size; i++ {
							dx, dy := float64(i-size/2), float64(j-size/2)
							g := math.Exp(-(dx*dx + dy*dy) / 4.5)
							u, v := float64(a.At(c, x+i, y+j)), float64(b.At(c, x+i, y+j))
							if pass == 0 {
								norm, ma, mb = norm+g, ma+g*u, mb+g*v
							} else {
								va, vb, cov = va+g*(u-ma)*(u-ma)/norm, vb+g*(v-mb)*(v-mb)/norm,
									cov+g*(u-ma)*(v-mb)/norm
							}
						}
					}
					if pass == 0 {
						ma, mb = ma/norm, mb/norm
					}
				}
				total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
				n++
			}
		}
	}
	return total / n
}

func TestSSIM(t *testing.T) {
	rng := fresh(t)
	for _, s := range [][3]int{{11, 11, 11}, {11 + rng.IntN(20), 11 + rng.IntN(20), 11},
		{10, 30, 9}, {1, 5, 1}, {4, 3, 3}, {2, 2, 1}} {
		a := randomImage(rng, s[0], s[1])
		b := a.Clone()
		for i := range b.Pix {
			b.Pix[i] = 0.8*b.Pix[i] + 0.3*rng.Float32()
		}
		for _, r := range []float64{Range, 1} {
			got, err := SSIM(a, b, r)
			if err != nil {
				t.Fatal(err)
			}
			isNear(t, "SSIM", got, bruteSSIM(a, b, s[2], r), 1e-9)
		}
		if same, _ := SSIM(a, a, Range); math.Abs(same-1) > 1e-9 {
			t.Errorf("SSIM of equal pictures %v", same)
		}
		back, _ := SSIM(b, a, Range)
		got, _ := SSIM(a, b, Range)
		isNear(t, "SSIM the other way round", back, got, 1e-12)
	}
	if _, err := SSIM(planar.New(3, 3), planar.New(3, 3), 0); err == nil {
		t.Error("data range 0 accepted")
	}
	if _, err := SSIM(planar.New(3, 3), planar.New(3, 4), Range); err == nil {
		t.Error("other size accepted")
	}
}

// A picture that is shifted and noisy has the PSNR of its noise after the best shift.
func TestPSNRShifted(t *testing.T) {
	rng := fresh(t)
	a := randomImage(rng, 40, 30)
	b := planar.New(40, 30)
	for i := range b.Pix {
		c, y, x := i/1200, i%1200/40, i%40
		b.Pix[i] = 0.05
		if y >= 3 && x < 38 {
			b.Pix[i] += a.Pix[c*1200+(y-3)*40+x+2]
		}
	}
	got, err := PSNRShifted(a, b, 4)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "PSNR after a shift", got, 20*math.Log10(2/0.05), 1e-4)
	if got, err = PSNRShifted(a, b, 2); err != nil || got > 12 {
		t.Errorf("shift out of reach: %v dB, error %v", got, err)
	}
	for _, shift := range []int{-1, 15} {
		if _, err := PSNRShifted(a, b, shift); err == nil {
			t.Errorf("shift of %d: no error", shift)
		}
	}
	if _, err := PSNRShifted(a, planar.New(3, 3), 0); err == nil {
		t.Error("different sizes: no error")
	}
}

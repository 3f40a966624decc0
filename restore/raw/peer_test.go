package raw

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/picture"
)

// dcraw, another raw converter, reads the same levels and develops the same colours. The test is
// skipped if dcraw (Debian's package dcraw) is not installed.
func TestAgainstDcraw(t *testing.T) {
	if _, err := exec.LookPath("dcraw"); err != nil {
		t.Skip("dcraw is not installed")
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 19))
	dir := t.TempDir()
	e := func(tag, kind uint16, v ...float64) entry { return entry{tag, kind, v} }
	colours := [][]float64{{0, 1, 1, 2}, {1, 0, 2, 1}, {1, 2, 0, 1}, {2, 1, 1, 0}}
	toCamera := []float64{0.8380, -0.2630, -0.0639, -0.2887, 1.0725, 0.2496, -0.0627, 0.1427,
		0.5438}
	for i := range 8 {
		const w, h, left, top = 150, 120, 5, 3
		n := []int{8, 10, 12, 14, 16}[rng.IntN(5)]
		d := usual(rng, w, h, n)
		d.preview = true
		if i >= 3 { // dcraw reads tiles and several strips only where the other is not
			d.jpeg = &jpegOptions{components: 1 + i%2, bits: n, predictor: 1 + rng.IntN(7)}
			if d.blockH = h; i >= 5 {
				d.blockW, d.blockH = 64, 48
			}
		}
		pattern := rng.IntN(4)
		black, white := math.Round(float64(int(3)<<n)/64), float64(int(61)<<n)/64
		// One colour all over: levels, white balance and matrix are compared, not demosaicing.
		light := [3]float64{0.1 + 0.3*rng.Float64(), 0.1 + 0.3*rng.Float64(), 0.1 +
			0.3*rng.Float64()}
		neutral := []float64{0.5, 1, 0.6}
		for k := range d.pix {
			u, v := k%w-left, k/w-top
			c := int(colours[pattern][u&1+2*(v&1)])
			d.pix[k] = uint16(math.Round(black + light[c]*neutral[c]*(white-black)))
		}
		d.sensor = []entry{e(tagActive, kLong, top, left, h-2, w-3),
			e(tagPattern, kByte, colours[pattern]...), e(tagBlack, kLong, black),
			e(tagWhite, kLong, white)}
		d.first = []entry{e(tagColour1, kSigned, toCamera...), e(tagIlluminant1, kShort, 21),
			e(tagNeutral, kFraction, neutral...), e(272, 2, 'M', '1', 0)}
		path := filepath.Join(dir, fmt.Sprintf("%d.dng", i))
		b := d.bytes(rng)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Mosaic()
		if err != nil {
			t.Fatal(err)
		}
		peer := func(args ...string) *picture.Picture {
			t.Helper()
			var said strings.Builder
			cmd := exec.Command("dcraw",
				append(append([]string{"-c", "-T", "-t", "0"}, args...), path)...)
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%d bits, %d: dcraw: %v, %s", n, i, err, &said)
			}
			p, err := picture.Decode(strings.NewReader(string(out)), picture.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		levels := peer("-D", "-4")
		if levels.W != m.W || levels.H != m.H {
			t.Fatalf("%d×%d, dcraw has %d×%d", m.W, m.H, levels.W, levels.H)
		}
		for k, v := range m.Pix {
			if got := math.Round(float64(levels.Pix[k]+1) * 32767.5); got != float64(v) {
				t.Fatalf("%d bits, %+v: level %d is %d, dcraw has %g", n, d.jpeg, k, v, got)
			}
		}
		shown := peer("-w", "-o", "1", "-4", "-W", "-q", "0", "-H", "0")
		ours, err := f.Develop(false)
		if err != nil {
			t.Fatal(err)
		}
		at := m.H/2*m.W + m.W/2
		for c := range 3 {
			a, b := float64(camera.Light(ours.Planar().Plane(c)[at])),
				float64(shown.Planar().Plane(c)[at]+1)/2
			if math.Abs(a-b) > 0.01 {
				t.Errorf("pattern %d, colour %d: light %.4f, dcraw has %.4f", pattern, c, a, b)
			}
		}
	}
}

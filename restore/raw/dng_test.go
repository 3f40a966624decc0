package raw

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/matrix3"
	"github.com/vfmrestore/restore/restore/picture"
)

// For all kinds of files the levels that are read are those that were written.
func TestReadsDNG(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 9))
	for i := range 200 {
		n := 8 + rng.IntN(9)
		d := usual(rng, 2*(4+rng.IntN(30)), 2+rng.IntN(50), n)
		if rng.IntN(2) == 0 {
			d.order = binary.BigEndian
		}
		if rng.IntN(2) == 0 {
			d.blockW, d.blockH = 8+2*rng.IntN(20), 8+rng.IntN(20)
		}
		if rng.IntN(2) == 0 {
			d.jpeg = &jpegOptions{components: 1 + rng.IntN(2), bits: n, predictor: 1 + rng.IntN(7),
				restart: rng.IntN(2), long: rng.IntN(2) == 0}
		}
		f, err := Open(d.bytes(rng), Options{})
		if err != nil {
			t.Fatalf("%d: %+v: %v", i, d.jpeg, err)
		}
		m, err := f.Mosaic()
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if w, h := f.Sides(); w != d.w || h != d.h || !slices.Equal(m.Pix, d.pix) ||
			m.White != float64(int(1)<<n-1) || m.Pattern != RGGB || m.Black != [4]float64{} ||
			m.Noise != nil {
			t.Fatalf("%d: %d×%d of %d bits, blocks %d×%d, JPEG %+v: other levels", i, d.w, d.h, n,
				d.blockW, d.blockH, d.jpeg)
		}
	}
}

// Entries about levels: tables, borders, patterns, black, noise.
func TestReadsTags(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 10))
	for range 100 {
		d := usual(rng, 40, 30, 10)
		table := make([]float64, 700)
		for i := range table {
			table[i] = float64(rng.IntN(4000))
		}
		top, left, bottom, right := rng.IntN(4), rng.IntN(4), 26+rng.IntN(4), 36+rng.IntN(4)
		x, y := rng.IntN(5), rng.IntN(5)
		black := []float64{10.5, 20.25, 30, 40.75}
		colours := map[Pattern][]float64{RGGB: {0, 1, 1, 2}, BGGR: {2, 1, 1, 0}, GRBG: {1, 0, 2, 1},
			GBRG: {1, 2, 0, 1}}
		pattern := Pattern(rng.IntN(4))
		columns := make([]float64, right-left)
		for i := range columns {
			columns[i] = float64(rng.IntN(5) - 2)
		}
		d.sensor = []entry{{tagLinear, kShort, table},
			{tagActive, kLong, []float64{float64(top), float64(left), float64(bottom),
				float64(right)}},
			{tagCropOrigin, kFraction, []float64{float64(x), float64(y)}},
			{tagCropSize, kLong, []float64{20, 15}},
			{tagPattern, kByte, colours[pattern]}, {tagBlackDim, kShort, []float64{2, 2}},
			{tagBlack, kFraction, black}, {tagWhite, kLong, []float64{3999}},
			{tagBlackColumns, kSigned, columns},
			{tagNoise, kDouble, []float64{1e-3, 1e-6, 2e-3, 2e-6, 3e-3, 3e-6}}}
		d.first = []entry{{tagExposure, kSigned, []float64{1}}}
		f, err := Open(d.bytes(rng), Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Mosaic()
		if err != nil || m.W != 20 || m.H != 15 || m.Exposure != 2 || m.White != 3999 {
			t.Fatalf("%d×%d, exposure %g, white %g, %v", m.W, m.H, m.Exposure, m.White, err)
		}
		for i, v := range m.Pix {
			u, w := x+i%20, y+i/20 // in the active area
			level := table[min(d.pix[(top+w)*40+left+u], 699)]
			if want := uint16(max(level-columns[u], 0)); v != want {
				t.Fatalf("level %d is %d, want %d", i, v, want)
			}
			k := u%2 + 2*(w%2)
			if got := m.Black[i%20%2+2*(i/20%2)]; got != black[k] {
				t.Fatalf("black %d is %g, want %g", i, got, black[k])
			}
			if got := m.Pattern.colour(i%20, i/20); float64(got) != colours[pattern][k] {
				t.Fatalf("colour %d is %d, want %v", i, got, colours[pattern][k])
			}
		}
		if want := (Noise{[3]float64{1e-3, 2e-3, 3e-3},
			[3]float64{1e-6, 2e-6, 3e-6}}); m.Noise == nil || *m.Noise != want {
			t.Errorf("noise %v", m.Noise)
		}
		told, err := Open(d.bytes(rng), Options{Gain: 2, ReadNoise: 3})
		if err != nil || math.Abs(told.mosaic.Noise.Shot[0]/(2/(3999-25.375))-1) > 1e-9 {
			t.Errorf("noise that was told: %+v, %v", told, err)
		}
	}
}

// White balance and matrix: white is white, and sRGB's colours come back, with each kind of matrix.
func TestReadsColours(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 11))
	// XYZ to a camera's colours, and another matrix that must not be used.
	camera := matrix3.Matrix{0.8380, -0.2630, -0.0639, -0.2887, 1.0725, 0.2496, -0.0627, 0.1427,
		0.5438}
	other := matrix3.Matrix{1, 0.2, 0, 0, 1, 0.1, 0.3, 0, 1}
	p := camera.Times(srgbToXYZ)
	// of white, D65
	neutral := []float64{p[0] + p[1] + p[2], p[3] + p[4] + p[5], p[6] + p[7] + p[8]}
	// The camera's colours after white balance to XYZ under D50 (Bradford), by the same camera.
	toXYZ, _ := camera.Inverse()
	fromD65, _ := d50ToD65.Inverse()
	forward := fromD65.Times(toXYZ).Times(
		matrix3.Matrix{neutral[0], 0, 0, 0, neutral[1], 0, 0, 0, neutral[2]})
	e := func(tag, kind uint16, v ...float64) entry { return entry{tag, kind, v} }
	for what, first := range map[string][]entry{
		"one matrix": {e(tagColour1, kSigned, camera[:]...),
			e(tagNeutral, kFraction, neutral...)},
		"two matrices": {e(tagColour1, kSigned, other[:]...),
			e(tagColour2, kSigned, camera[:]...), e(tagIlluminant1, kShort, 17),
			e(tagIlluminant2, kShort, 21), e(tagNeutral, kFraction, neutral...)},
		"the first is nearer": {e(tagColour2, kSigned, other[:]...),
			e(tagColour1, kSigned, camera[:]...), e(tagIlluminant1, kShort, 21),
			e(tagIlluminant2, kShort, 17), e(tagNeutral, kFraction, neutral...)},
		"forward matrix": {e(tagColour1, kSigned, other[:]...),
			e(tagForward1, kSigned, forward[:]...), e(tagNeutral, kFraction, neutral...)},
		"white as x and y": {e(tagColour1, kSigned, camera[:]...),
			e(tagWhiteXY, kFraction, 0.3127, 0.3290)},
		"white not told": {e(tagColour1, kSigned, camera[:]...)},
	} {
		light := [3]float64{0.1 + 0.4*rng.Float64(), 0.1 + 0.4*rng.Float64(), 0.1 +
			0.4*rng.Float64()}
		d := usual(rng, 12, 10, 16)
		d.first = first
		for i := range d.pix {
			c := RGGB.colour(i%12, i/12)
			d.pix[i] = uint16(math.Round(
				60000 * (p[3*c]*light[0] + p[3*c+1]*light[1] + p[3*c+2]*light[2])))
		}
		f, err := Open(d.bytes(rng), Options{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got, err := f.Develop(false)
		if err != nil || f.Profile() != nil {
			t.Fatalf("%s: %v, profile %v", what, err, f.Profile())
		}
		// The smallest gain is 1: full light is where the strongest colour is saturated.
		scale := 60000. / 65535 * max(neutral[0], neutral[1], neutral[2])
		for c, v := range light {
			if want := display(v*scale, 0); math.Abs(float64(got.Pix[c*120+65])-want) > 0.012 {
				t.Errorf("%s: colour %d is %.4f, want %.4f", what, c, got.Pix[c*120+65], want)
			}
		}
	}
}

// Package picture reads a DNG: turned, with EXIF and noise profile.
func TestDecodesFile(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 12))
	d := usual(rng, 30, 20, 12)
	d.preview = true
	d.first = []entry{{274, kShort, []float64{6}},
		{33432, 2, []float64{'m', 'e', ' ', 'm', 'e', 0}}}
	d.sensor = []entry{{tagNoise, kDouble, []float64{1e-3, 1e-6}}}
	b := d.bytes(rng)
	path := filepath.Join(t.TempDir(), "a.dng")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, pack := range []int64{0, 1} {
		p, profile, err := DecodeFile(path, picture.Limits{Pack: pack},
			Options{Rendering: DefaultRendering})
		if err != nil || p.W != 20 || p.H != 30 || p.Depth != 16 || p.Format != picture.DNG ||
			profile == nil || !(profile.Sigma() > 0) || (p.Levels != nil) != (pack > 0) {
			t.Fatalf("%+v, %v, %v", p, profile, err)
		}
		f, _ := Open(b, Options{Rendering: DefaultRendering})
		lying, err := f.Develop(false)
		if err != nil {
			t.Fatal(err)
		}
		p = p.Unpacked()
		for i := range 600 { // a quarter turn clockwise
			if x, y := i%20, i/20; math.Abs(float64(p.Pix[i]-lying.Pix[(19-x)*30+y])) > 1./65535 {
				t.Fatalf("pixel %d is not turned", i)
			}
		}
		if !bytes.Contains(p.EXIF, []byte("me me\x00")) ||
			!bytes.Contains(p.EXIF, []byte("ACME \x00")) {
			t.Error("EXIF is lost")
		}
		var out bytes.Buffer
		if err := picture.Encode(&out, p, picture.TIFF, 0); err != nil {
			t.Fatal(err)
		}
		if q, err := picture.Decode(&out, picture.Limits{}); err != nil || q.W != 20 ||
			q.ICC != nil {
			t.Errorf("written as TIFF: %v", err)
		}
	}
	// From a pipe, whose length is not known.
	r := &Reader{}
	if p, err := picture.Decode(bytes.NewReader(b), picture.Limits{Raw: r.Open}); err != nil ||
		p.W != 20 || r.File.Profile() == nil {
		t.Errorf("from a pipe: %v", err)
	}
	if _, err := picture.Decode(bytes.NewReader(b), picture.Limits{}); err == nil ||
		!strings.Contains(err.Error(), "camera raw file (DNG)") {
		t.Errorf("where raw files are not wanted: %v", err)
	}
	var large *picture.SizeError
	if _, _, err := DecodeFile(path, picture.Limits{MaxPixels: 599}, Options{}); !errors.As(err,
		&large) {
		t.Errorf("too large: %v", err)
	}
	no := errors.New("no")
	if _, _, err := DecodeFile(path, picture.Limits{Check: func(w, h int) error {
		if w != 20 || h != 30 {
			t.Errorf("asked for %d×%d", w, h)
		}
		return no
	}}, Options{}); !errors.Is(err, no) {
		t.Errorf("not wanted: %v", err)
	}
}

// Damaged or unsupported files are refused with an error before memory is allocated.
func TestRefusesDNG(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 13))
	e := func(tag, kind uint16, v ...float64) []entry { return []entry{{tag, kind, v}} }
	for want, sensor := range map[string][]entry{
		"no mosaic":                e(262, kShort, 2),
		"LinearRaw":                e(262, kShort, 34892),
		"with loss (method 34892)": e(259, kShort, 34892),
		"method 8":                 e(259, kShort, 8),
		"of 7 bits":                e(258, kShort, 7),
		"of 32 bits":               e(258, kShort, 32),
		"3 samples":                e(277, kShort, 3),
		"1×20 pixels":              e(256, kLong, 1),
		"4294967295×20":            e(256, kLong, 1<<32-1),
		"cut off: 30×100000":       e(257, kLong, 100000),
		"are invalid": {{33421, kShort, []float64{2, 2}},
			{tagNeutral, kFraction, []float64{1, 0, 1}}},
		"predictor 3":         e(317, kShort, 3),
		"not a Bayer pattern": e(33421, kShort, 6, 6),
		"a Bayer":             e(tagLayout, kShort, 2),
		"red, green and blue": e(33422, kByte, 0, 1, 2, 1),
		"red, green":          e(tagPlanes, kByte, 0, 1, 2, 3),
		"black levels repeat": e(tagBlackDim, kShort, 3, 3),
		"3 black levels": {{tagBlackDim, kShort, []float64{2, 2}},
			{tagBlack, kShort, []float64{1, 2, 3}}},
		"black level 4095": e(tagBlack, kShort, 4095),
		"; black must be":  e(tagWhite, kLong, 1<<30),
		"active area":      e(tagActive, kLong, 0, 0, 20, 31),
		"its crop": {{tagCropOrigin, kLong, []float64{29, 0}},
			{tagCropSize, kLong, []float64{4, 4}}},
		"are missing":    e(273, kLong),
		"tiles have 3×3": {{322, kShort, []float64{3}}, {323, kShort, []float64{3}}},
		"are far more than 2×100000": {{259, kShort, []float64{7}}, {256, kLong, []float64{2}},
			{257, kLong, []float64{100000}}, {278, kLong, []float64{1}},
			{65000, kByte, make([]float64, 30000)}},
	} {
		d := usual(rng, 30, 20, 12)
		d.preview = false
		d.sensor = sensor
		_, err := Open(d.bytes(rng), Options{})
		var own *Error
		if err == nil || !errors.As(err, &own) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	// Errors that only reading the pixels shows.
	for want, sensor := range map[string][]entry{
		"begins beyond its end": {{273, kLong, []float64{1 << 31}}, {278, kLong, []float64{20}},
			{279, kLong, []float64{900}}},
		"has 5 bytes, not 900": {{273, kLong, []float64{8}}, {278, kLong, []float64{20}},
			{279, kLong, []float64{5}}},
		"not a lossless JPEG": {{259, kShort, []float64{7}}},
	} {
		d := usual(rng, 30, 20, 12)
		d.sensor = sensor
		f, err := Open(d.bytes(rng), Options{})
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if _, err := f.Develop(false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := Open(nil, Options{}); err == nil {
		t.Error("nothing is a raw file")
	}
	if _, err := Open(usual(rng, 30, 20, 12).bytes(rng), Options{Gain: -1}); err == nil {
		t.Error("a gain of -1")
	}
}

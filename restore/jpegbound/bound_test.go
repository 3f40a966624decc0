package jpegbound

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/dctref"
)

// The DCT equals its definition in float64, and its inverse undoes it.
func TestTransform(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var b block
	for i := range b {
		b[i] = float32(255*rng.Float64() - 128)
	}
	was := b
	b.transform()
	for i, got := range b {
		want := dctref.Coefficient(i, func(x, y int) float64 { return float64(was[y*side+x]) })
		if math.Abs(float64(got)-want) > 1e-3 {
			t.Errorf("coefficient %d is %v, not %v", i, got, want)
		}
	}
	b.inverse()
	for i := range b {
		if math.Abs(float64(b[i]-was[i])) > 1e-3 {
			t.Fatalf("value %d comes inverse as %v, not %v", i, b[i], was[i])
		}
	}
}

// posterior is E[x | z in the cell], x ~ N(mean, err²), z ~ N(x, noise²), by sums over x and z.
func posterior(mean, err, noise float64) float64 {
	var sum, weight float64
	low, high := mean-10*err, mean+10*err
	if noise == 0 {
		low, high = -0.5, 0.5
	}
	const n = 5000
	for i := range n {
		x := low + (high-low)*(float64(i)+0.5)/n
		p := math.Exp(-(x - mean) * (x - mean) / (2 * err * err))
		// The probability of z in the cell.
		if noise > 0 {
			p *= (math.Erfc((-0.5-x)/(noise*math.Sqrt2)) -
				math.Erfc((0.5-x)/(noise*math.Sqrt2))) / 2
		}
		sum, weight = sum+p*x, weight+p
	}
	return sum / weight
}

// Curves equal the posterior mean by numerical integration.
func TestCurve(t *testing.T) {
	for _, err := range []float64{0.08, 0.2, 0.5, 1.5} {
		for _, noise := range []float64{0, 0.1, 0.6} {
			c := newCurve(err, noise)
			for _, mean := range []float64{-1.1, -0.55, -0.3, 0, 0.1, 0.49, 0.7} {
				if math.Abs(mean) > 0.5+5*math.Hypot(err, noise) {
					continue // no mass for numerical integration
				}
				if got, want := float64(c.at(float32(mean))),
					posterior(mean, err, noise); math.Abs(got-want) > 4e-3 {
					t.Errorf("error %v, noise %v: from %v to %v, not %v", err, noise, mean, got,
						want)
				}
			}
		}
	}
}

// Without noise every position ends in its cell. Curves rise, and are odd.
func TestCurveEnds(t *testing.T) {
	for _, err := range []float64{1e-3, 0.02, 0.3, 4} {
		c, last := newCurve(err, 0), float32(-1)
		for x := float32(-20); x <= 20; x += 0.01 {
			v := c.at(x)
			if !(v >= -0.502 && v <= 0.502) {
				t.Fatalf("error %v: %v goes to %v", err, x, v)
			}
			if v < last-1e-4 {
				t.Fatalf("error %v: falls at %v from %v to %v", err, x, last, v)
			}
			if w := c.at(-x); math.Abs(float64(v+w)) > 1e-4 {
				t.Fatalf("error %v: %v and %v at ±%v", err, v, w, x)
			}
			last = v
		}
	}
	// With very strong noise nothing moves.
	c := newCurve(0.01, 100)
	for _, x := range []float32{-3, -0.7, 0.2, 1.4, 9} {
		if v := c.at(x); math.Abs(float64(v-x)) > 1e-3 {
			t.Errorf("under noise %v goes to %v", x, v)
		}
	}
	clip := newClip(0.1)
	for x, want := range map[float32]float32{0.3: 0.3, 0.9: 0.6, -5: -0.6} {
		if v := clip.at(x); math.Abs(float64(v-want)) > 1e-2 {
			t.Errorf("clipped: %v goes to %v, not %v", x, v, want)
		}
	}
}

// flat makes a grid of equal steps.
func flat(q int) (g Grid) {
	for i := range g.Steps {
		g.Steps[i] = q
	}
	return g
}

// compressed gives 8 rows of planes whose coefficients were rounded to steps, and the coefficients
// of their blocks before rounding, with white noise of this strength.
func compressed(rng *rand.Rand, g Grid, blocks int, noise float64) (rows [3][]float32,
	before []block) {
	w := side * blocks
	for c := range rows {
		rows[c] = make([]float32, side*w)
	}
	for i := range blocks {
		var b, q block
		for k := range b {
			// Weak detail, as in smooth pictures.
			b[k] = float32(rng.NormFloat64() * 30 / (1 + float64(k%side*k%side+k/side*k/side)))
		}
		for k := range b {
			step := float32(g.Steps[k])
			q[k] = step * round((b[k]+float32(noise*rng.NormFloat64()))/step)
		}
		before = append(before, b)
		q.inverse()
		for v := range side {
			for u := range side {
				for c := range rows { // grey
					rows[c][v*w+i*side+u] = (q[v*side+u] + 0.5) / 127.5
				}
			}
		}
	}
	return rows, before
}

// A restoration with errors gets nearer to the truth, has all coefficients in their cells, and
// keeps its colours.
func TestStrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	g := flat(24)
	const blocks = 60
	given, truth := compressed(rng, g, blocks, 0)
	w := side * blocks
	result := [3][]float32{}
	for c := range result {
		result[c] = make([]float32, side*w)
	}
	before := 0.0
	for i := range truth {
		b := truth[i]
		for k := range b {
			e := rng.NormFloat64() * 8
			b[k] += float32(e)
			before += e * e
		}
		b.inverse()
		for v := range side {
			for u := range side {
				for c := range result {
					// a colour cast, which changes luminance little
					result[c][v*w+i*side+u] = (b[v*side+u]+0.5)/127.5 + 0.1*float32(c-1)
				}
			}
		}
	}
	for at := range result[0] { // remove the luminance of the colour cast
		y := float32(-0.299*0.1 + 0.114*0.1)
		for c := range result {
			result[c][at] -= y
		}
	}
	colour := result[0][5] - result[2][5]
	New(g, NoiseNetwork, 0).Strip(given, result, w, false)
	if d := result[0][5] - result[2][5]; math.Abs(float64(d-colour)) > 1e-5 {
		t.Errorf("colour changed from %v to %v", colour, d)
	}
	after := 0.0
	for i := range truth {
		var b, y block
		b.load(result, w, i*side)
		b.transform()
		y.load(given, w, i*side)
		y.transform()
		for k := range b {
			e := float64(b[k] - truth[i][k])
			after += e * e
			if q := float32(g.Steps[k]); math.Abs(float64(b[k]-q*round(y[k]/q))) > float64(
				q)/2+0.05 {
				t.Fatalf("coefficient %d is %v, not in the cell of %v", k, b[k], y[k])
			}
		}
	}
	if after > 0.85*before {
		t.Errorf("squared error %v before, %v after", before, after)
	}
}

// Blocks that are not from the file, coefficients without usable steps, and pixels outside of whole
// blocks stay unchanged.
func TestStripLeavesAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	g := flat(24)
	g.X = 3
	w := 3 + 5*side + 4
	var given, result, was [3][]float32
	for c := range given {
		given[c], result[c] = make([]float32, side*w), make([]float32, side*w)
		for i := range given[c] {
			// never compressed
			given[c][i], result[c][i] = float32(rng.Float64()), float32(rng.Float64())
		}
		was[c] = append([]float32(nil), result[c]...)
	}
	same := func(what string) {
		t.Helper()
		for c := range was {
			for i, v := range result[c] {
				if v != was[c][i] {
					t.Fatalf("%s: value %d of plane %d changed", what, i, c)
				}
			}
		}
	}
	New(g, NoiseNetwork, 0).Strip(given, result, w, false)
	same("not compressed")
	for c := range given {
		clear(given[c])
	}
	for c := range given {
		for i := range given[c] {
			given[c][i] = 0.5 / 127.5 // all coefficients 0
		}
	}
	New(g, NoiseNetwork, math.Inf(1)).Strip(given, result, w, false)
	same("nothing is known of noise")
	New(flat(2), NoiseNetwork, 0).Strip(given, result, w, false)
	same("fine steps")
	New(g, NoiseNetwork, 0).Strip(given, result, w, false)
	for i := range result[0] {
		if x := i % w; (x < 3 || x >= 3+5*side) && result[0][i] != was[0][i] {
			t.Fatalf("a pixel beside whole blocks changed")
		}
	}
	if result[0][3] == was[0][3] {
		t.Error("nothing changed")
	}
}

// The estimated noise is an upper bound of the true noise, and close to it for small steps.
func TestNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, c := range []struct {
		step      int
		noise     float64
		low, high float64
	}{{8, 0, 0, 2}, {8, 4, 3.2, 5.5}, {8, 10, 8, 13}, {40, 4, 3, 9}} {
		g := flat(c.step)
		const blocks, strips = 40, 30
		var list [][3][]float32
		for range strips {
			rows, _ := compressed(rng, g, blocks, c.noise)
			list = append(list, rows)
		}
		got := Noise(g, side*blocks, side*strips,
			func(_ []float32, y int) [3][]float32 { return list[y/side] })
		if !(got >= c.low && got <= c.high) {
			t.Errorf("steps of %d, noise of %v: found %v", c.step, c.noise, got)
		}
	}
	if got := Noise(flat(8), 16, 16, func(dst []float32,
		_ int) [3][]float32 {
		return [3][]float32{dst, dst, dst}
	}); !math.IsInf(got, 1) {
		t.Errorf("four blocks tell noise of %v", got)
	}
}

// In a block with clipped values the result is moved towards the coefficients, and the block is not
// used to estimate noise.
func TestClipped(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	g := flat(24)
	given, _ := compressed(rng, g, 1, 0)
	for c := range given {
		for i, v := range given[c] {
			given[c][i] = min(v+0.95, 1)
		}
	}
	if b := (&Bound{grid: g}); !clips(given, side, 0) {
		t.Fatal("nothing was clipped")
	} else if y := coefficients(given); b.onGrid(&y) {
		t.Fatal("clipping has left onGrid of the steps")
	}
	var result [3][]float32
	for c := range result {
		for _, v := range given[c] {
			result[c] = append(result[c], v)
		}
	}
	for i := range result[0] {
		e := float32(0.4 * rng.NormFloat64())
		for c := range result {
			result[c][i] += e
		}
	}
	y, before := coefficients(given), coefficients(result)
	New(g, NoiseNetwork, 0).Strip(given, result, side, false)
	after := coefficients(result)
	for k := range y {
		was, is := math.Abs(float64(before[k]-y[k])), math.Abs(float64(after[k]-y[k]))
		if is > was+1e-3 || was > 24 && is > was/2+12 {
			t.Errorf("coefficient %d was %v away, is %v", k, was, is)
		}
	}
	white := func(dst []float32, y int) [3][]float32 {
		rows, _ := compressed(rng, flat(8), 40, 4)
		if y%16 == 0 {
			for c := range rows {
				for i := range rows[c] {
					rows[c][i] = 1
				}
			}
		}
		return rows
	}
	if got := Noise(flat(8), side*40, side*60, white); !(got > 3.2 && got < 5.5) {
		t.Errorf("beside white areas noise of 4 is found as %v", got)
	}
}

// coefficients gives those of the first block of planes that are one block wide.
func coefficients(p [3][]float32) (b block) {
	b.load(p, side, 0)
	b.transform()
	return b
}

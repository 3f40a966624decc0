package netdef

import (
	"math"
	"math/bits"
)

// Philox is the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as
// easy as 1, 2, 3", 2011). For every key it is a bijection of the counter. Its outputs look like
// independent uniform 32-bit words.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	const m0, m1 = 0xD2511F53, 0xCD9E8D57
	const w0, w1 = 0x9E3779B9, 0xBB67AE85
	c, k := counter, key
	for range 10 {
		hi0, lo0 := bits.Mul32(m0, c[0])
		hi1, lo1 := bits.Mul32(m1, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ k[0], lo1, hi0 ^ c[3] ^ k[1], lo0}
		k[0] += w0
		k[1] += w1
	}
	return c
}

// UniformFrom maps the upper 24 bits of a word to the open interval (0, 1).
func UniformFrom(u uint32) float64 { return (float64(u>>8) + 0.5) / (1 << 24) }

// BoxMuller maps four uniform words to four independent standard normal numbers.
func BoxMuller(u [4]uint32) [4]float64 {
	var n [4]float64
	for i := 0; i < 4; i += 2 {
		r := math.Sqrt(-2 * math.Log(UniformFrom(u[i])))
		s, c := math.Sincos(2 * math.Pi * UniformFrom(u[i+1]))
		n[i], n[i+1] = r*c, r*s
	}
	return n
}

// Key selects the random numbers of a tensor. Element (b,h,w,c) of a tensor uses word c%4 of the
// Philox output for the counter
//
//	(X0+w, Y0+h, stream<<16 | c/4, Sample+b)
//
// so that a tile, given its absolute position in X0 and Y0, draws the numbers that the whole
// picture would have drawn.
type Key struct {
	Seed           uint64
	Sample, Y0, X0 uint32
}

// KeyShape is the shape of the node that holds a Key.
var KeyShape = Shape{1, 1, 1, 8}

// Words returns the key as the eight words of its node.
func (k Key) Words() [8]uint32 {
	return [8]uint32{uint32(k.Seed), uint32(k.Seed >> 32), k.Sample, k.Y0, k.X0}
}

// Float32 returns the key as device data: float32 numbers with the bits of the words. They can be
// copied but not computed with.
func (k Key) Float32() []float32 {
	v := make([]float32, 8)
	for i, w := range k.Words() {
		v[i] = math.Float32frombits(w)
	}
	return v
}

// Tensor returns the key for the reference interpreter.
func (k Key) Tensor() *Tensor {
	w := k.Words()
	return &Tensor{Shape: KeyShape, Data: make([]float64, 8), Words: w[:]}
}

// block returns the four words for the channels 4j to 4j+3 at (b,h,w).
func (k Key) block(b, h, w, j int, stream uint32) [4]uint32 {
	c := [4]uint32{k.X0 + uint32(w), k.Y0 + uint32(h), stream<<16 | uint32(j), k.Sample + uint32(b)}
	return Philox(c, [2]uint32{uint32(k.Seed), uint32(k.Seed >> 32)})
}

// keyFrom reads a key back from its tensor.
func keyFrom(t *Tensor) Key {
	w := t.Words
	if w == nil {
		w = make([]uint32, 8)
		for i, v := range t.Data {
			w[i] = math.Float32bits(float32(v))
		}
	}
	return Key{Seed: uint64(w[1])<<32 | uint64(w[0]), Sample: w[2], Y0: w[3], X0: w[4]}
}

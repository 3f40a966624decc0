// Package perceptron is the common code of the small networks over a picture's statistics
// (noise.Network, defocus.Network): structs of float32 arrays that are embedded as files, and their
// arithmetic.
package perceptron

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// Embedded gives a function that decodes the network, a struct T, from an embedded file on its
// first call. So a network of another size can be trained without a file of that size.
func Embedded[T any](name string, file []byte) func() *T {
	return sync.OnceValue(func() *T {
		n := new(T)
		if _, err := binary.Decode(file, binary.LittleEndian, n); err != nil {
			// a build with a wrong file
			panic(fmt.Sprintf("%s: the embedded network: %v", name, err))
		}
		return n
	})
}

// Bytes encodes a network as an embedded file: its fields in order as little-endian float32.
func Bytes[T any](n *T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, n)
	if err != nil {
		panic("perceptron: " + err.Error()) // all fields have fixed sizes
	}
	return b
}

// SiLU is v·sigmoid(v).
func SiLU(v float32) float32 { return v / (1 + float32(math.Exp(float64(-v)))) }

// Dot is the dot product. b must be at least as long as a.
func Dot(a, b []float32) (s float32) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// Package perceptron is what the small networks over a picture's statistics share (noise.Network,
// defocus.Network): structs of float32 arrays that are embedded as files, and their arithmetic.
package perceptron

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// Embedded gives the network, a struct T, that a file in the program holds. It is decoded when it
// is first needed, so that training one of another size needs no file of that size.
func Embedded[T any](name string, file []byte) func() *T {
	return sync.OnceValue(func() *T {
		n := new(T)
		if _, err := binary.Decode(file, binary.LittleEndian, n); err != nil {
			panic(fmt.Sprintf("%s: the embedded network: %v", name, err)) // a build with a wrong file
		}
		return n
	})
}

// Bytes is the form in which a network is embedded: its fields in order as little-endian float32.
func Bytes[T any](n *T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, n)
	if err != nil {
		panic("perceptron: " + err.Error()) // all fields have fixed sizes
	}
	return b
}

// SiLU is v·sigmoid(v).
func SiLU(v float32) float32 { return v / (1 + float32(math.Exp(float64(-v)))) }

// Dot is the sum of products; b is as long as a.
func Dot(a, b []float32) (s float32) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

package shaders

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// DivSize's arithmetic is exact for every index that it may divide, most of all next to multiples.
func TestDivSizeIsExact(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	check := func(a, n int) {
		scalars := AppendDivisor(nil, n)
		got := uint32((float32(a) + 0.5) * math.Float32frombits(scalars[1]))
		if int(scalars[0]) != n || got != uint32(a/n) {
			t.Fatalf("%d/%d: got %d", a, n, got)
		}
	}
	for range 200000 {
		n := 1 + r.IntN(1<<r.IntN(22))
		k := r.IntN(MaxDividend/n+1) * n
		for _, a := range []int{k - 1, k, k + 1, r.IntN(MaxDividend), MaxDividend - 1} {
			if a >= 0 && a < MaxDividend {
				check(a, n)
			}
		}
	}
}

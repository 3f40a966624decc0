package compile

import (
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// Convolutions on cooperative matrices agree with the reference up to the rounding of their factors
// to float16.
func TestMatrix(t *testing.T) {
	if testDev.Info().Caps.Matrix[0] == 0 {
		t.Skip("the device has no cooperative matrices (a newer lavapipe has: scripts/new-mesa.sh)")
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	used := 0
	for range 30 {
		g, out, name := randomConv(rng, 16) // fewer channels are not enough for matrices
		e := compareWith(t, g, []*netdef.Node{out}, Options{Portable: true, Half: true}, func(p *Program) {
			if hasConv(p, func(c shaders.Conv) bool { return c.Tile.SM > 0 }) {
				used++
			}
		})
		if !(e < 2e-3) {
			t.Errorf("%s: relative error %.3g", name, e)
		}
	}
	if used < 8 {
		t.Errorf("only %d of 30 convolutions used matrices", used)
	}
}

package blind

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/vfmrestore/restore/internal/team"
)

// A group is searched as a whole, and by all halves whose members are neighbours.
func TestStartsIn(t *testing.T) {
	for _, c := range []struct {
		group []int
		sets  [][]int
	}{
		{[]int{1, 2, 5, 6}, [][]int{{1, 2, 5, 6}, {1, 2}, {2, 5}, {5, 6}, {6, 1}}},
		{[]int{0, 3, 4}, [][]int{{0, 3, 4}, {0}, {3}, {4}}},
		{[]int{0, 3}, [][]int{{0, 3}, {0}, {3}}},
	} {
		if sets := startsIn(c.group); !reflect.DeepEqual(sets, c.sets) {
			t.Errorf("%v: %v, want %v", c.group, sets, c.sets)
		}
	}
}

// Both groups find the blur kernel of all parts, at half its size.
func TestHalfSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	k := path(rng).scaled(1.6, 21)
	y := joined(rng, 420, 400, k, k)
	f := newField(y.W, y.H)
	var parts search
	for _, w := range f.Windows {
		parts = append(parts, Options{}.part(y, w))
	}
	h := newHalfSearch(parts, team.New(2))
	if want := [2][]int{{0, 3}, {1, 2}}; !reflect.DeepEqual(h.groups, want) {
		t.Errorf("groups %v, want %v", h.groups, want)
	}
	if err := h.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for g, found := range h.found {
		if s := similarity(found.scaled(2, 2*found.n+1), k); s < 0.8 || h.gain[g] < halfGain {
			t.Errorf("group %d: similarity to the true blur kernel %g, gain %g", g, s, h.gain[g])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

package blind

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// In the picture's half a blur kernel is much easier to find: it has a quarter of the weights, and
// the right one mostly has the lowest free energy. So a shared blur kernel is first looked for there,
// from many starts, as one start often ends at a wrong one. The full scale only adds detail to it.

const (
	halfSide    = 21 // of the blur kernels in the half
	halfWindows = 8  // that are searched, those with most detail
	halfRounds  = 8
	// halfCut is the part of the largest weight below which weights are 0 after the search, and
	// halfStartCut before the full scale.
	halfCut      = 0.05
	halfStartCut = 0.1
)

// halfSearch is a search in the halves of windows. Two groups of windows are searched separately.
type halfSearch struct {
	parts   search
	groups  [2][]int   // indices of parts
	found   [2]*kernel // by each group
	gain    [2]float64 // over no blur
	workers *team.Team
}

// newHalfSearch prepares the search in the halves of at least four parts, those with most detail
// first. The groups have about as much detail.
func newHalfSearch(parts search, workers *team.Team) *halfSearch {
	h := &halfSearch{workers: workers}
	for i, p := range parts {
		h.parts = append(h.parts, p.reduced(0.5))
		group := pairOf[i%sharedWindows]
		h.groups[group] = append(h.groups[group], i)
	}
	return h
}

// of returns some of the parts.
func (s search) of(indices []int) search {
	some := make(search, len(indices))
	for k, i := range indices {
		some[k] = s[i]
	}
	return some
}

// startsIn lists the sets of windows by whose edges blur kernels of a group are found: the whole
// group, and each half of it whose members are neighbours in the list, the last one and the first
// too.
func startsIn(group []int) (sets [][]int) {
	sets = [][]int{group}
	n := len(group)
	for first := range n {
		var set []int
		for k := range n / 2 {
			set = append(set, group[(first+k)%n])
		}
		sets = append(sets, set)
	}
	return sets
}

// run finds the blur kernel of each group: of all starts, the one whose free energy in the group is
// the lowest. It fails with ctx.Err().
func (h *halfSearch) run(ctx context.Context) error {
	type start struct {
		group   int
		windows []int
		explained
	}
	var starts []start
	for g, group := range h.groups {
		for _, set := range startsIn(group) {
			starts = append(starts, start{group: g, windows: set})
		}
	}
	var none [2]explained
	err := h.workers.Each(ctx, len(starts)+len(none), func(_, i int) {
		if i >= len(starts) {
			g := i - len(starts)
			none[g] = h.parts.of(h.groups[g]).withoutBlur(ctx)
			return
		}
		s := &starts[i]
		if k := h.parts.of(s.windows).byEdges(ctx, halfSide); k != nil {
			s.explained = h.parts.of(h.groups[s.group]).improveIn(ctx, halfRounds, k.trimmed(trimMargin), moveBoth)
		}
	})
	if err != nil {
		return err
	}
	for g := range h.groups {
		var best *explained
		for i := range starts {
			if e := &starts[i].explained; starts[i].group == g && (best == nil || e.energy < best.energy) {
				best = e
			}
		}
		h.found[g] = best.k.clone().threshold(halfCut).prune(finalIsland).centred()
		h.gain[g] = none[g].energy - best.energy
	}
	return nil
}

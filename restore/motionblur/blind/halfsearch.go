package blind

import (
	"cmp"
	"context"
	"slices"

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
	// soonSimilarity is that of the groups' first blur kernels from which on others are not tried.
	soonSimilarity = 0.95
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

// halfStart is a start of the search in a group: the windows by whose edges a blur kernel is found,
// and what that becomes in the group.
type halfStart struct {
	windows []int
	explained
}

// run finds the blur kernel of each group: of all starts, the one whose free energy in the group is
// the lowest. The first start of each group comes first. If both groups then have the same blur
// kernel, or narrow ones, there are no others. It fails with ctx.Err().
func (h *halfSearch) run(ctx context.Context) error {
	var starts [2][]halfStart
	var none [2]explained
	for g, group := range h.groups {
		for _, set := range startsIn(group) {
			starts[g] = append(starts[g], halfStart{windows: set})
		}
	}
	err := h.workers.Each(ctx, 4, func(_, i int) {
		if i < 2 {
			h.search(ctx, i, &starts[i][0])
		} else {
			none[i-2] = h.parts.of(h.groups[i-2]).withoutBlur(ctx)
		}
	})
	if err != nil {
		return err
	}
	for g := range h.groups {
		h.choose(g, starts[g][:1], none[g])
	}
	if h.narrow(0) && h.narrow(1) || min(h.gain[0], h.gain[1]) >= halfGain && h.similarity() >= soonSimilarity {
		return nil
	}
	others := len(starts[0]) - 1
	err = h.workers.Each(ctx, 2*others, func(_, i int) { h.search(ctx, i%2, &starts[i%2][1+i/2]) })
	if err != nil {
		return err
	}
	for g := range h.groups {
		h.choose(g, starts[g], none[g])
	}
	return nil
}

// search finds a blur kernel of group g from a start.
func (h *halfSearch) search(ctx context.Context, g int, s *halfStart) {
	if k := h.parts.of(s.windows).byEdges(ctx, halfSide); k != nil {
		s.explained = h.parts.of(h.groups[g]).improveIn(ctx, halfRounds, k.trimmed(trimMargin), moveBoth)
	}
}

// choose takes the blur kernel of group g with the lowest free energy. none is what no blur makes of
// the group.
func (h *halfSearch) choose(g int, starts []halfStart, none explained) {
	best := slices.MinFunc(starts, func(a, b halfStart) int { return cmp.Compare(a.energy, b.energy) })
	h.found[g] = best.k.clone().threshold(halfCut).prune(finalIsland).centred()
	h.gain[g] = none.energy - best.energy
}

// similarity is that of the groups' blur kernels.
func (h *halfSearch) similarity() float64 { return similarity(h.found[0], h.found[1]) }

// narrow reports whether a group's blur kernel is narrow, as in photographs that are a little soft.
func (h *halfSearch) narrow(g int) bool {
	width := h.found[g].width()
	return width < halfNarrow || width < halfWidth && h.gain[g] < halfNarrowGain
}

package blind

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
)

// A hand that shakes moves the whole picture nearly alike. So the blur kernel of a large picture is
// looked for in several windows at once first: together they show it far better than one by one, as
// each has edges in a few directions only. Two pairs of windows are searched separately. If both
// find the same, it is the picture's: a wrong blur kernel follows the content from which it was
// found, and the pairs have different content.
//
// Chosen on 24 photographs of about 1200×800 pixels of the training set, shaken by paths of 6 to 31
// pixels with noise of up to 4 levels, 12 means of 7 to 15 frames of the training video, where
// people move in many ways at once, and 20 sharp photographs with such noise.
const (
	sharedWindows = 4 // that are searched, those with most detail
	// The blur kernels of both pairs are the same if they are at least as similar as this. The means
	// of frames reach it twice.
	sharedSimilarity = 0.75
	// If the blur kernel is turned by a quarter, the free energy must rise: by so much for every
	// pixel of width above riseWidth. In the means of frames it hardly rises, as the movement differs
	// from window to window. It must rise by sureRise if the similarity is less than sureSimilarity,
	// or if the blur kernel of a pair hardly explains the picture: repeated content, such as tree
	// trunks in noise, makes similar ones.
	sharedRise     = 0.1
	riseWidth      = 2.5
	sureSimilarity = 0.8
	sureGain       = 0.1
	sureRise       = 1
	// Narrower blur kernels, which sharp photographs have too, must have a larger gain than the
	// 0.37 of these.
	sharedWidth = 2   // pixels
	narrowGain  = 0.5 // of both pairs
)

// pairOf is each window's pair. Both have about as much detail.
var pairOf = [sharedWindows]int{0, 1, 1, 0}

// sharedSearch is a search for a blur kernel that several windows share.
type sharedSearch struct {
	all     search
	found   [2]*Result // by each pair
	side    int        // of the largest window of blur kernels
	workers *team.Team
}

// some returns some of the windows.
func (f *Field) some(indices []int) (windows []Window) {
	for _, i := range indices {
		windows = append(windows, f.Windows[i])
	}
	return windows
}

// searchShared searches the pairs of windows of y separately.
func (o Options) searchShared(ctx context.Context, y *Plane, windows []Window) (*sharedSearch, error) {
	s := &sharedSearch{workers: team.New(max(1, o.Workers))}
	var pairs [2]search
	for i, w := range windows {
		p := o.part(y, w)
		s.all, pairs[pairOf[i]] = append(s.all, p), append(pairs[pairOf[i]], p)
	}
	sides, err := Options{Windows: o.Windows}.windowsFor(s.all[0].y)
	if err != nil {
		return nil, err
	}
	s.side = slices.Max(sides)
	s.found, err = searchPairs(ctx, pairs, sides, s.workers)
	return s, err
}

// similarity is that of the pairs' blur kernels.
func (s *sharedSearch) similarity() float64 {
	return similarity(fromTask(s.found[0].Kernel), fromTask(s.found[1].Kernel))
}

// least is the lesser of the pairs' values, of those that a verdict is made from.
func (s *sharedSearch) least() Certainty {
	a, b := s.found[0].Certainty, s.found[1].Certainty
	return Certainty{Width: min(a.Width, b.Width), Gain: min(a.Gain, b.Gain), Detail: min(a.Detail, b.Detail)}
}

// join improves the blur kernels of both pairs in all windows (search.join).
func (s *sharedSearch) join(ctx context.Context, rounds int) (best explained, rise float64, err error) {
	starts := [2]*kernel{fromTask(s.found[0].Kernel), fromTask(s.found[1].Kernel)}
	return s.all.join(ctx, rounds, starts, s.workers)
}

// join improves two blur kernels in all parts, and returns the better one. It also returns by how
// much the free energy rises if that is turned by a quarter.
func (s search) join(ctx context.Context, rounds int, starts [2]*kernel, workers *team.Team) (best explained, rise float64, err error) {
	var joint [2]explained
	err = workers.Each(ctx, len(joint), func(_, i int) {
		joint[i] = s.improveIn(ctx, rounds, starts[i].trimmed(trimMargin), moveBoth)
	})
	if err != nil {
		return explained{}, 0, err
	}
	best = joint[0]
	if joint[1].energy < best.energy {
		best = joint[1]
	}
	rise, err = s.rise(ctx, best.k, workers)
	return best, rise, err
}

// certainty is that of the windows whose blur kernel is k.
func (s *sharedSearch) certainty(best explained, k *kernel) Certainty {
	a, b := s.found[0].Certainty, s.found[1].Certainty
	return Certainty{
		Verdict: Blurred, Width: k.width(), Gain: (a.Gain + b.Gain) / 2, Agreement: s.similarity(),
		Detail: best.detail, Noise: best.noise,
	}
}

// narrow reports whether a shared blur kernel with these least values may be a sharp photograph's.
func (c Certainty) narrow() bool {
	return c.Width < leastWidth || c.Width < sharedWidth && c.Gain < narrowGain
}

// setSharp gives the windows the certainty of their pairs, which are sharp.
func (f *Field) setSharp(s *sharedSearch, windows []int) {
	for i, at := range windows {
		f.Windows[at].Certainty = s.found[pairOf[i]].Certainty
	}
}

// examineShared looks for a blur kernel that the given windows share. If it finds one, it gives
// that to all windows of the picture and sets f.Shared. It returns false if it can tell nothing: the
// picture is neither sharp in all of these windows nor blurred alike. It fails with ctx.Err().
func (f *Field) examineShared(ctx context.Context, y *Plane, o Options, windows []int) (bool, error) {
	s, err := o.searchShared(ctx, y, f.some(windows))
	if err != nil {
		return false, err
	}
	if bothSharp(s.found) {
		f.setSharp(s, windows)
		return true, nil
	}
	agreement, pairs := s.similarity(), s.least()
	if agreement < sharedSimilarity || pairs.narrow() || pairs.Detail < leastDetail {
		return false, nil
	}
	best, rise, err := s.join(ctx, evidenceRounds)
	if err != nil {
		return false, err
	}
	k := best.k.clone().tidied()
	least := sharedRise * (k.width() - riseWidth)
	if agreement < sureSimilarity || pairs.Gain < sureGain {
		least = sureRise
	}
	if rise < least {
		return false, nil
	}
	f.share(k, windows, s.certainty(best, k))
	return true, nil
}

// searchPairs finds the blur kernel of each pair. If both are sharp by the first of the sides, which
// is mostly so for sharp pictures, the other sides are left out.
func searchPairs(ctx context.Context, pairs [2]search, sides []int, workers *team.Team) ([2]*Result, error) {
	lists := [2][]candidate{make([]candidate, len(sides)), make([]candidate, len(sides))}
	var none [2]explained
	err := workers.Each(ctx, 4, func(_, i int) {
		if i < 2 {
			lists[i][0] = pairs[i].candidate(ctx, sides[0])
		} else {
			none[i-2] = pairs[i-2].withoutBlur(ctx)
		}
	})
	if err != nil {
		return [2]*Result{}, err
	}
	found := [2]*Result{choose(lists[0][:1], none[0]), choose(lists[1][:1], none[1])}
	if bothSharp(found) {
		return found, nil
	}
	err = workers.Each(ctx, 2*(len(sides)-1), func(_, i int) {
		lists[i%2][1+i/2] = pairs[i%2].candidate(ctx, sides[1+i/2])
	})
	if err != nil {
		return [2]*Result{}, err
	}
	return [2]*Result{choose(lists[0], none[0]), choose(lists[1], none[1])}, nil
}

func bothSharp(pairs [2]*Result) bool {
	return pairs[0].Certainty.Verdict == Sharp && pairs[1].Certainty.Verdict == Sharp
}

// rise is by how much the free energy rises, in half of the parts, if the blur kernel is turned by a
// quarter.
func (s search) rise(ctx context.Context, k *kernel, workers *team.Team) (float64, error) {
	turns := [2]*kernel{k, k.turned()}
	var found [2]explained
	err := workers.Each(ctx, len(found), func(_, i int) {
		found[i] = s.improve(ctx, turns[i], moveSharp)
	})
	if err != nil {
		return 0, err
	}
	rises := make([]float64, len(s))
	for i := range rises {
		rises[i] = found[1].energies[i] - found[0].energies[i]
	}
	slices.Sort(rises)
	return (rises[(len(rises)-1)/2] + rises[len(rises)/2]) / 2, nil
}

// share gives all windows the blur kernel k, which was found in the given ones.
func (f *Field) share(k *kernel, windows []int, c Certainty) {
	shared := k.export()
	for i := range f.Windows {
		f.Windows[i].Kernel, f.Windows[i].Borrowed = shared, true
	}
	for _, at := range windows {
		f.Windows[at].Borrowed, f.Windows[at].Certainty = false, c
	}
	f.Shared = true
}

// turned returns the blur kernel turned by a quarter.
func (k *kernel) turned() *kernel {
	out := newKernel(k.n)
	for y := range k.n {
		for x := range k.n {
			out.w[x*k.n+k.n-1-y] = k.w[y*k.n+x]
		}
	}
	return out
}

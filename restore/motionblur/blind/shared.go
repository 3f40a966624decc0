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

// examineShared looks for a blur kernel that the given windows share. If it finds one, it gives
// that to all windows of the picture and sets f.Shared. It returns false if it can tell nothing: the
// picture is neither sharp in all of these windows nor blurred alike. It fails with ctx.Err().
func (f *Field) examineShared(ctx context.Context, y *Plane, o Options, windows []int) (bool, error) {
	var all search
	var pairs [2]search
	for i, at := range windows {
		w := f.Windows[at]
		p := newPart(y.Crop(w.X, w.Y, w.W, w.H), o.cut(y.W, w))
		all, pairs[pairOf[i]] = append(all, p), append(pairs[pairOf[i]], p)
	}
	sides, err := Options{Windows: o.Windows}.windowsFor(all[0].y)
	if err != nil {
		return false, err
	}
	workers := team.New(max(1, o.Workers))
	found, err := searchPairs(ctx, pairs, sides, workers)
	if err != nil {
		return false, err
	}
	if bothSharp(found) {
		for i, at := range windows {
			f.Windows[at].Certainty = found[pairOf[i]].Certainty
		}
		return true, nil
	}
	a, b := found[0].Certainty, found[1].Certainty
	agreement := similarity(fromTask(found[0].Kernel), fromTask(found[1].Kernel))
	width, gain := min(a.Width, b.Width), min(a.Gain, b.Gain)
	narrow := width < leastWidth || width < sharedWidth && gain < narrowGain
	if agreement < sharedSimilarity || narrow || min(a.Detail, b.Detail) < leastDetail {
		return false, nil
	}
	var joint [2]explained
	err = workers.Each(ctx, len(joint), func(_, i int) {
		joint[i] = all.improve(ctx, fromTask(found[i].Kernel).trimmed(trimMargin), moveBoth)
	})
	if err != nil {
		return false, err
	}
	best := joint[0]
	if joint[1].energy < best.energy {
		best = joint[1]
	}
	rise, err := all.rise(ctx, best.k, workers)
	if err != nil {
		return false, err
	}
	k := best.k.clone().tidied()
	width = k.width()
	least := sharedRise * (width - riseWidth)
	if agreement < sureSimilarity || gain < sureGain {
		least = sureRise
	}
	if rise < least {
		return false, nil
	}
	f.share(k, windows, Certainty{
		Verdict: Blurred, Width: width, Gain: (a.Gain + b.Gain) / 2, Agreement: agreement,
		Detail: best.detail, Noise: best.noise,
	})
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

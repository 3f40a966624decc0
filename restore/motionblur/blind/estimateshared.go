package blind

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// EstimateShared is stricter than the search for a shared blur kernel in EstimateField, and finds
// more. It assumes more noise than there is: then a wrong blur kernel can no longer explain the
// noise, nor what the tone curve and compression have done, and the right one has the lower free
// energy. And if there are halfWindows windows or more, it searches their halves first
// (halfsearch.go). If there are fewer, or if the halves show a narrow blur, two pairs of windows are
// searched at the full scale.
//
// Chosen on 24 photographs of the training set that were shaken in light, with different tone
// curves, clipped highlights, noise of up to 3 levels and JPEG, 8 to 12 means of frames of the
// training video and 10 to 14 sharp photographs, all denoised, by their light.
const (
	sureNoiseFactor = 1.05
	sureLeastNoise  = 0.006
	sureRounds      = 16
	// The blur kernels of pairs must be as similar as pairSimilarity, each with a gain of leastGain,
	// and the free energy must rise by pairRise if the blur kernel is turned by a quarter.
	pairSimilarity = 0.8
	pairRise       = 0.09
	// Weights below this part of the largest become 0. With more noise the blur kernel gets a wide
	// skirt of small weights. Of 9 pictures whose blur kernel was found, deconvolution gained 2.87 dB
	// in the mean with 0.1, 2.56 with 0.2 and 2.23 with finalCut.
	sureCut = 0.1
)

// CanShare reports whether a picture of w×h pixels is large enough for EstimateShared.
func CanShare(w, h int) bool { return hasWindows(w, h, sharedWindows) }

// SearchesHalves reports whether EstimateShared searches the halves of windows of a picture of w×h
// pixels.
func SearchesHalves(w, h int) bool { return hasWindows(w, h, halfWindows) }

// hasWindows reports whether a picture of w×h pixels in which a blur kernel is looked for is cut into
// at least n windows.
func hasWindows(w, h, n int) bool {
	return len(spans(w))*len(spans(h)) >= n && min(w, h) >= leastForBlur
}

// EstimateShared looks for a blur kernel that all windows of a picture share. y was denoised and
// holds light (Options.Slope). It returns nil if there is none that is sure or probable
// (Field.Probable), or if the picture is too small: it must be cut into at least four windows. If
// the picture is sharp, no window has a blur kernel and the field's verdict is Sharp. narrow says
// that there is at most a narrow one, as in photographs that are a little soft. It fails as
// EstimateField does.
func EstimateShared(ctx context.Context, y *Plane, o Options) (found *Field, narrow bool, err error) {
	if err := y.Check(); err != nil {
		return nil, false, err
	}
	if !CanShare(y.W, y.H) {
		return nil, false, nil
	}
	f := newField(y.W, y.H)
	o.noiseFactor, o.leastNoise = sureNoiseFactor, sureLeastNoise
	order := f.byDetail(y)
	if SearchesHalves(y.W, y.H) {
		if narrow, err = f.findByHalf(ctx, y, o, order[:halfWindows]); err != nil {
			return nil, false, err
		}
		if f.Shared {
			return f, false, nil
		}
		if !narrow {
			return nil, false, nil
		}
	}
	found, err = f.findByPairs(ctx, y, o, order[:sharedWindows])
	return found, narrow, err
}

// The blur kernels of both groups of halves are probable if they are as similar as halfSimilarity,
// each with a gain of halfGain, and if the free energy rises by halfRise when the blur kernel is
// turned by a quarter. They are sure with the limits sureHalf…, and also with sameHalf…, if they are
// nearly the same. In the means of video frames the similarity is up to 0.9 and the rise up to 0.26.
const (
	halfSimilarity     = 0.7
	halfRise           = 0.05
	halfGain           = 0.1
	sureHalfSimilarity = 0.9
	sureHalfRise       = 0.28
	sameHalfSimilarity = 0.95
	sameHalfRise       = 0.09
	// The full scale shows more of blur kernels with a width of less than halfNarrow pixels, and of
	// those with less than halfWidth and a gain of less than halfNarrowGain.
	halfNarrow     = 1.2
	halfWidth      = 2
	halfNarrowGain = 0.3
	// At the full scale a blur kernel that is nearly right needs less noise to become better. There
	// its gain must be at least refinedGain; in 7 of 12 sharp photographs it is below 0. It must also
	// be this share of its gain in the half, if the groups' are not nearly the same. In shaken
	// photographs with that gain the share is at least 0.93. In a field of ears, which all are
	// upright, it is 0.6.
	refineNoise  = 0.5
	refinedGain  = 0.15
	refinedShare = 0.75
)

// findByHalf looks for the blur kernel in the windows' halves, and adds detail at the full scale. If
// it is sure or probable, all windows get it. narrow says that there is at most a narrow one.
func (f *Field) findByHalf(ctx context.Context, y *Plane, o Options, windows []int) (narrow bool, err error) {
	workers := team.New(max(1, o.Workers))
	parts := make(search, len(windows))
	for i, at := range windows {
		parts[i] = o.part(y, f.Windows[at])
	}
	h := newHalfSearch(parts, workers)
	if err := h.run(ctx); err != nil {
		return false, err
	}
	if h.narrow(0) || h.narrow(1) {
		return true, nil
	}
	agreement, gain := h.similarity(), min(h.gain[0], h.gain[1])
	if agreement < halfSimilarity || gain < halfGain {
		return false, nil
	}
	half, rise, err := h.parts.join(ctx, halfRounds, h.found, workers)
	if err != nil || rise < halfRise {
		return false, err
	}
	start := half.k.clone().threshold(halfStartCut).prune(finalIsland)
	if start.n == halfSide && start.rim() > mostRim { // part of a longer one
		return false, nil
	}
	start = start.centred()
	for i := range parts {
		parts[i].noise *= refineNoise
	}
	best := parts.improveBy(ctx, workers, sureRounds, start.scaled(2, 2*start.n+1).trimmed(trimMargin), moveBoth)
	none := parts.improveBy(ctx, workers, evidenceRounds, delta(3), moveNothing)
	if err := ctx.Err(); err != nil || best.detail < leastDetail {
		return false, err
	}
	gain = none.energy - best.energy
	if gain < refinedGain {
		return true, nil
	}
	if agreement < sameHalfSimilarity && gain < refinedShare*(h.gain[0]+h.gain[1])/2 {
		return false, nil
	}
	found := best.k.clone().threshold(sureCut).prune(finalIsland).centred()
	f.share(found, windows, Certainty{
		Verdict: Blurred, Width: found.width(), Gain: gain, Agreement: agreement, Detail: best.detail,
		Noise: best.noise,
	})
	sure := agreement >= sureHalfSimilarity && rise >= sureHalfRise
	same := agreement >= sameHalfSimilarity && rise >= sameHalfRise
	f.Probable = !sure && !same
	return false, nil
}

// findByPairs looks for the blur kernel by pairs of windows at the full scale. It returns nil if there
// is none that is sure.
func (f *Field) findByPairs(ctx context.Context, y *Plane, o Options, windows []int) (*Field, error) {
	s, err := o.searchShared(ctx, y, f.some(windows))
	if err != nil {
		return nil, err
	}
	if bothSharp(s.found) {
		f.setSharp(s, windows)
		return f, nil
	}
	k, c, err := s.inLight(ctx, pairLimits{pairSimilarity, leastGain, pairRise})
	if err != nil || k == nil {
		return nil, err
	}
	f.share(k, windows, c)
	return f, nil
}

// pairLimits are the least values with which a blur kernel that both pairs show in light is sure.
type pairLimits struct{ similarity, gain, rise float64 }

// inLight returns the blur kernel that both pairs show in light, and its certainty. It returns nil if
// it is not sure, narrow, or part of a longer one.
func (s *sharedSearch) inLight(ctx context.Context, least pairLimits) (*kernel, Certainty, error) {
	pairs := s.least()
	if pairs.narrow() || s.similarity() < least.similarity || pairs.Gain < least.gain || pairs.Detail < leastDetail {
		return nil, Certainty{}, nil
	}
	best, rise, err := s.join(ctx, sureRounds)
	if err != nil || rise < least.rise {
		return nil, Certainty{}, err
	}
	k := best.k.clone().threshold(sureCut).prune(finalIsland)
	if k.n == s.side && k.rim() > mostRim { // part of a longer one
		return nil, Certainty{}, nil
	}
	k = k.centred()
	return k, s.certainty(best, k), nil
}

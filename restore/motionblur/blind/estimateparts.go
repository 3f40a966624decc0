package blind

import "context"

// A picture of fewer than four windows is too small for EstimateShared, and so are the halves of
// many pictures in which the blur is long. Their four corners, which overlap, serve as windows there.
//
// Chosen on photographs of the training set, shaken in light with noise of up to 3 levels, half of
// them JPEG: 37 of 320×280 pixels (paths of 6 to 25 pixels) and the halves of 64 of 700×540 (6 to 64
// pixels); on 44 means of frames of the training video and 60 sharp photographs of these sizes.
const (
	partShare = 0.6 // of the picture's sides
	leastPart = 66  // side of a part, in pixels: twice the largest blur kernel that is tried
	// The blur kernels of pairs must be as similar as partSimilarity, each with a gain of partGain,
	// and the free energy must rise by partRise if the blur kernel is turned by a quarter. Means of
	// frames with this similarity have a gain of up to 0.55, but for one of 0.67 that is too dark
	// after deconvolution (package deblur).
	partSimilarity = 0.79
	partGain       = 0.57
	partRise       = 0.06
)

// HasParts reports whether EstimateInParts examines pictures of w×h pixels.
func HasParts(w, h int) bool {
	return !CanShare(w, h) && partShare*float64(min(w, h)) >= leastPart
}

// EstimateInParts looks for a blur kernel that the four parts of a small picture share. y was
// denoised and holds light (Options.Slope). It returns nil if none is sure, or if HasParts is false
// for the picture. It fails as EstimateField does.
func EstimateInParts(ctx context.Context, y *Plane, o Options) (*Field, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	if !HasParts(y.W, y.H) {
		return nil, nil
	}
	o.noiseFactor, o.leastNoise = sureNoiseFactor, sureLeastNoise
	s, err := o.searchShared(ctx, y, corners(y.W, y.H))
	if err != nil {
		return nil, err
	}
	k, c, err := s.inLight(ctx, pairLimits{partSimilarity, partGain, partRise})
	if err != nil || k == nil {
		return nil, err
	}
	f := newField(y.W, y.H)
	all := make([]int, len(f.Windows))
	for i := range all {
		all[i] = i
	}
	f.share(k, all, c)
	return f, nil
}

// corners are the parts of a picture of w×h pixels. The two of a pair (pairOf) lie across from each
// other.
func corners(w, h int) (list []Window) {
	a, b := int(partShare*float64(w)), int(partShare*float64(h))
	for _, y := range []int{0, h - b} {
		for _, x := range []int{0, w - a} {
			list = append(list, Window{X: x, Y: y, W: a, H: b})
		}
	}
	return list
}

package nets

import (
	"fmt"
	"math"
	"slices"
)

// EdgeConfig is the architecture of the edge network, small U-Nets with FiLM. The adapter and the
// flow map have the same sizes.
type EdgeConfig struct {
	// Widths are the channel counts of the U-Net's levels, from fine (one site per 4×4 pixels) to
	// coarse. Each level has half as many sites per side as the one before. All are multiples of 8.
	Widths []int `json:"widths"`
	// Blocks is the number of residual blocks on the way down, for every level but the last. There
	// are as many on the way up, unless Up is set.
	Blocks []int `json:"blocks"`
	// Up, if not empty, is the number of residual blocks on the way up, for every level but the
	// last.
	Up []int `json:"up,omitempty"`
	// Mid is the number of residual blocks at the last level.
	Mid int `json:"mid"`
	// Gates, if not empty, gives for every level the kernel size of the convolution that gates its
	// blocks: 0 (no gate), 1 or 3.
	Gates []int `json:"gates,omitempty"`
	// Fine, if not 0, is the channel count, a multiple of 8, of a level of 2×2 pixel blocks at the
	// end of both networks. One residual block there (with a 1×1 gate) corrects the networks'
	// results for 4×4 blocks.
	Fine int `json:"fine,omitempty"`
	// Guess: the adapter takes a second estimate of the picture (see AdapterInput.Guess).
	Guess bool `json:"guess,omitempty"`
	// Coarse is how often the picture is halved and restored in that size first: see Traits.Coarse.
	Coarse int `json:"coarse,omitempty"`
	// Noise: the adapter takes the shape of the noise besides its strength (see
	// AdapterInput.Noise).
	Noise bool `json:"noise,omitempty"`
	// Scales, if not empty, says for each class how the noise of samples is mixed. The first number
	// of a class is the share of white noise in the blocks' means (LL2). The following ones are the
	// shares of noise with one number per 2, 4, … sites (see package restore). A class without
	// numbers has white noise.
	Scales [][]float32 `json:"scales,omitempty"`
	// Emb is the width of the embedding of the conditions, a multiple of 8.
	Emb int `json:"emb"`
	// SD and Mean are the standard deviation and the mean of every channel of flow space over the
	// training set, for pictures in [-1,1].
	SD   [FlowChannels]float32 `json:"sd"`
	Mean [FlowChannels]float32 `json:"mean"`
}

// Tasks is the length of the one-hot task vector. The six inverse problems of
// package restore/task use the first six elements; the others are unused.
const Tasks = 8

// NoiseNumbers is the length of the vector that describes the shape of noise, which package
// restore/noise makes. The other constants are the indices that the network's analytic part reads.
// Each element is the logarithm of the noise level of a band divided by that of all bands: first
// for luminance, then for chroma. The bands are the diagonal detail of 2×2 blocks, the other detail
// of 2×2 blocks, the detail of 4×4 blocks, and everything coarser.
const (
	NoiseNumbers                   = 16
	noiseLuma, noiseChroma         = 0, 4
	bandD1, bandHV1, band2, bandLL = 0, 1, 2, 3
)

// MostScales is the maximal number of scales of noise.
const MostScales = 8

// MostCoarse is the maximal number of halvings (Traits.Coarse).
const MostCoarse = 4

// MaskChannels is the number of channels of a patchified mask.
const MaskChannels = 16

// DefaultEdge returns the sizes of the shipped network and the statistics of common photographs.
func DefaultEdge() EdgeConfig {
	return EdgeConfig{Widths: []int{32, 64, 96}, Blocks: []int{1, 1}, Up: []int{2, 1}, Mid: 2, Gates: []int{1, 1, 3}, Guess: true, Emb: 64, SD: PhotoSD()}
}

// PhotoSD returns typical standard deviations of the channels for photographs in [-1,1], equal
// along x and y. Training starts with them until those of the training set are known.
func PhotoSD() (sd [FlowChannels]float32) {
	for i, c := range Channels {
		sd[i] = photoSD[c.Band][c.Colour]
	}
	return sd
}

// Align implements Architecture: 4 pixels for the Haar transform, times 2 for every level after the
// first.
func (c EdgeConfig) Align() int { return 4 << (len(c.Widths) - 1) }

// up returns the number of residual blocks of a level on the way up.
func (c EdgeConfig) up(level int) int {
	if level < len(c.Up) {
		return c.Up[level]
	}
	return c.Blocks[level]
}

// gate returns the kernel size of the gating convolutions at a level, 0 for none.
func (c EdgeConfig) gate(level int) int {
	if level < len(c.Gates) {
		return c.Gates[level]
	}
	return 0
}

// Name implements Architecture.
func (EdgeConfig) Name() string { return "edge" }

// Traits implements Architecture.
func (c EdgeConfig) Traits() Traits {
	return Traits{Guess: c.Guess, Coarse: c.Coarse, Noise: c.Noise, Scales: c.Scales, Widths: c.Widths, Mean: c.Mean}
}

// WithScales implements Architecture.
func (c EdgeConfig) WithScales(scales [][]float32) Architecture {
	c.Scales = scales
	return c
}

// Describe implements Architecture.
func (c EdgeConfig) Describe() []string {
	lines := []string{fmt.Sprintf("widths %v, blocks %v and %d in the middle", c.Widths, c.Blocks, c.Mid)}
	if c.Up != nil {
		lines = append(lines, fmt.Sprintf("blocks %v on the way up", c.Up))
	}
	return lines
}

// Memory implements Architecture: a few tensors of flow space and, at every level, that of 2×2
// blocks among them, the residual block that is computed and the skip connection.
func (c EdgeConfig) Memory() Memory {
	m := Memory{Work: 4 * FlowChannels, Widest: 2 * FlowChannels}
	for i, w := range c.Widths {
		m.Work += 6 * w >> (2 * i)
		m.Widest = max(m.Widest, w>>(2*i))
	}
	m.Work += 6 * c.Fine << 2
	m.Widest = max(m.Widest, c.Fine<<2)
	return m
}

// Validate implements Architecture.
func (c EdgeConfig) Validate() error {
	err := c.validate()
	if err == nil {
		return nil
	}
	err.Network = c.Name()
	return err
}

func (c EdgeConfig) validate() *ConfigError {
	if n := len(c.Widths); n < 1 || n > 8 {
		return &ConfigError{Field: "widths", Reason: fmt.Sprintf("has %d levels, must have 1 to 8", n)}
	}
	for _, w := range c.Widths {
		if w < 8 || w%8 != 0 || w > 4096 {
			return &ConfigError{Field: "widths", Reason: fmt.Sprintf("holds %d, must be multiples of 8 up to 4096", w)}
		}
	}
	if len(c.Blocks) != len(c.Widths)-1 {
		return &ConfigError{Field: "blocks", Reason: fmt.Sprintf("has %d entries for %d levels, must have one less", len(c.Blocks), len(c.Widths))}
	}
	if n := len(c.Up); n > 0 && n != len(c.Blocks) {
		return &ConfigError{Field: "up", Reason: fmt.Sprintf("has %d entries for %d levels, must have none or one less", n, len(c.Widths))}
	}
	for _, b := range slices.Concat([]int{c.Mid}, c.Blocks, c.Up) {
		if b < 0 || b > 64 {
			return &ConfigError{Field: "blocks, up and mid", Reason: fmt.Sprintf("hold %d, must be 0 to 64", b)}
		}
	}
	if n := len(c.Gates); n > 0 && n != len(c.Widths) {
		return &ConfigError{Field: "gates", Reason: fmt.Sprintf("has %d entries for %d levels, must have none or one each", n, len(c.Widths))}
	}
	for _, k := range c.Gates {
		if k != 0 && k != 1 && k != 3 {
			return &ConfigError{Field: "gates", Reason: fmt.Sprintf("holds %d, must be 0, 1 or 3", k)}
		}
	}
	if c.Fine < 0 || c.Fine%8 != 0 || c.Fine > 4096 {
		return &ConfigError{Field: "fine", Reason: fmt.Sprintf("is %d, must be 0 or a multiple of 8 up to 4096", c.Fine)}
	}
	if c.Coarse < 0 || c.Coarse > MostCoarse || c.Coarse > 0 && !c.Guess {
		return &ConfigError{Field: "coarse", Reason: fmt.Sprintf("is %d, must be 0 to %d, and 0 without guess", c.Coarse, MostCoarse)}
	}
	if err := checkScales(c.Scales); err != nil {
		return err
	}
	if c.Emb < 8 || c.Emb%8 != 0 || c.Emb > 4096 {
		return &ConfigError{Field: "emb", Reason: fmt.Sprintf("is %d, must be a multiple of 8 up to 4096", c.Emb)}
	}
	return checkFlow(c.SD, c.Mean)
}

// checkScales checks Traits.Scales.
func checkScales(scales [][]float32) *ConfigError {
	if len(scales) > Tasks {
		return &ConfigError{Field: "scales", Reason: fmt.Sprintf("has %d classes, must have at most %d", len(scales), Tasks)}
	}
	for _, shares := range scales {
		if len(shares) > MostScales {
			return &ConfigError{Field: "scales", Reason: fmt.Sprintf("has %d numbers for a class, must have at most %d", len(shares), MostScales)}
		}
		for _, a := range shares {
			if !(a >= 0 && a <= 100) {
				return &ConfigError{Field: "scales", Reason: fmt.Sprintf("holds %g, must be 0 to 100", a)}
			}
		}
	}
	return nil
}

// checkFlow checks the statistics of flow space.
func checkFlow(sd, mean [FlowChannels]float32) *ConfigError {
	for i, v := range sd {
		if m := float64(mean[i]); !(v > 0) || math.IsInf(float64(v), 0) || math.IsNaN(m) || math.IsInf(m, 0) {
			return &ConfigError{Field: "sd and mean", Reason: fmt.Sprintf("of channel %d are %g and %g, must be positive and finite", i, v, m)}
		}
	}
	return nil
}

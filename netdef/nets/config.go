package nets

import (
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// EdgeConfig holds the hyper-parameters of the edge network. The adapter and
// the flow map have the same sizes. It is stored, as JSON, with the weights.
type EdgeConfig struct {
	// Widths are the channel counts of the U-Net's levels, from fine (one site
	// per 4×4 pixels) to coarse, each level with half the sites per side. All
	// are multiples of 8.
	Widths []int `json:"widths"`
	// Blocks are the residual blocks on the way down and again on the way up,
	// for every level but the last.
	Blocks []int `json:"blocks"`
	// Up, if any, are the residual blocks on the way up, for every level but the
	// last, where they are not as many as on the way down.
	Up []int `json:"up,omitempty"`
	// Mid is the number of residual blocks at the last level.
	Mid int `json:"mid"`
	// Gates, if any, give for every level the side of the convolution that
	// gates the blocks of that level: 0 (no gate), 1 or 3.
	Gates []int `json:"gates,omitempty"`
	// Fine, if not 0, is the channel count of a level of 2×2 pixel blocks at the end of both networks, a multiple of 8: one residual block (with a 1×1 gate)
	// there corrects what the networks make of 4×4 blocks.
	Fine int `json:"fine,omitempty"`
	// Guess says that the adapter takes a second estimate of the picture (see Adapter).
	Guess bool `json:"guess,omitempty"`
	// Noise says that the adapter is told the noise's shape beside its strength (see AdapterInput).
	Noise bool `json:"noise,omitempty"`
	// Scales, if any, says by class how the noise of samples is made of scales: the share of white
	// noise in the blocks' means (LL2), and those of noise with a number every 2, 4, … sites
	// (package restore). A class without has white noise.
	Scales [][]float32 `json:"scales,omitempty"`
	// Emb is the width of the embedding of the conditions, a multiple of 8.
	Emb int `json:"emb"`
	// SD and Mean are the standard deviation and the mean of every channel of
	// flow space over the training set, for pictures in [-1,1].
	SD   [FlowChannels]float32 `json:"sd"`
	Mean [FlowChannels]float32 `json:"mean"`
}

// Tasks is the width of the one-hot task vector; METHOD's six inverse problems
// take the first six places, the rest are free.
const Tasks = 8

// NoiseNumbers is the length of the vector that describes the shape of noise, and the places in it that the network's analytic part
// reads: the logarithms of the level of a band over that of all, for luminance and for chroma, in each of the bands diagonal detail of
// 2×2 blocks, other detail of 2×2 blocks, detail of 4×4 blocks, and all that is coarser. restore/noise makes the vector.
const (
	NoiseNumbers                   = 16
	noiseLuma, noiseChroma         = 0, 4
	bandD1, bandHV1, band2, bandLL = 0, 1, 2, 3
)

// MostScales is how many scales noise may have.
const MostScales = 8

// MaskChannels is the number of channels of a patchified mask.
const MaskChannels = 16

// DefaultEdge returns the sizes of the shipped network and statistics of
// common photographs.
func DefaultEdge() EdgeConfig {
	return EdgeConfig{Widths: []int{32, 64, 96}, Blocks: []int{1, 1}, Up: []int{2, 1}, Mid: 2, Gates: []int{1, 1, 3}, Guess: true, Emb: 64, SD: PhotoSD()}
}

// PhotoSD returns typical channel standard deviations of photographs in
// [-1,1], equal along x and y: a start until those of a training set are known.
func PhotoSD() (sd [FlowChannels]float32) {
	for i, c := range Channels {
		sd[i] = photoSD[c.Band][c.Colour]
	}
	return sd
}

// Align is the multiple, in pixels, of which the sides of pictures must be for
// the network: 4 for the front end, and 2 for every level after the first.
func (c EdgeConfig) Align() int { return 4 << (len(c.Widths) - 1) }

// up is the number of residual blocks of a level on the way up.
func (c EdgeConfig) up(level int) int {
	if level < len(c.Up) {
		return c.Up[level]
	}
	return c.Blocks[level]
}

// gate is the side of the gating convolutions at a level, 0 for none.
func (c EdgeConfig) gate(level int) int {
	if level < len(c.Gates) {
		return c.Gates[level]
	}
	return 0
}

// ConfigError reports a configuration that no network can be built from.
type ConfigError struct{ Field, Reason string }

func (e *ConfigError) Error() string {
	return fmt.Sprintf("nets: edge network: %s %s", e.Field, e.Reason)
}

// Validate reports the first field that breaks its rule as a *ConfigError.
func (c EdgeConfig) Validate() error {
	if n := len(c.Widths); n < 1 || n > 8 {
		return &ConfigError{"widths", fmt.Sprintf("has %d levels, must have 1 to 8", n)}
	}
	for _, w := range c.Widths {
		if w < 8 || w%8 != 0 || w > 4096 {
			return &ConfigError{"widths", fmt.Sprintf("holds %d, must be multiples of 8 up to 4096", w)}
		}
	}
	if len(c.Blocks) != len(c.Widths)-1 {
		return &ConfigError{"blocks", fmt.Sprintf("has %d entries for %d levels, must have one less", len(c.Blocks), len(c.Widths))}
	}
	if n := len(c.Up); n > 0 && n != len(c.Blocks) {
		return &ConfigError{"up", fmt.Sprintf("has %d entries for %d levels, must have none or one less", n, len(c.Widths))}
	}
	for _, b := range slices.Concat([]int{c.Mid}, c.Blocks, c.Up) {
		if b < 0 || b > 64 {
			return &ConfigError{"blocks, up and mid", fmt.Sprintf("hold %d, must be 0 to 64", b)}
		}
	}
	if n := len(c.Gates); n > 0 && n != len(c.Widths) {
		return &ConfigError{"gates", fmt.Sprintf("has %d entries for %d levels, must have none or one each", n, len(c.Widths))}
	}
	for _, k := range c.Gates {
		if k != 0 && k != 1 && k != 3 {
			return &ConfigError{"gates", fmt.Sprintf("holds %d, must be 0, 1 or 3", k)}
		}
	}
	if c.Fine < 0 || c.Fine%8 != 0 || c.Fine > 4096 {
		return &ConfigError{"fine", fmt.Sprintf("is %d, must be 0 or a multiple of 8 up to 4096", c.Fine)}
	}
	if len(c.Scales) > Tasks {
		return &ConfigError{"scales", fmt.Sprintf("has %d classes, must have at most %d", len(c.Scales), Tasks)}
	}
	for _, shares := range c.Scales {
		if len(shares) > MostScales {
			return &ConfigError{"scales", fmt.Sprintf("has %d numbers for a class, must have at most %d", len(shares), MostScales)}
		}
		for _, a := range shares {
			if !(a >= 0 && a <= 100) {
				return &ConfigError{"scales", fmt.Sprintf("holds %g, must be 0 to 100", a)}
			}
		}
	}
	if c.Emb < 8 || c.Emb%8 != 0 || c.Emb > 4096 {
		return &ConfigError{"emb", fmt.Sprintf("is %d, must be a multiple of 8 up to 4096", c.Emb)}
	}
	for i, v := range c.SD {
		if m := float64(c.Mean[i]); !(v > 0) || math.IsInf(float64(v), 0) || math.IsNaN(m) || math.IsInf(m, 0) {
			return &ConfigError{"sd and mean", fmt.Sprintf("of channel %d are %g and %g, must be positive and finite", i, v, m)}
		}
	}
	return nil
}

// Cost is what a network takes.
type Cost struct {
	AdapterParams, FlowParams int     // trained numbers
	FLOPsPerPixel             float64 // of adapter and one-step flow map, convolutions only
}

// Cost counts parameters and arithmetic; see netdef.FLOPs.
func (c EdgeConfig) Cost() (Cost, error) {
	g := netdef.NewGraph()
	side := c.Align() / 4 * 16 // wide enough that what is done once per picture does not count
	in := func(name string, h, ch int) *netdef.Node { return g.Input(name, netdef.Shape{1, h, h, ch}) }
	mu, logvar := Adapter(g, c, AdapterInput{
		Y: in("y", side, FlowChannels), Mask: in("mask", side, MaskChannels), Task: in("task", 1, Tasks), Sigma: in("sigma", 1, 1),
		Noise: in("noise", 1, NoiseNumbers), Guess: in("guess", side, FlowChannels),
	})
	x := OneStep(g, c, in("z", side, FlowChannels))
	if err := g.Err(); err != nil {
		return Cost{}, err
	}
	return Cost{
		AdapterParams: netdef.CountParams(mu, logvar),
		FlowParams:    netdef.CountParams(x),
		FLOPsPerPixel: float64(netdef.FLOPs(mu, logvar, x)) / float64(16*side*side),
	}, nil
}

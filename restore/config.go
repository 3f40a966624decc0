package restore

import (
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// Margins other than a number of pixels; see Config.Margin.
const (
	NoMargin   = 0  // the domain exceeds the picture only where its sides are rounded up
	FullMargin = -1 // the receptive field of adapter and flow map together
)

// Config says how to open a Model. The zero value opens the embedded weights on the best device.
type Config struct {
	Device  string   // index or part of a name; "": $VFM_DEVICE, else the best
	Weights string   // path of a .vfm file; "": the embedded weights
	Network *Network // weights in memory, instead of Weights; nil: Weights decides
	// Special are networks for some tasks (Network.SetTasks). They do these tasks instead of the
	// network above, and may have another architecture. The embedded weights bring such networks.
	Special []*Network

	// Tile is the upper bound, in pixels, for the sides of the part of the restored picture that
	// one tile gives. It is rounded down to a multiple that the network's levels allow. The tile
	// itself is larger by the receptive field of one network (256 pixels with the shipped one). 0
	// chooses by speed and by the device's memory. It changes the picture by rounding only.
	Tile int
	// Margin is how many pixels the networks see beyond each side of the picture, which is
	// continued by reflection. With FullMargin no pixel of the result (in one step) sees where the
	// continuation ends. With NoMargin only the rounding of the size adds pixels. Any margin is
	// tiled exactly. A margin of M costs (W+2M)(H+2M)/WH times the work; a full one costs 8 times
	// the work for 256×256 pixels and the shipped network.
	Margin int

	Validation bool         // switch on the Vulkan validation layer; slow
	OnMessage  func(string) // gets the layer's messages; nil: standard error
	CacheDir   string       // of pipelines; "": the user's cache directory, "-": none
	Portable   bool         // use only kernels that run on every device, for comparisons
	// Once is for a few small pictures. On software drivers it builds kernels that are ready sooner
	// but run a tenth slower.
	Once      bool
	Precision Precision // of activations and weights in the device's memory

	// Timeout is how long the device may take for one tile before it counts as lost. 0 means two
	// minutes, a negative value no limit.
	Timeout time.Duration

	// Pace is the share of the device's time that the Model may use, above 0 and at most 1; 0 means
	// 1. After every run of a network (a tile, a frame) the device rests, to leave time to others
	// or to cool down. The time to build programs before the first runs does not count.
	Pace float64

	// Shared is a device to use instead of opening one. Device, Validation, OnMessage, CacheDir and
	// Timeout then have no effect, and Close leaves the device open. It must outlive the Model.
	Shared *gpu.Device

	// Borrowed is a Vulkan device that the program has made without package gpu; nil: Open makes
	// one. It must outlive the Model, which works with what the program has switched on and submits
	// to its queue. Device and Validation must be empty. If the device is lost, make another one and
	// open another Model.
	Borrowed *gpu.Borrowed

	faults  *gpu.Faults                           // for tests
	kernels func() (motionblur.Parameters, error) // for tests; nil: the embedded kernel network
}

// maxTile is an upper bound for Config.Tile. Larger values mean the same: no picture is longer.
const maxTile = 1 << 30

// defaultTimeout is far beyond what a tile takes if no dispatch takes longer than dispatchLimit.
const defaultTimeout = 2 * time.Minute

func (cfg Config) timeout() time.Duration {
	if cfg.Timeout == 0 {
		return defaultTimeout
	}
	return max(cfg.Timeout, 0)
}

func (cfg Config) kernelNetwork() (motionblur.Parameters, error) {
	if cfg.kernels != nil {
		return cfg.kernels()
	}
	return motionblur.Network()
}

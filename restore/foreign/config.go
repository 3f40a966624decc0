package foreign

import (
	"fmt"
	"time"

	"github.com/vfmrestore/restore/gpu"
)

// Range is the range of a network's pictures, from black to white.
type Range int

// The ranges.
const (
	// AutoRange is the range that the model's metadata give under RangeKey, else Unit.
	AutoRange Range = iota
	Unit            // 0 to 1
	Levels          // 0 to 255
	Signed          // -1 to 1
)

// RangeKey is the key of a model's metadata that holds the name of its Range.
const RangeKey = "restore.range"

var rangeNames = [...]string{"auto", "0..1", "0..255", "-1..1"}

func (r Range) String() string {
	if r < 0 || int(r) >= len(rangeNames) {
		return fmt.Sprintf("Range(%d)", int(r))
	}
	return rangeNames[r]
}

// ParseRange reads "auto", "0..1", "0..255" or "-1..1".
func ParseRange(s string) (Range, error) {
	for i, name := range rangeNames {
		if s == name {
			return Range(i), nil
		}
	}
	return 0, fmt.Errorf("range %q must be auto, 0..1, 0..255 or -1..1", s)
}

// RangeOf returns a range, or for AutoRange that of a model's metadata.
func RangeOf(r Range, meta map[string]string) (Range, error) {
	if r < AutoRange || r > Signed {
		return r, errorf("the range %v is not known", r)
	}
	s := meta[RangeKey]
	if r != AutoRange || s == "" {
		return max(r, Unit), nil
	}
	r, err := ParseRange(s)
	if err != nil {
		return r, errorf("its metadata: %v", err)
	}
	return max(r, Unit), nil
}

// Affine returns a and b so that a·v + b is in the range for v in [-1,1].
func (r Range) Affine() (a, b float32) {
	switch r {
	case Unit:
		return 0.5, 0.5
	case Levels:
		return 127.5, 127.5
	}
	return 1, 0
}

// NoHalo as Config.Halo says that a tile gets nothing of its surroundings. The zero value means the
// receptive field of the network.
const NoHalo = -1

// Config says how to open a Network.
type Config struct {
	Path string // of the ONNX file
	Data []byte // the file itself, instead of Path
	// Range is that of the network's pictures, of its input and output.
	Range Range
	// Halo is how many pixels of its surroundings a tile gets on every side. 0 means the receptive
	// field, with which tiles are as in the whole picture. A network that reads the whole picture
	// has none: it gets the picture as one tile, or tiles with the halo that is given here, whose
	// results then differ from those of the whole.
	Halo int
	// Tile is the upper bound, in pixels of the input, for the sides of a tile without its halo. 0
	// chooses by speed and by the device's memory.
	Tile int

	Device     string       // index or part of a name; "": $VFM_DEVICE, else the best
	Validation bool         // switch on the Vulkan validation layer; slow
	OnMessage  func(string) // gets the layer's messages; nil: standard error
	CacheDir   string       // of pipelines; "": the user's cache directory, "-": none
	Portable   bool         // use only kernels that run on every device
	// Half stores activations and weights as float16 where the device can. Nobody knows whether a
	// foreign network's numbers fit, so it is off by default.
	Half    bool
	Timeout time.Duration // longest time for one tile; 0: two minutes, negative: no limit
	Pace    float64       // share of the device's time, above 0 and up to 1; 0: all

	// Shared is a device to use instead of opening one; see restore.Config.
	Shared *gpu.Device
}

// Error says that a model is no network from picture to picture, or that a picture or an option
// does not suit it.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// region is where a value lives.
type region int

const (
	regWork  region = iota // arena planned by lifetime
	regParam               // the parameter store
	regEMA                 // averaged parameters of the store
	regGrad                // gradients, laid out like the parameters
	regM                   // AdamW's first moments
	regV                   // AdamW's second moments
	regConst               // constants, and the zero block at its start
	regInput               // inputs
	regKeep                // outputs and what is not computed at every run
	nRegions
)

// grain is the alignment of every value in float32 elements: kernels may read
// and write whole blocks beyond the end of a value up to it, and descriptors
// need aligned offsets.
const grain = 256

func roundUp(n int) int { return (n + grain - 1) / grain * grain }

// value is a tensor in memory. Views share their base's storage.
type value struct {
	name  string
	size  int // elements
	reg   region
	off   int  // within the region, in units of 4 bytes; of a view: within its base, in elements
	half  bool // elements are float16 (never of a view: it is what its base is)
	base  *value
	first int // steps between which the storage is needed (regWork)
	last  int
}

func (v *value) root() (*value, int) {
	off := 0
	for v.base != nil {
		off += v.off
		v = v.base
	}
	return v, off
}

// width is the size of an element in bytes.
func (v *value) width() int {
	if r, _ := v.root(); r.half {
		return 2
	}
	return 4
}

// extent is the memory that a value takes in its region, in units of 4 bytes.
func (v *value) extent() int { return roundUp(v.size) * v.width() / 4 }

// place gives the value's region and offset there in bytes.
func (v *value) place() (region, int64) {
	r, off := v.root()
	return r.reg, 4*int64(r.off) + int64(off*v.width())
}

// step is one dispatch, or a fill.
type step struct {
	name    string
	mod     *shaders.Module
	args    []*value // in the kernel's operand order, without the zero block
	scalars []uint32
	items   int
	fill    *value // not nil: fill with zeros
	phase   phase
	flops   float64
}

// nodeError names the node an error belongs to.
func nodeError(n *netdef.Node, err error) error {
	return fmt.Errorf("compile: %s at %q %v: %w", n.Op.Name(), n.Name, n.Shape, err)
}

// mostShared is how much shared memory kernels use at most: with more of it for each, fewer workgroups fit on a core of the device.
const mostShared = 32 << 10

// CanHalf tells whether Options.Half has an effect on a device: it has 16-bit storage and runs the gpu lowering.
func CanHalf(c gpu.Caps, portable bool) bool {
	best, _ := Targets(c)
	return c.Storage16 && (portable || best.Mode == shaders.GPU)
}

// GainsByHalf tells whether Options.Half makes programs faster on a device: on GPUs that can store float16. Software drivers
// convert it one by one.
func GainsByHalf(d gpu.Info) bool { return d.Caps.Storage16 && d.Type != gpu.CPU }

// Targets gives the lowerings for a device: the best one, and the portable one
// for kernels that do not fit the first.
func Targets(c gpu.Caps) (best, portable shaders.Target) {
	portable = shaders.GPUTarget(c.MaxInvocations, min(c.MaxShared, mostShared))
	best = portable
	if c.Lavapipe && c.BufferDeviceAddress && c.Int64 && c.SubgroupArithmetic && c.MaxInvocations >= 128 {
		switch c.SubgroupSize {
		case 4, 8, 16:
			best = shaders.CPUTarget(c.SubgroupSize)
			best.Shuffle = c.SubgroupShuffle && c.SubgroupSize == 8 // one instruction of AVX2; of other sizes a loop over the lanes
			best.Group = min(best.Group, c.MaxInvocations/c.SubgroupSize*c.SubgroupSize)
		}
	}
	return best, portable
}

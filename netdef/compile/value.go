package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// region is a kind of memory.
type region int

const (
	regWork    region = iota // the arena that is planned by lifetime
	regParam                 // the parameter store
	regEMA                   // averaged parameters of the store
	regGrad                  // gradients, with the layout of the parameters
	regM                     // AdamW's first moments
	regV                     // AdamW's second moments
	regConst                 // constants, beginning with the zero block
	regSetting               // inputs that are settings
	regInput                 // the other inputs, of each turn
	regOut                   // outputs, of each turn
	regKeep                  // values that are not computed in every run
	nRegions
)

// alignment is the alignment of every value, in float32 elements. Kernels may read and write whole
// blocks beyond the end of a value up to the next multiple of it, and bindings need aligned
// offsets.
const alignment = 256

func roundUp(n int) int { return (n + alignment - 1) / alignment * alignment }

// value is a tensor in memory. A view uses the storage of its base.
type value struct {
	name string
	size int // elements
	reg  region
	// off is the offset within the region, in units of 4 bytes. For a view it is the offset within
	// the base, in elements.
	off   int
	half  bool // elements are float16; not set for views, which are like their base
	base  *value
	first int // the first and last step that need the storage (regWork)
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

// width returns the size of an element in bytes.
func (v *value) width() int {
	if r, _ := v.root(); r.half {
		return 2
	}
	return 4
}

// extent returns the memory of a value in its region, in units of 4 bytes.
func (v *value) extent() int { return roundUp(v.size) * v.width() / 4 }

// place returns the region of a value and its offset there in bytes.
func (v *value) place() (region, int64) {
	r, off := v.root()
	return r.reg, 4*int64(r.off) + int64(off*v.width())
}

// step is a dispatch, or a fill with zeros.
type step struct {
	name    string
	mod     *shaders.Module
	args    []*value // in the order of the kernel's operands, without the zero block
	scalars []uint32
	items   int
	fill    *value // if not nil, this value is filled with zeros
	phase   phase
	flops   float64
}

// nodeError adds the node to an error.
func nodeError(n *netdef.Node, err error) error {
	return fmt.Errorf("compile: %s at %q %v: %w", n.Op.Name(), n.Name, n.Shape, err)
}

// maxShared is how much shared memory a kernel may use, in bytes: with more, fewer workgroups run
// on a core at a time.
const maxShared = 32 << 10

// CanHalf reports whether Options.Half has an effect on a device. It has if the device has 16-bit
// storage and uses the gpu lowering.
func CanHalf(c gpu.Caps, portable bool) bool {
	best, _ := Targets(c)
	return c.Storage16 && (portable || best.Mode == shaders.GPU)
}

// GainsByHalf reports whether Options.Half makes Programs faster on a device: on GPUs that can
// store float16. Software drivers convert float16 one value at a time.
func GainsByHalf(d gpu.Info) bool { return d.Caps.Storage16 && d.Type != gpu.CPU }

// Targets returns the lowerings for a device: the best one, and the portable one for kernels that
// do not fit the first.
func Targets(c gpu.Caps) (best, portable shaders.Target) {
	portable = shaders.GPUTarget(c.MaxInvocations, min(c.MaxShared, maxShared))
	best = portable
	if c.Lavapipe && c.BufferDeviceAddress && c.Int64 && c.SubgroupArithmetic && c.MaxInvocations >= 128 {
		switch c.SubgroupSize {
		case 4, 8, 16:
			best = shaders.CPUTarget(c.SubgroupSize)
			// With 8 lanes a shuffle is one instruction of AVX2, with others a loop over the lanes.
			best.Shuffle = c.SubgroupShuffle && c.SubgroupSize == 8
			best.Group = min(best.Group, c.MaxInvocations/c.SubgroupSize*c.SubgroupSize)
		}
	}
	return best, portable
}

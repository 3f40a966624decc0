package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

const (
	// KernelSide is the side of the maps of displacements that KernelMaps works on, −32..31 pixels.
	KernelSide = 64
	// KernelViews is how many maps it sees, KernelParts how many it gives.
	KernelViews, KernelParts = 8, 8

	// kernelScale makes outputs of about 1 weights of kernels of some ten pixels.
	kernelScale = 0.02
)

// The sizes of KernelMaps: channels by level, from half the maps' resolution on, and blocks at each on the way down and up again.
var (
	kernelWidths = []int{32, 64, 96}
	kernelDown   = []int{1, 2, 3}
	kernelUp     = []int{2, 2}
)

// KernelMaps is the network that reads a blurred picture's kernel in maps [B,64,64,8] of its spectrum (see restore/shake, which makes
// them): a U-Net whose parameters are "kernels/...". Its maps [B,64,64,8] describe the posterior of the kernel k: the first is what is to be added to a
// first estimate of E[k], and with the second moment
//
//	E|K|² = Σ_i |M_i|²
//
// over the transforms M_i of all of them (of the first, with what it is added to) it is known how far E[k] can be trusted.
func KernelMaps(g *netdef.Graph, maps *netdef.Node) *netdef.Node {
	defer g.Scope("kernels")()
	if s := maps.Shape; s[1] != KernelSide || s[2] != KernelSide || s[3] != KernelViews {
		return g.Fail(fmt.Errorf("nets: the kernel network takes [B,%d,%d,%d], not %v", KernelSide, KernelSide, KernelViews, s))
	}
	x := convTo(g, "in", g.SpaceToDepth(maps, 2), kernelWidths[0], 3, 1, netdef.HeNormal{Gain: 0.7071})
	up := func(level int) int { return kernelUp[level] }
	x = shape(g, x, kernelWidths, kernelDown, up, "down2", func(_ int, name string, x *netdef.Node, _ bool) *netdef.Node {
		defer g.Scope(name)()
		vec := netdef.Shape{1, 1, 1, x.Shape[3]}
		return residual(g, x, g.Param("scale0", vec, netdef.Ones), g.Param("shift0", vec, netdef.Zeros), 1)
	})
	x = g.DepthToSpace(convTo(g, "out", x, 4*KernelParts, 3, 1, netdef.HeNormal{Gain: 0.2}), 2)
	return g.Scale(x, kernelScale)
}

package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

const (
	// KernelSide is the side of the maps that KernelMaps works on. They cover displacements of −32
	// to 31 pixels.
	KernelSide = 64
	// KernelViews is how many maps KernelMaps reads, KernelParts how many it returns.
	KernelViews, KernelParts = 8, 8

	// kernelScale makes outputs of about 1 the weights of kernels of about ten pixels.
	kernelScale = 0.02
)

// The sizes of KernelMaps: channels per level, beginning at half the maps' resolution, and blocks
// per level on the way down and on the way up.
var (
	kernelWidths = []int{32, 64, 96}
	kernelDown   = []int{1, 2, 3}
	kernelUp     = []int{2, 2}
)

// KernelMaps is the network that estimates the blur kernel of a picture from maps [B,64,64,8] of
// its spectrum, which package restore/motionblur makes. It is a U-Net with parameters
// "kernels/...". Its outputs [B,64,64,8] describe the posterior of the kernel k. The first map is
// to be added to a first estimate of E[k]. All maps together give the second moment
//
//	E|K|² = Σ_i |M_i|²
//
// where M_i are their Fourier transforms (that of the first with the estimate added). The second
// moment tells how far E[k] can be trusted.
func KernelMaps(g *netdef.Graph, maps *netdef.Node) *netdef.Node {
	defer g.Scope("kernels")()
	if s := maps.Shape; s[1] != KernelSide || s[2] != KernelSide || s[3] != KernelViews {
		return g.Fail(fmt.Errorf("nets: the kernel network takes [B,%d,%d,%d], not %v", KernelSide, KernelSide, KernelViews, s))
	}
	x := convTo(g, "in", g.SpaceToDepth(maps, 2), kernelWidths[0], 3, 1, netdef.HeNormal{Gain: 0.7071})
	p := levels{widths: kernelWidths, down: kernelDown, up: func(level int) int { return kernelUp[level] }, last: "down2"}
	x = p.pyramid(g, x, func(_ int, name string, x *netdef.Node, _ bool) *netdef.Node {
		defer g.Scope(name)()
		vec := netdef.Shape{1, 1, 1, x.Shape[3]}
		return residual(g, x, g.Param("scale0", vec, netdef.Ones), g.Param("shift0", vec, netdef.Zeros), 1)
	})
	x = g.DepthToSpace(convTo(g, "out", x, 4*KernelParts, 3, 1, netdef.HeNormal{Gain: 0.2}), 2)
	return g.Scale(x, kernelScale)
}

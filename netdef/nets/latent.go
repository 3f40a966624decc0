package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// The paper's image networks work on the latents of an autoencoder: a picture of H × W pixels has
// latents of H/8 × W/8 sites with four channels. Tensors have a multiple of 8 channels, so there
// are two forms: [B,h,w,8] with four channels that are not used, for convolutions, and patches
// [B,h/p,w/p,p·p·4] in the order (dy, dx, channel), for transformers.

// LatentChannels is the number of channels of a latent.
const LatentChannels = 4

// narrowChannels is how many channels a tensor of LatentChannels or of three colours has.
const narrowChannels = 8

// choose returns a tensor with out channels of which channel o is channel from(o) of x, or zero if
// from(o) is negative.
func choose(g *netdef.Graph, name string, x *netdef.Node, out int, from func(o int) int) *netdef.Node {
	in := x.Shape[3]
	w := make([]float32, in*out)
	for o := range out {
		if i := from(o); i >= 0 {
			w[i*out+o] = 1
		}
	}
	return g.Conv2D(x, g.Const(name, netdef.Shape{1, 1, in, out}, w), 1)
}

// regroup returns the channel of groups of the given size that holds element o of groups of another
// size, of which the first few are used: element c of group k is at k·in+first+c.
func regroup(in, out, used, first int) func(o int) int {
	return func(o int) int {
		if o%out >= used {
			return -1
		}
		return o/out*in + first + o%out
	}
}

// LatentPatches packs four channels of x [B,h,w,8], from channel first on, into patches of p × p
// sites, [B,h/p,w/p,p·p·4].
func LatentPatches(g *netdef.Graph, x *netdef.Node, p, first int) *netdef.Node {
	return choose(g, fmt.Sprint("patches ", p, first), g.SpaceToDepth(x, p), p*p*LatentChannels, regroup(narrowChannels, LatentChannels, LatentChannels, first))
}

// LatentSites is the inverse of LatentPatches, with channels 4 to 7 zero.
func LatentSites(g *netdef.Graph, x *netdef.Node, p int) *netdef.Node {
	return g.DepthToSpace(choose(g, fmt.Sprint("sites ", p), x, p*p*narrowChannels, regroup(LatentChannels, narrowChannels, LatentChannels, 0)), p)
}

// ColourSites turns planar pictures [B,3,H,W] into sites [B,H,W,8], with channels 3 to 7 zero. H
// and W are multiples of 4.
func ColourSites(g *netdef.Graph, planes *netdef.Node) *netdef.Node {
	return g.DepthToSpace(choose(g, "colours", g.Patchify(planes), 16*narrowChannels, regroup(3, narrowChannels, 3, 0)), 4)
}

// ColourPlanes is the inverse of ColourSites.
func ColourPlanes(g *netdef.Graph, sites *netdef.Node) *netdef.Node {
	return g.Unpatchify(choose(g, "planes", g.SpaceToDepth(sites, 4), 16*3, regroup(narrowChannels, 3, 3, 0)))
}

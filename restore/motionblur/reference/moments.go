package reference

import (
	"context"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
)

const mapSide = nets.KernelSide

// Moments implements motionblur.Backend.
func (b *Backend) Moments(_ context.Context, p *motionblur.Posterior, views, maps []float32) (mapped bool, err error) {
	if b.network == nil {
		b.fromPosterior(p)
		return false, nil
	}
	if err := b.network(views, maps); err != nil {
		return false, err
	}
	b.fromMaps(maps)
	return true, nil
}

// fromPosterior sets b.mean and b.second from the moments of the library's posterior.
func (b *Backend) fromPosterior(p *motionblur.Posterior) {
	g := b.window
	clear(g.v)
	// Mean blur kernel and mean autocorrelation are even and real, so one transform does both.
	const kernelSide, autoSide = motionblur.KernelSide, motionblur.AutoSide
	for i, v := range p.Mean {
		g.v[g.index(i/kernelSide-kernelSide/2, i%kernelSide-kernelSide/2)] += complex(v, 0)
	}
	for i, v := range p.Auto {
		g.v[g.index(i/autoSide-autoSide/2, i%autoSide-autoSide/2)] += complex(0, v)
	}
	g.forward()
	for i, v := range g.v {
		b.mean[i], b.second[i] = real(v), imag(v)
	}
}

// fromMaps sets b.mean and b.second from the maps of the kernel network.
func (b *Backend) fromMaps(maps []float32) {
	g := b.window
	for i := range b.second {
		b.second[i] = motionblur.NetworkPriorWeight * motionblur.PriorPower(wrapped(i%g.n, g.n), wrapped(i/g.n, g.n))
	}
	// One transform of two real maps, V = M_i + i·M_j. The transforms of both at the negative
	// frequency are the conjugates.
	for c := 0; c < nets.KernelParts; c += 2 {
		clear(g.v)
		for i := range mapSide * mapSide {
			v := maps[i*nets.KernelParts+c:]
			g.v[g.index(i/mapSide-mapSide/2, i%mapSide-mapSide/2)] = complex(float64(v[0]), float64(v[1]))
		}
		g.forward()
		for i, v := range g.v {
			w := g.v[g.index(-(i/g.n), -(i%g.n))]
			b.second[i] += (absSquare(v) + absSquare(w)) / 2
			if c == 0 {
				b.mean[i] = (real(v) + real(w)) / 2
			}
		}
	}
}

package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/netdef/nets"
)

// lawShare times the law's autocorrelation is part of E|K|² whatever the network says: no kernel is ever certain, and no picture has the mean spectrum that the network
// is trained for. In its training the share is smaller (trainhost); with 0.02 and 0.1 here the estimates of 30 photographs are 0.24 and 0.12 dB worse.
const lawShare = 0.05

// reader asks the kernel network: views [64][64][8] to maps [64][64][8], the first of them E[k].
type reader func(ctx context.Context, views, maps []float32) error

// read replaces the library's posterior by what the kernel network makes of it and of the picture's power.
func (e *Estimator) read(ctx context.Context) error {
	e.look(e.views)
	if err := e.ask(ctx, e.views, e.maps); err != nil {
		return err
	}
	e.post.setMean(e.maps)
	return nil
}

// setMean takes E[k] out of maps, as far as a kernel of the law can reach. Half-turns of kernels are as likely as they are, so that it is even.
func (p *posterior) setMean(maps []float32) {
	const reach = kernelSide / 2
	at := func(y, x int) float64 { return float64(maps[((y+half)*side+x+half)*nets.KernelParts]) }
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			p.mean[(y+reach)*kernelSide+x+reach] = (at(y, x) + at(-y, -x)) / 2
		}
	}
}

// transformed sets e.mean and e.second to E[K] and E|K|² at all frequencies of the window.
func (e *Estimator) transformed() {
	g := e.middle
	if e.ask == nil {
		// Mean kernel and mean autocorrelation are even and real, so that one transform does both.
		clear(g.v)
		for i, v := range e.post.mean {
			g.v[g.wrapped(i/kernelSide-kernelSide/2, i%kernelSide-kernelSide/2)] += complex(v, 0)
		}
		for i, v := range e.post.auto {
			g.v[g.wrapped(i/autoSide-autoReach, i%autoSide-autoReach)] += complex(0, v)
		}
		g.forward()
		for i, v := range g.v {
			e.mean[i], e.second[i] = real(v), imag(v)
		}
		return
	}
	for i, v := range lawPower() {
		e.second[i] = lawShare * v
	}
	// Two real maps a transform: V = M_i + i·M_j, and the transforms of both have the conjugate at the negative frequency.
	for c := 0; c < nets.KernelParts; c += 2 {
		clear(g.v)
		for i := range side * side {
			v := e.maps[i*nets.KernelParts+c:]
			g.v[g.wrapped(i/side-half, i%side-half)] = complex(float64(v[0]), float64(v[1]))
		}
		g.forward()
		for i, v := range g.v {
			w := g.v[g.wrapped(-(i/g.n), -(i%g.n))]
			e.second[i] += (square(real(v)) + square(imag(v)) + square(real(w)) + square(imag(w))) / 2
			if c == 0 {
				e.mean[i] = (real(v) + real(w)) / 2
			}
		}
	}
}

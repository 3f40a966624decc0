package trainhost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef/nets"
)

// AddGates gives the network of a checkpoint gating convolutions (one side per
// level, 0 for none, see nets.EdgeConfig.Gates) from which a new run starts: they
// begin at 0, so the network computes what it did. Gates that it had must stay.
func (c *Checkpoint) AddGates(gates []int) error {
	net := c.State.Network
	for i, k := range net.Gates {
		if i >= len(gates) || k != 0 && gates[i] != k {
			return fmt.Errorf("gates: the network has %v and would lose or change some with %v", net.Gates, gates)
		}
	}
	net.Gates = gates
	if err := net.Validate(); err != nil {
		return err
	}
	c.State.Network = net
	return nil
}

// AddGuess lets the network of a checkpoint take a guess (nets.EdgeConfig.Guess) from which a new run starts: half of it counts at first.
func (c *Checkpoint) AddGuess() { c.State.Network.Guess = true }

// AddNoise lets the network of a checkpoint be told the shape of the noise (nets.EdgeConfig.Noise). Only what differs from white noise
// changes what it computes.
func (c *Checkpoint) AddNoise() { c.State.Network.Noise = true }

// SetBlocks gives the network of a checkpoint other numbers of residual blocks, from
// which a new run starts: blocks and up per level on the way down and up, mid at the
// last one (see nets.EdgeConfig; no up: as blocks). New blocks follow the old ones of
// their place and begin as the identity, so the network computes what it did. With
// drop the last blocks of a place may go, which training has to make good; without,
// all that it had must stay.
func (c *Checkpoint) SetBlocks(blocks, up []int, mid int, drop bool) error {
	old := c.State.Network
	net := old
	net.Blocks, net.Up, net.Mid = blocks, up, mid
	if err := net.Validate(); err != nil {
		return err
	}
	oldDown, oldUp := old.FilmBlocks()
	down, newUp := net.FilmBlocks()
	had, all := slices.Concat(oldDown, oldUp), slices.Concat(down, newUp)
	for _, b := range had {
		switch {
		case place(all, b.Name) >= 0:
		case drop:
			maps.DeleteFunc(c.arrays["ema"], func(name string, _ []float32) bool { return strings.Contains(name, "/"+b.Name+"/") })
		default:
			return fmt.Errorf("blocks: the network has %s and would lose it with %v down, %v up and %d in the middle", b.Name, blocks, up, mid)
		}
	}
	for _, b := range all {
		if place(had, b.Name) >= 0 {
			continue
		}
		for _, half := range []string{"adapter/", "flow/"} {
			c.arrays["ema"][half+b.Name+"/conv1/w"] = make([]float32, 9*b.Width*b.Width)
		}
	}
	c.become(net)
	return nil
}

// AddFine gives the network of a checkpoint a level of 2×2 blocks (nets.EdgeConfig.Fine) from which a new run starts. It adds nothing to the output at first.
func (c *Checkpoint) AddFine(width int) error {
	net := c.State.Network
	if net.Fine != 0 && net.Fine != width {
		return fmt.Errorf("fine: the network has %d channels there, which cannot become %d", net.Fine, width)
	}
	net.Fine = width
	if err := net.Validate(); err != nil {
		return err
	}
	c.become(net)
	return nil
}

// become changes the configuration to one with other blocks. FiLM parameters of new ones are 0.
func (c *Checkpoint) become(net nets.EdgeConfig) {
	oldDown, oldUp := c.State.Network.FilmBlocks()
	down, up := net.FilmBlocks()
	p := c.arrays["ema"]
	for name, parts := range map[string][2][]nets.FilmBlock{
		"adapter/emb": {chain(oldDown, oldUp), chain(down, up)},
		"flow/emb-t":  {oldDown, down},
		"flow/emb-r":  {oldUp, up},
	} {
		for _, leaf := range []string{"/film/w", "/film/b"} {
			if v, ok := p[name+leaf]; ok {
				p[name+leaf] = moveFilm(v, parts[0], parts[1])
			}
		}
	}
	c.State.Network = net
}

// place is where a block stands in a list, -1 if it does not.
func place(list []nets.FilmBlock, name string) int {
	return slices.IndexFunc(list, func(b nets.FilmBlock) bool { return b.Name == name })
}

// chain puts the places of two lists behind each other, as the adapter has them.
func chain(down, up []nets.FilmBlock) []nets.FilmBlock {
	all, at := slices.Concat(down, up), nets.FilmCount(down)
	for i := range up {
		all[len(down)+i].At += at
	}
	return all
}

// moveFilm gives rows of FiLM parameters (one row, the bias, or one per channel
// of the embedding) the places of other blocks; what is new is 0.
func moveFilm(v []float32, from, to []nets.FilmBlock) []float32 {
	n, m := nets.FilmCount(from), nets.FilmCount(to)
	out := make([]float32, len(v)/n*m)
	for _, b := range to {
		i := place(from, b.Name)
		if i < 0 {
			continue
		}
		for row := range len(v) / n {
			copy(out[row*m+b.At:][:2*b.Width], v[row*n+from[i].At:])
		}
	}
	return out
}

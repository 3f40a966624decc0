package trainhost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef/nets"
)

// AddGates adds gating convolutions to the network of a checkpoint from which a new run starts: one
// kernel side per level, 0 for none (nets.EdgeConfig.Gates). They begin at 0, so the network
// computes the same as before. It fails if gates that the network has would change.
func (c *Checkpoint) AddGates(gates []int) error {
	net := c.State.Network
	for i, k := range net.Gates {
		if i >= len(gates) || k != 0 && gates[i] != k {
			return fmt.Errorf("gates: the network has %v, and %v would remove or change some", net.Gates, gates)
		}
	}
	net.Gates = gates
	if err := net.Validate(); err != nil {
		return err
	}
	c.State.Network = net
	return nil
}

// AddGuess lets the network of a checkpoint from which a new run starts take a guess for motion
// blur (nets.EdgeConfig.Guess). At first the network uses half of it.
func (c *Checkpoint) AddGuess() { c.State.Network.Guess = true }

// AddCoarse lets the network of a checkpoint restore the halves of pictures first, as often as
// levels says (nets.Traits.Coarse). At first it uses half of what it changes in them.
func (c *Checkpoint) AddCoarse(levels int) {
	c.State.Network.Guess, c.State.Network.Coarse = true, levels
}

// AddNoise lets the network of a checkpoint be told the shape of the noise (nets.EdgeConfig.Noise).
// For white noise it computes the same as before.
func (c *Checkpoint) AddNoise() { c.State.Network.Noise = true }

// Blocks are the numbers of residual blocks of a network; see nets.EdgeConfig.
type Blocks struct {
	Down []int // per level on the way down
	Up   []int // per level on the way up; nil: as Down
	Mid  int   // at the coarsest level
}

// SetBlocks changes the numbers of residual blocks of the network of a checkpoint from which a new
// run starts. New blocks come after those that a level has, and begin as the identity, so the
// network computes the same as before. With drop the last blocks of a level may be removed, which
// training has to compensate; without, SetBlocks fails if one would be.
func (c *Checkpoint) SetBlocks(blocks Blocks, drop bool) error {
	old := c.State.Network
	net := old
	net.Blocks, net.Up, net.Mid = blocks.Down, blocks.Up, blocks.Mid
	if err := net.Validate(); err != nil {
		return err
	}
	oldDown, oldUp := old.FilmBlocks()
	down, newUp := net.FilmBlocks()
	had, all := slices.Concat(oldDown, oldUp), slices.Concat(down, newUp)
	for _, b := range had {
		switch {
		case blockIndex(all, b.Name) >= 0:
		case drop:
			maps.DeleteFunc(c.Averaged(), func(name string, _ []float32) bool { return strings.Contains(name, "/"+b.Name+"/") })
		default:
			return fmt.Errorf("blocks: the network has %s, and %v down, %v up and %d in the middle would remove it", b.Name, blocks.Down, blocks.Up, blocks.Mid)
		}
	}
	for _, b := range all {
		if blockIndex(had, b.Name) >= 0 {
			continue
		}
		for _, half := range []string{"adapter/", "flow/"} {
			c.Averaged()[half+b.Name+"/conv1/w"] = make([]float32, 9*b.Width*b.Width)
		}
	}
	c.setConfig(net)
	return nil
}

// AddFine adds a level of 2×2 pixel blocks with width channels (nets.EdgeConfig.Fine) to the
// network of a checkpoint from which a new run starts. At first it adds nothing to the output.
func (c *Checkpoint) AddFine(width int) error {
	net := c.State.Network
	if net.Fine != 0 && net.Fine != width {
		return fmt.Errorf("fine: the level of the network has %d channels, which cannot become %d", net.Fine, width)
	}
	net.Fine = width
	if err := net.Validate(); err != nil {
		return err
	}
	c.setConfig(net)
	return nil
}

// setConfig changes the configuration to one with other blocks. The FiLM parameters of new blocks
// are 0.
func (c *Checkpoint) setConfig(net nets.EdgeConfig) {
	oldDown, oldUp := c.State.Network.FilmBlocks()
	down, up := net.FilmBlocks()
	p := c.Averaged()
	for name, parts := range map[string][2][]nets.FilmBlock{
		"adapter/emb": {concatFilm(oldDown, oldUp), concatFilm(down, up)},
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

// blockIndex is the index of a block in a list, -1 if it is not there.
func blockIndex(list []nets.FilmBlock, name string) int {
	return slices.IndexFunc(list, func(b nets.FilmBlock) bool { return b.Name == name })
}

// concatFilm concatenates two lists and their FiLM parameters, as in the adapter.
func concatFilm(down, up []nets.FilmBlock) []nets.FilmBlock {
	all, at := slices.Concat(down, up), nets.FilmCount(down)
	for i := range up {
		all[len(down)+i].At += at
	}
	return all
}

// moveFilm rearranges rows of FiLM parameters from the order of some blocks to that of others: one
// row for the bias, or one per channel of the embedding. Parameters of new blocks are 0.
func moveFilm(v []float32, from, to []nets.FilmBlock) []float32 {
	n, m := nets.FilmCount(from), nets.FilmCount(to)
	out := make([]float32, len(v)/n*m)
	for _, b := range to {
		i := blockIndex(from, b.Name)
		if i < 0 {
			continue
		}
		for row := range len(v) / n {
			copy(out[row*m+b.At:][:2*b.Width], v[row*n+from[i].At:])
		}
	}
	return out
}

package main

import (
	"errors"
	"flag"
	"fmt"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost"
)

// networkFlags are the flags for the form of the network: of a new one, or of what is added to one.
type networkFlags struct {
	widths, blocks, up, gates *string
	mid, fine                 *int
	drop, guess, noise        *bool
}

func (n *networkFlags) define(fs *flag.FlagSet) {
	*n = networkFlags{
		widths: fs.String("widths", "32,64,96", "channels of the network's levels (new networks)"),
		blocks: fs.String("blocks", "", "residual blocks per level, down and up; with -init or -from they are added to the network (default 1,1 for new networks)"),
		up:     fs.String("up", "", "residual blocks per level on the way up, if not as -blocks; with -init or -from they are added to the network (default 2,1 for new networks, but as -blocks if that is given)"),
		mid:    fs.Int("mid", -1, "residual blocks at the coarsest level; with -init or -from they are added to the network (default 2 for new networks)"),
		drop:   fs.Bool("drop", false, "with -init or -from: -blocks, -up and -mid may remove blocks"),
		fine:   fs.Int("fine", -1, "channels of a level of 2×2 pixel blocks at the end, 0 for none; with -init or -from it is added to the network (default 0)"),
		gates:  fs.String("gates", "", "kernel sides of the blocks' gating convolutions per level: 0 (none), 1 or 3; with -init or -from they are added to the network (default 1,1,3 for new networks of three levels)"),
		guess:  fs.Bool("guess", false, "with -init or -from: let the adapter take the linear estimate of motion-blurred pictures (see restore/motionblur), as new networks do"),
		noise:  fs.Bool("noise", false, "with -init or -from: tell the network the shape of the noise, and train denoising on the noise of cameras and JPEG (see docs/TRAINING.md)"),
	}
}

// blocksGiven reports whether the flags give numbers of residual blocks.
func (n networkFlags) blocksGiven() bool { return *n.blocks != "" || *n.up != "" || *n.mid >= 0 }

// config is the form of a new network.
func (n networkFlags) config() (net nets.EdgeConfig, err error) {
	net = nets.DefaultEdge()
	net.Widths, err = ints(*n.widths)
	if err == nil && *n.blocks != "" {
		net.Up = nil
		net.Blocks, err = ints(*n.blocks)
	}
	if err == nil && *n.up != "" {
		net.Up, err = ints(*n.up)
	}
	if *n.mid >= 0 {
		net.Mid = *n.mid
	}
	if err == nil && (*n.gates != "" || len(net.Widths) != len(net.Gates)) {
		net.Gates, err = ints(*n.gates)
	}
	if *n.fine >= 0 {
		net.Fine = *n.fine
	}
	return net, err
}

// extend adds to the network of a checkpoint what the flags ask for; net is config().
func (n networkFlags) extend(start *trainhost.Checkpoint, net nets.EdgeConfig) error {
	if *n.gates != "" {
		if err := start.AddGates(net.Gates); err != nil {
			return err
		}
	}
	if n.blocksGiven() {
		old := start.State.Network
		blocks := trainhost.Blocks{Down: net.Blocks, Up: net.Up, Mid: net.Mid}
		if *n.blocks == "" {
			blocks.Down = old.Blocks
		}
		if *n.up == "" {
			blocks.Up = old.Up
		}
		if *n.mid < 0 {
			blocks.Mid = old.Mid
		}
		if err := start.SetBlocks(blocks, *n.drop); err != nil {
			return err
		}
	}
	if *n.fine >= 0 {
		if err := start.AddFine(*n.fine); err != nil {
			return err
		}
	}
	if *n.guess {
		start.AddGuess()
	}
	if *n.noise {
		start.AddNoise()
	}
	return nil
}

// start returns the checkpoint from which the run starts (nil: fresh weights), and the form of a
// new network. It completes the configuration.
func (c *trainCommand) start() (*trainhost.Checkpoint, nets.EdgeConfig, error) {
	asked, steps := flagsGiven(c.fs), c.cfg.Steps
	c.cfg.Movement = *c.movement != ""
	if c.cfg.Objective.Spread {
		c.spreadOnly(asked)
	}
	if c.cfg.Objective.DataWeight == 0 {
		c.cfg.Objective.DataWeight = dataWeight(c.cfg.Objective.Data)
	}
	net, err := c.network.config()
	if err != nil {
		return nil, net, fmt.Errorf("%s: %w", c.name, err)
	}
	if *c.resume {
		start, err := c.resumed(asked, steps)
		return start, net, err
	}
	var start *trainhost.Checkpoint
	switch {
	case *c.initial != "" && *c.from != "":
		return nil, net, errors.New(c.name + ": -init and -from exclude each other")
	case *c.from != "":
		start, err = trainhost.LoadCheckpoint(*c.from)
	case *c.initial != "":
		start, err = c.packed()
	}
	if err != nil || start == nil {
		return nil, net, err
	}
	if err := c.network.extend(start, net); err != nil {
		return nil, net, fmt.Errorf("%s: %w", c.name, err)
	}
	return start, net, nil
}

// spreadOnly switches the terms off that -spread excludes, unless they were asked for: then the
// objective is an error.
func (c *trainCommand) spreadOnly(asked given) {
	o := &c.cfg.Objective
	for name, weight := range map[string]*float64{"mean-weight": &o.Mean, "obs": &o.Obs, "kl": &o.KL} {
		if _, ok := asked[name]; !ok {
			*weight = 0
		}
	}
}

// packed reads the weights of -init.
func (c *trainCommand) packed() (*trainhost.Checkpoint, error) {
	name := *c.initial
	if name == "default" {
		name = ""
	}
	n, err := openNetwork(name)
	if err != nil {
		return nil, err
	}
	return trainhost.CheckpointFromNetwork(n), nil
}

// resumed loads the checkpoint in -out, sets the configuration to that of its run, and compares
// that with the flags that were given. steps is the value of -steps.
func (c *trainCommand) resumed(asked given, steps uint64) (*trainhost.Checkpoint, error) {
	if err := asked.refuseStarts(c.fs, "init", "from"); err != nil {
		return nil, err
	}
	start, err := trainhost.LoadCheckpoint(*c.out)
	if err != nil {
		return nil, err
	}
	st := &start.State
	if w, ok := asked["data-weight"]; ok && w == "0" { // the default of the data term
		asked["data-weight"] = fmt.Sprint(dataWeight(st.Config.Objective.Data))
	}
	c.cfg = st.Config // which contains the variables of the flags
	if err := asked.network(c.fs, st.Network); err != nil {
		return nil, err
	}
	if err := asked.compare(c.fs, *c.out); err != nil {
		return nil, err
	}
	if _, ok := asked["steps"]; ok {
		c.cfg.Steps, st.Config.Steps = steps, steps
	}
	return start, nil
}

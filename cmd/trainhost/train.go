package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vfmrestore/restore/trainhost"
)

// trainCommand is one of the commands train, pretrain and joint, which differ in the default
// objective.
type trainCommand struct {
	name string
	fs   *flag.FlagSet
	runFlags
	cfg     trainhost.Config
	val     validation
	network networkFlags

	initial, csv, tensorboard, pairs, movement *string
	profile                                    *bool
}

// newTrain defines the flags.
func newTrain(command string) *trainCommand {
	c := &trainCommand{name: command, cfg: trainhost.DefaultConfig()}
	switch command {
	case "pretrain":
		c.cfg.Objective = trainhost.FlowMatching()
	case "joint":
		c.cfg.Objective = trainhost.Joint()
	}
	fs := flag.NewFlagSet("trainhost "+command, flag.ContinueOnError)
	c.fs, c.runFlags = fs, newRunFlags(fs, 20)
	c.initial = fs.String("init", "", "packed weights (.vfm) from which this run starts; \"default\" for the embedded ones for all tasks")
	c.csv = fs.String("csv", "", "file to which log lines are appended as CSV")
	c.tensorboard = fs.String("tensorboard", "", "folder for log lines in TensorBoard's format")
	c.val.defineFlags(fs)
	c.profile = fs.Bool("profile", false, "do one step, print the time of its kernels, and stop")
	c.network.define(fs)
	c.pairs = fs.String("shakes", "", "file of trainhost shakes: two thirds of the motion-blurred pictures are crops of its pairs (needs -obs 0; also needed with -resume)")
	c.movement = fs.String("movement", "", "folder with the frames of a video: denoising trains on pictures blurred by movement instead of noisy ones (needs a network with -noise; also needed with -resume)")
	cfg, o := &c.cfg, &c.cfg.Objective
	fs.BoolVar(&cfg.Compressed, "compressed", false, "denoising trains on JPEG pictures, most of them without noise (needs a network with -noise)")
	fs.StringVar((*string)(&o.Data), "loss", string(o.Data), "data term: es (energy score), l2 (regression at z = μ) or none")
	fs.Float64Var(&o.DataWeight, "data-weight", 0, "weight of the data term (0: 20 for es, 50 for l2)")
	fs.Float64Var(&o.Mean, "mean-weight", o.Mean, "with -loss es: weight of the regression term at z = μ")
	fs.Float64Var(&o.Obs, "obs", o.Obs, "weight of the observation term")
	fs.BoolVar(&o.ObsEMA, "obs-ema", false, "evaluate the observation term with the averaged flow map")
	fs.Float64Var(&o.KL, "kl", o.KL, "weight of the KL term")
	mf := &o.MeanFlow
	fs.Float64Var(&mf.Weight, "mf", mf.Weight, "weight of the mean-flow term, 1/(2τ²); 0: none")
	fs.Float64Var(&mf.Alpha, "alpha", orDefault(mf, mf.Alpha, 0.5), "mean flow: share of pictures with z from the adapter")
	fs.Float64Var(&mf.Match, "match", orDefault(mf, mf.Match, 0.5), "mean flow: share of pictures with r = t (flow matching)")
	fs.Float64Var(&mf.Corner, "corner", mf.Corner, "mean flow: share of pictures at (r, t) = (0, 1)")
	fs.StringVar((*string)(&mf.Times), "times", string(trainhost.LogitNormal), "mean flow: distribution of the times, logit-normal or uniform")
	fs.BoolVar(&o.Frozen, "freeze-flow", false, "train the adapter alone")
	fs.BoolVar(&o.Spread, "spread", false, "train the adapter's log-variance alone, with the energy score as the only term; z = μ does not change")
	fs.Float64Var(&o.Gamma, "gamma", o.Gamma, "offset of the adaptive weight; negative: no adaptive weight")
	fs.Var(counts{&cfg.Per}, "per-class", "pictures of each of the six tasks in a batch: one number, or six separated by commas, in the order of docs/TRAINING.md")
	fs.IntVar(&cfg.Crop, "crop", cfg.Crop, "side of the crops in pixels, a power of two")
	fs.Uint64Var(&cfg.Steps, "steps", cfg.Steps, "steps of this run")
	fs.Uint64Var(&cfg.Warmup, "warmup", cfg.Warmup, "steps of linear warm-up")
	fs.Float64Var(&cfg.LR, "lr", cfg.LR, "learning rate at its peak")
	fs.Float64Var(&cfg.EMA, "ema", cfg.EMA, "decay per step of the averaged weights")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of the weights, the data order and the noise")
	return c
}

// train runs the commands train, pretrain and joint.
func train(ctx context.Context, command string, args []string) error {
	c := newTrain(command)
	if err := c.fs.Parse(args); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	start, net, err := c.start()
	if err != nil {
		return err
	}
	var origin *trainhost.Origin
	if *c.resume {
		origin = start.State.Origin
	}
	pics, dev, origin, err := c.open(c.fs, command, c.cfg.Crop, origin)
	if err != nil {
		return err
	}
	defer dev.Close()
	if start == nil {
		net.Mean, net.SD = pics.Statistics(c.cfg.Seed, 2000, min(64, c.cfg.Crop))
		if err := net.Validate(); err != nil {
			return err
		}
	}
	pairs, err := c.loadPairs()
	if err != nil {
		return err
	}
	moves, err := c.loadMovement(start, pics)
	if err != nil {
		return err
	}
	began, built := time.Now(), watchKernels(dev)
	t, err := trainhost.NewTrainer(dev, pics, net, c.cfg, start, *c.resume)
	built()
	if err != nil {
		return err
	}
	defer t.Close()
	t.MotionPairs, t.Movement = pairs, moves
	t.State.Origin = origin
	describeRun(pics, t, dev, began)
	if *c.profile {
		return t.Profile(stdout)
	}
	return c.run(ctx, t)
}

// check finds mistakes before any work begins.
func (c *trainCommand) check() error {
	if err := c.runFlags.check(c.fs); err != nil {
		return err
	}
	if err := c.val.check(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	if *c.csv != "" {
		if err := checkCSV(*c.csv); err != nil {
			return fmt.Errorf("%s: -csv: %w", c.name, err)
		}
	}
	return nil
}

// loadPairs reads the file of -shakes; nil without one.
func (c *trainCommand) loadPairs() (*trainhost.MotionPairs, error) {
	if *c.pairs == "" {
		return nil, nil
	}
	pairs, err := trainhost.LoadMotionPairs(*c.pairs)
	if err != nil {
		return nil, fmt.Errorf("%s: -shakes: %w", c.name, err)
	}
	if c.cfg.Objective.Obs != 0 || c.cfg.Crop > pairs.Side {
		return nil, fmt.Errorf("%s: -shakes needs -obs 0, as the kernels are not known, and -crop of at most %d", c.name, pairs.Side)
	}
	return pairs, nil
}

// loadMovement reads the frames of -movement; nil without.
func (c *trainCommand) loadMovement(start *trainhost.Checkpoint, pics *trainhost.Pictures) (*trainhost.Movement, error) {
	if c.cfg.Movement != (*c.movement != "") { // of a run that is resumed
		how := map[bool]string{true: "with -movement: give its folder again", false: "without -movement: leave it out"}[c.cfg.Movement]
		return nil, fmt.Errorf("%s: %s was made %s, or begin a new run with -from and another -out", c.name, *c.out, how)
	}
	if !c.cfg.Movement {
		return nil, nil
	}
	if start == nil || !start.State.Network.Noise {
		return nil, fmt.Errorf("%s: -movement needs a network that is told the shape of noise: -init or -from, and -noise", c.name)
	}
	frames, err := trainhost.VideoFrames(*c.movement)
	if err != nil {
		return nil, fmt.Errorf("%s: -movement: %w", c.name, err)
	}
	moves, err := trainhost.NewMovement(pics, frames, c.cfg.Crop)
	if err != nil {
		return nil, fmt.Errorf("%s: -movement: %w", c.name, err)
	}
	return moves, nil
}

// run trains, and writes logs and checkpoints.
func (c *trainCommand) run(ctx context.Context, t *trainhost.Trainer) error {
	var events *trainhost.EventLog
	if *c.tensorboard != "" {
		var err error
		if events, err = trainhost.NewEventLog(*c.tensorboard); err != nil {
			return fmt.Errorf("%s: -tensorboard: %w", c.name, err)
		}
		defer events.Close()
	}
	c.val.device = *c.device
	save := func() error { return trainhost.SaveCheckpoint(*c.out, t.Store(), t.State) }
	schedule := c.schedule(save)
	schedule.AfterStep = func(step uint64) error {
		c.val.after(ctx, save, *c.out, step)
		return nil
	}
	complete, err := t.Run(ctx, schedule, func(r trainhost.Report) {
		r.Log(stdout)
		var errs []error
		if events != nil {
			errs = append(errs, events.Write(r))
		}
		if *c.csv != "" {
			errs = append(errs, appendCSV(*c.csv, r))
		}
		for _, err := range errs {
			if err != nil {
				fmt.Fprintln(os.Stderr, "trainhost: log:", err)
			}
		}
	})
	return c.finish(err, save, t.State.Step, t.State.Config.Steps, complete)
}

// dataWeight is the default weight of a data term.
func dataWeight(term trainhost.DataTerm) float64 {
	return map[trainhost.DataTerm]float64{trainhost.DataEnergy: 20, trainhost.DataRegression: 50}[term]
}

// counts is a flag for trainhost.Counts.
type counts struct{ *trainhost.Counts }

func (c counts) String() string {
	if c.Counts == nil { // package flag calls String of a zero value
		return ""
	}
	return c.Counts.String()
}

func (c counts) Set(s string) (err error) {
	*c.Counts, err = trainhost.ParseCounts(s)
	return err
}

// ints reads a list of numbers separated by commas.
func ints(s string) ([]int, error) {
	var v []int
	if s == "" {
		return v, nil
	}
	for _, p := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil {
			return nil, fmt.Errorf("%q is not a list of numbers", s)
		}
		v = append(v, n)
	}
	return v, nil
}

// orDefault is v, a field of m, if the command has the mean-flow term by default. Otherwise it is
// def, which is used if -mf adds the term.
func orDefault(m *trainhost.MeanFlow, v, def float64) float64 {
	if m.Weight > 0 {
		return v
	}
	return def
}

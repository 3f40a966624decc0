package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost"
)

// train runs the commands train, pretrain and joint, which differ in the objective they start from.
func train(ctx context.Context, command string, args []string) error {
	cfg, net := trainhost.DefaultConfig(), nets.DefaultEdge()
	switch command {
	case "pretrain":
		cfg.Objective = trainhost.FlowMatching()
	case "joint":
		cfg.Objective = trainhost.Joint()
	}
	fs := flag.NewFlagSet("trainhost "+command, flag.ContinueOnError)
	initial := fs.String("init", "", "packed weights (.vfm) that this run starts from; \"default\" for the embedded ones for all tasks")
	r := newRunFlags(fs, 20)
	logCSV := fs.String("csv", "", "file to append log lines to, as CSV")
	board := fs.String("tensorboard", "", "folder to write log lines to as TensorBoard reads them")
	var val validation
	fs.StringVar(&val.folder, "val", "", "folder of pictures, none of them in -data, to score the averaged weights on while training")
	fs.Uint64Var(&val.every, "val-every", 500, "steps between scores")
	fs.IntVar(&val.limit, "val-limit", 24, "pictures to score, spread over the folder")
	profile := fs.Bool("profile", false, "do one step, print where its time goes, and stop")
	widths := fs.String("widths", "32,64,96", "channels of the network's levels (new networks)")
	blocks := fs.String("blocks", "", "residual blocks per level, down and up; with -init or -from they are added to the network (default 1,1 for new networks)")
	up := fs.String("up", "", "residual blocks per level on the way up, if not as -blocks; with -init or -from they are added to the network (default 2,1 for new networks, and as -blocks where that is given)")
	mid := fs.Int("mid", -1, "residual blocks at the coarsest level; with -init or -from they are added to the network (default 2 for new networks)")
	drop := fs.Bool("drop", false, "with -init or -from: -blocks, -up and -mid may take blocks away")
	fine := fs.Int("fine", -1, "channels of a level of 2×2 pixel blocks at the end, 0 for none; with -init or -from it is added to the network (default 0)")
	gates := fs.String("gates", "", "side of the blocks' gating convolutions per level, 0 (none), 1 or 3; with -init or -from they are added to the network (default 1,1,3 for new networks of three levels)")
	guess := fs.Bool("guess", false, "with -init or -from: let the adapter take the linear estimate of motion-blurred pictures (see restore/motionblur), as new networks do")
	shape := fs.Bool("noise", false, "with -init or -from: tell the network the shape of the noise, and train denoising on the noise of cameras and JPEG (see docs/TRAINING.md)")
	shakes := fs.String("shakes", "", "file of trainhost shakes: two thirds of the motion-blurred pictures are crops of its pairs (needs -obs 0, also with -resume)")
	movement := fs.String("movement", "", "folder of a video's frames: the pictures of denoising have blur by movement in place of noise (needs a network with -noise, also with -resume)")
	fs.BoolVar(&cfg.Compressed, "compressed", false, "the pictures of denoising went through JPEG, most of them without noise (needs a network with -noise)")
	fs.StringVar(&cfg.Objective.Data, "loss", cfg.Objective.Data, "data term: es (energy score), l2 (regression at z = μ) or none")
	fs.Float64Var(&cfg.Objective.DataWeight, "data-weight", 0, "weight of the data term (0: 20 for es, 50 for l2)")
	fs.Float64Var(&cfg.Objective.Mean, "mean-weight", cfg.Objective.Mean, "weight of the regression term at z = μ beside the energy score (-loss es)")
	fs.Float64Var(&cfg.Objective.Obs, "obs", cfg.Objective.Obs, "weight of the observation term")
	fs.BoolVar(&cfg.Objective.ObsEMA, "obs-ema", false, "evaluate the observation term with the averaged flow map")
	fs.Float64Var(&cfg.Objective.KL, "kl", cfg.Objective.KL, "weight of the KL term")
	mf := &cfg.Objective.MeanFlow
	fs.Float64Var(&mf.Weight, "mf", mf.Weight, "weight of the mean-flow term, 1/(2τ²); 0: none")
	fs.Float64Var(&mf.Alpha, "alpha", orDefault(mf, mf.Alpha, 0.5), "mean flow: share of pictures whose z comes from the adapter")
	fs.Float64Var(&mf.Match, "match", orDefault(mf, mf.Match, 0.5), "mean flow: share of pictures with r = t (flow matching)")
	fs.Float64Var(&mf.Corner, "corner", mf.Corner, "mean flow: share of pictures at (r, t) = (0, 1)")
	fs.StringVar(&mf.Times, "times", "logit-normal", "mean flow: distribution of the times, logit-normal or uniform")
	fs.BoolVar(&cfg.Objective.Frozen, "freeze-flow", false, "train the adapter alone")
	fs.Float64Var(&cfg.Objective.Gamma, "gamma", cfg.Objective.Gamma, "offset of the adaptive weight; negative: none")
	fs.Var(counts{&cfg.Per}, "per-class", "pictures of each of the six tasks in a batch: one number, or six with commas, in the order of docs/TRAINING.md")
	fs.IntVar(&cfg.Crop, "crop", cfg.Crop, "side of the crops, a power of two")
	fs.Uint64Var(&cfg.Steps, "steps", cfg.Steps, "steps of this run")
	fs.Uint64Var(&cfg.Warmup, "warmup", cfg.Warmup, "steps of linear warm-up")
	fs.Float64Var(&cfg.LR, "lr", cfg.LR, "learning rate at its peak")
	fs.Float64Var(&cfg.EMA, "ema", cfg.EMA, "decay of the averaged weights")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of the weights, the data order and the noise")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := r.check(fs); err != nil {
		return err
	}
	asked, steps := flagsGiven(fs), cfg.Steps
	cfg.Movement = *movement != ""
	if cfg.Objective.DataWeight == 0 {
		cfg.Objective.DataWeight = dataWeight(cfg.Objective.Data)
	}
	if val.every < 1 || val.limit < 1 {
		return fmt.Errorf("%s: -val-every and -val-limit must be at least 1", command)
	}
	if val.folder != "" {
		if st, err := os.Stat(val.folder); err != nil || !st.IsDir() {
			return fmt.Errorf("%s: -val %s is no folder", command, val.folder)
		}
		if err := trainhost.CheckPictures(val.folder, val.limit, true); err != nil {
			return fmt.Errorf("%s: -val: %w", command, err)
		}
	}
	if *logCSV != "" {
		if err := checkCSV(*logCSV); err != nil {
			return fmt.Errorf("%s: -csv: %w", command, err)
		}
	}
	var err error
	net.Widths, err = ints(*widths)
	if err == nil && *blocks != "" {
		net.Up = nil
		net.Blocks, err = ints(*blocks)
	}
	if err == nil && *up != "" {
		net.Up, err = ints(*up)
	}
	if *mid >= 0 {
		net.Mid = *mid
	}
	if err == nil && (*gates != "" || len(net.Widths) != len(net.Gates)) {
		net.Gates, err = ints(*gates)
	}
	if *fine >= 0 {
		net.Fine = *fine
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if *r.resume {
		if err := asked.beginnings(fs, "init", "from"); err != nil {
			return err
		}
		*r.from = *r.out
	}
	if *initial != "" && *r.from != "" {
		return errors.New(command + ": -init and -from exclude each other")
	}
	var start *trainhost.Checkpoint
	if *r.from != "" {
		if start, err = trainhost.LoadCheckpoint(*r.from); err != nil {
			return err
		}
	}
	if *r.resume {
		st := &start.State
		if w, ok := asked["data-weight"]; ok && w == "0" { // of the data term's own
			asked["data-weight"] = fmt.Sprint(dataWeight(st.Config.Objective.Data))
		}
		cfg = st.Config // which the flags' variables are in
		if err := asked.network(fs, st.Network); err != nil {
			return err
		}
		if err := asked.compare(fs, *r.out); err != nil {
			return err
		}
		if _, ok := asked["steps"]; ok {
			cfg.Steps, st.Config.Steps = steps, steps
		}
	}
	if *initial != "" {
		name := *initial
		if name == "default" {
			name = ""
		}
		n, err := openNetwork(name)
		if err != nil {
			return err
		}
		start = trainhost.CheckpointFromNetwork(n)
	}
	if start != nil && !*r.resume && *gates != "" {
		if err := start.AddGates(net.Gates); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	if start != nil && !*r.resume && (*blocks != "" || *up != "" || *mid >= 0) {
		was := start.State.Network
		if *blocks == "" {
			net.Blocks = was.Blocks
		}
		if *up == "" {
			net.Up = was.Up
		}
		if *mid < 0 {
			net.Mid = was.Mid
		}
		if err := start.SetBlocks(net.Blocks, net.Up, net.Mid, *drop); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	if start != nil && !*r.resume && *fine >= 0 {
		if err := start.AddFine(*fine); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	if start != nil && !*r.resume && *guess {
		start.AddGuess()
	}
	if start != nil && !*r.resume && *shape {
		start.AddNoise()
	}
	pics, err := r.load(cfg.Crop)
	if err != nil {
		return err
	}
	var origin *trainhost.Origin
	if *r.resume {
		origin = start.State.Origin
		if err := r.sameRun(fs, command, origin, pics.Print()); err != nil {
			return err
		}
	}
	if start == nil {
		net.Mean, net.SD = pics.Statistics(cfg.Seed, 2000, min(64, cfg.Crop))
		if err := net.Validate(); err != nil {
			return err
		}
	}
	if err := threads.Limit(*r.threads); err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *r.device})
	if err != nil {
		return err
	}
	defer dev.Close()
	var pairs *trainhost.Shakes
	if *shakes != "" {
		if pairs, err = trainhost.LoadShakes(*shakes); err != nil {
			return fmt.Errorf("%s: -shakes: %w", command, err)
		}
		if cfg.Objective.Obs != 0 || cfg.Crop > pairs.Side {
			return fmt.Errorf("%s: -shakes needs -obs 0, as kernels are not known, and -crop of at most %d", command, pairs.Side)
		}
	}
	if cfg.Movement != (*movement != "") { // of a run that goes on
		how := map[bool]string{true: "with -movement: give its folder again", false: "without -movement: leave it out"}[cfg.Movement]
		return fmt.Errorf("%s: %s was made %s, or begin a new run with -from and another -out", command, *r.out, how)
	}
	var moves *trainhost.Movement
	if cfg.Movement {
		if start == nil || !start.State.Network.Noise {
			return fmt.Errorf("%s: -movement needs a network that is told the shape of noise: -init or -from, and -noise", command)
		}
		frames, err := trainhost.Frames(*movement)
		if err == nil {
			moves, err = trainhost.NewMovement(pics, frames, cfg.Crop)
		}
		if err != nil {
			return fmt.Errorf("%s: -movement: %w", command, err)
		}
	}
	began, told := time.Now(), watchKernels(dev)
	t, err := trainhost.NewTrainer(dev, pics, net, cfg, start, *r.resume)
	told()
	if err != nil {
		return err
	}
	defer t.Close()
	t.Shakes, t.Movement = pairs, moves
	t.State.Origin = origin.Began(command, pics.Print(), trainhost.HostOf(versionText(), dev))
	begun(pics, t.Store(), t.Program(), dev, began)
	if *profile {
		return t.Profile(stdout)
	}
	var events *trainhost.EventLog
	if *board != "" {
		if events, err = trainhost.NewEventLog(*board); err != nil {
			return fmt.Errorf("%s: -tensorboard: %w", command, err)
		}
		defer events.Close()
	}
	save := func() error { return trainhost.SaveCheckpoint(*r.out, t.Store(), t.State) }
	val.device = *r.device
	done, err := t.Run(ctx, r.deadline(), trainhost.Hooks{Every: *r.every, Checkpoint: save, Interval: *r.interval, Step: func(step uint64) error {
		val.after(ctx, save, *r.out, step)
		return nil
	}, Report: func(r trainhost.Report) {
		r.Log(stdout)
		if events != nil {
			if err := events.Write(r); err != nil {
				fmt.Fprintln(os.Stderr, "trainhost: log:", err)
			}
		}
		if *logCSV != "" {
			if err := appendCSV(*logCSV, r); err != nil {
				fmt.Fprintln(os.Stderr, "trainhost: log:", err)
			}
		}
	}})
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if err := save(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "step %d of %d, checkpoint %s; complete: %v\n", t.State.Step, t.State.Config.Steps, *r.out, done)
	return nil
}

// dataWeight is the weight of a data term if none is given.
func dataWeight(term string) float64 { return map[string]float64{"es": 20, "l2": 50}[term] }

// counts are trainhost.Counts as a flag.
type counts struct{ *trainhost.Counts }

func (c counts) String() string {
	if c.Counts == nil { // package flag looks at an empty one
		return ""
	}
	return c.Counts.String()
}

func (c counts) Set(s string) (err error) {
	*c.Counts, err = trainhost.ParseCounts(s)
	return err
}

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

// orDefault is a field of the term as the command sets it, or what it is when only -mf turns the
// term on.
func orDefault(m *trainhost.MeanFlow, v, def float64) float64 {
	if m.Weight > 0 {
		return v
	}
	return def
}

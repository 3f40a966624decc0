package trainhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/experiment/guidance"
)

// GuidanceConfig compares the guidance of a flow-matching backbone (package guidance) with networks
// that are trained from the same backbone and sample in one step, on the same observations.
type GuidanceConfig struct {
	Net nets.EdgeConfig // of the backbone and all others, without a guess for motion blur
	Run Config          // of every training; objective and steps are replaced
	// Backbone is a checkpoint that was trained by flow matching; nil trains one of Net.
	Backbone *Checkpoint
	Pretrain float64 // operations of the backbone's training, in TFLOP
	Budget   float64 // operations of each training from it, in TFLOP
	Steps    int     // network steps of the guidance methods, a multiple of 5
	// The search for the strength of every method, rule and task is on TunePictures crops of the
	// training pictures with TuneSamples samples each, at most Trials strengths per rule.
	TunePictures, TuneSamples, Trials int
	Pictures, Samples                 int // of the evaluation, of each task
	Sigma                             float64
	Batch                             int    // pictures that the device computes at a time
	Scenes                            int    // rendered training scenes if there are no pictures
	Out                               string // folder for all files
	Export                            bool   // also write the samples
}

// SmallGuidance is meant for about two hours on two idle cores.
func SmallGuidance() GuidanceConfig {
	c := TinyGuidance()
	c.Net = nets.DefaultEdge()
	c.Net.Guess = false
	c.Run.Crop = 64
	c.Pretrain, c.Budget = 80, 22
	c.Steps, c.TunePictures, c.TuneSamples, c.Trials = 50, 4, 2, 8
	c.Pictures, c.Samples, c.Batch, c.Scenes = 16, 8, 16, 400
	return c
}

// TinyGuidance takes minutes, and its networks know little: it shows that everything runs, and how
// the methods differ on a poor prior.
func TinyGuidance() GuidanceConfig {
	c := GuidanceConfig{
		Net: nets.EdgeConfig{Widths: []int{16, 32}, Blocks: []int{1}, Mid: 1, Emb: 32, SD: nets.PhotoSD()},
		Run: DefaultConfig(), Pretrain: 1, Budget: 0.5,
		Steps: 20, TunePictures: 4, TuneSamples: 2, Trials: 8, Pictures: 8, Samples: 8, Sigma: 0.05, Batch: 8, Scenes: 60,
	}
	c.Run.Crop, c.Run.EMA, c.Run.Seed = 32, 0.98, 1
	return c
}

// Validate reports a number that is out of range.
func (c GuidanceConfig) Validate() error {
	if err := c.Run.Validate(); err != nil {
		return err
	}
	if err := c.Net.Validate(); err != nil {
		return err
	}
	switch {
	case !(c.Pretrain > 0 && c.Budget > 0) || !(c.Pretrain < 1e9 && c.Budget < 1e9):
		return fmt.Errorf("guidance: trainings of %g and %g TFLOP: must be positive, and below 10⁹", c.Pretrain, c.Budget)
	case c.Steps < 5 || c.Steps%5 != 0 || c.Steps > 10000:
		return fmt.Errorf("guidance: %d steps: must be a multiple of 5, which DAPS needs, from 5 to 10000", c.Steps)
	case c.TunePictures < 1 || c.TuneSamples < 2 || c.Trials < 1 || c.Pictures < 1 || c.Samples < 2 || c.Batch < 1 || c.Scenes < 1:
		return fmt.Errorf("guidance: a search on %d pictures of %d samples in %d trials, an evaluation on %d of %d, batch %d, %d scenes: there must be 2 samples, and 1 of the others",
			c.TunePictures, c.TuneSamples, c.Trials, c.Pictures, c.Samples, c.Batch, c.Scenes)
	case !(c.Sigma > 0 && c.Sigma <= 1):
		return fmt.Errorf("guidance: σ = %g: must be above 0, at most 1", c.Sigma)
	}
	return nil
}

// hardTasks are the tasks of the VFM paper's comparison.
var hardTasks = []task.Task{task.InpaintBox, task.InpaintRandom, task.SuperResolve, task.GaussianDeblur, task.MotionDeblur}

// GuidanceRow is the result of a method on one task.
type GuidanceRow struct {
	Task     task.Task
	Method   string
	Rule     guidance.Rule // empty for trained networks, as Strength
	Strength float64
	GuidanceScore
	Calls   guidance.Calls // per sample
	Seconds float64        // per sample
}

// trained are the networks that are trained from the backbone.
func trained() []StudyVariant {
	all := StudyVariants()
	find := func(name string) StudyVariant {
		return all[slices.IndexFunc(all, func(v StudyVariant) bool { return v.Name == name })]
	}
	// The paper's unconstrained-θ: observation and KL alone, and θ is trained by them too.
	free := StudyVariant{"unconstrained-theta", Objective{Data: DataNone, Obs: 200, KL: 1, Gamma: 0.01}}
	return []StudyVariant{find("frozen-theta"), free, find("paper"), find("es")}
}

// GuidanceMethods lists the names of all methods and trained networks.
func GuidanceMethods() (names []string) {
	for _, m := range guidance.Methods() {
		names = append(names, m.Name())
	}
	for _, v := range trained() {
		names = append(names, v.Name)
	}
	return names
}

// guidanceRun is the state of one comparison.
type guidanceRun struct {
	GuidanceConfig
	ctx         context.Context
	dev         *gpu.Device
	log         io.Writer
	train, test *Pictures
	files       guidanceFiles
}

// CompareGuidance runs the named methods on the five hard tasks. train are the pictures of all
// trainings and of the search, test those of the evaluation; each is rendered if it is nil. It
// writes a table to w, and files to c.Out, which must exist: guidance.csv, search.csv with all trials
// of the searches, backbone.ckpt, the checkpoints of trained networks, pictures of each task, and
// samples with c.Export.
func CompareGuidance(ctx context.Context, dev *gpu.Device, w io.Writer, train, test *Pictures, c GuidanceConfig, names []string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Backbone != nil && (c.Backbone.State.Network.Guess || c.Backbone.State.Network.Noise) || c.Net.Guess || c.Net.Noise {
		return errGuess
	}
	// Scenes of twice the side of a crop show more than a plain surface.
	if train == nil {
		train = SyntheticPictures(c.Scenes, 2*c.Run.Crop, c.Run.Crop, 1000)
	}
	if test == nil {
		test = SyntheticPictures(c.Pictures, 2*c.Run.Crop, c.Run.Crop, 1)
	}
	r := &guidanceRun{GuidanceConfig: c, ctx: ctx, dev: dev, log: w, train: train, test: test}
	if err := r.pretrain(); err != nil {
		return fmt.Errorf("backbone: %w", err)
	}
	if err := r.guide(names); err != nil {
		return err
	}
	if err := r.fit(names); err != nil {
		return err
	}
	return r.files.finish(r, names)
}

// study gives the trainings of this comparison.
func (r *guidanceRun) study() StudyConfig { return StudyConfig{Net: r.Net, Run: r.Run, Out: r.Out} }

// pretrain trains the backbone, unless it is given.
func (r *guidanceRun) pretrain() error {
	if r.Backbone != nil {
		r.Net = r.Backbone.State.Network
		return nil
	}
	r.Net.Mean, r.Net.SD = r.train.Statistics(r.Run.Seed, 2000, min(64, r.Run.Crop))
	began := time.Now()
	ck, steps, err := r.study().train(r.ctx, r.dev, r.train, "backbone", FlowMatching(), r.Pretrain, nil)
	if err != nil {
		return err
	}
	r.Backbone = ck
	fmt.Fprintf(r.log, "backbone: %d steps of flow matching in %.0f s\n", steps, time.Since(began).Seconds())
	return nil
}

// cases draws the observations of the evaluation.
func (r *guidanceRun) cases(t task.Task) (caseOperator, error) {
	cases, err := drawCases(r.test, t, r.Pictures, r.Run.Crop, r.Sigma, r.Run.Seed)
	return caseOperator{cases, r.Samples}, err
}

// guide searches strengths for the named guidance methods and evaluates them.
func (r *guidanceRun) guide(names []string) error {
	methods := slices.DeleteFunc(guidance.Methods(), func(m guidance.Method) bool { return !slices.Contains(names, m.Name()) })
	if len(methods) == 0 {
		return nil
	}
	flow, err := newBackboneFlow(r.ctx, r.dev, r.Backbone, r.Batch, r.Run.Crop)
	if err != nil {
		return err
	}
	defer flow.close()
	for _, m := range methods {
		for _, t := range hardTasks {
			if err := r.guideTask(flow, m, t); err != nil {
				return fmt.Errorf("%s, %s: %w", m.Name(), t, err)
			}
		}
	}
	return nil
}

// guideTask searches the strength of a method for one task, and evaluates it.
func (r *guidanceRun) guideTask(flow guidance.Flow, m guidance.Method, t task.Task) error {
	tune, err := drawCases(r.train, t, r.TunePictures, r.Run.Crop, r.Sigma, r.Run.Seed+1)
	if err != nil {
		return err
	}
	best, score := guidance.Settings{}, 0.0
	for _, rule := range m.Rules() {
		if rule == guidance.Bayes && len(m.Rules()) > 1 {
			continue // with little noise its steps are stiff
		}
		o := caseOperator{tune, r.TuneSamples}
		s := guidance.Settings{Steps: r.Steps, Rule: rule, Seed: r.Run.Seed + 2}
		found, trials, err := guidance.Search(guidance.Start(m, rule, r.Steps), r.Trials, func(strength float64) (float64, error) {
			s.Strength = strength
			x, _, err := guidance.Sample(r.problem(flow, o), m, s)
			if err != nil {
				return 0, err
			}
			return fairCRPS(tune, o.pictures(x))
		})
		if err != nil {
			return err
		}
		r.files.addTrials(t, m, rule, trials)
		if best.Steps == 0 || found.Score < score {
			best, score = s, found.Score
			best.Strength = found.Strength
		}
	}
	o, err := r.cases(t)
	if err != nil {
		return err
	}
	best.Seed = r.Run.Seed + 3
	var x []float64
	var calls guidance.Calls
	var began time.Time
	for try := range 4 {
		if try > 0 {
			best.Strength /= 3 // the pictures of the search were easier
		}
		began = time.Now()
		if x, calls, err = guidance.Sample(r.problem(flow, o), m, best); !errors.Is(err, guidance.ErrDiverged) {
			break
		}
	}
	if err != nil {
		return err
	}
	row := GuidanceRow{Task: t, Method: m.Name(), Rule: best.Rule, Strength: best.Strength, Calls: calls}
	return r.add(row, o, x, time.Since(began))
}

func (r *guidanceRun) problem(flow guidance.Flow, o caseOperator) guidance.Problem {
	return guidance.Problem{Flow: flow, Operator: o, Y: o.observations(), Sigma: r.Sigma, Batch: len(o.cases) * o.times, Dim: 3 * r.Run.Crop * r.Run.Crop}
}

// add scores samples that took some time, and adds the row to the results.
func (r *guidanceRun) add(row GuidanceRow, o caseOperator, x []float64, took time.Duration) (err error) {
	samples := o.pictures(x)
	if row.GuidanceScore, err = scoreSamples(o.cases, samples); err != nil {
		return err
	}
	row.Seconds = took.Seconds() / float64(len(o.cases)*o.times)
	return r.files.add(r, row, o, samples)
}

// fit trains the named networks and evaluates them.
func (r *guidanceRun) fit(names []string) error {
	for _, v := range trained() {
		if !slices.Contains(names, v.Name) {
			continue
		}
		began := time.Now()
		ck, steps, err := r.study().train(r.ctx, r.dev, r.train, v.Name, v.Objective, r.Budget, r.Backbone)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		fmt.Fprintf(r.log, "%s: %d steps in %.0f s\n", v.Name, steps, time.Since(began).Seconds())
		if err := r.evaluate(v.Name, ck); err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	return nil
}

// evaluate evaluates an adapter with its flow map on all tasks.
func (r *guidanceRun) evaluate(name string, ck *Checkpoint) error {
	n, err := newOneStepNet(r.dev, ck, r.Batch, r.Run.Crop)
	if err != nil {
		return err
	}
	defer n.close()
	for _, t := range hardTasks {
		o, err := r.cases(t)
		if err != nil {
			return err
		}
		began := time.Now()
		x, err := n.sample(r.ctx, o, t, r.Sigma, r.Run.Seed+3)
		if err != nil {
			return err
		}
		// The adapter is a network call too.
		if err := r.add(GuidanceRow{Task: t, Method: name, Calls: guidance.Calls{Velocities: 2}}, o, x, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// observationRow scores what the adapters see of the observations. Two equal samples stand for it,
// so coverage and diversity mean nothing.
func observationRow(t task.Task, o caseOperator) (GuidanceRow, error) {
	samples := make([][]*planar.Image, len(o.cases))
	for i, c := range o.cases {
		v := c.view.Clone().Clamp()
		samples[i] = []*planar.Image{v, v}
	}
	s, err := scoreSamples(o.cases, samples)
	return GuidanceRow{Task: t, Method: "observation", GuidanceScore: s}, err
}

// errNoRows reports that no method was named.
var errNoRows = errors.New("guidance: no method was chosen")

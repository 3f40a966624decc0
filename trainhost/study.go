package trainhost

import (
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// StudyConfig is the comparison of objectives on photographs. Every variant starts from the same
// flow map, pre-trained by flow matching, and gets the same number of operations.
type StudyConfig struct {
	Net      nets.EdgeConfig
	Run      Config  // of every run; objective and steps are replaced
	Pretrain float64 // operations of the flow matching, in TFLOP
	Budget   float64 // operations of each variant, in TFLOP
	Eval     string  // folder of pictures for the evaluation
	Limit    int     // number of these pictures to use; 0: all
	Samples  int     // posterior samples per picture; 0: none
	Out      string  // folder for checkpoints, pictures and the CSV file
}

// StudyVariant is an objective with its name.
type StudyVariant struct {
	Name      string
	Objective Objective
}

// StudyVariants are the objectives that METHOD.md asks to compare: the energy score, its mixtures
// with the mean-flow term, the paper's own, and the paper's baseline with the pre-trained flow map.
func StudyVariants() []StudyVariant {
	mix := func(w float64) Objective {
		o := EnergyScore()
		o.MeanFlow = PaperMeanFlow()
		o.MeanFlow.Weight = w
		return o
	}
	frozen := Objective{Data: DataNone, Obs: 200, KL: 1, Gamma: 0.01, Frozen: true}
	return []StudyVariant{
		{"es", EnergyScore()}, {"es-mf0.1", mix(0.1)}, {"es-mf1", mix(1)}, {"es-mf10", mix(10)}, {"paper", Joint()}, {"frozen-theta", frozen},
	}
}

// StudyRow is the result of one variant with K steps of the flow map: means over the tasks, and the
// quality of unconditional samples.
type StudyRow struct {
	Variant  string
	K        int
	Steps    uint64    // of training
	Mode     []float64 // PSNR of z = μ in dB, per task
	Mean     float64   // of Mode
	Coverage float64   // of the 90 % interval, if there are samples
	Expected float64   // coverage of a calibrated ensemble
	Sample   float64   // PSNR of one sample in dB
	MMD      float64   // between patches of unconditional samples and of photographs
	Seconds  float64   // of training
}

// Study runs the variants and calls row with each result.
func Study(ctx context.Context, dev *gpu.Device, pics *Pictures, c StudyConfig, variants []StudyVariant, row func(StudyRow)) error {
	start, _, err := c.train(ctx, dev, pics, "start", FlowMatching(), c.Pretrain, nil)
	if err != nil {
		return err
	}
	photographs, err := c.photographs()
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(c.Out, "photographs.csv"))
	if err != nil {
		return err
	}
	defer file.Close()
	w := csv.NewWriter(file)
	w.Write([]string{"variant", "K", "steps", "psnr_mode", "psnr_sample", "coverage90", "coverage90_expected", "mmd_unconditional", "seconds"})
	for _, v := range variants {
		began := time.Now()
		ck, steps, err := c.train(ctx, dev, pics, v.Name, v.Objective, c.Budget, start)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		seconds := time.Since(began).Seconds()
		rows, err := c.evaluate(ctx, dev, ck, v.Name, photographs)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		for _, r := range rows {
			r.Steps, r.Seconds = steps, seconds
			f := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
			w.Write([]string{r.Variant, strconv.Itoa(r.K), strconv.FormatUint(steps, 10), f(r.Mean), f(r.Sample), f(r.Coverage), f(r.Expected), f(r.MMD), f(seconds)})
			w.Flush()
			row(r)
		}
	}
	if err := w.Error(); err != nil {
		return err
	}
	return file.Close()
}

// train runs one objective for a number of TFLOP and returns its checkpoint and its steps.
func (c StudyConfig) train(ctx context.Context, dev *gpu.Device, pics *Pictures, name string, o Objective, tflop float64, from *Checkpoint) (*Checkpoint, uint64, error) {
	cfg := c.Run
	cfg.Objective, cfg.Steps = o, 1 // until the cost of a step is known
	if tflop > 1 {
		cfg.Steps = 1 << 20 // enough for the large kernels (longRun)
	}
	t, err := NewTrainer(dev, pics, c.Net, cfg, from, false)
	if err != nil {
		return nil, 0, err
	}
	defer t.Close()
	t.setSteps(max(1, uint64(tflop*1e12/t.Program().Flops())))
	if _, err := t.Run(ctx, optim.Schedule{}, nil); err != nil {
		return nil, 0, err
	}
	path := filepath.Join(c.Out, name+".ckpt")
	if err := SaveCheckpoint(path, t.Store(), t.State); err != nil {
		return nil, 0, err
	}
	ck, err := LoadCheckpoint(path)
	return ck, t.State.Step, err
}

// evaluate evaluates a checkpoint with 1, 2 and 4 steps.
func (c StudyConfig) evaluate(ctx context.Context, dev *gpu.Device, ck *Checkpoint, name string, photographs [][]float64) (rows []StudyRow, err error) {
	n, err := Pack(ck, About{})
	if err != nil {
		return nil, err
	}
	m, err := restore.Open(restore.Config{Shared: dev, Network: n})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	for _, k := range []int{1, 2, 4} {
		scores, err := Evaluate(ctx, m, EvalConfig{Folder: c.Eval, Sigma: 0.05, Samples: c.Samples, Limit: c.Limit, Seed: 1, Steps: k})
		if err != nil {
			return nil, err
		}
		r := StudyRow{Variant: name, K: k}
		for _, s := range scores {
			r.Mode = append(r.Mode, s.Mode)
			share := 1 / float64(len(scores))
			r.Mean += s.Mode * share
			r.Sample += s.Sample * share
			r.Coverage += s.Coverage * share
			r.Expected = s.Expected
		}
		drawn, err := c.unconditional(ctx, m, k, fmt.Sprintf("%s-K%d.png", name, k))
		if err != nil {
			return nil, err
		}
		if r.MMD, err = metric.MMD(drawn, photographs, 0); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

const (
	studySide    = 128 // of unconditional samples, pixels
	studyDraws   = 8
	studyPatch   = 12 // side of the patches that are compared, pixels
	studyPatches = 1000
)

// unconditional draws pictures from the prior, writes the first to a file, and returns patches of
// all.
func (c StudyConfig) unconditional(ctx context.Context, m *restore.Model, k int, name string) ([][]float64, error) {
	drawn, err := m.Sample(ctx, restore.SampleRequest{W: studySide, H: studySide, Samples: studyDraws, Steps: k, Temperature: 1, Seed: 1})
	if err != nil {
		return nil, err
	}
	return patches(drawn), picture.EncodeFile(filepath.Join(c.Out, name), drawn[0], picture.DefaultQuality)
}

// photographs returns patches of the pictures of the evaluation.
func (c StudyConfig) photographs() ([][]float64, error) {
	paths, err := pictureFiles(c.Eval, c.Limit, false)
	if err != nil {
		return nil, err
	}
	var all []*picture.Picture
	for _, path := range paths {
		p, err := picture.DecodeFile(path, picture.Limits{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		all = append(all, p)
	}
	return patches(all), nil
}

// patches takes random patches of the brightness; the same pictures give the same patches.
func patches(from []*picture.Picture) [][]float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	var out [][]float64
	for range studyPatches {
		m := from[rng.IntN(len(from))].Planar()
		at := image.Pt(rng.IntN(max(1, m.W-studyPatch+1)), rng.IntN(max(1, m.H-studyPatch+1)))
		v := make([]float64, 0, studyPatch*studyPatch)
		for y := range studyPatch {
			for x := range studyPatch {
				px, py := planar.Mirror(at.X+x, m.W), planar.Mirror(at.Y+y, m.H)
				v = append(v, float64(m.At(0, px, py)+m.At(1, px, py)+m.At(2, px, py))/3)
			}
		}
		out = append(out, v)
	}
	return out
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost"
)

// photographs compares objectives on photographs at equal numbers of operations.
func photographs(ctx context.Context, args []string) error {
	c := trainhost.StudyConfig{Net: nets.DefaultEdge(), Run: trainhost.DefaultConfig()}
	c.Run.EMA = 0.98
	cmd := newExperiment("photographs", "variants", trainhost.StudyVariants(), func(v trainhost.StudyVariant) string { return v.Name },
		"folder for the CSV file, samples and checkpoints", "variants to run")
	fs := cmd.flags
	data := fs.String("data", "", "folder of photographs to train on")
	fs.StringVar(&c.Eval, "eval", "", "folder of other pictures for the evaluation")
	fs.Float64Var(&c.Pretrain, "pretrain", 4, "operations of the flow matching from which all variants start, in TFLOP")
	fs.Float64Var(&c.Budget, "tflop", 10, "operations of the training of each variant, in TFLOP")
	fs.IntVar(&c.Limit, "limit", 20, "pictures of the evaluation (0: all)")
	fs.IntVar(&c.Samples, "samples", 10, "posterior samples per picture")
	fs.IntVar(&c.Run.Crop, "crop", c.Run.Crop, "side of the crops, a power of two")
	fs.Uint64Var(&c.Run.Seed, "seed", 1, "seed of the weights, the data order and the noise")
	variants, listed, err := cmd.parse(args)
	if listed || err != nil {
		return err
	}
	c.Out = *cmd.out
	if *data == "" || c.Eval == "" || c.Out == "" {
		return errors.New("photographs: -data, -eval and -out are needed")
	}
	if old, _ := filepath.Glob(filepath.Join(c.Out, "*.ckpt")); len(old) > 0 {
		return fmt.Errorf("photographs: -out %s holds checkpoints of an earlier run, such as %s: give another folder, or remove them", c.Out, filepath.Base(old[0]))
	}
	pics, err := trainhost.LoadPictures(*data, c.Run.Crop)
	if err != nil {
		return err
	}
	c.Net.Mean, c.Net.SD = pics.Statistics(c.Run.Seed, 2000, min(64, c.Run.Crop))
	dev, err := cmd.open()
	if err != nil {
		return err
	}
	defer dev.Close()
	fmt.Fprintln(stdout, "| variant | steps | K | denoise | inpaint-random | inpaint-box | super-resolve | gaussian-deblur | motion-deblur | mean | sample | 90 % interval | MMD unconditional | s |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	return trainhost.Study(ctx, dev, pics, c, variants, func(r trainhost.StudyRow) {
		fmt.Fprintf(stdout, "| %s | %d | %d", r.Variant, r.Steps, r.K)
		for _, v := range r.Mode {
			fmt.Fprintf(stdout, " | %.2f", v)
		}
		fmt.Fprintf(stdout, " | %.2f | %.2f | %.1f %% | %.3f | %.0f |\n", r.Mean, r.Sample, 100*r.Coverage, r.MMD, r.Seconds)
	})
}

package experiment

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/atomicfile"
)

// generatorSteps are the numbers of evaluations per sample for which generators are compared.
var generatorSteps = []int{1, 2, 4}

// CompareGenerators trains every generator with the seeds seed, seed + 1, …. It writes the scores
// of every training to w and to generators.csv in the folder dir, which must exist, and figures of
// the samples of the first seed to dir. At the end it writes a table of means and standard
// deviations over the seeds to w.
func CompareGenerators(ctx context.Context, dev *gpu.Device, w io.Writer, dir string, c GeneratorsConfig, gens []Generator, seed uint64) error {
	var all []generatorScore
	fmt.Fprintln(w, "| generator | seed | steps | evaluations a step | TFLOP | K | MMD | support | s |\n|---|---|---|---|---|---|---|---|---|")
	add := func(ss ...generatorScore) error {
		for _, s := range ss {
			fmt.Fprintf(w, "| %s | %d | %d | %.2f | %.4g | %d | %.4f | %.3f | %.0f |\n", s.Generator, s.Seed, s.Steps, s.PerStep, s.TFLOP, s.K, s.MMD, s.Support, s.Seconds)
		}
		all = append(all, ss...)
		return writeGenerators(dir, all)
	}
	for i := range c.Seeds {
		for _, gen := range gens {
			ss, err := runGenerator(ctx, dev, c, gen, seed+uint64(i), generatorSteps...)
			if err != nil {
				return fmt.Errorf("%s: %w", gen.Name, err)
			}
			if err := add(ss...); err != nil {
				return err
			}
			if i == 0 {
				if err := generatorFigure(dir, ss); err != nil {
					return err
				}
			}
		}
		references, err := referenceScores(c, seed+uint64(i))
		if err != nil {
			return err
		}
		if err := add(references...); err != nil {
			return err
		}
	}
	return summarise(w, all)
}

// summarise writes a row for each generator: means and standard deviations over seeds.
func summarise(w io.Writer, all []generatorScore) error {
	fmt.Fprint(w, "\n| generator | steps | evaluations a step |")
	for _, k := range generatorSteps {
		fmt.Fprintf(w, " MMD, K = %d | support, K = %d |", k, k)
	}
	fmt.Fprint(w, "\n|---|---|---|---|---|---|---|---|---|\n")
	var names []string
	rows := map[string][]generatorScore{}
	for _, s := range all {
		if rows[s.Generator] == nil {
			names = append(names, s.Generator)
		}
		rows[s.Generator] = append(rows[s.Generator], s)
	}
	spread := func(v []float64, digits int) string {
		if len(v) == 0 {
			return "–"
		}
		if len(v) == 1 {
			return fmt.Sprintf("%.*f", digits, v[0])
		}
		m, s := stat.MeanStdDev(v, nil)
		return fmt.Sprintf("%.*f ± %.*f", digits, m, digits, s)
	}
	for _, name := range names {
		fmt.Fprintf(w, "| %s | %d | %.2f |", name, rows[name][0].Steps, rows[name][0].PerStep)
		for _, k := range generatorSteps {
			var mmd, support []float64
			for _, s := range rows[name] {
				// References have K = 0. They go to the first column.
				if s.K == k || s.K == 0 && k == generatorSteps[0] {
					mmd, support = append(mmd, s.MMD), append(support, s.Support)
				}
			}
			fmt.Fprintf(w, " %s | %s |", spread(mmd, 3), spread(support, 3))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// writeGenerators writes generators.csv with all digits.
func writeGenerators(dir string, all []generatorScore) error {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return atomicfile.Write(filepath.Join(dir, "generators.csv"), func(to io.Writer) error {
		w := csv.NewWriter(to)
		w.Write([]string{"generator", "seed", "K", "steps", "evaluations a step", "TFLOP", "MMD prior", "support prior", "seconds"})
		for _, s := range all {
			w.Write([]string{s.Generator, fmt.Sprint(s.Seed), fmt.Sprint(s.K), fmt.Sprint(s.Steps), number(s.PerStep), number(s.TFLOP), number(s.MMD), number(s.Support), number(s.Seconds)})
		}
		w.Flush()
		return w.Error()
	})
}

// generatorFigure shows the samples of one training for each K, as SVG and PNG.
func generatorFigure(dir string, ss []generatorScore) error {
	var panels []*plot.Plot
	for _, s := range ss {
		p := plot.New()
		p.Title.Text = fmt.Sprintf("%s, K = %d", s.Generator, s.K)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -2.5, 2.5, -2.5, 2.5
		if err := dots(p, s.cloud.x, blue, ""); err != nil {
			return err
		}
		panels = append(panels, p)
	}
	return save(dir, ss[0].Generator, panels)
}

package trainhost

import (
	"encoding/csv"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/disintegration/imaging"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/experiment/guidance"
	"github.com/vfmrestore/restore/weights"
)

// guidanceFiles collects the results of a comparison, and writes them.
type guidanceFiles struct {
	rows    []GuidanceRow
	trials  [][]string
	cases   map[task.Task]caseOperator
	samples map[task.Task]map[string][][]*planar.Image // by method, for every case
}

// addTrials adds the trials of a search.
func (f *guidanceFiles) addTrials(t task.Task, m guidance.Method, r guidance.Rule, trials []guidance.Trial) {
	for _, trial := range trials {
		f.trials = append(f.trials, []string{t.String(), m.Name(), string(r), full(trial.Strength), full(trial.Score)})
	}
}

// full formats a number with all digits.
func full(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// add adds a row and its samples, and writes the CSV files, so that an interrupted run leaves what
// it has found.
func (f *guidanceFiles) add(r *guidanceRun, row GuidanceRow, o caseOperator, samples [][]*planar.Image) error {
	if f.cases == nil {
		f.cases, f.samples = map[task.Task]caseOperator{}, map[task.Task]map[string][][]*planar.Image{}
	}
	if f.samples[row.Task] == nil {
		f.cases[row.Task], f.samples[row.Task] = o, map[string][][]*planar.Image{}
		first, err := observationRow(row.Task, o)
		if err != nil {
			return err
		}
		f.rows = append(f.rows, first)
	}
	f.samples[row.Task][row.Method] = samples
	f.rows = append(f.rows, row)
	slices.SortStableFunc(f.rows, func(a, b GuidanceRow) int {
		return slices.Index(hardTasks, a.Task) - slices.Index(hardTasks, b.Task)
	})
	fmt.Fprintf(r.log, "%s, %s: %.2f dB, CRPS %.4f, %.3f s per sample\n", row.Method, row.Task, row.PSNR, row.CRPS, row.Seconds)
	head := []string{"task", "method", "rule", "strength", "psnr_sample", "psnr_mean", "ssim_sample", "ssim_mean", "crps", "coverage90", "coverage90_expected",
		"diversity", "error", "velocities", "gradients", "seconds"}
	var table [][]string
	for _, w := range f.rows {
		line := []string{w.Task.String(), w.Method, string(w.Rule), full(w.Strength)}
		for _, v := range []float64{w.PSNR, w.MeanPSNR, w.SSIM, w.MeanSSIM, w.CRPS, w.Coverage, w.Expected, w.Diversity, w.Error} {
			line = append(line, full(v))
		}
		table = append(table, append(line, strconv.Itoa(w.Calls.Velocities), strconv.Itoa(w.Calls.Gradients), full(w.Seconds)))
	}
	if err := writeCSV(filepath.Join(r.Out, "guidance.csv"), head, table); err != nil {
		return err
	}
	return writeCSV(filepath.Join(r.Out, "search.csv"), []string{"task", "method", "rule", "strength", "crps"}, f.trials)
}

func writeCSV(path string, head []string, rows [][]string) error {
	return atomicfile.Write(path, func(to io.Writer) error {
		w := csv.NewWriter(to)
		w.Write(head)
		w.WriteAll(rows)
		return w.Error()
	})
}

// finish writes the tables, the pictures and, if requested, the samples.
func (f *guidanceFiles) finish(r *guidanceRun, names []string) error {
	if len(f.rows) == 0 {
		return errNoRows
	}
	const rest = "PSNR, sample / mean | SSIM, sample / mean | CRPS | 90 % interval | diversity | error | calls | s |\n|---|---|---|---|---|---|---|---|---|"
	fmt.Fprint(r.log, "\n| task | method | strength | "+rest+"---|---|\n")
	means := map[string]GuidanceRow{}
	var order []string
	for _, w := range f.rows {
		strength := ""
		if w.Rule != "" {
			strength = fmt.Sprintf("%s %.2g", w.Rule, w.Strength)
		}
		fmt.Fprintf(r.log, "| %s | %s | %s | %s |\n", w.Task, w.Method, strength, w.columns())
		if _, known := means[w.Method]; !known {
			order = append(order, w.Method)
		}
		means[w.Method] = w.plus(means[w.Method], 1/float64(len(hardTasks)))
	}
	fmt.Fprint(r.log, "\nMeans over the tasks:\n\n| method | "+rest+"\n")
	for _, name := range order {
		fmt.Fprintf(r.log, "| %s | %s |\n", name, means[name].columns())
	}
	fmt.Fprintf(r.log, "\nExpected share inside the interval: %.1f %%.\n", 100*f.rows[len(f.rows)-1].Expected)
	for _, t := range hardTasks {
		if err := f.pictures(r, t, f.samples[t], names); err != nil {
			return err
		}
	}
	if r.Export {
		return f.export(r)
	}
	return nil
}

// columns are the numbers of a row in the printed tables.
func (w GuidanceRow) columns() string {
	calls, spread := "", fmt.Sprintf("%.1f %% | %.3f", 100*w.Coverage, w.Diversity)
	switch {
	case w.Calls.Gradients > 0:
		calls = fmt.Sprintf("%d + %d gradients", w.Calls.Velocities, w.Calls.Gradients)
	case w.Calls.Velocities > 0:
		calls = strconv.Itoa(w.Calls.Velocities)
	default:
		spread = " | "
	}
	return fmt.Sprintf("%.2f / %.2f | %.3f / %.3f | %.4f | %s | %.3f | %s | %.3f", w.PSNR, w.MeanPSNR, w.SSIM, w.MeanSSIM, w.CRPS, spread, w.Error, calls, w.Seconds)
}

// plus adds a share of the row's numbers to a sum. Rows of a method have the same calls.
func (w GuidanceRow) plus(sum GuidanceRow, share float64) GuidanceRow {
	for _, v := range []struct {
		to   *float64
		from float64
	}{{&sum.PSNR, w.PSNR}, {&sum.MeanPSNR, w.MeanPSNR}, {&sum.SSIM, w.SSIM}, {&sum.MeanSSIM, w.MeanSSIM}, {&sum.CRPS, w.CRPS},
		{&sum.Coverage, w.Coverage}, {&sum.Diversity, w.Diversity}, {&sum.Error, w.Error}, {&sum.Seconds, w.Seconds}} {
		*v.to += share * v.from
	}
	sum.Calls = w.Calls
	return sum
}

// Sizes of the montages: cases and samples that are shown, and the side of a pixel.
const (
	shownCases, shownSamples = 4, 4
	pixelSide                = 3
)

// pictures writes two montages of a task. In TASK.png a row is a case: the truth, what the adapters
// see of the observation, and a sample of each method (the paper's Figs. 3 and 10–14). In
// TASK-samples.png a row is a method: some samples for the first case, and their standard deviation,
// times 4 (Figs. 16, 18 and 19).
func (f *guidanceFiles) pictures(r *guidanceRun, t task.Task, samples map[string][][]*planar.Image, names []string) error {
	shown := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return samples[n] == nil })
	var compared, drawn [][]*planar.Image
	for i, c := range f.cases[t].cases[:min(shownCases, r.Pictures)] {
		row := []*planar.Image{c.truth, c.view.Clone().Clamp()}
		for _, name := range shown {
			row = append(row, samples[name][i][0])
		}
		compared = append(compared, row)
	}
	for _, name := range shown {
		all := samples[name][0]
		drawn = append(drawn, append(slices.Clone(all[:min(shownSamples, len(all))]), spreadPicture(all)))
	}
	if err := montage(filepath.Join(r.Out, t.String()+".png"), compared); err != nil {
		return err
	}
	fmt.Fprintf(r.log, "%s.png: truth, observation, then %v\n", t, shown)
	return montage(filepath.Join(r.Out, t.String()+"-samples.png"), drawn)
}

// spreadPicture shows the standard deviation of samples: black is 0, white 1/2.
func spreadPicture(samples []*planar.Image) *planar.Image {
	out := planar.New(samples[0].W, samples[0].H)
	n := float32(len(samples))
	for i := range out.Pix {
		var sum, square float32
		for _, s := range samples {
			sum += s.Pix[i]
			square += s.Pix[i] * s.Pix[i]
		}
		variance := max(0, (square-sum*sum/n)/(n-1))
		out.Pix[i] = float32(4*sqrt(float64(variance))) - 1
	}
	return out.Clamp()
}

// montage writes rows of pictures of one size, enlarged.
func montage(path string, rows [][]*planar.Image) error {
	const gap = 2
	w, h := pixelSide*rows[0][0].W+gap, pixelSide*rows[0][0].H+gap
	out := imaging.New(w*len(rows[0])-gap, h*len(rows)-gap, image.White)
	for i, row := range rows {
		for j, m := range row {
			big := imaging.Resize(m.ToNRGBA(), w-gap, h-gap, imaging.NearestNeighbor)
			out = imaging.Paste(out, big, image.Pt(j*w, i*h))
		}
	}
	return atomicfile.Write(path, func(to io.Writer) error { return png.Encode(to, out) })
}

// export writes the truth, the observations and all samples as tensors [pictures, samples, 3, h, w]
// in guidance.safetensors: TASK/truth, TASK/observation and TASK/METHOD.
func (f *guidanceFiles) export(r *guidanceRun) error {
	file := &weights.File{Meta: map[string]string{weights.KeyNetwork: "guidance"}}
	add := func(name string, each int, pictures func(i int) []*planar.Image) {
		first := pictures(0)[0]
		t := weights.Tensor{Name: name, Shape: []int{r.Pictures, each, 3, first.H, first.W}, DType: weights.F32}
		for i := range r.Pictures {
			for _, p := range pictures(i) {
				t.Data = append(t.Data, p.Pix...)
			}
		}
		file.Tensors = append(file.Tensors, t)
	}
	for _, t := range hardTasks {
		cases := f.cases[t].cases
		if cases == nil {
			continue
		}
		add(t.String()+"/truth", 1, func(i int) []*planar.Image { return []*planar.Image{cases[i].truth} })
		add(t.String()+"/observation", 1, func(i int) []*planar.Image { return []*planar.Image{cases[i].y} })
		for _, row := range f.rows {
			if samples := f.samples[t][row.Method]; row.Task == t && samples != nil {
				add(t.String()+"/"+row.Method, r.Samples, func(i int) []*planar.Image { return samples[i] })
			}
		}
	}
	return weights.Save(filepath.Join(r.Out, "guidance.safetensors"), file)
}

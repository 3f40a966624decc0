package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"
)

// watch draws the curves of a training log in the terminal.
func watch(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost watch", flag.ContinueOnError)
	follow := fs.Duration("follow", 0, "draw again after this time, such as 30s, until interrupted (0: once)")
	width := fs.Int("width", 72, "columns of the plots")
	height := fs.Int("height", 12, "lines of each plot")
	smooth := fs.Int("smooth", 10, "number of log lines that each point of a curve averages")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *width < 10 || *height < 2 || *smooth < 1 {
		return errors.New("watch: usage: trainhost watch [flags] LOG.csv (the file of train -csv)")
	}
	for {
		b, err := os.ReadFile(fs.Arg(0))
		if err != nil {
			return err
		}
		text, err := curves(string(b), *width, *height, *smooth)
		if err != nil {
			return fmt.Errorf("watch: %s: %w", fs.Arg(0), err)
		}
		if *follow > 0 {
			fmt.Fprint(stdout, "\x1b[H\x1b[2J")
		}
		if _, err := fmt.Fprint(stdout, text); err != nil || *follow <= 0 {
			return nil // run reports write errors
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(*follow):
		}
	}
}

// curves draws the unscaled loss and the PSNR of the training crops per task, below a line with the
// step, the learning rate and the speed.
func curves(log string, width, height, smooth int) (string, error) {
	r := csv.NewReader(strings.NewReader(log))
	r.FieldsPerRecord = -1 // the last line may be incomplete
	head, err := r.Read()
	if err != nil || !slices.Contains(head, "step") || !slices.Contains(head, "loss") {
		return "", errors.New("this is not a log of trainhost train -csv")
	}
	columns := make([][]float64, len(head))
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil || len(row) != len(head) || row[0] == head[0] {
			continue
		}
		for i, s := range row {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				v = math.NaN()
			}
			columns[i] = append(columns[i], v)
		}
	}
	if len(columns[0]) == 0 {
		return "the log has no lines yet\n", nil
	}
	at := func(name string) []float64 {
		if i := slices.Index(head, name); i >= 0 {
			return columns[i]
		}
		return nil
	}
	var out strings.Builder
	last := func(v []float64) float64 {
		if len(v) == 0 {
			return math.NaN()
		}
		return v[len(v)-1]
	}
	fmt.Fprintf(&out, "step %.0f, learning rate %.2e, %.2f s/step\n\n", last(at("step")), last(at("lr")), last(at("s/step")))
	loss, caption := at("unscaled"), "unscaled loss"
	if loss == nil { // the log of an older program
		loss, caption = at("loss"), "loss"
	}
	fmt.Fprintln(&out, asciigraph.Plot(average(loss, smooth), asciigraph.Width(width), asciigraph.Height(height), asciigraph.Precision(4),
		asciigraph.Caption(caption)))
	var series [][]float64
	var names []string
	for i, h := range head {
		name, ok := strings.CutSuffix(h, " dB")
		if ok && slices.ContainsFunc(columns[i], func(v float64) bool { return !math.IsNaN(v) }) { // the task was trained
			series, names = append(series, average(columns[i], smooth)), append(names, name)
		}
	}
	if len(series) > 0 {
		colours := []asciigraph.AnsiColor{asciigraph.Blue, asciigraph.Green, asciigraph.Red, asciigraph.Yellow, asciigraph.Magenta, asciigraph.Cyan}
		fmt.Fprintln(&out, "\n"+asciigraph.PlotMany(series, asciigraph.Width(width), asciigraph.Height(height), asciigraph.Precision(1),
			asciigraph.SeriesColors(colours...), asciigraph.SeriesLegends(names...), asciigraph.Caption("PSNR of the training crops, dB")))
	}
	return out.String(), nil
}

// average returns for each value the mean of it and the n − 1 before. NaN and infinity are left
// out.
func average(v []float64, n int) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		sum, k := 0.0, 0.0
		for _, x := range v[max(0, i+1-n) : i+1] {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				sum += x
				k++
			}
		}
		out[i] = sum / k // 0/0 leaves a gap
	}
	return out
}

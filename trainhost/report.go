package trainhost

import (
	"fmt"
	"io"
	"math"
)

// termNames are the terms of the loss in the order of logs.
var termNames = []string{"data", "mean", "mf", "obs", "kl"}

// Report is a log entry.
type Report struct {
	Step    uint64
	Loss    float64
	Terms   map[string]float64 // mean over the batch
	PSNR    [Classes]float64   // of the training crops, dB, from the mean of the squared errors; NaN for tasks without any
	Rate    float64
	Seconds float64 // per step, since the last report
}

// averager collects what a report says over several steps.
type averager struct {
	n     int
	loss  float64
	names []string
	terms []float64
	per   Counts
	mse   [Classes]float64
}

func newAverager(names []string) *averager {
	return &averager{names: names, terms: make([]float64, len(names))}
}

func (a *averager) add(t *Trainer) error {
	loss, err := t.prog.Output(0)
	if err != nil {
		return err
	}
	if math.IsNaN(float64(loss[0])) || math.IsInf(float64(loss[0]), 0) {
		return &ErrDiverged{t.State.Step}
	}
	mse, err := t.prog.Output(1)
	if err != nil {
		return err
	}
	a.per = t.State.Config.Per
	a.n++
	a.loss += float64(loss[0])
	for i, v := range mse {
		c := a.per.Class(i)
		a.mse[c] += float64(v) / float64(a.per[c])
	}
	for i := range a.terms {
		v, err := t.prog.Output(2 + i)
		if err != nil {
			return err
		}
		a.terms[i] += float64(v[0])
	}
	return nil
}

func (a *averager) report() Report {
	r := Report{Loss: a.loss / float64(a.n), Terms: map[string]float64{}}
	for i, name := range a.names {
		r.Terms[name] = a.terms[i] / float64(a.n)
	}
	for c, m := range a.mse {
		r.PSNR[c] = 10 * math.Log10(4/(m/float64(a.n)))
		if a.per[c] == 0 {
			r.PSNR[c] = math.NaN()
		}
	}
	return r
}

// Log writes a report as one line.
func (r Report) Log(w io.Writer) {
	fmt.Fprintf(w, "step %6d  loss %.4f ", r.Step, r.Loss)
	for _, n := range termNames {
		if v, ok := r.Terms[n]; ok {
			fmt.Fprintf(w, " %s %.5f", n, v)
		}
	}
	fmt.Fprintf(w, "  dB")
	for _, p := range r.PSNR {
		if math.IsNaN(p) {
			fmt.Fprint(w, " –")
		} else {
			fmt.Fprintf(w, " %.2f", p)
		}
	}
	fmt.Fprintf(w, "  lr %.2e  %.2f s/step\n", r.Rate, r.Seconds)
}

// ReportColumns names the columns of Row: the step, the loss and its terms (empty where the loss lacks one), the PSNR of the training
// crops per task in dB, the learning rate and the seconds per step.
func ReportColumns() []string {
	c := append([]string{"step", "loss"}, termNames...)
	for _, t := range classTask {
		c = append(c, t.String()+" dB")
	}
	return append(c, "lr", "s/step")
}

// Row gives the report as fields of a CSV line.
func (r Report) Row() []string {
	row := []string{fmt.Sprint(r.Step), fmt.Sprint(r.Loss)}
	for _, n := range termNames {
		v, ok := r.Terms[n]
		s := ""
		if ok {
			s = fmt.Sprint(v)
		}
		row = append(row, s)
	}
	for _, p := range r.PSNR {
		s := ""
		if !math.IsNaN(p) {
			s = fmt.Sprintf("%.3f", p)
		}
		row = append(row, s)
	}
	return append(row, fmt.Sprint(r.Rate), fmt.Sprint(r.Seconds))
}

package trainhost

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// termNames are the terms of the loss in the order of logs.
var termNames = []string{"data", "mean", "mf", "obs", "kl"}

// Report is a log entry.
type Report struct {
	Step, Steps uint64 // done, and of the whole run
	// Unscaled is the weighted sum of the terms: what falls as the networks learn.
	Unscaled float64
	// Loss is what is minimised. The adaptive weight divides every picture's loss by itself, so
	// that it is nearly constant by construction; without that weight it is Unscaled.
	Loss    float64
	Terms   map[string]float64 // mean over the batch
	PSNR    [Classes]float64   // of the training crops, dB, from the mean of the squared errors; NaN for tasks without any
	Rate    float64
	Seconds float64 // per step, since the last report
	// Pictures is how many a step trains on.
	Pictures int
	// Left is about how long the run still goes on, to its last step or to its deadline.
	Left time.Duration
}

// PerSecond is the number of pictures per second, 0 if it is not known.
func (r Report) PerSecond() float64 { return perSecond(r.Pictures, r.Seconds) }

func perSecond(pictures int, seconds float64) float64 {
	if !(seconds > 0) {
		return 0
	}
	return float64(pictures) / seconds
}

// Left estimates how long a run still goes on that has so many steps before it, of so many seconds
// each: to the last one, or to a deadline before (zero: none).
func Left(steps uint64, seconds float64, deadline time.Time) time.Duration {
	left := time.Duration(min(float64(steps)*seconds, 1e9) * float64(time.Second))
	if !deadline.IsZero() {
		left = max(0, min(left, time.Until(deadline)))
	}
	return left
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

// Log writes a report as one line: the loss and its terms, the tasks that are trained, and how fast
// and how much longer it goes.
func (r Report) Log(w io.Writer) {
	fmt.Fprintf(w, "step %6d of %d  unscaled loss %.5f", r.Step, r.Steps, r.Unscaled)
	for _, n := range termNames {
		if v, ok := r.Terms[n]; ok {
			fmt.Fprintf(w, "  %s %.5f", n, v)
		}
	}
	var tasks []string
	for c, p := range r.PSNR {
		if !math.IsNaN(p) {
			tasks = append(tasks, fmt.Sprintf("%s %.2f", classTask[c], p))
		}
	}
	fmt.Fprintf(w, "  %s dB", strings.Join(tasks, ", "))
	fmt.Fprintf(w, "  lr %.2e  %.2f s/step  %.3g pictures/s  %s to go  adaptive loss %.4f\n",
		r.Rate, r.Seconds, r.PerSecond(), Clock(r.Left), r.Loss)
}

// Clock is a length of time to the minute, or to the second if it is short.
func Clock(d time.Duration) string {
	if d < 10*time.Minute {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// ReportColumns names the columns of Row: the step, the loss that is minimised and the terms (empty
// where the loss lacks one), the PSNR of the training crops per task in dB (empty for tasks that
// are not trained), the learning rate, the seconds per step, the unscaled loss and the pictures per
// second.
func ReportColumns() []string {
	c := append([]string{"step", "loss"}, termNames...)
	for _, t := range classTask {
		c = append(c, t.String()+" dB")
	}
	return append(c, "lr", "s/step", "unscaled", "pictures/s")
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
	return append(row, fmt.Sprint(r.Rate), fmt.Sprint(r.Seconds), fmt.Sprint(r.Unscaled), fmt.Sprint(r.PerSecond()))
}

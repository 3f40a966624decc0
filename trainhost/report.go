package trainhost

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Report is a log entry: means over the steps since the last one.
type Report struct {
	Step, Steps uint64 // steps done, and of the whole run
	// Unscaled is the weighted sum of the terms. It falls as the networks learn.
	Unscaled float64
	// Loss is what is minimised. The adaptive weight divides the loss of every picture by itself,
	// so that it is nearly constant by construction; without that weight it is Unscaled.
	Loss    float64
	Terms   map[Term]float64 // not multiplied by their weights
	PSNR    [Classes]float64 // of the training crops, dB, from the mean of the squared errors; NaN for tasks without pictures
	Rate    float64          // learning rate of the last step
	Seconds float64          // per step
	// Pictures is the number of pictures in a step.
	Pictures int
	// Left estimates the time to the last step or to the deadline.
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

// average sums up the outputs of several steps for a report.
type average struct {
	n     int
	loss  float64
	names []Term
	terms []float64
	per   Counts
	mse   [Classes]float64
}

func (t *Trainer) newAverage() *average {
	return &average{names: t.terms, terms: make([]float64, len(t.terms)), per: t.State.Config.Per}
}

// add adds the outputs of the step that was done.
func (a *average) add(t *Trainer) error {
	loss, err := t.step.Loss(t.State.Step)
	if err != nil {
		return err
	}
	mse, err := t.step.Output(outMSE)
	if err != nil {
		return err
	}
	a.n++
	a.loss += loss
	for i, v := range mse {
		c := a.per.Class(i)
		a.mse[c] += float64(v) / float64(a.per[c])
	}
	for i := range a.terms {
		v, err := t.step.Scalar(outTerms + i)
		if err != nil {
			return err
		}
		a.terms[i] += v
	}
	return nil
}

func (a *average) report() Report {
	r := Report{Loss: a.loss / float64(a.n), Terms: map[Term]float64{}}
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

// Log writes the report as one line: the loss and its terms, the tasks that are trained, the speed
// and the time left.
func (r Report) Log(w io.Writer) {
	fmt.Fprintf(w, "step %6d of %d  unscaled loss %.5f", r.Step, r.Steps, r.Unscaled)
	for _, n := range allTerms {
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
		r.Rate, r.Seconds, r.PerSecond(), clock(r.Left), r.Loss)
}

// clock writes a duration to the minute, or to the second if it is less than ten minutes.
func clock(d time.Duration) string {
	if d < 10*time.Minute {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// ReportColumns names the columns of Row: the step, the loss that is minimised and the terms (empty
// for terms that the loss lacks), the PSNR of the training crops per task in dB (empty for tasks
// that are not trained), the learning rate, the seconds per step, the unscaled loss and the
// pictures per second.
func ReportColumns() []string {
	c := []string{"step", "loss"}
	for _, t := range allTerms {
		c = append(c, string(t))
	}
	for _, t := range classTask {
		c = append(c, t.String()+" dB")
	}
	return append(c, "lr", "s/step", "unscaled", "pictures/s")
}

// Row gives the report as the fields of a CSV line.
func (r Report) Row() []string {
	row := []string{fmt.Sprint(r.Step), fmt.Sprint(r.Loss)}
	for _, n := range allTerms {
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

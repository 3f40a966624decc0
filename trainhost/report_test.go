package trainhost

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vfmrestore/restore/trainhost/optim"
)

// A line of the log has the unscaled loss first, only the tasks that are trained, the speed and the
// time left.
func TestLogLine(t *testing.T) {
	r := Report{Step: 40, Steps: 100, Unscaled: 0.25, Loss: 0.99, Terms: map[Term]float64{TermData: 0.5}, Rate: 1e-3, Seconds: 0.5, Pictures: 8,
		Left: 100 * time.Minute}
	for c := range r.PSNR {
		r.PSNR[c] = math.NaN()
	}
	r.PSNR[clsDenoise], r.PSNR[clsMotion] = 31.5, 22.25
	var b strings.Builder
	r.Log(&b)
	line := b.String()
	last := 0
	for _, want := range []string{"step     40 of 100", "unscaled loss 0.25", "data 0.5", "denoise 31.50", "motion-deblur 22.25", "dB", "0.50 s/step", "16 pictures/s",
		"1h40m to go", "adaptive loss 0.99"} {
		at := strings.Index(line, want)
		if at < last {
			t.Errorf("%q lacks %q, or says it too early", line, want)
		}
		last = max(at, last)
	}
	if strings.Contains(line, "inpaint") || strings.Contains(line, "super-resolve") || strings.Contains(line, "NaN") || strings.Count(line, "\n") != 1 {
		t.Errorf("%q tells of tasks that are not trained", line)
	}
	if len(r.Row()) != len(ReportColumns()) {
		t.Errorf("%d fields for %d columns", len(r.Row()), len(ReportColumns()))
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{65 * time.Second: "1m5s", 100 * time.Minute: "1h40m", 25 * time.Minute: "25m", 50 * time.Hour: "50h0m"} {
		if got := clock(d); got != want {
			t.Errorf("%v is written %q, not %q", d, got, want)
		}
	}
}

// Without the adaptive weight the loss that the device minimises is the unscaled one, of all terms.
func TestUnscaledLoss(t *testing.T) {
	cfg := tinyConfig(1)
	cfg.Objective.Gamma, cfg.Objective.Mean, cfg.Objective.MeanFlow = -1, 0.7, PaperMeanFlow()
	tr := newTiny(t, cfg, nil, false)
	var reports []Report
	if _, err := tr.Run(context.Background(), optim.Schedule{Every: 1}, func(r Report) { reports = append(reports, r) }); err != nil {
		t.Fatal(err)
	}
	if len(reports) != 1 || len(reports[0].Terms) != len(allTerms) {
		t.Fatalf("%+v", reports)
	}
	if r := reports[0]; !(math.Abs(r.Unscaled-r.Loss) < 1e-4*math.Abs(r.Loss)) || r.Steps != 1 || r.Pictures != cfg.Per.Total() || r.Left != 0 {
		t.Errorf("unscaled %g, minimised %g: %+v", r.Unscaled, r.Loss, r)
	}
}

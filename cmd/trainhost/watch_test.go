package main

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/trainhost"
)

func TestCurves(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(trainhost.ReportColumns(), ","))
	for i := range 30 {
		r := trainhost.Report{Step: uint64(20 * i), Loss: 2 - float64(i)/30, Rate: 1e-3, Seconds: 0.5}
		for c := range r.PSNR {
			r.PSNR[c] = 20 + float64(c) + float64(i)/10
			if c == 2 {
				r.PSNR[c] = math.NaN() // a run without inpaint-box
			}
		}
		fmt.Fprintln(&b, strings.Join(r.Row(), ","))
	}
	whole := b.String()
	for _, log := range []string{whole, whole + "600,0.5,", whole[:strings.Index(whole, "\n")+1]} {
		text, err := curves(log, 40, 8, 3)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(log, "\n") == 1 {
			if !strings.Contains(text, "no lines yet") {
				t.Errorf("an empty log gives %q", text)
			}
			continue
		}
		for _, words := range []string{"step 580, learning rate 1.00e-03", "loss", "motion-deblur", "dB"} {
			if !strings.Contains(text, words) {
				t.Errorf("the curves do not say %q:\n%s", words, text)
			}
		}
	}
	if text, err := curves(whole, 40, 8, 3); err != nil || strings.Contains(text, "inpaint-box") || strings.Contains(text, "NaN") {
		t.Errorf("a task that was not trained is drawn (%v):\n%s", err, text)
	}
	if _, err := curves("a,b\n1,2\n", 40, 8, 3); err == nil {
		t.Error("another table was drawn")
	}
	got := average([]float64{1, math.NaN(), 3, 5}, 2)
	if got[0] != 1 || got[1] != 1 || got[2] != 3 || got[3] != 4 {
		t.Errorf("averages %v", got)
	}
}

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/trainhost"
)

func TestCurves(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(trainhost.ReportColumns(), ","))
	for i := range 30 {
		r := trainhost.Report{Step: uint64(20 * i), Loss: 1, Unscaled: 2 - float64(i)/30, Rate: 1e-3, Seconds: 0.5}
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
		for _, words := range []string{"step 580, learning rate 1.00e-03", "unscaled loss", "motion-deblur", "dB"} {
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
	// Logs of older programs are drawn, and keep their columns.
	old := filepath.Join(t.TempDir(), "old.csv")
	if err := os.WriteFile(old, []byte("step,loss,denoise dB,lr,s/step\n1,0.5,20,0.001,0.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := trainhost.Report{Step: 2, Loss: 0.25, Unscaled: 9, Rate: 0.002, Seconds: 0.25}
	r.PSNR[0] = 21
	if err := appendCSV(old, r); err != nil {
		t.Fatal(err)
	}
	b2, err := os.ReadFile(old)
	if want := "step,loss,denoise dB,lr,s/step\n1,0.5,20,0.001,0.5\n2,0.25,21.000,0.002,0.25\n"; err != nil || string(b2) != want {
		t.Errorf("an older log goes on as %q, want %q", b2, want)
	}
	if text, err := curves(string(b2), 40, 8, 3); err != nil || !strings.Contains(text, "step 2,") {
		t.Errorf("%v:\n%s", err, text)
	}
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("my notes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := checkCSV(notes); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("another file was taken for a log: %v", err)
	}
	got := average([]float64{1, math.NaN(), 3, 5}, 2)
	if got[0] != 1 || got[1] != 1 || got[2] != 3 || got[3] != 4 {
		t.Errorf("averages %v", got)
	}
}

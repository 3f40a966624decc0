package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The report is one file that names no other and nothing in the network, with all the parts that were asked for.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "<in>&.png"), photo(40, 30, false, 8, true))
	page := func(args ...string) string {
		t.Helper()
		succeeds(t, dir, append([]string{"-task", "denoise", "-weights", w, "-report", "r.html", "<in>&.png", "out.png"}, args...)...)
		b, err := os.ReadFile(filepath.Join(dir, "r.html"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	plain := page()
	full := page("-samples", "3")
	for _, s := range []string{plain, full} {
		for _, word := range []string{"http:", "https:", "<in>", "ZgotmplZ", "src=\"#"} {
			if strings.Contains(s, word) {
				t.Errorf("the page holds %q", word)
			}
		}
		if !strings.Contains(s, "denoise of &lt;in&gt;&amp;.png") || !strings.HasSuffix(strings.TrimSpace(s), "</html>") {
			t.Error("no title, or no end")
		}
	}
	if n := strings.Count(plain, "<img"); n != 4 { // before, after, μ, σ
		t.Errorf("%d pictures without samples, want 4", n)
	}
	if n := strings.Count(full, "<img"); n != 10 { // and std, mean, three samples, z
		t.Errorf("%d pictures with samples, want 10", n)
	}
	for _, words := range []string{"How sure is it?", "sample 3", "linear-gradient(", "Device and weights", "seed 0"} {
		if !strings.Contains(full, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	fails(t, dir, nil, exitUsage, "both name out.png", "-task", "denoise", "-report", "out.png", "<in>&.png", "out.png")
	fails(t, dir, nil, exitFailure, "nowhere", "-task", "denoise", "-report", "nowhere/r.html", "<in>&.png", "new.png")
	fails(t, dir, nil, exitUsage, "-report is for one picture", "-task", "denoise", "-report", "r2.html", ".", "folder")
}

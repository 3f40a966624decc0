package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The report is one file that refers to no other file and to nothing on the internet, with all
// parts that were requested.
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
	if n := strings.Count(full, "<img"); n != 11 { // and two maps of uncertainty, mean, three samples, z
		t.Errorf("%d pictures with samples, want 11", n)
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

// browser finds a Chromium; `make setup-test` installs one if that is simple.
func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here")
	return ""
}

// In a browser, wide and narrow: all pictures load, the slider moves the boundary, nothing is wider
// than the window, the console stays empty.
func TestReportInBrowser(t *testing.T) {
	chromium := browser(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "in.png"), photo(40, 30, false, 8, false))
	succeeds(t, dir, "-task", "denoise", "-weights", someWeights(t, dir), "-samples", "3", "-report", "r.html", "in.png", "out.png")
	b, err := os.ReadFile(filepath.Join(dir, "r.html"))
	if err != nil {
		t.Fatal(err)
	}
	probe := `<script>
addEventListener("load", () => {
	const s = document.getElementById("slider"), c = document.getElementById("compare");
	const cut = () => getComputedStyle(c).getPropertyValue("--cut") + " " + getComputedStyle(c.querySelector(".top")).clipPath;
	const before = cut();
	s.value = 80;
	s.dispatchEvent(new Event("input"));
	document.title = "result: " + before + " | " + cut() + " | " + [...document.images].filter(i => i.complete && i.naturalWidth == 40).length +
		" pictures | overflow " + (document.documentElement.scrollWidth > innerWidth);
});
</script>`
	// The load event waits for pictures that are not lazy, so the probe need not wait for anything
	// by itself.
	write(t, filepath.Join(dir, "probe.html"), append(bytes.ReplaceAll(b, []byte(` loading="lazy"`), nil), probe...))
	for _, width := range []string{"390", "1280"} {
		cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000",
			"--user-data-dir="+filepath.Join(dir, "profile"+width), "--window-size="+width+",800", "--dump-dom", "file://"+filepath.Join(dir, "probe.html"))
		var out, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		_, title, _ := strings.Cut(out.String(), "<title>")
		title, _, _ = strings.Cut(title, "</title>")
		if want := "result: 50% inset(0px 50% 0px 0px) | 80% inset(0px 20% 0px 0px) | 11 pictures | overflow false"; title != want {
			t.Errorf("%s pixels wide: %q, want %q", width, title, want)
		}
		for line := range strings.Lines(stderr.String()) {
			if strings.Contains(line, "CONSOLE") {
				t.Errorf("%s pixels wide: console: %s", width, line)
			}
		}
	}
}

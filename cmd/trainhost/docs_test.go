package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// words splits a command line at spaces outside double quotes.
func words(line string) (out []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

// Every trainhost command in docs/TRAINING.md works, in the order of the page, with a small network
// and few steps.
func TestCommandsInDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/TRAINING.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, side := range map[string]int{"photos": 72, "validation": 72, "large": 256, "frames": 40} {
		if err := os.Rename(pictures(t, 5, side), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "weights/default"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	code, done := false, map[string]int{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/trainhost ")
		if !code || !ok {
			continue
		}
		args := words(rest)
		switch args[0] {
		case "train":
			per := "1"
			switch {
			case slices.Contains(args, "0,0,0,4,4,0"):
				per = "0,0,0,1,1,0"
			case slices.Contains(args, "-movement"), slices.Contains(args, "-compressed"),
				slices.Contains(args, "-spread"):
				per = "1,0,0,0,0,0"
			}
			args = append(args, "-crop", "32", "-per-class", per, "-steps", "1", "-log", "1")
			if !slices.Contains(args, "-from") {
				args = append(args, "-widths", "8,16", "-blocks", "1", "-mid", "1", "-gates", "1,1")
			}
		case "kernels":
			args = append(args, "-data", "large", "-steps", "1", "-batch", "1", "-pool", "2", "-fresh", "1", "-log", "1")
		case "eval":
			args = append(args, "-samples", "2", "-limit", "1")
		}
		if _, err := output(t, args...); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i := slices.Index(args, "-out"); i > 0 {
			if _, err := os.Stat(args[i+1]); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		done[args[0]]++
	}
	if done["train"] < 3 || done["eval"] < 1 || done["pack"] < 3 || done["kernels"] < 1 {
		t.Errorf("commands run: %v", done)
	}

	// Every flag on the page exists.
	var known strings.Builder
	for _, c := range []string{"train", "kernels", "shakes", "eval", "pack", "watch"} {
		known.WriteString(flagsOf(t, c))
	}
	for _, m := range regexp.MustCompile("`-([a-z0-9-]+)").FindAllStringSubmatch(string(b), -1) {
		if !strings.Contains(known.String(), "\n  -"+m[1]+"\n") && !strings.Contains(known.String(), "\n  -"+m[1]+" ") {
			t.Errorf("the page names -%s, which no command has", m[1])
		}
	}
}

// flagsOf is what -help prints of a command's flags.
func flagsOf(t *testing.T, command string) string {
	t.Helper()
	return captured(t, &os.Stderr, func() { _, _ = output(t, command, "-help") })
}

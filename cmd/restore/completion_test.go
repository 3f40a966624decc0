package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The help of a command describes all flags that it defines, and no other.
func TestHelpTellsEveryFlag(t *testing.T) {
	check := func(name, help string, c *command) {
		t.Helper()
		in := map[string]bool{}
		for _, f := range flagsOf(c) {
			in[f.Name] = true
			if !regexp.MustCompile(`(?m)-` + regexp.QuoteMeta(f.Name) + `\b`).MatchString(help) {
				t.Errorf("%s: the help does not describe -%s", name, f.Name)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^  -([a-z-]+)\b`).FindAllStringSubmatch(help, -1) {
			if !in[m[1]] {
				t.Errorf("%s: the help describes -%s, which does not exist", name, m[1])
			}
		}
	}
	if len(flagsOf(nil)) < 20 {
		t.Errorf("restore has %d flags", len(flagsOf(nil)))
	}
	check("restore", mainHelp(), nil)
	for _, c := range commands() {
		if c.name != "help" {
			check(c.name, c.help(), &c)
		}
	}
}

// The scripts complete what a user types, if there is a bash to try it.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	script := succeeds(t, dir, "completion", "bash")
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	for words, want := range map[string]string{
		"restore -ta": "-task", "restore -task den": "denoise", "restore degrade -mask": "-mask-out", "restore vid": "video", "restore bench -js": "-json",
	} {
		cmd := exec.Command(bash, "-c", script+"\nCOMP_WORDS=("+words+"); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _restore; echo \"${COMPREPLY[@]}\"")
		cmd.Dir = dir // a directory without such a file
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q completes to %q (%v), want %q", words, out, err, want)
		}
	}
	for _, shell := range []string{"zsh", "fish"} {
		if s := succeeds(t, dir, "completion", shell); !strings.Contains(s, "samples-dir") || !strings.Contains(s, "degrade") {
			t.Errorf("%s: %q", shell, s)
		}
	}
	fails(t, dir, nil, exitUsage, "only for bash", "completion", "tcsh")
	fails(t, dir, nil, exitUsage, "name of a shell", "completion")
}

func TestManual(t *testing.T) {
	s := succeeds(t, t.TempDir(), "man")
	for _, words := range []string{".TH RESTORE 1", ".SH RESTORE VIDEO", `\-samples\-dir DIR`, ".SH NAME"} {
		if !strings.Contains(s, words) {
			t.Errorf("the manual does not hold %q", words)
		}
	}
	if man, err := exec.LookPath("groff"); err == nil {
		cmd := exec.Command(man, "-man", "-Tutf8", "-ww", "-k")
		cmd.Stdin = strings.NewReader(s)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "RESTORE") {
			t.Errorf("groff: %v: %.200s", err, out)
		}
	}
}

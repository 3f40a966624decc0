// Package scripts holds the project's scripts, and tests of those that change a machine.
package scripts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// machine makes a PATH with fakes for all commands that setup.sh calls. If complete is false,
// nothing that setup.sh checks is installed, else everything except a browser. The fake apt-get
// logs its arguments.
func machine(t *testing.T, complete bool) (path, installed string) {
	t.Helper()
	path = t.TempDir()
	installed = filepath.Join(path, "log")
	there := "exit 1"
	tools := map[string]string{
		"go": "echo compiler", "uname": "echo Linux", "id": "echo 0", "env": `exec /usr/bin/env "$@"`, "apt-get": `echo "$@" >>` + installed,
	}
	if complete {
		there = "echo there"
		for _, name := range []string{"compiler", "spirv-val", "pkg-config", "cmake", "gst-launch-1.0"} {
			tools[name] = "exit 0"
		}
	}
	tools["ls"], tools["ldconfig"] = there, there
	tools["grep"] = `case "$*" in *ID=debian*) exit 0 ;; esac; ` + there
	for name, text := range tools {
		if err := os.WriteFile(filepath.Join(path, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path, installed
}

// On a terminal setup.sh lists all packages and asks, unless YES=1. Otherwise it lists and installs
// them.
func TestSetup(t *testing.T) {
	script, err := exec.LookPath("script") // of util-linux; provides a terminal
	if runtime.GOOS != "linux" {
		err = errors.New("script has other flags on this system")
	}
	if err != nil {
		t.Skip("cannot make a terminal:", err)
	}
	const all = "libvulkan1 mesa-vulkan-drivers gcc libc6-dev vulkan-validationlayers spirv-tools libvulkan-dev pkg-config cmake"
	const optional = " chromium libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools gstreamer1.0-plugins-base"
	const build = "libvulkan1 mesa-vulkan-drivers gcc libc6-dev"
	for name, c := range map[string]struct {
		complete, pipe bool
		args, answer   string
		yes            string
		asked          string // after "apt-get: "
		packages       string // that apt-get installs
		fails          bool
	}{
		"to test, yes":       {args: " test", answer: "y\n", asked: all + optional, packages: all + optional},
		"to test, return":    {args: " test", answer: "\n", asked: all + optional, packages: all + optional},
		"to test, no":        {args: " test", answer: "n\n", asked: all + optional, fails: true},
		"to test, the end":   {args: " test", answer: "\x04", asked: all + optional, fails: true},
		"to test, YES=1":     {args: " test", yes: "YES=1", packages: all + optional},
		"to test, no person": {args: " test", pipe: true, packages: all + optional},
		"to build, yes":      {answer: "yes\n", asked: build, packages: build},
		"to build, no":       {answer: "no\n", asked: build, fails: true},
		"a browser, yes":     {complete: true, args: " test", answer: "y\n", asked: "chromium", packages: "chromium"},
		"a browser, no":      {complete: true, args: " test", answer: "n\n", asked: "chromium"},
		"nothing":            {complete: true},
	} {
		path, installed := machine(t, c.complete)
		line := "/bin/sh setup.sh" + c.args
		cmd := exec.Command(script, "-qec", line, "/dev/null")
		if c.pipe {
			cmd = exec.Command("/bin/sh", "-c", line)
		}
		cmd.Env = []string{"PATH=" + path, "SHELL=/bin/sh", "TERM=dumb", c.yes}
		cmd.Stdin = strings.NewReader(c.answer)
		out, err := cmd.CombinedOutput()
		if (err != nil) != c.fails {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		asked := ""
		if _, after, ok := strings.Cut(string(out), "install with apt-get: "); ok {
			asked, _, _ = strings.Cut(after, "? [Y/n]")
		}
		if asked != c.asked {
			t.Errorf("%s: it asks about %q, not %q\n%s", name, asked, c.asked, out)
		}
		log, _ := os.ReadFile(installed)
		var packages []string
		for _, w := range strings.Fields(string(log)) {
			if w != "install" && !strings.HasPrefix(w, "-") {
				packages = append(packages, w)
			}
		}
		if got := strings.Join(packages, " "); got != c.packages {
			t.Errorf("%s: it installs %q, not %q\n%s", name, got, c.packages, out)
		}
		if c.packages != "" && !strings.Contains(string(out), "setup: installing "+c.packages) {
			t.Errorf("%s: it does not say what it installs: %s", name, out)
		}
	}
}

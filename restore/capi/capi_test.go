package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The library is built as users build it, and the examples run against it: a C program and, where
// there is Python, one of that.
func TestExamples(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the examples name a .so")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	lib := filepath.Join(dir, "libvfm.so")
	run("go", "build", "-buildmode=c-shared", "-o", lib, ".")
	if err := os.Remove(filepath.Join(dir, "libvfm.h")); err != nil { // cgo's own header, which vfm.h replaces
		t.Fatal(err)
	}
	program := filepath.Join(dir, "example")
	run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I.", "example/example.c", "-o", program, lib, "-lm", "-Wl,-rpath,"+dir)
	out := run(program)
	for _, words := range []string{"libvfm unknown on ", "squared error", "frame 4: ", "a mistake: "} {
		if !strings.Contains(out, words) {
			t.Errorf("the C example does not say %q:\n%s", words, out)
		}
	}
	faults := filepath.Join(dir, "faults")
	run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I.", "example/faults.c", "-o", faults, lib, "-lpthread", "-Wl,-rpath,"+dir)
	out = run(faults)
	for _, words := range []string{"names in errors are quoted", "absurd sizes are refused", "ends beside submits are heard"} {
		if !strings.Contains(out, words) {
			t.Errorf("the C program of faults does not say %q:\n%s", words, out)
		}
	}
	if python, err := exec.LookPath("python3"); err == nil {
		if out := run(python, "example/example.py", lib); !strings.Contains(out, "became") {
			t.Errorf("the Python example says %s", out)
		}
	}
}

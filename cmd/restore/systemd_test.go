package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command of the systemd unit restores a folder with the layout in docs/CLUSTER.md, and the
// next time only new pictures.
func TestFolderUnit(t *testing.T) {
	unit, err := os.ReadFile("../../scripts/systemd/restore-folder@.service")
	if err != nil {
		t.Fatal(err)
	}
	setting := func(name string) string {
		_, after, ok := strings.Cut(string(unit), "\n"+name)
		if !ok {
			t.Fatalf("no %s in the unit", name)
		}
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	dir := filepath.Join(t.TempDir(), "my photos")
	for _, name := range []string{"in/deep", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	weights := filepath.Join(dir, someWeights(t, dir))
	fill := strings.NewReplacer("%f", dir, "${TASK}", setting("Environment=TASK="))
	words := strings.Fields(setting("ExecStart="))
	if words[0] != "/usr/bin/restore" {
		t.Fatalf("it runs %q, which the package does not bring", words[0])
	}
	args := []string{"-weights", weights}
	for _, w := range words[1:] {
		args = append(args, fill.Replace(w))
	}
	put(t, filepath.Join(dir, "in/a.png"), photo(24, 20, false, 8, false))
	if r := program(t, dir, nil, args...); r.code != 0 || !exists(filepath.Join(dir, "out/a.png")) {
		t.Fatalf("restore %q: exit code %d: %s", args, r.code, r.stderr)
	}
	before, err := os.ReadFile(filepath.Join(dir, "out/a.png"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "in/a.png"), photo(20, 24, false, 8, false)) // must not be read again
	put(t, filepath.Join(dir, "in/deep/b.png"), photo(24, 20, false, 8, false))
	if r := program(t, dir, nil, args...); r.code != 0 || !exists(filepath.Join(dir, "out/deep/b.png")) {
		t.Fatalf("again: exit code %d: %s", r.code, r.stderr)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "out/a.png")); err != nil || string(after) != string(before) {
		t.Errorf("what was there is not as it was: %v", err)
	}
}

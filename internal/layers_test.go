package internal

import (
	"bufio"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/vfmrestore/restore/"

// TestLayers reads the list of packages in docs/ARCHITECTURE.md. Every package, or a folder above
// it, must be in the list. A package may import only packages that come later.
func TestLayers(t *testing.T) {
	order := listed(t)
	place := func(pkg string) int {
		for p := pkg; p != "."; p = path.Dir(p) {
			if i, ok := order[p]; ok {
				return i
			}
		}
		t.Errorf("%s is missing in the list of packages in docs/ARCHITECTURE.md", pkg)
		return -1
	}
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`,
		"./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from, ok := strings.CutPrefix(words[0], module)
		if !ok || from == "internal" || from == "scripts" {
			continue
		}
		packages++
		for _, word := range words[1:] {
			to, ok := strings.CutPrefix(word, module)
			if !ok {
				continue
			}
			if a, b := place(from), place(to); a > b {
				t.Errorf("%s imports %s, which is above it in the list of docs/ARCHITECTURE.md",
					from, to)
			}
		}
	}
	if packages < 40 {
		t.Errorf("only %d packages found", packages)
	}
}

// listed returns the position of each package in the list. The parent of an indented folder is the
// last one that is indented less.
func listed(t *testing.T) map[string]int {
	f, err := os.Open("../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	order := map[string]int{}
	var parents []string
	inside := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "```") {
			if inside {
				break
			}
			inside = true
			continue
		}
		name, _, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		if !inside || !strings.HasSuffix(name, "/") || depth > len(parents) {
			continue
		}
		parents = append(parents[:depth], strings.TrimSuffix(name, "/"))
		order[path.Join(parents...)] = len(order)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return order
}
